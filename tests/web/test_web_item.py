"""The item page: what it shows, what it covers, what it never shows; and the record's own addresses."""

import hashlib
import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from review_app import HEAD, Served, browser_like, enter, serve
from sqlalchemy import text as sql
from stage import comment

from moderator.domain.access import Role
from moderator.domain.errors import RateLimited, Transient
from moderator.domain.item import Author, ItemKind, MediaCount
from moderator.domain.record import Fault, Verification
from moderator.evidence.vault.folder import FolderVault
from moderator.settings import ASSETS
from moderator.steps.hide import hide
from moderator.steps.poll import poll
from moderator.web.app import create_app
from moderator.web.bag_files import stamp_words


def outside(page: str) -> str:
    """Return what shows before anything is uncovered."""
    return re.sub(r'<details class="cover">.*?</details>', "", page, flags=re.DOTALL)


def covered(page: str) -> str:
    """Return what is covered until asked for."""
    return "".join(re.findall(r'<details class="cover">.*?</details>', page, flags=re.DOTALL))


def test_r14_the_comment_is_shown_under_its_parent_with_the_flagged_words_marked_and_covered(served: Served) -> None:
    item = served.seen("You are an idiot & no more")[0]
    page = served.head.get(f"/items/{item}").text
    assert "<details open" not in page
    inside = covered(page)
    assert inside.index("Our harvest assembly") < inside.index("You are an")
    assert '<p class="said" dir="auto">You are an <mark>idiot</mark><sup class="note">1</sup> &amp; no more</p>' in inside
    assert "The word &#39;idiot&#39; is an insult." in inside
    assert "Fern Ashwick" in inside
    for word in ("idiot", "Fern Ashwick", "harvest assembly"):
        assert word not in outside(page)


def test_reasons_policy_and_what_was_considered_are_in_plain_english(served: Served) -> None:
    item = served.seen("You are an idiot, and this is a complaint")[0]
    page = served.head.get(f"/items/{item}").text
    assert "It is a complaint that is also flagged. It reads as abuse." in outside(page)
    assert "Rules, version 2026.11-3." in page
    assert "link with the Safeguarding and Whistleblowing policies" in page
    assert "90%" in covered(page)
    assert "45%" in covered(page)
    other = served.seen("You are an idiot. Guess: public whistleblowing")[0]
    assert "It may report wrongdoing." in served.head.get(f"/items/{other}").text


def test_what_was_passed_over_is_told(served: Served) -> None:
    item = served.seen("Tilly Marwood is an idiot")[0]
    with served.stage.database.unit() as unit:
        said = unit.connection.execute(sql("SELECT decision FROM items WHERE id = :id"), {"id": item}).scalar_one()
        parts = json.loads(said) | {"considered": ["Names a public figure; that is not a ground."]}
        unit.connection.execute(sql("UPDATE items SET decision = :d WHERE id = :id"), {"d": json.dumps(parts), "id": item})
    page = served.head.get(f"/items/{item}").text
    assert "Names a public figure; that is not a ground." in covered(page)
    assert "It names a pupil" in covered(page)


def test_r12_who_can_still_see_it_follows_what_was_done(served: Served) -> None:
    item = served.seen("You are an idiot")[0]
    assert "It is hidden. Nobody sees it: this platform is only in memory." in served.head.get(f"/items/{item}").text
    served.decide(item, "uphold")
    assert "It is hidden." in served.head.get(f"/items/{item}").text
    routed = served.seen("Guess: a public whistleblowing, you idiot")[0]
    page = served.head.get(f"/items/{routed}").text
    assert "Everybody. It is not hidden." in page
    served.decide(routed, "uphold")
    assert "Everybody. It is not hidden." in served.head.get(f"/items/{routed}").text


def test_r13_time_date_and_place_are_stated_in_london_and_utc(served: Served) -> None:
    item = served.seen("You are an idiot")[0]
    page = served.head.get(f"/items/{item}").text
    assert "<dt>Posted</dt><dd>Wednesday 18 November 2026, 11:55 GMT (11:55 UTC)</dd>" in page
    assert "<dt>First seen</dt><dd>Wednesday 18 November 2026, 13:00 GMT (13:00 UTC)</dd>" in page
    assert 'href="https://social.example/fern_ashwick/status/10" rel="noreferrer noopener"' in page


def test_r15_a_disclosure_points_to_the_safeguarding_lead(served: Served) -> None:
    routed, plain = served.seen("This is a disclosure", "You are an idiot")
    lead = served.clients[Role.DSL]
    assert "Somebody may be at risk." in lead.get(f"/items/{routed}").text
    assert served.head.get(f"/items/{routed}").status_code == 404
    assert "Somebody may be at risk." not in served.head.get(f"/items/{plain}").text


