"""R17 on the pages: what a withheld comment's page shows, the police form, and the button of a person who suspects."""

from datetime import timedelta

import pytest
from playwright.sync_api import Browser, expect
from review_app import Served
from seen_pages import NARROW, clean_in_both, sign_in
from stage import comment

from moderator.domain.errors import Transient
from moderator.domain.lifecycle import Stage as Step
from moderator.steps.decide import decide
from moderator.steps.poll import poll
from moderator.steps.score import score
from moderator.store.database import SqlUnit

PRESS = {"confirm": "yes"}


def flagged(served: Served) -> int:
    """Let a comment arrive that is flagged and not recorded yet."""
    served.stage.platform.comments.append(comment(40, "You are an idiot"))
    for step in (poll, score, decide):
        while step(served.stage.tools):
            pass
    return 1


def told(served: Served, item: int, **words: str) -> tuple[int, str]:
    answer = served.head.post(f"/items/{item}/police", data=words)
    page = served.head.get(answer.headers["location"]) if answer.status_code == 303 else answer
    return answer.status_code, page.text


def test_r17_the_police_form_keeps_reference_and_note_with_who_and_when(served: Served) -> None:
    item = served.seen("indecent_image")[0]
    page = served.head.get(f"/items/{item}").text
    assert "When the police have been told" in page
    assert "It has not kept its words or its author" in page
    status, page = told(served, item, note="Called 101 at noon; waiting for a <number>.")
    assert status == 303
    assert "Kept. What you wrote stands below." in page
    assert "Called 101 at noon; waiting for a &lt;number&gt;." in page
    assert "It stays on your list until a police reference is kept." in page
    status, page = told(served, item, reference="  AB-123/26 ")
    assert "Police reference AB-123/26" in page
    assert "by HEAD-1" in page
    assert "Add a note" in page
    assert "Nothing waits for you." in served.head.get("/").text
    assert served.stage.states() == ["withheld"]
    ledger = (served.stage.folder / "ledger.jsonl").read_text()
    assert ledger.count('"reason":"police_report"') == 2
    assert "AB-123" not in ledger
    assert "noon" not in ledger


def test_r17_a_report_that_is_not_kept_says_why_and_keeps_what_was_typed(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    item = served.seen("indecent_image")[0]
    status, page = told(served, item)
    assert status == 400
    assert "Give the police reference, or say what you did." in page
    assert 'role="alert"' in page
    status, page = told(served, item, reference="x" * 101, note="Called 101 <twice>.")
    assert status == 400
    assert "under 100 characters" in page
    assert "Called 101 &lt;twice&gt;.</textarea>" in page

    def fails(*_: object) -> None:
        message = "the disk is full"
        raise Transient(message)

    with monkeypatch.context() as patched:
        patched.setattr(SqlUnit, "police_reported", fails)
        status, page = told(served, item, reference="AB-1", note="Called 101.")
    assert status == 503
    assert 'value="AB-1"' in page
    assert "the disk is full" not in page


def test_r17_a_reason_typed_before_it_was_withheld_is_not_lost(served: Served) -> None:
    item = served.seen("indecent_image")[0]
    late = served.decide(item, "restore", "Surely it is harmless.")
    assert late.status_code == 409
    assert "Surely it is harmless.</textarea>" in late.text


def test_r17_a_person_withholds_with_one_press_and_a_tick(served: Served) -> None:
    item = flagged(served)
    page = served.head.get(f"/items/{item}").text
    assert "Withhold it: for the police only" in page
    assert "No record is made." in page
    unticked = served.head.post(f"/items/{item}/withhold", data={})
    assert unticked.status_code == 400
    assert "Tick the box first" in unticked.text
    assert served.stage.states() == ["flagged"]
    answer = served.head.post(f"/items/{item}/withhold", data=PRESS)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/items/{item}?done=withheld")
    page = served.head.get(answer.headers["location"]).text
    assert "Withheld. Now call the police." in page
    assert "Withheld by a person" in page
    assert "D-1" in page
    for word in ("idiot", "Fern Ashwick", "harvest", "<img"):
        assert word not in page
    served.run_line()
    assert served.stage.states() == ["withheld"]
    assert list((served.stage.folder / "vault").rglob("*.png")) == []


def test_r17_a_press_while_the_record_is_being_made_waits(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    item = flagged(served)
    served.stage.database.claim(Step.RECORD, limit=1, now=served.stage.clock.now(), lease=timedelta(minutes=20))
    answer = served.head.post(f"/items/{item}/withhold", data=PRESS)
    assert answer.status_code == 409
    assert "working on this comment right now" in answer.text

    def fails(*_: object, **__: object) -> None:
        message = "the disk is full"
        raise Transient(message)

    served.later(timedelta(hours=1))
    monkeypatch.setattr(SqlUnit, "decided", fails)
    answer = served.head.post(f"/items/{item}/withhold", data=PRESS)
    assert answer.status_code == 503
    assert "the disk is full" not in answer.text


def test_r17_what_is_recorded_is_marked_and_gets_the_police_form_on_its_own_page(served: Served) -> None:
    item = served.seen("You are an idiot")[0]
    assert told(served, item, reference="AB-123")[0] == 409
    page = served.head.get(f"/items/{item}").text
    assert "Mark it for the police" in page
    assert "The record stays." in page
    answer = served.head.post(f"/items/{item}/withhold", data=PRESS)
    assert answer.headers["location"] == f"/items/{item}?done=marked"
    page = served.head.get(answer.headers["location"]).text
    for word in ("Marked for the police.", "999", "101", "IWF", "CEOP", "DSL", "Do not open the comment itself."):
        assert word in page
    assert "Mark it for the police" not in page
    assert served.stage.states() == ["hidden"]
    assert "Police reference AB-123" in told(served, item, reference="AB-123")[1]
    assert served.decide(item, "uphold", "It is plain abuse of our staff.").status_code == 303


def test_r17_the_pages_work_by_phone_without_script_and_axe_finds_nothing(browser: Browser, served: Served) -> None:
    marked, withheld = served.seen("You are an idiot", "indecent_image")
    context = browser.new_context(viewport={"width": NARROW, "height": 800}, java_script_enabled=False)
    page = context.new_page()
    sign_in(page, served)
    page.goto(f"{served.url}/items/{marked}")
    page.get_by_text("It may be an indecent image of a child").click()
    page.get_by_label("Yes, this is for the police.").check()
    page.get_by_role("button", name="Mark it for the police").click()
    expect(page.get_by_role("status")).to_have_text("Marked for the police. Now call them.")
    page.goto(f"{served.url}/items/{withheld}")
    page.get_by_label("Police reference").fill("AB-123")
    page.get_by_label("What you did").fill("Called 101, told the DSL.")
    page.get_by_role("button", name="Keep this").click()
    expect(page.get_by_text("Police reference AB-123")).to_be_visible()
    assert page.locator("a[href*='social.example']").count() == 0
    context.close()
    context = browser.new_context(bypass_csp=True)
    page = context.new_page()
    sign_in(page, served)
    for address in (f"/items/{marked}", f"/items/{withheld}?done=police"):
        page.goto(served.url + address)
        for summary in page.locator("summary").all():
            summary.click()
        assert clean_in_both(page) == [], address
    page.get_by_role("button", name="Keep this").click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert clean_in_both(page) == [], "with an error"
    context.close()
