"""The digest step: what each digest tells, to whom, of which days; each London day is told of once, whatever happens."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest
import sqlalchemy as sa
from stage import NOON, SCHOOL, Stage, comment

from moderator.domain.access import Role
from moderator.domain.calendar import Closure, SchoolCalendar, Span
from moderator.domain.digest import Digest
from moderator.domain.errors import BadInput, Transient
from moderator.domain.events import Event, LedgerEvent
from moderator.domain.register import EVERY_SCHOOL, Person
from moderator.domain.routes import View
from moderator.domain.usual import Measure
from moderator.mail.compose import JinjaComposer
from moderator.platforms.memory import CAPABILITIES
from moderator.settings import ASSETS
from moderator.steps.digest import NOT_WRITTEN, content_for, content_of, digest, digest_for
from moderator.store import people, register
from moderator.store.database import Database
from moderator.store.items import ITEMS
from moderator.store.outbox import DIGESTS, OUTBOX

DAY = date(2026, 11, 18)
ONE = timedelta(days=1)
LINK = "https://review.example"
OTHER = replace(SCHOOL, slug="birchwood", name="Birchwood School")


def told_days(stage: Stage) -> list[tuple[date, date]]:
    with stage.database.reading() as connection:
        rows = connection.execute(sa.select(DIGESTS.c.first_day, DIGESTS.c.day).order_by(DIGESTS.c.day))
        return [(row.first_day, row.day) for row in rows]


def mails(stage: Stage, start: str = "digest-") -> dict[str, EmailMessage]:
    with stage.database.reading() as connection:
        rows = connection.execute(sa.select(OUTBOX.c.key, OUTBOX.c.message).where(OUTBOX.c.key.startswith(start)).order_by(OUTBOX.c.id))
        return {row.key: message_from_bytes(bytes(row.message), policy=default) for row in rows}


def text_of(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert body is not None
    return " ".join(str(body.get_content()).split())


def with_calendar(stage: Stage, calendar: SchoolCalendar) -> Stage:
    """Return the stage as it is after its settings changed."""
    database = Database(stage.database.engine, calendars={SCHOOL.slug: calendar})
    return replace(stage, database=database, tools=replace(stage.tools, store=database))


def at(stage: Stage, moment: datetime) -> None:
    stage.clock.move(moment - stage.clock.now())


def person(stage: Stage, role: Role, *, placed: str = "", school: str = SCHOOL.slug) -> None:
    with stage.database.unit() as unit:
        added = register.add_person(
            unit.connection, name=f"The {role.value}", email=f"{role.value}@oakfield.example", roll_reference=placed, at=NOON
        )
        register.designate(
            unit.connection, person_id=added.id, role=role, school=school, signed_by="CEO-1", signed_on=DAY, begins_on=date(2026, 9, 1)
        )


def test_a_weekend_is_one_digest_of_three_days_and_says_so(any_stage: Stage) -> None:
    stage = with_calendar(any_stage, SchoolCalendar(while_closed=False))
    stage.run("digest")
    assert told_days(stage) == []
    at(stage, datetime(2026, 11, 20, 15, 0, tzinfo=UTC))
    stage.platform.comments.append(comment(11, "You are an idiot"))
    stage.run("poll", "score", "decide", "digest")
    at(stage, datetime(2026, 11, 22, 23, 0, tzinfo=UTC))
    stage.run("digest")
    assert told_days(stage) == [(DAY, DAY), (DAY + ONE, DAY + ONE)]
    at(stage, datetime(2026, 11, 23, 7, 0, tzinfo=UTC))
    stage.run("digest", "digest")
    assert told_days(stage)[2:] == [(DAY + 2 * ONE, DAY + 4 * ONE)]
    mail = mails(stage)["digest-oakfield-2026-11-22"]
    days = "Friday 20 to Sunday 22 November 2026"
    assert mail["Subject"] == f"1 comment needs you (digest, Oakfield Primary School, {days})"
    assert f"Digest for {days}" in text_of(mail)
    assert "Flagged: 1" in text_of(mail)
    assert "This digest is late." not in text_of(mail)


def test_the_setting_changes_between_two_digests_and_no_day_is_lost_or_repeated(stage: Stage) -> None:
    closed = (Closure(date(2026, 11, 23), date(2026, 11, 24)),)
    calendars = {
        20: SchoolCalendar(while_closed=False),
        21: SchoolCalendar(),
        22: SchoolCalendar(hour=23),
        23: SchoolCalendar(hour=9, while_closed=False, closures=closed),
        25: SchoolCalendar(hour=5, while_closed=False, closures=closed),
        26: SchoolCalendar(hour=0),
    }
    for day, calendar in calendars.items():
        at(stage, datetime(2026, 11, day, 12, 0, tzinfo=UTC))
        with_calendar(stage, calendar).run("digest")
    assert told_days(stage) == [
        (DAY, DAY),
        (DAY + ONE, DAY + ONE),
        (DAY + 2 * ONE, DAY + 2 * ONE),
        (DAY + 3 * ONE, DAY + 6 * ONE),
        (DAY + 7 * ONE, DAY + 7 * ONE),
    ]


def test_a_digest_that_comes_late_says_of_which_days_and_when_it_was_due(stage: Stage) -> None:
    at(stage, datetime(2026, 11, 21, 12, 0, tzinfo=UTC))
    stage.run("digest")
    found = {key: text_of(mail) for key, mail in mails(stage).items()}
    assert "Digest for Wednesday 18 November 2026" in found["digest-oakfield-2026-11-18"]
    assert "This digest is late. It was due on Thursday 19 November 2026." in found["digest-oakfield-2026-11-18"]
    assert "This digest is late." not in found["digest-oakfield-2026-11-20"]


def test_after_a_standstill_of_months_the_oldest_days_are_told_of_in_one(stage: Stage) -> None:
    def due() -> list[Span]:
        return [span for _, span in stage.database.digest_due(now=stage.clock.now())]

    def made(*spans: Span) -> None:
        rows = [{"first_day": each.first, "day": each.last, "key": f"digest-oakfield-{each.last}"} for each in spans]
        values = {"school": SCHOOL.slug, "head_seq": 0, "head_hash": "", "composed_at": stage.clock.now()}
        with stage.database.unit() as unit:
            unit.connection.execute(sa.insert(DIGESTS), [values | row for row in rows])

    stage.clock.move(timedelta(days=90))
    first = due()
    assert first == [Span(DAY, DAY + 58 * ONE), *(Span.of(DAY + number * ONE) for number in range(59, 90))]
    made(*first)
    assert due() == []
    stage.clock.move(timedelta(days=70))
    assert due()[:2] == [Span(DAY + 90 * ONE, DAY + 128 * ONE), Span.of(DAY + 129 * ONE)]
    made(*due()[1:])
    assert due() == [Span(DAY + 90 * ONE, DAY + 128 * ONE)], "what was left out is told of, whatever came after it"


def test_no_day_is_told_of_twice_even_by_two_workers_or_by_hand(any_stage: Stage) -> None:
    stage, span = any_stage, Span(DAY - 2 * ONE, DAY)
    assert digest_for(stage.tools, SCHOOL, span)
    for other in (span, Span.of(DAY), Span.of(DAY - ONE), Span(DAY - 4 * ONE, DAY - 2 * ONE), Span(DAY - 9 * ONE, DAY + ONE)):
        assert not digest_for(stage.tools, SCHOOL, other)
    assert digest_for(stage.tools, SCHOOL, Span.of(DAY + ONE))
    assert list(mails(stage)) == ["digest-oakfield-2026-11-18", "digest-oakfield-2026-11-19"]


class Broken(JinjaComposer):
    """The composer, but that it fails for Birchwood's digest."""

    def __init__(self, error: Exception) -> None:
        """Fail with this error."""
        super().__init__(templates=ASSETS / "templates", sender="moderator@oakfield.example", trust_domain="oakfield.example")
        self._error = error

    def digest(self, digest: Digest) -> EmailMessage:
        """Fail for Birchwood."""
        if digest.school.slug == OTHER.slug:
            raise self._error
        return super().digest(digest)


