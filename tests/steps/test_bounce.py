"""What comes back: marked once, told to further people, written in the ledger; what is not ours changes nothing."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest
import sqlalchemy as sa
from cast import enrol
from hypothesis import given, settings
from hypothesis import strategies as st
from stage import SCHOOL, Stage, comment

from moderator.domain.errors import ModeratorError, Refused, Transient
from moderator.ports import Bounce, BouncedMail
from moderator.steps.bounce import CAME_BACK, UNREADABLE, bounce
from moderator.store.bounced import BounceWrites
from moderator.store.database import Database
from moderator.store.outbox import ALERTS, OUTBOX
from moderator.store.tellings import TELLINGS
from moderator.store.undelivered import undelivered

FIRST = "ashford"
"""The first school of the cast: it hears of what is the trust's."""


class Returned:
    """A mailbox in memory: it remembers what was marked as seen, and may fail at the end; implements Mailbox."""

    def __init__(self, reports: Sequence[Bounce] = (), *, fails: ModeratorError | None = None) -> None:
        self.reports, self.fails, self.seen = list(reports), fails, list[Bounce]()

    def bounces(self) -> Iterator[Bounce]:
        for each in [each for each in self.reports if each not in self.seen]:
            yield each
            self.seen.append(each)
        if self.fails is not None:
            raise self.fails


@pytest.fixture
def school(stage: Stage) -> Stage:
    """Return the stage with one person a role, and a serious alert that was sent to the Headteacher."""
    enrol(stage)
    stage.platform.comments.append(comment(10, "I will hurt you"))
    stage.run("poll", "score", "decide", "alert", "send")
    return stage


def row_of(stage: Stage, like: str = "alert-%") -> Any:
    with stage.database.reading() as connection:
        return connection.execute(sa.select(OUTBOX).where(OUTBOX.c.key.like(like)).order_by(OUTBOX.c.id)).first()


def about(stage: Stage, *, lasting: bool = True, status: str = "5.1.1", like: str = "alert-%") -> Bounce:
    return Bounce(row_of(stage, like).message_id, "head@oakfield.example", status, lasting)


def everything(database: Database) -> list[Any]:
    with database.reading() as connection:
        tables = ("outbox", "alerts", "tellings", "ledger")
        return [connection.execute(sa.text(f"SELECT * FROM {name} ORDER BY 1, 2")).all() for name in tables]  # noqa: S608 - names of tables


def handle(stage: Stage, mailbox: Returned, *, limit: int = 50) -> int:
    return bounce(replace(stage.tools, mailbox=mailbox), limit=limit)


def alerts(stage: Stage) -> list[tuple[str, str]]:
    with stage.database.reading() as connection:
        return [(row.what, row.school) for row in connection.execute(sa.select(ALERTS).where(ALERTS.c.kind == "system"))]


def test_a_mail_that_came_back_is_marked_and_its_serious_alert_goes_to_further_people_at_once(school: Stage) -> None:
    assert handle(school, Returned([about(school)])) == 1
    row = row_of(school)
    assert (row.bounce, row.bounced_at is not None, row.sent_at is not None) == ("5.1.1", True, True)
    assert alerts(school) == [(CAME_BACK, SCHOOL.slug)]
    assert school.ledger_events().count("bounced") == 1
    with school.database.reading() as connection:
        line = connection.execute(sa.text("SELECT line FROM ledger WHERE event = 'bounced'")).scalar_one()
        (shown,) = undelivered(connection, SCHOOL.slug, school.clock.now())
        (failed,) = connection.execute(sa.select(TELLINGS.c.failed_at)).scalars()
    assert f'"subject":"{row.key}"' in line
    assert '"status":"5.1.1"' in line
    assert "@" not in line
    assert (shown.key, shown.bounced, shown.what) == (row.key, True, "An alert")
    assert failed == row.bounced_at
    school.run("unread", "send")
    with school.database.reading() as connection:
        newest = connection.execute(sa.select(OUTBOX.c.message).order_by(OUTBOX.c.id.desc())).scalars().first()
    assert newest is not None
    assert str(message_from_bytes(bytes(newest), policy=default)["To"]) == "deputy@oakfield.example", "within minutes, not after thirty"


def test_each_message_is_marked_once_whatever_comes_again(school: Stage) -> None:
    handle(school, Returned([about(school)]))
    before = everything(school.database)
    school.clock.move(timedelta(hours=1))
    assert handle(school, Returned([about(school), about(school, status="5.2.2")])) == 2
    assert everything(school.database) == before


