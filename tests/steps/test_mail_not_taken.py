"""Mail that no server takes: tried for ever, its serious alerts sent on, and people told after a day."""

from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import pytest
import sqlalchemy as sa
from cast import enrol
from stage import SCHOOL, Stage, comment

from moderator.domain.errors import ModeratorError, Refused, Transient
from moderator.mail.outbox import FolderMailer
from moderator.steps.send import NOT_TAKEN, UNDELIVERED, send
from moderator.store.outbox import ALERTS, OUTBOX
from moderator.store.undelivered import undelivered


class Moody:
    """Delivers into a folder unless it is told to say no; implements Mailer."""

    def __init__(self, inner: FolderMailer) -> None:
        self.inner, self.says, self.tried = inner, list[ModeratorError](), list[str]()

    def send(self, message: EmailMessage) -> None:
        self.tried.append(str(message["To"]))
        if self.says:
            raise self.says[0]
        self.inner.send(message)


@pytest.fixture
def mailer(stage: Stage) -> Moody:
    return Moody(FolderMailer(stage.folder / "out"))


@pytest.fixture
def school(stage: Stage, mailer: Moody) -> Stage:
    """Return the stage with a serious alert in the outbox."""
    enrol(stage)
    stage.platform.comments.append(comment(10, "I will hurt you"))
    made = replace(stage, tools=replace(stage.tools, mailer=mailer))
    made.run("poll", "score", "decide", "alert")
    return made


def rows(stage: Stage) -> list[Any]:
    with stage.database.reading() as connection:
        return list(connection.execute(sa.select(OUTBOX).order_by(OUTBOX.c.id)).all())


def system_alerts(stage: Stage) -> list[Any]:
    with stage.database.reading() as connection:
        return list(connection.execute(sa.select(ALERTS).where(ALERTS.c.kind == "system")).all())


def test_what_is_refused_for_good_goes_to_further_people_at_once_and_is_tried_hourly(school: Stage, mailer: Moody) -> None:
    mailer.says = [Refused("answer 550")]
    send(school.tools, limit=1)
    (first,) = rows(school)
    assert first.trouble == "answer 550"
    assert timedelta(minutes=59) < first.due_at - school.clock.now() <= timedelta(hours=1)
    mailer.says = []
    school.run("unread", "send")
    assert mailer.tried == ["head@oakfield.example", "deputy@oakfield.example"]
    school.clock.move(timedelta(hours=1))
    school.run("send")
    assert mailer.tried[2:] == ["head@oakfield.example"]
    assert all(row.sent_at is not None and row.trouble == "" for row in rows(school))


def test_what_waits_goes_to_nobody_else_and_alarms_nobody_before_its_time(school: Stage, mailer: Moody) -> None:
    mailer.says = [Transient("answer 450")]
    send(school.tools, limit=1)
    school.clock.move(timedelta(minutes=10))
    school.run("unread", "send")
    assert set(mailer.tried) == {"head@oakfield.example"}
    assert system_alerts(school) == []


@pytest.mark.parametrize("error", [Transient("answer 450"), Refused("answer 550")])
def test_after_a_day_people_are_told_once_a_day_and_it_is_still_tried(school: Stage, mailer: Moody, error: ModeratorError) -> None:
    mailer.says = [error]
    school.clock.move(UNDELIVERED - timedelta(minutes=5))
    send(school.tools, limit=1)
    assert system_alerts(school) == []
    for _ in range(5):
        school.clock.move(timedelta(hours=1))
        send(school.tools, limit=1)
    (told,) = system_alerts(school)
    assert (told.what, told.school, told.severity) == (NOT_TAKEN, SCHOOL.slug, "severe")
    with school.database.reading() as connection:
        (waits,) = undelivered(connection, SCHOOL.slug, school.clock.now())
    assert (waits.what, waits.bounced, waits.trouble) == ("An alert", False, str(error))
    mailer.says = []
    school.clock.move(timedelta(hours=2))
    school.run("send")
    with school.database.reading() as connection:
        assert undelivered(connection, SCHOOL.slug, school.clock.now()) == ()


def test_the_trusts_own_mail_that_waits_is_told_at_one_school(school: Stage, mailer: Moody) -> None:
    with school.database.unit() as unit:
        unit.connection.execute(sa.update(OUTBOX).values(school="", key="witness-2026-11-18"))
    mailer.says = [Transient("answer 450")]
    school.clock.move(UNDELIVERED)
    send(school.tools, limit=1)
    assert [each.school for each in system_alerts(school)] == ["ashford"], "the first of the cast"
