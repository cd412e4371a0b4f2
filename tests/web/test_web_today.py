"""Today: what needs a decision first, then the day, its counts, and how each account stands."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import sqlalchemy as sa
from fastapi import FastAPI
from review_app import Served, browser_like, enter, serve
from stage import SCHOOL, Stage, comment

from moderator.domain.errors import Transient
from moderator.settings import ASSETS
from moderator.steps.restore import restore
from moderator.store import people
from moderator.store.database import Database
from moderator.store.engine import open_engine
from moderator.store.items import ITEMS
from moderator.store.schema import upgrade
from moderator.web.app import create_app
from moderator.web.sign_in import new_link


def links(page: httpx.Response, part: str) -> list[str]:
    """Return the item addresses of one section, in order."""
    section = page.text.partition(f'aria-labelledby="{part}"')[2].partition("</section>")[0]
    return re.findall(r'href="(/items/\d+)"', section)


def test_what_needs_a_decision_comes_severe_first_and_oldest_first(served: Served) -> None:
    mild, clear, severe, routed = served.seen("You are an idiot", "Lovely", "I will hurt you", "This is a disclosure of harm")
    page = served.head.get("/")
    assert links(page, "waiting") == [f"/items/{number}" for number in (severe, routed, mild)]
    assert f"/items/{clear}" not in page.text
    assert "Serious" in page.text
    assert "Recorded, still showing" in page.text
    assert '<span class="count">3</span>' in page.text


def test_r28_no_list_holds_text_or_names(served: Served) -> None:
    served.seen("Tilly Marwood is an idiot", "indecent_image")
    page = served.head.get("/").text
    for word in ("Tilly", "Marwood", "idiot", "Fern", "Ashwick"):
        assert word not in page


def test_counts_and_accounts_of_the_day(served: Served) -> None:
    served.seen("You are an idiot", "Lovely", "Thank you")
    page = served.head.get("/").text
    for name, number in (("Read", 3), ("Cleared", 2), ("Flagged", 1), ("Recorded", 1), ("Hidden", 1)):
        assert f"<dt>{name}</dt><dd>{number}</dd>" in page
    assert "@oakfieldprimary" in page
    assert "less than a minute ago" in page
    assert "4 of 10,000" in page  # three polled, one looked up again for its record
    assert "flagged comments are hidden" in page
    assert "Wednesday 18 November 2026" in page


def test_r4_a_silent_or_troubled_account_is_shown_as_such(served: Served) -> None:
    assert "never" in served.head.get("/").text
    served.seen("Lovely")
    assert 'class="card good"' in served.head.get("/").text
    served.stage.clock.move(timedelta(hours=3))
    page = served.head.get("/").text
    assert 'class="card severe"' in page
    assert "3 hours ago" in page
    served.stage.platform.failures.append(Transient("boom"))
    served.run_line()
    assert "Needs attention:" in served.head.get("/").text


def test_an_empty_day_says_so(served: Served) -> None:
    page = served.head.get("/").text
    assert "Nothing waits for you." in page
    assert "Nothing was flagged today. 0 comments read." in page


def test_a_decided_item_leaves_the_waiting_list_and_stays_in_the_day(served: Served) -> None:
    item = served.seen("You are an idiot")[0]
    served.decide(item, "uphold")
    page = served.head.get("/")
    assert links(page, "waiting") == []
    assert links(page, "flagged") == [f"/items/{item}"]
    assert "Decision kept" in page.text
    served.decide(item, "restore")
    restore(served.stage.tools)
    assert "Showing again" in served.head.get("/").text


def test_yesterday_is_not_today_but_still_waits(served: Served) -> None:
    item = served.seen("You are an idiot")[0]
    served.stage.clock.move(timedelta(hours=11))
    enter(served.head, served.link())
    page = served.head.get("/")
    assert "Thursday 19 November 2026" in page.text
    assert links(page, "waiting") == [f"/items/{item}"]
    assert links(page, "flagged") == []


def test_lists_come_in_pages_of_fifty(served: Served) -> None:
    with served.stage.database.unit() as unit:
        unit.connection.execute(sa.insert(ITEMS), [flagged_row(number) for number in range(120)])
    whole: list[str] = []
    for number, (back, on) in enumerate([(False, True), (True, True), (True, False)], 1):
        page = served.head.get(f"/?waiting={number}")
        found = links(page, "waiting")
        assert len(found) == (50, 50, 20)[number - 1]
        whole += found
        assert (f"waiting={number - 1}&amp;flagged=1#waiting" in page.text) is back
        assert (f"waiting={number + 1}&amp;flagged=1#waiting" in page.text) is on
        assert len(links(page, "flagged")) == 50
    assert len(set(whole)) == 120
    assert "This page is empty" in served.head.get("/?waiting=9").text
    assert len(links(served.head.get("/?school=oakfield&waiting=1&flagged=3"), "flagged")) == 20


def flagged_row(number: int) -> dict[str, object]:
    """Return an `items` row of a withheld comment: it needs no record, so many can be made at once."""
    seen = datetime(2026, 11, 18, 11, 0, tzinfo=UTC) + timedelta(seconds=number)
    return {
        "account_id": 1,
        "school": "oakfield",
        "platform": "memory",
        "comment_id": f"many-{number}",
        "version": "1",
        "kind": "reply",
        "author_id": "7",
        "author_handle": "fern",
        "author_name": "Fern",
        "text": "",
        "posted_at": seen,
        "place": "",
        "edited": False,
        "conversation_id": "",
        "media": "[]",
        "thread": "[]",
        "hideable": True,
        "first_seen_at": seen,
        "due_at": seen,
        "state": "withheld",
        "outcome": "withhold",
        "severity": "severe",
        "rank": 0,
        "needs_review": True,
    }


def test_a_comment_that_cannot_be_hidden_says_so(served: Served) -> None:
    served.stage.platform.comments.append(comment(50, "You are an idiot", hideable=False))
    item = served.seen("Lovely")[0] - 1
    assert "The platform does not let us hide it." in served.head.get("/").text
    assert "cannot be hidden by us" in served.head.get(f"/items/{item}").text


def test_two_schools_are_one_click_apart_and_a_third_is_nothing(served: Served) -> None:
    other = replace(SCHOOL, slug="elmbrook", name="Elmbrook School", urn="100002", ledger="ledger-elmbrook.jsonl")
    with served.stage.database.unit() as unit:
        people.put_school(unit.connection, other)
    page = served.head.get("/?school=oakfield").text
    assert '<a href="/?school=elmbrook">Elmbrook School</a>' in page
    assert '<a href="/?school=oakfield" aria-current="page">' in page
    assert "<title>Today at Elmbrook School" in served.head.get("/?school=elmbrook").text
    assert "No account is registered yet." in served.head.get("/?school=elmbrook").text
    assert served.head.get("/?school=ashdown").status_code == 404


def test_before_any_school_is_set_up_the_page_says_what_to_do(stage: Stage) -> None:
    engine = open_engine(f"sqlite:///{stage.folder / 'empty.db'}")
    upgrade(engine)
    empty = Database(engine)

    def make(url: str) -> FastAPI:
        return create_app(database=empty, tools=stage.tools, templates=ASSETS / "templates", clock=stage.clock, base_url=url)

    with serve(make) as (url, _), browser_like(url) as head:
        enter(head, new_link(empty, actor="D-1", now=stage.clock.now(), base_url=url))
        assert "No school is set up yet" in head.get("/").text
    engine.dispose()