def two_schools(stage: Stage) -> None:
    with stage.database.unit() as unit:
        people.put_school(unit.connection, OTHER)
        unit.append(OTHER.slug, LedgerEvent(Event.REGISTERED, stage.clock.now(), "account 9", actor="ADMIN-1"))


def test_a_school_whose_digest_cannot_be_written_holds_up_no_other_and_is_told_of(stage: Stage) -> None:
    two_schools(stage)
    stage.clock.move(2 * ONE)
    broken = replace(stage.tools, composer=Broken(BadInput("no address")))
    assert digest(broken, limit=1) == 1
    assert digest(broken) == 1
    assert digest(broken) == 0
    assert list(mails(stage)) == ["digest-oakfield-2026-11-18", "digest-oakfield-2026-11-19"]
    stage.run("alert")
    assert [text_of(mail).count(NOT_WRITTEN) for mail in mails(stage, "alert-").values()] == [1], "once a day"
    assert digest(stage.tools) == 2, "and when it can be written, it is"
    stage.clock.move(ONE)
    with pytest.raises(Transient):
        digest(replace(stage.tools, composer=Broken(Transient("away"))))


def test_the_first_digest_of_all_says_that_it_is(stage: Stage) -> None:
    stage.clock.move(2 * ONE)
    stage.run("digest")
    first, second = (text_of(mail) for mail in mails(stage).values())
    assert "This is the school's first digest." in first
    assert "first digest" not in second


