"""The police and the HR pack: complete, checkable by a stranger, filled from the record, never signed, inert whatever the comment says."""

import json
import re
import subprocess
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from packing import AT, LEDGER, TEMPLATES, PaperPress, Press, Unpacked, bare, everything, held_of, order_of, packs_on
from PIL import Image

from moderator.domain.errors import BadInput
from moderator.domain.pack import Draft, Held, Pack
from moderator.evidence.packs.archive import Archive, making, name_of
from moderator.evidence.packs.bagged import as_text, both_times, moment_of
from moderator.evidence.packs.picture import parts
from moderator.evidence.packs.printing import Sheets
from moderator.evidence.packs.proof import Tail

HOSTILE = (
    '"><script>alert(1)</script><img src=x onerror=alert(1)> {{ 7*7 }} <a href="https://bad.example">press</a>\n'
    "$ rm -rf / \u202egnp.txt %PDF-1.4 /JS (app.alert) \ud800 😀 Mr Brindle"
)


@dataclass(frozen=True)
class Kept:
    """An encrypted, stamped record of a hostile comment, and the packs made of it."""

    vault: Any
    keys: Any
    held: Held
    police: Unpacked
    hr: Unpacked
    press: Press


@pytest.fixture(scope="module")
def kept(cast: Any, browser: Any, authority_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    folder = tmp_path_factory.mktemp("kept")
    vault, keys = cast.FolderVault(folder / "vault"), cast.HeldKeys()
    recorder = cast.still_on(vault, cast.Signer.generate(), keys=keys)
    record = recorder.seal(cast.make_evidence(HOSTILE))
    recorder.close()
    bag = vault.folder(record.path)
    cast.unlock(bag)
    (bag / "manifest-sha256.txt.tsa.tsr").write_bytes(cast.stamp_by(authority_folder, (bag / "manifest-sha256.txt").read_bytes()))
    (bag / "tsa-chain.pem").write_bytes((authority_folder / "chain.pem").read_bytes())
    held, press = held_of(record, cast.SCHOOL), Press(browser)
    packs = packs_on(vault, keys, press)
    made = [Unpacked(packs.build(order_of(kind, held), folder)) for kind in (Pack.POLICE, Pack.HR)]
    yield Kept(vault, keys, held, made[0], made[1], press)
    cast.unlock(folder)


@pytest.fixture
def unpacked(kept: Kept, tmp_path: Path) -> Path:
    """Return the police pack, unpacked as its reader would."""
    with zipfile.ZipFile(kept.police.path) as pack:
        pack.extractall(tmp_path)
    return tmp_path


def shell(folder: Path, command: str) -> str:
    return subprocess.run(["bash", "-c", command], cwd=folder, capture_output=True, text=True, check=True, timeout=60).stdout


def test_the_bag_is_in_it_exactly_as_stored(kept: Kept) -> None:
    folder = kept.vault.folder(kept.held.path)
    stored = {f"{kept.held.record_id}/{path.relative_to(folder)}": path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    for pack in (kept.police, kept.hr):
        assert {name: content for name, content in pack.files.items() if name.startswith("R-")} == stored
    assert any(name.endswith(".enc") for name in stored)


def test_the_two_packs_hold_what_each_is_for(kept: Kept) -> None:
    police, hr = ({name for name in pack.files if not name.startswith(("R-", "opened/"))} for pack in (kept.police, kept.hr))
    both = {
        *("KEY.txt", "README.txt", "ledger-head.txt", "ledger.jsonl", "record.pdf", "sha256sums.txt", "system-health.pdf"),
        *("drafts/certificate.pdf", "drafts/exhibit-labels.pdf"),
    }
    assert police == both | {"drafts/witness-statement.pdf"}
    assert hr == both | {"drafts/cover-note.pdf"}
    assert kept.police.files["ledger.jsonl"] == LEDGER
    last = LEDGER.splitlines(keepends=True)[-1]
    assert kept.police.files["ledger-head.txt"].decode() == f"2:{sha256(last).hexdigest()}\n"


def test_a_stranger_checks_it_with_coreutils_and_openssl(kept: Kept, unpacked: Path) -> None:
    assert "FAILED" not in shell(unpacked, "sha256sum -c sha256sums.txt")
    listed = {line.partition("  ")[2] for line in (unpacked / "sha256sums.txt").read_text().splitlines()}
    assert listed == set(kept.police.files) - {"sha256sums.txt"}
    assert shell(unpacked / kept.held.record_id, "sha256sum -c manifest-sha256.txt tagmanifest-sha256.txt").count(": OK") >= 10


def test_the_commands_of_key_txt_open_every_file(kept: Kept, unpacked: Path) -> None:
    commands = [line[2:] for line in (unpacked / "KEY.txt").read_text().splitlines() if line.startswith("$ ")]
    assert len(commands) == len(list((unpacked / "opened").iterdir())) + 1
    for command in commands[:-1]:
        shell(unpacked, command)
        name = command.rpartition(" ")[2]
        assert (unpacked / name).read_bytes() == (unpacked / "opened" / name).read_bytes()
    said = json.loads((unpacked / kept.held.record_id / "data" / "seal.json").read_text())
    assert shell(unpacked, commands[-1]).startswith(said["encryption"]["key_sha256"])
    assert json.loads((unpacked / "opened" / "record.json").read_text())["record_id"] == kept.held.record_id


def test_r13_time_date_and_place_stand_on_every_sheet_that_speaks_of_the_comment(kept: Kept) -> None:
    place = json.loads(kept.police.files["opened/record.json"])["place"]
    captured = both_times(kept.held.captured_at)
    for name in ("record.pdf", "drafts/certificate.pdf", "drafts/witness-statement.pdf", "drafts/exhibit-labels.pdf"):
        words = kept.police.words(name)
        assert place in words, name
        assert captured in words, name
        assert "UTC" in captured
        assert "(London)" in captured
    assert "2026-10-25 01:30:00 UTC · 2026-10-25 01:30:00+00:00 GMT (London)" in kept.police.words("record.pdf")


@pytest.mark.parametrize("name", ["certificate", "witness-statement", "exhibit-labels"])
def test_every_draft_says_that_it_is_not_signed_and_is_filled_in(kept: Kept, name: str) -> None:
    words = kept.police.words(f"drafts/{name}.pdf")
    assert "DRAFT for signature — not signed" in words
    assert kept.held.record_id in words
    assert kept.held.manifest_sha256 in words.replace(" ", "")
    assert re.search(r"signature|Signed", words)


def test_r8_the_sheets_say_on_whose_authority(kept: Kept) -> None:
    words = kept.police.words("record.pdf")
    for fact in ("DEL-1", "AP-1", "Head of Oakfield", "DES-2", "@oakfield on x", "acting on delegation DEL-1"):
        assert fact in words
    assert "Drawn from the platform's data, not a photograph of the site" in words
    assert "It does not prove who wrote the comment" in words


def test_the_statement_meets_section_9_and_rule_16(kept: Kept) -> None:
    words = kept.police.words("drafts/witness-statement.pdf")
    for part in (
        "section 9",
        "16.2",
        "Age if under 18",
        "true to the best of my knowledge and belief",
        "an offence wilfully to have stated",
    ):
        assert part in words
    assert words.index("Statement of") < words.index("Declaration") < words.index("1. I am employed")
    assert "Civil Evidence Act 1995, section 9(2)" in kept.police.words("drafts/certificate.pdf")
    assert "drafts/witness-statement.pdf" not in kept.hr.files


def test_the_health_statement_says_what_is_known_and_what_is_not(kept: Kept, tmp_path: Path) -> None:
    words = kept.police.words("system-health.pdf")
    for fact in ("moderator 0.0-test", "12", "The disk is nearly full.", "120 checked, 0 faults", "tsa at", f"9:{'ab' * 32}", "passed:"):
        assert fact.replace(" ", "") in words.replace(" ", ""), fact
    assert "First one after not known" in words
    assert "HTTP status not known" in words
    packs = packs_on(kept.vault, kept.keys, (press := PaperPress()), around=bare)
    packs.build(order_of(Pack.POLICE, replace(kept.held, ledger_seq=0)), tmp_path)
    health = next(html for html in press.seen if "How the system was working" in html)
    assert "The service raised no alert about itself or its accounts in that time." in health
    assert "no check has been written down" in health
    assert "no digest with this record&#39;s ledger line" in health


def test_nothing_in_a_comment_comes_alive(kept: Kept) -> None:
    for html in kept.press.seen:
        assert "<script" not in html
        assert "<a " not in html
        assert "onerror=alert(1)>" not in html
        assert "default-src 'none'" in html
    for pack in (kept.police, kept.hr):
        for name in (each for each in pack.files if each.endswith(".pdf")):
            objects = set(everything(pack.pdf(name).trailer))
            assert not objects & {
                "/JS",
                "/JavaScript",
                "/AA",
                "/OpenAction",
                "/Launch",
                "/EmbeddedFile",
                "/URI",
                "/GoToR",
                "/SubmitForm",
            }, name
    words = kept.police.words("record.pdf")
    assert '"><script>alert(1)</script><img src=x onerror=alert(1)> {{ 7*7 }}' in words
    assert "$ rm -rf" not in kept.police.files["README.txt"].decode()


def test_the_pdf_can_be_read_aloud(kept: Kept) -> None:
    for name in (each for each in kept.police.files if each.endswith(".pdf")):
        reader = kept.police.pdf(name)
        root: Any = reader.trailer["/Root"]
        assert root["/Lang"] == "en-GB"
        assert bool(root["/MarkInfo"]["/Marked"])
        assert reader.metadata is not None
        assert kept.held.record_id in str(reader.metadata.title)
        assert float(reader.pages[0].mediabox.width) == pytest.approx(595, abs=1)
        for number, page in enumerate(reader.pages, start=1):
            text = page.extract_text()
            assert f"Page {number} of {len(reader.pages)}" in text
            assert kept.held.record_id in text
    said = " ".join(everything(kept.police.pdf("record.pdf").trailer["/Root"]))
    assert "The record's picture, part 1 of 1." in said.replace("\x00", "")


def test_a_pack_is_the_same_bytes_for_the_same_order(kept: Kept, tmp_path: Path) -> None:
    made = [packs_on(kept.vault, kept.keys, PaperPress()).build(order_of(Pack.POLICE, kept.held), tmp_path) for _ in range(2)]
    assert made[0].sha256 == made[1].sha256 == sha256(made[0].path.read_bytes()).hexdigest()
    assert made[0].path != made[1].path
    assert made[0].name == f"police-{kept.held.record_id}-20261122T101500Z.zip"
    for member in Unpacked(made[0]).members.values():
        assert member.date_time == (2026, 11, 22, 10, 15, 0)
        assert (member.external_attr >> 16) == 0o100600
        assert (member.comment, member.create_system) == (b"", 3)
    assert made[0].path.stat().st_mode & 0o777 == 0o600


def test_a_record_in_clear_needs_no_key(cast: Any, still: Any, vault: Any, tmp_path: Path) -> None:
    record = still().seal(cast.make_evidence())
    pack = Unpacked(packs_on(vault, cast.HeldKeys(), PaperPress()).build(order_of(Pack.HR, held_of(record, cast.SCHOOL)), tmp_path))
    assert "KEY.txt" not in pack.files
    assert not [name for name in pack.files if name.startswith("opened/")]
    assert f"{record.record_id}/data/record.json" in pack.files
    assert "KEY.txt" not in pack.files["README.txt"].decode()


def test_a_record_of_the_first_format_is_packed_too(cast: Any, tmp_path: Path) -> None:
    golden = cast.FolderVault(Path(__file__).parent / "golden" / "1" / "vault")
    path = next(iter(golden.paths()))
    facts = json.loads(golden.open(path, "data/record.json"))
    times = {name: moment_of(facts[f"{name}_utc"]) for name in ("captured", "sealed")}
    held = Held(facts["record_id"], cast.SCHOOL, path, golden.manifest_sha256(path), times["captured"] or AT, times["sealed"] or AT)
    press = PaperPress()
    pack = Unpacked(packs_on(golden, cast.HeldKeys(), press).build(order_of(Pack.POLICE, held), tmp_path))
    lines = golden.open(path, "manifest-sha256.txt").decode().splitlines()
    assert f"All {len(lines)} files agree with the manifest" in pack.files["README.txt"].decode()
    assert facts["place"] in press.seen[0]


def test_a_record_that_is_not_as_sealed_says_so_on_every_sheet(cast: Any, still: Any, vault: Any, tmp_path: Path) -> None:
    record = still().seal(cast.make_evidence())
    cast.unlock(vault.folder(record.path))
    (vault.folder(record.path) / "data" / "page.html").write_text("changed")
    (vault.folder(record.path) / "data" / "api-headers.json").unlink()
    press = PaperPress()
    held = replace(held_of(record, cast.SCHOOL), manifest_sha256="00")
    pack = Unpacked(packs_on(vault, cast.HeldKeys(), press).build(order_of(Pack.POLICE, held), tmp_path))
    readme = pack.files["README.txt"].decode()
    assert "NOT AS SEALED: data/api-headers.json data/page.html the manifest is not the ledger's" in readme
    warned = [html for html in press.seen if "NOT AS SEALED" in html]
    assert len(warned) == 2
    assert all("Do not sign anything before this is explained" in html for html in warned)


def test_a_record_that_cannot_be_opened_leaves_nothing(cast: Any, still: Any, vault: Any, tmp_path: Path) -> None:
    keys = cast.HeldKeys()
    record = still(keys=keys).seal(cast.make_evidence())
    keys.keys.clear()
    (out := tmp_path / "out").mkdir()
    with pytest.raises(BadInput, match=rf"{record.record_id} cannot be opened: .*key.*moderator verify"):
        packs_on(vault, keys, PaperPress()).build(order_of(Pack.POLICE, held_of(record, cast.SCHOOL)), out)
    assert list(out.iterdir()) == []


def test_what_breaks_half_way_leaves_nothing(kept: Kept, tmp_path: Path) -> None:
    class Broken(PaperPress):
        def print(self, html: str) -> bytes:
            del html
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        packs_on(kept.vault, kept.keys, Broken()).build(order_of(Pack.POLICE, kept.held), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_unreadable_stamp_and_a_missing_picture_are_told_not_hidden(cast: Any, still: Any, vault: Any, tmp_path: Path) -> None:
    record = still().seal(cast.make_evidence())
    folder = vault.folder(record.path)
    cast.unlock(folder)
    for name in ("manifest-sha256.txt.odd.tsr", "renewal-0002-sha512.txt.odd.tsr"):
        (folder / name).write_bytes(b"no stamp")
    (folder / "data" / "screenshot.png").unlink()
    (folder / "data" / "decision.json").write_text("[]")
    press = PaperPress()
    packs_on(vault, cast.HeldKeys(), press).build(order_of(Pack.POLICE, held_of(record, cast.SCHOOL)), tmp_path)
    assert "odd (its time cannot be read)" in press.seen[0]
    assert "odd (renewal 2) (its time cannot be read)" in press.seen[0]
    assert "<img" not in press.seen[0]
    assert "NOT AS SEALED" in press.seen[0]


def test_a_tall_picture_is_cut_to_sheets() -> None:
    out = BytesIO()
    Image.new("RGB", (100, 300), (9, 9, 9)).save(out, "PNG")
    assert [(each.number, each.of) for each in parts(out.getvalue())] == [(1, 3), (2, 3), (3, 3)]
    assert parts(None) == parts(b"no picture") == ()
    huge = BytesIO()
    Image.new("1", (9000, 9000)).save(huge, "PNG")
    assert parts(huge.getvalue()) == ()


def test_facts_in_words() -> None:
    assert [as_text(value) for value in (None, "", True, False, 0, "a\n b", "\ud800")] == [
        "not known", "not known", "yes", "no", "0", "a b", "\ufffd",
    ]  # fmt: skip
    assert moment_of("2026-11-22T10:00:00") is None
    assert moment_of(None) is None
    assert both_times(None) == "not known"


def test_a_pdf_date_of_another_length_is_left_alone() -> None:
    sheets = Sheets.open(TEMPLATES, lambda html: b"(D:20200101000000Z)" + html[:0].encode(), AT)
    assert sheets.pdf("redrawn", subject=_Nobody()) == b"(D:20200101000000Z)"


class _Nobody:
    """Stands for a subject with nothing to show."""

    facts = {"record_id": "R-AAAAAAAAAAAAAAAA"}  # noqa: RUF012 - a constant of a small stand-in
    posts: tuple[()] = ()
    comment = {"who": "", "text": "", "when": ""}  # noqa: RUF012 - as above


def test_an_empty_ledger_has_the_head_zero() -> None:
    tail = Tail()
    assert list(tail.watching([b""])) == [b""]
    assert (tail.seq, tail.hash) == (0, "0" * 64)


def test_an_archive_after_an_error_writes_no_sums(tmp_path: Path) -> None:
    out = BytesIO()

    def broken() -> None:
        with Archive(out, AT) as archive:
            archive.add("a.txt", b"a")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken()
    with zipfile.ZipFile(out) as read:
        assert read.namelist() == ["a.txt"]
    with making(tmp_path, "n.zip", AT) as made:
        made.archive.add("a.txt", b"a")
    assert made.draft() == Draft(made.draft().path, "n.zip", sha256(made.draft().path.read_bytes()).hexdigest())
    assert name_of("hr", "R-X", AT) == "hr-R-X-20261122T101500Z.zip"
