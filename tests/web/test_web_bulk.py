"""Upholding several at once: ordinary ones for one reason, each with its own review; anything else is refused whole, with its number."""

import json

import httpx
import pytest
import sqlalchemy as sa
from review_app import Served
from sqlalchemy import text as sql

from moderator.domain.access import Role
from moderator.store.items import REVIEWS

WHY = "Plain insults, all of them."


def together(served: Served, *items: int | str, why: str = WHY, client: httpx.Client | None = None, **more: str) -> httpx.Response:
    """Send the form with these ticked."""
    return (client or served.head).post("/schools/oakfield/uphold", data={"items": list(items), "justification": why, **more})


def reviews(served: Served) -> list[tuple[int, str, str, str]]:
    """Return every review as item, verdict, person, reason."""
    with served.stage.database.reading() as connection:
        rows = connection.execute(sa.select(REVIEWS).order_by(REVIEWS.c.id))
        return [(row.item_id, row.verdict, row.actor, row.justification) for row in rows]


def test_ticked_items_are_upheld_each_with_a_review_and_a_ledger_line(served: Served) -> None:
    one, two, three = served.seen("You are an idiot", "What an idiot", "Idiots, an idiot and more")
    page = served.head.get("/").text
    assert all(f'id="tick-{number}"' in page for number in (one, two, three))
    answer = together(served, one, three, one, severity="ordinary", about="nobody")
    assert (answer.status_code, answer.headers["location"]) == (303, "/schools/oakfield/today?severity=ordinary&kept=2")
    assert "The decision stands on 2 comments." in served.head.get(answer.headers["location"]).text
    assert served.stage.states() == ["upheld", "hidden", "upheld"]
    assert reviews(served) == [(one, "uphold", "HEAD-1", WHY), (three, "uphold", "HEAD-1", WHY)]
    lines = [json.loads(line) for line in (served.stage.folder / "ledger.jsonl").read_text(encoding="ascii").splitlines()]
    told = [(line["subject"], line["actor"], line["reason"]) for line in lines if line["event"] == "reviewed"]
    assert told == [(served.record_id(number), "HEAD-1", "uphold") for number in (one, three)]
    assert WHY in served.head.get(f"/items/{three}").text


def test_a_mixed_choice_is_refused_whole_and_says_which(served: Served) -> None:
    mild, severe, routed = served.seen("You are an idiot", "I will hurt you", "This is a complaint, you idiot")
    page = served.head.get("/").text
    assert f'id="tick-{severe}"' not in page
    assert f'id="tick-{routed}"' in page
    answer = together(served, mild, severe)
    assert answer.status_code == 409
    assert f"open on its own: {served.record_id(severe)} (serious)." in answer.text
    assert WHY in answer.text
    assert f'value="{mild}" form="together" checked' in answer.text
    assert served.stage.states() == ["hidden", "hidden", "recorded"]
    assert reviews(served) == []


def test_what_is_decided_stopped_or_for_the_police_is_never_upheld_together(served: Served) -> None:
    done, police = served.seen("You are an idiot", "indecent_image")
    served.decide(done, "uphold")
    answer = together(served, done, police)
    assert answer.status_code == 409
    assert f"{served.record_id(done)} (decided already, or gone), item-{police} (not an ordinary one)" in answer.text
    stopped = served.seen("Another idiot")[0]
    with served.stage.database.unit() as unit:
        unit.connection.execute(sql("UPDATE items SET held_at = first_seen_at WHERE id = :id"), {"id": stopped})
    assert f'id="tick-{stopped}"' not in served.head.get("/").text
    answer = together(served, stopped)
    assert answer.status_code == 409
    assert "(stopped)" in answer.text


def test_r22_r23_what_waits_for_hr_or_for_the_targets_wishes_is_refused(served: Served) -> None:
    waiting, staff = served.seen("You are an idiot", "What an idiot")
    with served.stage.database.unit() as unit:
        unit.connection.execute(sql("UPDATE items SET about = ',staff,' WHERE id = :id"), {"id": staff})
    served.head.post(f"/items/{waiting}/advice", data={"why": "It may be about a colleague."})
    page = served.head.get("/").text
    assert "Waiting for advice from HR" in page
    assert 'type="checkbox"' not in page
    answer = together(served, waiting, staff)
    assert "waiting for HR&#39;s advice" in answer.text
    assert "about a member of staff whose wishes are not noted" in answer.text
    assert reviews(served) == []


@pytest.mark.parametrize(
    ("items", "why", "words"),
    [
        ([], WHY, "Tick at least one comment."),
        ([1], "short", "Say why in at least 10 characters."),
        ([1], "x" * 4001, "under 4000 characters"),
    ],
)
def test_r24_a_form_that_lacks_something_says_what(served: Served, items: list[int], why: str, words: str) -> None:
    served.seen("You are an idiot")
    answer = together(served, *items, why=why)
    assert answer.status_code == 400
    assert words in answer.text
    assert served.stage.states() == ["hidden"]


def test_nobody_decides_on_what_is_not_theirs_or_does_not_exist(served: Served) -> None:
    item, routed = served.seen("You are an idiot", "This is a disclosure of harm")
    assert together(served, item, client=served.clients[Role.AUDITOR]).status_code == 403
    assert together(served, item, client=served.others[Role.HEAD]).status_code == 404
    other = served.others[Role.HEAD].post("/schools/ashford/uphold", data={"items": [item], "justification": WHY})
    assert other.status_code == 404
    assert together(served, item, routed).status_code == 404
    assert together(served, item, 999).status_code == 404
    assert together(served, -1).status_code == 404
    assert together(served, 2**40).status_code == 404
    assert together(served, "one").status_code == 400
    assert '<form id="together"' not in served.clients[Role.AUDITOR].get("/?school=oakfield").text
    assert reviews(served) == []


def test_more_than_a_page_at_once_is_refused(served: Served) -> None:
    first = served.seen(*["You are an idiot"] * 2)[0]
    with served.stage.database.unit() as unit:
        row = unit.connection.execute(sql("SELECT * FROM items WHERE id = :id"), {"id": first}).mappings().one()
        columns = [name for name in row if name != "id"]
        copy = f"INSERT INTO items ({', '.join(columns)}) VALUES ({', '.join(f':{name}' for name in columns)})"  # noqa: S608 - our own names
        for number in range(50):
            unit.connection.execute(sql(copy), dict(row) | {"comment_id": f"many-{number}"})
    numbers = [int(str(row[0])) for row in served.stage.rows("id")]
    answer = together(served, *numbers)
    assert answer.status_code == 400
    assert "50 comments at a time" in answer.text


def test_what_cannot_be_stored_is_not_called_done(served: Served) -> None:
    item = served.seen("You are an idiot")[0]
    ledger = served.stage.folder / "ledger.jsonl"
    ledger.rename(served.stage.folder / "away")
    ledger.mkdir()
    answer = together(served, item)
    assert answer.status_code == 503
    assert "could not finish storing this" in answer.text
    assert WHY in answer.text