def test_r12_who_can_still_see_it_is_told_only_for_a_platform_that_had_a_hide(stage: Stage) -> None:
    stage = replace(stage, tools=replace(stage.tools, visible_after_hide={**stage.tools.visible_after_hide, "facebook": "Friends see it."}))
    assert content_of(stage.tools, SCHOOL, Span.of(DAY)).visible_after_hide == ()
    stage.platform.comments.append(comment(11, "You are an idiot"))
    stage.run("poll", "score", "decide", "record", "hide")
    assert content_of(stage.tools, SCHOOL, Span.of(DAY)).visible_after_hide == (CAPABILITIES.visible_after_hide,)
    assert content_of(stage.tools, SCHOOL, Span.of(DAY + ONE)).visible_after_hide == (), "the day after, nothing was hidden"
    apart = content_for(stage.tools, SCHOOL, Span.of(DAY), person=Person(9, "", "dsl@oakfield.example"), view=View(only_safeguarding=True))
    assert apart.visible_after_hide == ()


def test_r7_r21_what_nobody_has_opened_comes_first(stage: Stage) -> None:
    stage.platform.comments += [comment(11, "You are an idiot"), comment(12, "I will hurt you"), comment(13, "I will hurt you too")]
    stage.run("poll", "score", "decide", "alert", "record", "hide")
    lines = content_of(stage.tools, SCHOOL, Span.of(DAY)).needs_you
    assert [(line.unread, line.sent_on, line.link.rpartition("/")[2]) for line in lines] == [
        (True, 0, "2"),
        (True, 0, "3"),
        (False, 0, "1"),
    ]
    with stage.database.unit() as unit:
        unit.append(SCHOOL.slug, LedgerEvent(Event.VIEWED, stage.clock.now(), lines[0].subject, actor="HEAD-1"))
        unit.connection.execute(sa.text("UPDATE alerts SET round = 2 WHERE item_id = 3"))
        unit.connection.execute(sa.update(ITEMS).where(ITEMS.c.id == 3).values(needs_review=False))
    content = content_of(stage.tools, SCHOOL, Span.of(DAY))
    assert [(line.unread, line.sent_on, line.link.rpartition("/")[2]) for line in content.needs_you] == [
        (True, 2, "3"),
        (False, 0, "2"),
        (False, 0, "1"),
    ]
    assert content.more_needing_you == 0
    digest_for(stage.tools, SCHOOL, Span.of(DAY))
    said = text_of(mails(stage)["digest-oakfield-2026-11-18"])
    assert "3 comments need you." in said
    assert "Nobody has opened its alert yet. It was sent on twice." in said