def test_the_record_is_named_hashed_and_checked(served: Served) -> None:
    item = served.seen("You are an idiot")[0]
    page = served.head.get(f"/items/{item}").text
    found = served.stage.database.work(item).record
    assert found is not None
    assert found.record_id in page
    assert found.manifest_sha256 in page
    assert "Drawn from the platform&#39;s data, not a photograph of the site" in page
    assert "Checked just now: nothing has changed since it was sealed." in page
    files = re.findall(r'href="(/records/[^"]+)" download', page)
    assert len(files) == 16
    for address in files:
        answer = served.head.get(address)
        assert answer.status_code == 200
        assert answer.headers["content-disposition"] == f'attachment; filename="{found.record_id}-{address.rpartition("/")[2]}"'
    manifest = served.head.get(f"/records/{found.record_id}/files/manifest-sha256.txt").content
    assert hashlib.sha256(manifest).hexdigest() == found.manifest_sha256


def test_the_captured_page_is_bytes_to_keep_never_a_page(served: Served) -> None:
    record = served.record_id(served.seen("You are an idiot")[0])
    types = {"data/page.html": "application/octet-stream", "data/record.json": "application/json", "data/screenshot.png": "image/png"}
    types |= {"bagit.txt": "text/plain; charset=utf-8", "manifest-sha256.txt.sig": "application/octet-stream"}
    for name, kind in types.items():
        answer = served.head.get(f"/records/{record}/files/{name}")
        assert answer.headers["content-type"] == kind
        assert answer.headers["content-disposition"].startswith("attachment; ")


def test_who_stamped_a_record_is_told_from_the_record_itself(served: Served) -> None:
    item = served.seen("You are an idiot")[0]
    assert "none: no time stamp authority is set up" in served.head.get(f"/items/{item}").text
    record = served.stage.database.work(item).record
    assert record is not None
    assert stamp_words(served.app.state.site, replace(record, stamp_pending=True)).startswith("not yet")
    tamper(served, item, "manifest-sha256.txt.first-tsa.tsr", b"stamp")
    tamper(served, item, "renewal-0002-sha512.txt.second-tsa.tsr", b"a later stamp")
    page = served.head.get(f"/items/{item}").text
    assert "<dd>by first-tsa, second-tsa</dd>" in page
    assert f"/records/{record.record_id}/files/manifest-sha256.txt.first-tsa.tsr" in page
    assert f"/records/{record.record_id}/files/renewal-0002-sha512.txt.second-tsa.tsr" in page


def test_the_picture_is_the_one_in_the_vault(served: Served) -> None:
    item = served.seen("You are an idiot")[0]
    found = served.stage.database.work(item).record
    assert found is not None
    answer = served.head.get(f"/records/{found.record_id}/screenshot.png")
    assert answer.headers["content-type"] == "image/png"
    assert answer.content == served.stage.tools.vault.open(found.path, "data/screenshot.png")
    assert answer.content.startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "name", ["../record.json", "data/%2e%2e/bagit.txt", "%2e%2e/x", "data/none.txt", ".hidden", "data/data/x", "a" * 200, "data%00"]
)
def test_no_name_leads_out_of_a_record(served: Served, name: str) -> None:
    record = served.record_id(served.seen("You are an idiot")[0])
    assert served.head.get(f"/records/{record}/files/{name}").status_code == 404


def test_a_record_number_leads_to_its_item_and_an_unknown_one_nowhere(served: Served) -> None:
    item = served.seen("You are an idiot")[0]
    answer = served.head.get(f"/records/{served.record_id(item)}")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/items/{item}")
    for path in (
        "/records/R-AAAAAAAAAAAAAAAA",
        "/records/R-AAAAAAAAAAAAAAAA/screenshot.png",
        "/records/R-AAAAAAAAAAAAAAAA/files/bagit.txt",
    ):
        assert served.head.get(path).status_code == 404


def tamper(served: Served, item: int, name: str, content: bytes | None) -> None:
    """Change or remove a file of a record behind the service's back."""
    vault, found = served.stage.tools.vault, served.stage.database.work(item).record
    assert isinstance(vault, FolderVault)
    assert found is not None
    path = vault.root / found.path / name
    for folder in (path.parent, vault.root / found.path):
        folder.chmod(0o755)
    if content is None:
        path.unlink()
    else:
        path.unlink(missing_ok=True)
        path.write_bytes(content)


def test_a_changed_record_is_told_at_once(served: Served) -> None:
    changed, listed, missing, odd = served.seen("You are an idiot", "What an idiot", "Another idiot", "One more idiot")
    tamper(served, changed, "data/record.json", b"{}")
    page = served.head.get(f"/items/{changed}").text
    assert "The check found something wrong. Tell your IT lead now." in page
    assert "nothing has changed" not in page
    tamper(served, listed, "manifest-sha256.txt", b"")
    assert "The record was changed after it was sealed." in served.head.get(f"/items/{listed}").text
    tamper(served, missing, "manifest-sha256.txt", None)
    gone = served.head.get(f"/items/{missing}").text
    assert "The record is missing from the vault." in gone
    tamper(served, odd, "data/screenshot.png", b"<svg>not a picture</svg>")
    assert served.head.get(f"/records/{served.record_id(odd)}/screenshot.png").status_code == 404


