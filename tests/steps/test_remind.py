"""Remind: each of an account's dates is told of 14, 7 and 1 days before and once it has passed, once each, on both engines.

What else has a date is in test_remind_dates.py.
"""

from datetime import UTC, date, datetime, timedelta

import sqlalchemy as sa
from stage import SCHOOL, Stage, add_second_account

from moderator.domain.attestation import Attested
from moderator.domain.times import london_date
from moderator.steps.alert import alert
from moderator.steps.remind import remind
from moderator.store import accounts, people
from moderator.store.outbox import ALERTS, OUTBOX


def at(stage: Stage, day: date, hour: int = 9) -> None:
    """Let it be that hour (UTC) of a day."""
    stage.clock.move(datetime(day.year, day.month, day.day, hour, tzinfo=UTC) - stage.clock.now())


def told(stage: Stage) -> list[tuple[str, str, str]]:
    """Run the step, and return the key, severity and words of each alert about an account."""
    assert remind(stage.tools) == 0
    with stage.database.reading() as connection:
        wanted = sa.select(ALERTS.c.key, ALERTS.c.severity, ALERTS.c.what).where(ALERTS.c.key.startswith("account-"))
        rows = connection.execute(wanted.order_by(ALERTS.c.id))
        return [(row.key, row.severity, row.what) for row in rows]


def attest(stage: Stage, kind: Attested, on: date) -> None:
    """Note what somebody attests."""
    with stage.database.unit() as unit:
        accounts.attest(unit.connection, stage.account, kind, on=on, by="ADMIN-1", at=stage.clock.now())


def test_r5_each_reminder_of_a_password_comes_once(any_stage: Stage) -> None:
    stage, number = any_stage, any_stage.account.id
    changed = date(2026, 11, 18)
    attest(stage, Attested.PASSWORD_CHANGED, changed)
    keys = []
    for days in (0, 45, 46, 47, 52, 53, 58, 59, 60, 61, 62):
        at(stage, changed + timedelta(days=days))
        for _twice in range(2):
            keys = [key for key, _, _ in told(stage)]
        assert len(keys) == (days >= 46) + (days >= 53) + (days >= 59) + (days >= 61), days
    assert keys == [f"account-{number}-password-2027-01-17-{before}" for before in (14, 7, 1, 0)]
    words = [what for _, _, what in told(stage)]
    assert words[0] == "The password of an account is due to be changed by 17 January 2027 (in 14 days)."
    assert words[2].endswith("(tomorrow).")
    assert words[3] == "The password of an account was due to be changed by 17 January 2027. Nobody has said that it was."
    attest(stage, Attested.PASSWORD_CHANGED, london_date(stage.clock.now()))
    assert len(told(stage)) == 4


def test_r5_the_london_day_counts_across_the_clock_change(stage: Stage) -> None:
    """Changed in winter time, due in summer time: the clocks go forward on 28 March 2027."""
    at(stage, date(2027, 1, 30))
    attest(stage, Attested.PASSWORD_CHANGED, date(2027, 1, 30))
    attest(stage, Attested.NOT_PERSONAL, date(2027, 1, 30))
    for moment, latest in (
        (datetime(2027, 3, 16, 23, 59, 50, tzinfo=UTC), ""),
        (datetime(2027, 3, 17, 0, 0, 10, tzinfo=UTC), "2027-03-31-14"),
        (datetime(2027, 3, 29, 22, 59, 50, tzinfo=UTC), "2027-03-31-7"),
        (datetime(2027, 3, 29, 23, 0, 10, tzinfo=UTC), "2027-03-31-1"),
        (datetime(2027, 3, 31, 22, 59, 50, tzinfo=UTC), "2027-03-31-1"),
        (datetime(2027, 3, 31, 23, 0, 10, tzinfo=UTC), "2027-03-31-0"),
    ):
        stage.clock.move(moment - stage.clock.now())
        assert [key.partition("-password-")[2] for key, _, _ in told(stage)][-1:] == ([latest] if latest else [])


def test_r5_after_a_standstill_only_the_latest_is_told(stage: Stage) -> None:
    attest(stage, Attested.PASSWORD_CHANGED, date(2026, 11, 18) - timedelta(days=55))
    assert [key[-2:] for key, _, _ in told(stage)] == ["-7"]


def test_r2_an_account_is_looked_at_again_each_year(stage: Stage) -> None:
    attest(stage, Attested.PASSWORD_CHANGED, date(2026, 11, 18))
    attest(stage, Attested.NOT_PERSONAL, date(2025, 11, 25))
    assert told(stage) == [
        (
            f"account-{stage.account.id}-not-personal-2026-11-25-7",
            "ordinary",
            "Look at an account again by 25 November 2026 (in 7 days): is it still the school's own, and nobody's private one?",
        )
    ]


def test_r1_the_end_of_an_approval_is_told_of_before_and_is_serious_after(stage: Stage) -> None:
    add_second_account(stage)
    with stage.database.unit() as unit:
        people.withdraw(unit.connection, stage.account.id + 1, stage.clock.now())
    at(stage, date(2027, 8, 30))
    attest(stage, Attested.PASSWORD_CHANGED, date(2027, 8, 30))
    attest(stage, Attested.NOT_PERSONAL, date(2027, 8, 30))
    assert told(stage) == [
        (f"account-{stage.account.id}-approval-2027-08-31-1", "ordinary", "The approval of an account ends on 31 August 2027 (tomorrow).")
    ]
    at(stage, date(2028, 9, 1))
    ended = told(stage)[1:]
    assert ended == [
        (
            f"account-{stage.account.id}-approval-2027-08-31-0",
            "severe",
            "The approval of an account ended on 31 August 2027. Its comments are not read any more.",
        )
    ]


def test_r28_the_mail_names_the_date_and_nobody(stage: Stage) -> None:
    attest(stage, Attested.PASSWORD_CHANGED, date(2026, 11, 18) - timedelta(days=61))
    told(stage)
    stage.clock.move(timedelta(minutes=6))
    assert alert(stage.tools) == 1
    with stage.database.reading() as connection:
        message = connection.execute(sa.select(OUTBOX.c.message)).scalar_one().decode()
    assert "was due to be changed by 17 November" in " ".join(message.replace("=\r\n", "").split())
    assert f"To: {SCHOOL.head_email}" in message
    assert "oakfieldprimary" not in message