def test_a_delay_is_noted_and_no_more(school: Stage) -> None:
    before = everything(school.database)
    handle(school, Returned([about(school, lasting=False, status="4.4.1")]))
    row = row_of(school)
    assert (row.bounce, row.bounced_at) == ("4.4.1", None)
    assert everything(school.database)[1:] == before[1:]
    handle(school, Returned([about(school), about(school, lasting=False, status="4.4.1")]))
    assert row_of(school).bounce == "5.1.1", "a late report of a delay takes nothing back"


def test_a_forged_report_stops_no_mail_that_waits(school: Stage) -> None:
    with school.database.unit() as unit:
        unit.connection.execute(sa.update(OUTBOX).values(sent_at=None, due_at=school.clock.now()))
    handle(school, Returned([about(school)]))
    assert row_of(school).bounced_at is not None
    school.run("send")
    assert row_of(school).sent_at is not None


ids = st.text(max_size=60).filter(lambda text: "oakfield" not in text)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.builds(Bounce, ids, st.text(max_size=20), st.from_regex(r"[45]\.\d\.\d", fullmatch=True), st.booleans()), max_size=5))
def test_a_report_about_a_message_that_is_not_ours_changes_nothing(a_school: Stage, reports: list[Bounce]) -> None:
    before = everything(a_school.database)
    assert handle(a_school, Returned(reports)) == len(reports)
    assert everything(a_school.database) == before


@pytest.fixture(scope="module")
def a_school(tmp_path_factory: pytest.TempPathFactory, migrated_file: Any) -> Iterator[Stage]:
    """Return a stage that every example shares, since nothing may change it; with a message that has no id of its own."""
    import shutil  # noqa: PLC0415 - of this fixture

    from stage import set_up  # noqa: PLC0415 - the same

    from moderator.store.engine import open_engine  # noqa: PLC0415 - the same

    folder = tmp_path_factory.mktemp("bounces")
    shutil.copyfile(migrated_file, folder / "moderator.db")
    engine = open_engine(f"sqlite:///{folder / 'moderator.db'}")
    made = set_up(Database(engine), folder)
    made.platform.comments.append(comment(10, "I will hurt you"))
    made.run("poll", "score", "decide", "alert", "send")
    with made.database.unit() as unit:
        row = dict(unit.connection.execute(sa.select(OUTBOX)).mappings().one())
        unit.connection.execute(sa.insert(OUTBOX).values(row | {"id": None, "key": "old", "message_id": ""}))
    yield made
    made.tools.recorder.close()
    engine.dispose()


@pytest.mark.parametrize("limit", [1, 2, 50])
def test_reports_are_marked_as_seen_as_the_work_goes_on(school: Stage, limit: int) -> None:
    mailbox = Returned([Bounce(f"{number}@elsewhere.example", "", "5.1.1", lasting=True) for number in range(4)])
    rounds = [handle(school, mailbox, limit=limit) for _ in range(5)]
    assert sum(rounds) == 4
    assert max(rounds) == min(limit, 4)
    assert mailbox.seen == mailbox.reports


def test_a_crash_while_one_is_noted_leaves_it_unseen(school: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    mailbox = Returned([about(school)])

    def broken(_unit: BounceWrites, _bounce: Bounce, _at: object) -> BouncedMail | None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(BounceWrites, "mail_bounced", broken)
        with pytest.raises(ZeroDivisionError):
            handle(school, mailbox)
    assert mailbox.seen == []
    assert handle(school, mailbox) == 1
    assert mailbox.seen == mailbox.reports


def test_the_trusts_own_mail_is_told_at_one_school_and_is_in_no_schools_ledger(school: Stage) -> None:
    with school.database.unit() as unit:
        row = dict(unit.connection.execute(sa.select(OUTBOX)).mappings().one())
        unit.connection.execute(
            sa.insert(OUTBOX).values(
                row | {"id": None, "key": "witness-2026-11-18", "school": "", "message_id": "witness@oakfield.example"}
            )
        )
    handle(school, Returned([about(school, like="witness-%")]))
    assert row_of(school, "witness-%").bounced_at is not None
    assert alerts(school) == [(CAME_BACK, FIRST)]
    assert "bounced" not in school.ledger_events()


def test_a_mailbox_that_is_away_waits_and_one_to_mend_is_told_once_a_day(school: Stage) -> None:
    before = everything(school.database)
    assert handle(school, Returned([], fails=Transient("away"))) == 0
    assert everything(school.database) == before
    for _ in range(3):
        assert handle(school, Returned([about(school)], fails=Refused("no such password"))) == 1
    assert alerts(school) == [(CAME_BACK, SCHOOL.slug), (UNREADABLE, FIRST)]