@pytest.mark.parametrize(
    ("verify", "said"),
    [
        (None, "The command moderator verify checks each file."),
        (Transient("no disk"), "could not be checked just now"),
        (Verification(1, (Fault("x", "y", "The stamp is wrong <b>."),)), "The stamp is wrong &lt;b&gt;."),
    ],
)
def test_the_check_says_how_far_it_went(served: Served, verify: Verification | Exception | None, said: str) -> None:
    item = served.seen("You are an idiot")[0]
    stage = served.stage

    def check(_: str) -> Verification:
        if isinstance(verify, Verification):
            return verify
        raise Transient

    with (
        serve(
            lambda url: create_app(
                database=stage.database,
                tools=stage.tools,
                templates=ASSETS / "templates",
                clock=stage.clock,
                base_url=url,
                verify_record=check if verify else None,
            )
        ) as (url, _),
        browser_like(url) as head,
    ):
        enter(head, served.link())
        assert said in head.get(f"/items/{item}").text


def test_each_view_is_in_the_ledger_once_a_session_item_and_day(served: Served) -> None:
    one, two = served.seen("You are an idiot", "What an idiot")

    def views() -> int:
        return served.stage.ledger_events().count("viewed")

    for _ in range(3):
        served.head.get(f"/items/{one}")
        served.head.get(f"/records/{served.record_id(one)}/screenshot.png")
    assert views() == 1
    served.head.get(f"/records/{served.record_id(two)}/files/bagit.txt")
    assert views() == 2
    enter(served.head, served.link())
    served.head.get(f"/items/{one}")
    assert views() == 3
    served.later(timedelta(hours=11))
    served.head.get(f"/items/{one}")
    assert views() == 4
    last = [json.loads(line) for line in (served.stage.folder / "ledger.jsonl").read_text(encoding="ascii").splitlines()][-1]
    assert (last["event"], last["actor"], last["subject"]) == ("viewed", HEAD, served.record_id(one))
    assert re.fullmatch("[0-9a-f]{16}", last["session"])


def test_a_view_that_cannot_be_logged_is_not_shown_but_a_slow_ledger_file_is_no_bar(served: Served) -> None:
    one, two = served.seen("You are an idiot", "What an idiot")
    ledger = served.stage.folder / "ledger.jsonl"
    ledger.rename(served.stage.folder / "away")
    ledger.mkdir()
    assert served.head.get(f"/items/{one}").status_code == 200
    assert served.stage.ledger_events()[-1] == "viewed"
    with served.stage.database.unit() as unit:
        unit.connection.execute(sql("CREATE TRIGGER full BEFORE INSERT ON ledger BEGIN SELECT RAISE(ABORT, 'disk full'); END"))
    answer = served.head.get(f"/items/{two}")
    assert answer.status_code in {500, 503}
    assert "idiot" not in answer.text


def test_r28_unflagged_comments_are_not_on_any_page(served: Served) -> None:
    clear = served.seen("Lovely assembly")[0]
    assert served.head.get(f"/items/{clear}").status_code == 404
    served.stage.platform.comments.append(comment(90, "Just seen"))
    served.later(timedelta(hours=1))
    poll(served.stage.tools)
    assert served.stage.states()[-1] == "seen"
    assert served.head.get(f"/items/{clear + 1}").status_code == 404
    assert (
        served.head.post(f"/items/{clear}/review", data={"verdict": "uphold", "justification": "Long enough, surely."}).status_code == 404
    )


def test_r17_a_withheld_item_shows_what_to_do_and_nothing_else(served: Served) -> None:
    item = served.seen("indecent_image of Tilly Marwood")[0]
    answer = served.head.get(f"/items/{item}")
    assert answer.status_code == 200
    page = answer.text
    for word in ("999", "101", "IWF", "CEOP", "DSL", "Do not look at it"):
        assert word in page
    for word in ("indecent_image", "Marwood", "Fern Ashwick", "harvest", "<img", "/records/", "Show the comment"):
        assert word not in page
    assert 'href="https://social.example' not in page
    assert "https://social.example/fern_ashwick/status/10" in covered(page)
    assert "social.example" not in outside(page)
    assert "restore" not in page
    assert served.stage.ledger_events()[-1] == "viewed"
    assert 'href="/items/' in served.head.get("/").text
    assert "Withheld: do not open, call the police" in served.head.get("/").text


