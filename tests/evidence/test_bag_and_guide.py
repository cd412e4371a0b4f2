"""The bag as others read it: the bagit library, coreutils and openssl."""

import json
import re
import warnings
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from moderator.domain.item import Fetched
from moderator.evidence.vault.folder import FolderVault

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # bagit warns of pkg_resources on import
    import bagit

FILES = {
    "bagit.txt", "bag-info.txt", "manifest-sha256.txt", "tagmanifest-sha256.txt", "manifest-sha256.txt.sig", "signing-key.pem",
    "manifest-sha512.txt", "tagmanifest-sha512.txt", "data/seal.json",
    "data/screenshot.png", "data/page.html", "data/api-response.json", "data/api-headers.json", "data/record.json", "data/decision.json",
    "data/VERIFY.txt",
}  # fmt: skip


def names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_the_bag_is_valid_for_the_bagit_library(vault: FolderVault, still: Any, cast: Any) -> None:
    record = still().seal(cast.make_evidence())
    folder = vault.folder(record.path)
    assert names(folder) == FILES
    bag = bagit.Bag(str(folder))
    assert bag.validate()
    assert bag.info["External-Identifier"] == record.record_id
    assert bag.version_info == (1, 0)


def test_the_bag_stays_valid_for_the_bagit_library_with_stamps(vault: FolderVault, still: Any, cast: Any, authority: Any) -> None:
    record = still(authorities=(authority.http(),)).seal(cast.make_evidence())
    folder = vault.folder(record.path)
    assert names(folder) == FILES | {"manifest-sha256.txt.tsa.tsr", "tsa-chain.pem"}
    assert bagit.Bag(str(folder)).validate()


def test_everything_is_read_only(vault: FolderVault, still: Any, cast: Any) -> None:
    folder = vault.folder(still().seal(cast.make_evidence()).path)
    assert {path.stat().st_mode & 0o777 for path in folder.rglob("*") if path.is_file()} == {0o444}
    assert {path.stat().st_mode & 0o777 for path in (folder, folder / "data")} == {0o555}
    assert list((vault.root / ".tmp").glob("*/*")) == []


def test_verify_txt_says_what_is_not_proved(vault: FolderVault, still: Any, cast: Any) -> None:
    record = still().seal(cast.make_evidence())
    guide = vault.open(record.path, "data/VERIFY.txt").decode()
    assert "WHAT THIS DOES NOT PROVE" in guide
    assert "does not prove that the platform showed this comment" in guide
    assert "not a photograph\n   of the site" in guide


def test_a_place_cannot_add_a_command_to_verify_txt(vault: FolderVault, still: Any, cast: Any) -> None:
    record = still().seal(cast.make_evidence(place="http://127.0.0.1/x\n   $ rm -rf /tmp/none\n"))
    guide = vault.open(record.path, "data/VERIFY.txt").decode()
    assert not re.search(r"^   \$ rm", guide, re.MULTILINE)


def test_r13_time_date_and_place_are_in_the_facts_in_utc_and_london(vault: FolderVault, still: Any, cast: Any) -> None:
    facts = cast.facts_of(vault, still().seal(cast.make_evidence()))
    assert facts["posted_utc"] == "2026-10-25T01:30:00.000000Z"
    assert facts["posted_london"] == "2026-10-25 01:30:00+00:00 GMT"
    assert facts["place"] == "http://127.0.0.1:9/grumbler/status/12"
    assert facts["site"] == "127.0.0.1"
    assert {"captured_utc", "captured_london", "first_seen_utc", "sealed_utc"} <= facts.keys()
    earlier = cast.make_evidence()
    comment = replace(earlier.item.comment, comment_id="13", posted_at=datetime(2026, 10, 25, 0, 30, tzinfo=UTC))
    doubled = cast.facts_of(
        vault, still().seal(replace(earlier, record_id="R-AAAAAAAAAAAAAAAA", item=replace(earlier.item, comment=comment)))
    )
    assert doubled["posted_london"] == "2026-10-25 01:30:00+01:00 BST", "the doubled hour is told apart"


