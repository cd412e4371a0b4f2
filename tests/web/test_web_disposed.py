"""What the item page says of how a record is kept: class and review date, legal hold, a proposed disposal, and one carried out (R30)."""

import re

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser
from review_app import Served
from seen_pages import clean_in_both, sign_in
from stage import comment

from moderator.domain.disposal import Ground
from moderator.steps.dispose import approve, ask
from moderator.steps.legal_hold import place_hold, release_hold
from moderator.store.retention import RETENTION

WHY = "Agreed with the DPO on 3 May."


def words(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


@pytest.fixture
def item(served: Served) -> int:
    made = served.seen("You are an idiot")[0]
    assert served.decide(made, "uphold").status_code == 303
    return made


def test_r30_the_page_says_how_the_record_is_kept(served: Served, item: int) -> None:
    tools, record = served.stage.tools, served.record_id(item)
    shown = words(served.head.get(f"/items/{item}").text)
    assert "As ordinary. People look at it again on 18 November 2027. Nothing is ever removed by date." in shown
    assert "legal hold" not in shown.lower()
    place_hold(tools, record, reference_="CAD-1", why=WHY, by="CEO-1")
    shown = words(served.head.get(f"/items/{item}").text)
    assert "Under legal hold (CAD-1): it cannot be disposed of." in shown
    assert "A legal hold was put on the record , by CEO-1" in shown
    release_hold(tools, record, reference_="CAD-1", why=WHY, by="CEO-1")
    ask(tools, record, ground=Ground.CAPTURED_IN_ERROR, why=WHY, by="DPO-1")
    shown = words(served.head.get(f"/items/{item}").text)
    assert "Proposed for disposal on 18 November 2026 by DPO-1, because it should not have been recorded." in shown
    assert "A second person must decide" in shown


def test_a_record_without_a_review_date_says_so(served: Served, item: int) -> None:
    with served.stage.database.unit() as unit:
        unit.connection.execute(sa.delete(RETENTION))
    assert "Its review date is not set yet." in words(served.head.get(f"/items/{item}").text)


def test_an_item_that_has_no_record_yet_says_nothing_of_keeping(served: Served) -> None:
    served.stage.platform.comments.append(comment(31, "You are an idiot"))
    served.stage.run("poll", "score", "decide")
    number = served.stage.rows("id")[-1][0]
    page = served.head.get(f"/items/{number}")
    assert page.status_code == 200
    assert "Nothing is ever removed by date" not in page.text


@pytest.fixture
def gone(served: Served, item: int) -> int:
    record = served.record_id(item)
    ask(served.stage.tools, record, ground=Ground.COURT_ORDER, why=WHY, by="DPO-1")
    approve(served.stage.tools, record, why=WHY, by="CEO-1")
    return item


def test_r30_a_disposed_record_says_when_by_whom_and_why_and_shows_nothing(served: Served, gone: int) -> None:
    page = served.head.get(f"/items/{gone}")
    assert page.status_code == 200
    shown = words(page.text)
    assert "Disposed of on 18 November 2026, asked for by DPO-1, approved by CEO-1, because a court ordered it." in shown
    assert "Checked just now: what is left is as it was sealed." in shown
    assert "The record was disposed of , by DPO-1" in shown
    for personal in ("idiot", "Fern Ashwick", "fern_ashwick", "social.example", "/files/", "screenshot"):
        assert personal not in page.text
    assert "<form" not in page.text.partition("<main")[2].partition("</main>")[0]
    record = served.record_id(gone)
    assert served.head.get(f"/records/{record}/screenshot.png").status_code == 404
    assert served.head.get(f"/records/{record}").headers["location"] == f"/items/{gone}"


def test_r30_a_decision_about_it_is_refused_in_words(served: Served, gone: int) -> None:
    answer = served.decide(gone, "restore")
    assert answer.status_code == 409
    assert "was disposed of, so nothing more can be decided about it" in answer.text


def test_the_disposed_page_is_for_everybody(served: Served, gone: int, browser: Browser) -> None:
    context = browser.new_context(bypass_csp=True)
    page = context.new_page()
    sign_in(page, served)
    page.goto(f"{served.url}/items/{gone}")
    assert page.get_by_role("heading", level=1).inner_text() == "This record was disposed of"
    assert clean_in_both(page) == []
    context.close()