def test_r17_nothing_of_a_withheld_item_is_served_even_if_a_record_exists(served: Served) -> None:
    item = served.seen("You are an idiot")[0]
    record = served.record_id(item)
    with served.stage.database.unit() as unit:
        unit.connection.execute(sql("UPDATE items SET state = 'withheld' WHERE id = :id"), {"id": item})
    for path in (f"/records/{record}", f"/records/{record}/screenshot.png", f"/records/{record}/files/data/page.html"):
        assert served.head.get(path).status_code == 404
    assert "idiot" not in served.head.get(f"/items/{item}").text


def test_script_in_text_names_and_places_is_only_text(served: Served) -> None:
    evil = "<script>alert(1)</script> idiot \"'><img src=x onerror=alert(2)> {{ 7*7 }}"
    served.stage.platform.comments.append(
        comment(70, evil, author=Author("1", '"><b>x', "<i>Fern</i>"), place="javascript:alert(3)", kind=ItemKind.QUOTE, hideable=False)
    )
    item = served.seen("Lovely")[0] - 1
    page = served.head.get(f"/items/{item}").text
    for part in ("<script>", "<img src=x", "<b>x", "<i>Fern", 'href="javascript', "49 "):
        assert part not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "javascript:alert(3)" in page


def test_r18_media_is_counted_and_never_on_the_page(served: Served) -> None:
    served.stage.platform.comments.append(comment(71, "idiot", media=(MediaCount("photo", 2), MediaCount("animated_gif", 1)), edited=True))
    item = served.seen("Lovely")[0] - 1
    page = served.head.get(f"/items/{item}").text
    assert "With 2 photos: counted, never fetched." in page
    assert "With 1 animated gif: counted, never fetched." in page
    assert "Its author has edited it." in page
    assert page.count("<img") == 1


def test_a_comment_without_its_post_says_so(served: Served) -> None:
    served.stage.platform.comments.append(comment(72, "idiot", thread=()))
    item = served.seen("Lovely")[0] - 1
    assert "The post above it was not given by the platform." in served.head.get(f"/items/{item}").text


def test_a_deleted_comment_is_shown_from_what_is_held(served: Served) -> None:
    served.stage.platform.comments.append(comment(73, "idiot"))
    served.later(timedelta(hours=1))
    poll(served.stage.tools)
    served.stage.platform.delete("73")
    served.run_line()
    assert served.stage.states() == ["gone"]
    page = served.head.get("/items/1").text
    assert "Deleted on the platform, record kept" in page
    assert "Nobody: it was deleted on the platform." in page
    assert 'value="restore"' not in page


def test_while_the_service_works_on_an_item_nothing_is_offered(served: Served) -> None:
    until = served.stage.clock.now() + timedelta(hours=5)
    item = served.seen("Lovely", "You are an idiot")[1]
    del item
    served.stage.platform.comments.append(comment(74, "idiot too"))
    served.later(timedelta(hours=1))
    for step in (served.run_line,):
        served.stage.platform.believes_hidden = False
        step()
    page = served.head.get("/items/3").text
    assert "It is about to be hidden." in page
    assert "The platform did not answer. Trying again." in page
    assert 'name="verdict"' not in page
    served.stage.platform.believes_hidden = None
    served.stage.platform.failures.append(RateLimited(until))
    served.later(timedelta(minutes=1))
    hide(served.stage.tools)
    assert "Waiting for the platform&#39;s limit. It is still showing." in served.head.get("/items/3").text


def test_a_comment_the_classifier_could_not_read_is_shown_to_be_read(served: Served) -> None:
    served.stage.classifier.breaks_on = "knot"
    item = served.seen("A knot in the text")[0]
    for _ in range(10):
        served.later(timedelta(minutes=11))
        served.run_line()
    assert served.stage.states() == ["seen"]
    page = served.head.get(f"/items/{item}").text
    assert "The classifier could not read this comment. Read it yourself, then decide." in page
    assert "It was not decided on" in page
    assert "A knot in the text" in covered(page)
    assert 'value="retry"' in page
    assert 'value="uphold"' not in page
    served.stage.classifier.breaks_on = ""
    assert served.decide(item, "retry").status_code == 303
    served.run_line()
    assert served.stage.states() == ["cleared"]


def test_r13_the_doubled_hour_in_october_is_told_apart(served: Served) -> None:
    for number, hour in ((80, 0), (81, 1)):
        posted = datetime(2026, 10, 25, hour, 30, tzinfo=UTC)
        served.stage.platform.comments.append(comment(number, f"idiot {number}", posted_at=posted))
    served.seen("Lovely")
    assert "Sunday 25 October 2026, 01:30 BST (00:30 UTC)" in served.head.get("/items/1").text
    assert "Sunday 25 October 2026, 01:30 GMT (01:30 UTC)" in served.head.get("/items/2").text