def test_a_storm_lists_ten_and_counts_the_rest(stage: Stage) -> None:
    stage.platform.comments += [comment(100 + number, f"I will hurt you {number}") for number in range(14)]
    stage.run("poll", "score", "decide", "alert")
    content = content_of(stage.tools, SCHOOL, Span.of(DAY))
    assert (len(content.needs_you), content.more_needing_you) == (10, 4)
    assert all(line.unread for line in content.needs_you)


def test_the_week_is_counted_by_london_days_and_as_the_reader_may_know_it(any_stage: Stage) -> None:
    stage = any_stage
    with stage.database.unit() as unit:
        unit.append(SCHOOL.slug, LedgerEvent(Event.REGISTERED, NOON, "account 9", actor="ADMIN-1"))
    stage.platform.comments += [comment(100 + number, "You are an idiot") for number in range(6)]
    stage.platform.comments += [comment(200, "crisis"), comment(201, "lovely")]
    stage.run("poll", "score", "decide")
    days = {
        1: datetime(2026, 10, 25, 23, 59, tzinfo=UTC),  # the last minute of the day of 25 hours
        2: datetime(2026, 10, 24, 23, 0, tzinfo=UTC),  # and its first
        3: datetime(2026, 10, 24, 22, 59, tzinfo=UTC),
        4: datetime(2026, 10, 26, 0, 0, tzinfo=UTC),
    }
    with stage.database.unit() as unit:
        for number, moment in days.items():
            unit.connection.execute(sa.update(ITEMS).where(ITEMS.c.id == number).values(first_seen_at=moment))
    from moderator.store.usual import flagged_by_day  # noqa: PLC0415 - beside the one call

    span = Span(date(2026, 10, 24), DAY)
    strict = ~ITEMS.c.safeguarding
    with stage.database.reading() as connection:
        everything = flagged_by_day(connection, SCHOOL.slug, span, seen=sa.true())
        known = flagged_by_day(connection, SCHOOL.slug, span, seen=strict)
        assert flagged_by_day(connection, "elsewhere", span, seen=sa.true()) == {}
        assert flagged_by_day(connection, SCHOOL.slug, Span.of(date(2026, 10, 25)), seen=strict) == {date(2026, 10, 25): 2}
    assert known == {date(2026, 10, 24): 1, date(2026, 10, 25): 2, date(2026, 10, 26): 1, DAY: 2}
    assert everything == known | {DAY: 3}
    week = content_of(stage.tools, SCHOOL, Span.of(DAY)).week
    assert (week.days[-1].day, week.days[-1].flagged, week.measure) == (DAY, 3, Measure.UNKNOWN)
    assert stage.database.digest_of(SCHOOL, Span.of(DAY), link="", view=View(safeguarding=False)).week.flagged == 2


def fail(stage: Stage, *keys: str) -> None:
    """Let the mails with these keys, or every mail, have failed an hour ago."""
    with stage.database.unit() as unit:
        wanted = OUTBOX.c.key.in_(keys) if keys else sa.true()
        values = {"attempts": 3, "trouble": "The mail server asks us to wait.", "created_at": stage.clock.now() - timedelta(hours=1)}
        unit.connection.execute(sa.update(OUTBOX).where(wanted).values(values))


def late_mails(stage: Stage, view: View) -> list[tuple[str, int]]:
    content = stage.database.digest_of(SCHOOL, Span.of(DAY), link=LINK, view=view, now=stage.clock.now())
    return [(mail.what, mail.count) for mail in content.undelivered]


