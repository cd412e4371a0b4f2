"""Which mails did not arrive: those tried in vain for a while, and those that came back; the school's and the trust's."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from stage import NOON, SCHOOL, Stage

from moderator.store.outbox import OUTBOX
from moderator.store.undelivered import LATE, MOST, SHOWN_FOR, kind_of, trouble_of, undelivered

BEFORE = NOON - timedelta(hours=1)


def put(stage: Stage, key: str, **given: Any) -> None:
    row: dict[str, Any] = {"key": key, "school": SCHOOL.slug, "message": b"", "created_at": BEFORE, "due_at": NOON, "attempts": 1}
    with stage.database.unit() as unit:
        unit.connection.execute(sa.insert(OUTBOX).values(row | given))


def keys(stage: Stage, now: datetime = NOON) -> list[str]:
    with stage.database.reading() as connection:
        return [each.key for each in undelivered(connection, SCHOOL.slug, now)]


def test_what_waits_is_told_after_a_failed_try_and_a_quarter_of_an_hour(stage: Stage) -> None:
    put(stage, "alert-late", created_at=NOON - LATE, trouble="answer 450")
    put(stage, "alert-early", created_at=NOON - LATE + timedelta(seconds=1))
    put(stage, "alert-untried", attempts=0)
    put(stage, "alert-sent", sent_at=NOON)
    put(stage, "alert-elsewhere", school="ashfield")
    put(stage, "witness-2026-11-18", school="")
    assert keys(stage) == ["witness-2026-11-18", "alert-late"], "the oldest first, and the trust's own"


def test_what_came_back_is_told_for_a_week(stage: Stage) -> None:
    put(stage, "alert-1", sent_at=BEFORE, bounced_at=BEFORE, bounce="5.1.1")
    put(stage, "digest-1", bounced_at=NOON - SHOWN_FOR, bounce="5.2.2", sent_at=BEFORE)
    with stage.database.reading() as connection:
        (found,) = undelivered(connection, SCHOOL.slug, NOON)
    assert (found.key, found.school, found.since, found.bounced) == ("alert-1", SCHOOL.slug, BEFORE, True)
    assert found.trouble == "A mail server gave it back: there is no such mailbox, or no longer (5.1.1)."
    assert keys(stage, NOON - timedelta(minutes=1)) == ["digest-1", "alert-1"]


def test_one_that_waits_and_came_back_is_told_once_and_there_is_a_bound(stage: Stage) -> None:
    put(stage, "alert-1", bounced_at=BEFORE, bounce="5.1.1")
    assert keys(stage) == ["alert-1"]
    for number in range(MOST + 5):
        put(stage, f"alert-more-{number}")
    assert len(keys(stage)) == MOST


@pytest.mark.parametrize(
    ("key", "what"),
    [
        ("alert-oakfield-1-2", "An alert"),
        ("digest-oakfield-2026-11-18", "A daily digest"),
        ("trust-digest-2026-11-18-p3", "The trust's daily digest"),
        ("weekly-oakfield-2026-W47-p3", "A week's report"),
        ("termly-oakfield-2026-autumn-p3", "A term's report"),
        ("witness-2026-11-18", "The ledger's codes, for the trust's witness"),
        ("invitation-7", "An invitation"),
        ("escalated-1-x-0", "What was passed on"),
        ("something new", "A mail"),
    ],
)
def test_a_key_says_what_the_mail_is(key: str, what: str) -> None:
    assert kind_of(key) == what


@pytest.mark.parametrize(
    ("status", "why"),
    [
        ("5.1.1", "there is no such mailbox, or no longer (5.1.1)"),
        ("5.2.2", "the mailbox is full (5.2.2)"),
        ("5.2.1", "the mailbox does not take it (5.2.1)"),
        ("5.4.4", "the address's mail server cannot be reached (5.4.4)"),
        ("5.7.1", "the address's mail server does not let it through (5.7.1)"),
        ("5.11.1", "it could not be delivered (5.11.1)"),
        ("4.4.1", "it could not be delivered (4.4.1)"),
        ("", "it could not be delivered"),
    ],
)
def test_a_status_is_said_in_plain_words(status: str, why: str) -> None:
    assert trouble_of(status) == f"A mail server gave it back: {why}."