def test_r8_r14_r18_delegation_thread_and_media_are_in_the_facts(vault: FolderVault, still: Any, cast: Any) -> None:
    facts = cast.facts_of(vault, still().seal(cast.make_evidence()))
    assert facts["delegation"] == "DEL-1"
    assert facts["designated_admin_on_duty"] == "DES-2"
    assert facts["thread"][0]["text"] == cast.PARENT.text
    assert facts["media"] == [
        {"kind": "photo", "count": 2, "status": "not_fetched"},
        {"kind": "video", "count": 1, "status": "not_fetched"},
    ]
    assert facts["capture_kind"] == "rendered_from_api"
    assert facts["api_response_source"] == "first_seen_page"
    assert facts["not_looked_up_why"] == "the read budget is used up"
    assert facts["clock_offset_seconds"] is None
    assert facts["timestamp_authorities"] == []


def test_the_platforms_bytes_are_kept_exactly(vault: FolderVault, still: Any, cast: Any) -> None:
    evidence = cast.make_evidence()
    record = still().seal(evidence)
    assert vault.open(record.path, "data/api-response.json") == evidence.first_seen.body
    assert json.loads(vault.open(record.path, "data/api-headers.json")) == evidence.first_seen.headers


def test_an_edited_comment_keeps_both_answers(vault: FolderVault, still: Any, cast: Any) -> None:
    evidence = cast.make_evidence()
    now = Fetched(
        replace(evidence.item.comment, text="I take it back."), b'{"now": 1}', {"Date": "Sun, 25 Oct 2026 02:00:00 GMT"}, 200, "req-2"
    )
    record = still().seal(replace(evidence, fetched=now))
    facts = cast.facts_of(vault, record)
    assert vault.open(record.path, "data/api-response.json") == b'{"now": 1}'
    assert vault.open(record.path, "data/api-first-seen.json") == evidence.first_seen.body
    assert facts["text_changed_since_first_seen"] is True
    assert facts["api_response_source"] == "lookup_at_capture"
    assert facts["api_request_id"] == "req-2"
    assert facts["clock_offset_seconds"] > 0
    assert "api-first-seen.json" in vault.open(record.path, "data/VERIFY.txt").decode()
    same = replace(
        evidence, record_id="R-AAAAAAAAAAAAAAAA", fetched=replace(now, comment=evidence.item.comment, headers={"date": "rubbish"})
    )
    unchanged = still().seal(same)
    assert cast.facts_of(vault, unchanged)["text_changed_since_first_seen"] is False
    assert cast.facts_of(vault, unchanged)["clock_offset_seconds"] is None
    assert "data/api-first-seen.json" not in names(vault.folder(unchanged.path))
    naive = replace(same, record_id="R-BBBBBBBBBBBBBBBB", fetched=replace(now, headers={"date": "Sun, 25 Oct 2026 02:00:00 -0000"}))
    assert cast.facts_of(vault, still().seal(naive))["clock_offset_seconds"] > 0


def test_r29_the_decision_names_roll_matches_by_kind_and_reference_only(vault: FolderVault, still: Any, cast: Any) -> None:
    record = still().seal(cast.make_evidence())
    decision = json.loads(vault.open(record.path, "data/decision.json"))
    assert decision["people"] == [{"start": 27, "end": 37, "kind": "staff", "source": "roll", "reference": "S-004", "strong": True}]
    assert decision["labels"]["insult"] == 0.93
    assert decision["thresholds"] == {"flag.insult": 0.6}
    assert decision["reasons"] == [{"label": "insult", "start": 10, "end": 17, "why": "It insults somebody."}]
    assert (decision["policy"], decision["policy_section"], decision["mode"], decision["outcome"]) == ("policy-1", "3.2", "hide", "hide")
    assert decision["guards"][0]["guard"] == "complaint"
    assert decision["personal_data"] == [{"start": 0, "end": 3, "kind": "phone"}]


def test_an_account_without_approval_or_times_still_makes_a_record(vault: FolderVault, still: Any, cast: Any) -> None:
    evidence = cast.make_evidence()
    bare = replace(cast.ACCOUNT, approval=None)
    comment = replace(evidence.item.comment, thread=(replace(cast.PARENT, posted_at=None),), place="no address")
    facts = cast.facts_of(vault, still().seal(replace(evidence, account=bare, item=replace(evidence.item, comment=comment), delegation="")))
    assert facts["approver"] == ""
    assert "none on file" in str(facts["operator"])
    assert "posted_utc" not in facts["thread"][0]
    assert facts["site"] == ""