def test_r15_r21_undelivered_mail_is_told_of_only_to_those_who_may_know_what_it_is_about(stage: Stage) -> None:
    person(stage, Role.HEAD, placed="P-1")
    for role in (Role.DSL, Role.DEPUTY):
        person(stage, role)
    person(stage, Role.CEO, school=EVERY_SCHOOL)
    stage.platform.comments += [comment(10, "Tilly Marwood is an idiot"), comment(11, "You are an idiot"), comment(12, "crisis")]
    stage.run("poll", "score", "decide")
    stage.clock.move(timedelta(minutes=6))
    stage.run("alert")
    assert len(mails(stage, "alert-")) == 3
    assert late_mails(stage, View()) == []
    fail(stage)
    head, lead = View(frozenset({"P-1"}), safeguarding=False), View(safeguarding=True, only_safeguarding=True)
    assert late_mails(stage, View()) == [("An alert", 3)]
    assert late_mails(stage, head) == [("An alert", 1)]
    assert late_mails(stage, lead) == [("An alert", 1)]
    assert late_mails(stage, View(naming=frozenset({"P-1"}))) == [("An alert", 1)]
    digest_for(stage.tools, SCHOOL, Span.of(DAY))
    assert {key.removeprefix("digest-oakfield-2026-11-18") for key in mails(stage)} == {"", "-safeguarding-2", "-conflict-1-4"}
    fail(stage)
    assert late_mails(stage, View()) == [("An alert", 3), ("A daily digest", 3)]
    assert late_mails(stage, head) == [("An alert", 1), ("A daily digest", 1)]
    assert late_mails(stage, lead) == [("An alert", 1), ("A daily digest", 1)]
    assert late_mails(stage, View(naming=frozenset({"P-1"}))) == [("An alert", 1)]
    assert late_mails(stage, View(safeguarding=False)) == [("An alert", 2), ("A daily digest", 1)]


def test_what_was_passed_on_and_did_not_arrive_is_told_of_only_to_who_may_know_every_item(stage: Stage) -> None:
    with stage.database.unit() as unit:
        message = EmailMessage()
        unit.mail_composed("escalated-1-x-0", SCHOOL.slug, message, NOON)
        unit.mail_composed("witness-2026-11-18", "", message, NOON)
        unit.mail_composed("weekly-oakfield-2026-W47-p1", SCHOOL.slug, message, NOON)
    fail(stage)
    assert sorted(late_mails(stage, View())) == [("A week's report", 1), ("What was passed on", 1)], "the witness mail is the trust's"
    assert late_mails(stage, View(safeguarding=False)) == [("A week's report", 1)]
    stage.platform.comments.append(comment(12, "crisis"))
    stage.run("poll", "score", "decide")
    assert late_mails(stage, View(only_safeguarding=True)) == []


def test_a_comment_that_is_still_showing_is_noted_for_those_who_may_know(stage: Stage) -> None:
    stage.platform.comments += [comment(10, "Tilly Marwood is an idiot")]
    stage.run("poll", "score", "decide", "record")
    note = "1 recorded comment waits to be hidden. It is still showing."
    assert content_of(stage.tools, SCHOOL, Span.of(DAY)).notes == (note,)
    assert stage.database.digest_of(SCHOOL, Span.of(DAY), link="", view=View(frozenset({"P-1"}))).notes == ()
    stage.platform.comments += [comment(11, "You are an idiot")]
    stage.database.poll_now()
    stage.run("poll", "score", "decide", "record")
    assert content_of(stage.tools, SCHOOL, Span.of(DAY)).notes == ("2 recorded comments wait to be hidden. They are still showing.",)


def test_r5_dates_are_in_the_digest_and_not_in_a_message_apart(stage: Stage) -> None:
    stage.clock.move(timedelta(days=300))
    content = content_of(stage.tools, SCHOOL, Span.of(DAY + 299 * ONE))
    assert any(line.overdue for line in content.dues)
    assert all(line.link.startswith(stage.tools.review_url) for line in content.dues)
    assert all(line.link.count(stage.tools.review_url) == 1 for line in content.dues)
    stage.platform.comments.append(comment(12, "crisis"))
    stage.run("poll", "score", "decide")
    apart = stage.database.digest_of(SCHOOL, Span(DAY, DAY + 301 * ONE), link="", view=View(only_safeguarding=True))
    assert apart.dues == ()
    assert apart.week.days == ()


def test_a_school_without_a_ledger_has_no_week(stage: Stage) -> None:
    with stage.database.unit() as unit:
        people.put_school(unit.connection, OTHER)
    assert stage.database.digest_of(OTHER, Span.of(DAY), link="").week.days == ()
    assert digest_for(stage.tools, OTHER, Span.of(DAY))
    assert not [school for school, _ in stage.database.digest_due(now=NOON + 90 * ONE) if school == OTHER]
