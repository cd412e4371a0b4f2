"""The week's and the term's report (R35): each once, on a school day, to whom the route says, with counts that are theirs to know."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest
import sqlalchemy as sa
from cast import NAMES, enrol
from stage import NOON, SCHOOL, Stage, comment

from moderator.domain.access import Role
from moderator.domain.calendar import Closure, SchoolCalendar
from moderator.domain.errors import Transient
from moderator.domain.register import EVERY_SCHOOL
from moderator.domain.report import ReportKind
from moderator.domain.routes import RouteKind
from moderator.steps.drain import RE_AUTHORISE, RE_AUTHORISE_DONE, tell_of_account
from moderator.steps.report import report, report_preview
from moderator.store import absences, mail_wishes, register, signed
from moderator.store.database import SqlUnit
from moderator.store.outbox import OUTBOX
from moderator.store.reports import REPORTS

DAY = date(2026, 11, 18)
MONDAY = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)
AFTER_TERM = datetime(2027, 1, 5, 7, 30, tzinfo=UTC)
HOLIDAYS = SchoolCalendar(closures=(Closure(date(2026, 12, 21), date(2027, 1, 4)),))
INSULT, CRISIS, NAMING = "You are an idiot", "this reads as crisis", "Tilly Marwood is an idiot"
HEAD, ASHFORD_HEAD, TRUSTEE = "head@oakfield.example", "head@ashford.example", "trustee@oakfield.example"


def at(stage: Stage, moment: datetime) -> None:
    stage.clock.move(moment - stage.clock.now())


def calendars(stage: Stage, **of: SchoolCalendar) -> None:
    stage.database._calendars = of  # noqa: SLF001 - as the settings give them


def mails(stage: Stage, start: str = "") -> dict[str, EmailMessage]:
    """Return the reports of the outbox by key."""
    with stage.database.reading() as connection:
        rows = connection.execute(sa.select(OUTBOX.c.key, OUTBOX.c.message).order_by(OUTBOX.c.id)).all()
    return {
        row.key: message_from_bytes(bytes(row.message), policy=default)
        for row in rows
        if row.key.startswith(("weekly-", "termly-")) and row.key.startswith(start)
    }


def text(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert body is not None
    return " ".join(str(body.get_content()).split())


def told(stage: Stage, start: str = "") -> dict[str, str]:
    """Return the text of each report by whom it went to."""
    return {str(mail["To"]): text(mail) for mail in mails(stage, start).values()}


def arrive(stage: Stage, *texts: str) -> None:
    start = 20 + len(stage.platform.comments)
    stage.platform.comments += [comment(start + number, each) for number, each in enumerate(texts)]
    stage.run("poll", "score", "decide", "record", "hide")


def person(stage: Stage, role: Role, address: str, *, school: str = EVERY_SCHOOL, placed: str = "") -> int:
    with stage.database.unit() as unit:
        added = register.add_person(unit.connection, name="Somebody", email=address, at=NOON, roll_reference=placed)
        register.designate(
            unit.connection, person_id=added.id, role=role, school=school, signed_by="CEO-1", signed_on=DAY, begins_on=date(2026, 9, 1)
        )
    return added.id


def weekly_alone(stage: Stage) -> Stage:
    return replace(stage, tools=replace(stage.tools, termly_report=False))


def test_a_week_goes_to_the_head_on_monday_once(any_stage: Stage) -> None:
    stage = any_stage
    enrol(stage)
    arrive(stage, INSULT, "What a lovely assembly")
    at(stage, MONDAY - timedelta(hours=1))
    assert report(stage.tools) == 0
    at(stage, MONDAY)
    assert report(stage.tools) == 2
    assert report(stage.tools) == 0
    said = told(stage)
    assert set(said) == {HEAD, ASHFORD_HEAD}
    assert [key.rpartition("-")[0] for key in mails(stage)] == ["weekly-ashford-2026-W47", "weekly-oakfield-2026-W47"]
    assert "Report for Monday 16 to Sunday 22 November 2026 1 comment was flagged." in said[HEAD]
    assert "- Comments read: 2 - Flagged: 1 - Hidden: 1" in said[HEAD]
    assert "- Insults: 1" in said[HEAD]
    assert "week before:" not in said[HEAD], "the service was not there then"
    assert "Nothing was flagged." in said[ASHFORD_HEAD]
    assert "Nobody decided on any of them yet." in said[HEAD]


def test_the_next_week_stands_beside_the_one_before_with_a_chart(any_stage: Stage) -> None:
    stage = weekly_alone(any_stage)
    arrive(stage, INSULT, INSULT + " again", "What a lovely assembly")
    at(stage, MONDAY)
    report(stage.tools)
    at(stage, MONDAY + timedelta(hours=1))
    arrive(stage, INSULT + " once more")
    with stage.database.unit() as unit:
        tell_of_account(unit, stage.account, what=RE_AUTHORISE, done=RE_AUTHORISE_DONE, at=stage.clock.now())
        tell_of_account(unit, stage.account, what="An account has not been read for a while.", done="It waits.", at=stage.clock.now())
    at(stage, MONDAY + timedelta(days=7))
    assert report(stage.tools) == 1
    said = text(mails(stage)["weekly-oakfield-2026-W48-p0"])
    assert "1 comment was flagged, 2 the week before." in said
    assert "- Flagged: 1 (week before: 2)" in said
    assert "16 Nov 2 ############################## 23 Nov 1 ###############" in said
    assert "On 1 day of 7 an account was not checked for too long, or could not be." in said
    first = text(mails(stage)["weekly-oakfield-2026-W47-p0"])
    assert "No gap in checking the accounts was noticed." in first


def test_two_schools_with_different_calendars(stage: Stage) -> None:
    stage = weekly_alone(stage)
    enrol(stage)
    shut = Closure(date(2026, 11, 23), date(2026, 11, 23))
    calendars(stage, oakfield=SchoolCalendar(hour=9), ashford=SchoolCalendar(closures=(shut,)))
    at(stage, MONDAY)
    assert report(stage.tools) == 0
    at(stage, MONDAY + timedelta(hours=2))
    assert report(stage.tools) == 1
    assert set(told(stage)) == {HEAD}
    at(stage, MONDAY + timedelta(days=1))
    assert report(stage.tools) == 1
    assert set(told(stage)) == {HEAD, ASHFORD_HEAD}


def test_missed_weeks_are_caught_up_and_older_ones_named(stage: Stage) -> None:
    stage = weekly_alone(stage)
    at(stage, MONDAY)
    report(stage.tools)
    at(stage, MONDAY + timedelta(days=77))
    assert report(stage.tools, limit=6) == 6
    assert report(stage.tools, limit=6) == 4, "a term that is switched off is dealt with as well"
    weeks = ("2026-W47", *(f"2026-W{number}" for number in range(50, 54)), *(f"2027-W0{number}" for number in range(1, 6)))
    assert list(mails(stage)) == [f"weekly-oakfield-{week}-p0" for week in weeks]
    named = [said.count("no report was made for") for said in (text(mail) for mail in mails(stage).values())]
    assert named == [0, 2, *[0] * 8]
    assert "no report was made for Week 48 of 2026" in text(mails(stage)["weekly-oakfield-2026-W50-p0"])
    assert report(stage.tools) == 0


def test_r15_r21_each_reader_counts_only_what_is_theirs(stage: Stage) -> None:
    stage = weekly_alone(stage)
    enrol(stage)
    person(stage, Role.HEAD, "second@oakfield.example", school=SCHOOL.slug, placed="P-1")
    arrive(stage, NAMING, INSULT, CRISIS)
    at(stage, MONDAY)
    report(stage.tools)
    said = told(stage)
    assert "- Flagged: 2" in said[HEAD], "the disclosure is the leads'"
    assert "- Flagged: 1" in said["second@oakfield.example"]
    with stage.database.unit() as unit:
        signed.change_route(
            unit.connection, school=SCHOOL.slug, kind=RouteKind.WEEKLY, roles=(Role.DSL,), author="HEAD-1", why="She reads it", at=NOON
        )
    at(stage, MONDAY + timedelta(days=7))
    arrive(stage, CRISIS + " too")
    at(stage, MONDAY + timedelta(days=14))
    report(stage.tools)
    assert "- Flagged: 1" in text(mails(stage, "weekly-oakfield-2026-W49")[f"weekly-oakfield-2026-W49-p{dsl(stage)}"])


def dsl(stage: Stage) -> int:
    with stage.database.reading() as connection:
        found = register.person_by_email(connection, "dsl@oakfield.example")
    assert found is not None
    return found.id


def test_r35_a_term_goes_to_the_heads_exactly_and_to_the_trustees_as_one_rounded_report(stage: Stage) -> None:
    enrol(stage)
    calendars(stage, oakfield=HOLIDAYS, ashford=HOLIDAYS)
    arrive(stage, INSULT, NAMING, CRISIS, "What a lovely assembly")
    at(stage, AFTER_TERM - timedelta(days=1))
    report(stage.tools, limit=100)
    assert mails(stage, "termly-") == {}
    at(stage, AFTER_TERM)
    report(stage.tools, limit=100)
    said = told(stage, "termly-")
    assert set(said) == {HEAD, ASHFORD_HEAD, TRUSTEE}
    assert "Report for Autumn 2026 2 comments were flagged." in said[HEAD]
    assert "Fewer than 5 comments were flagged." in said[TRUSTEE]
    assert "- Comments read: fewer than 5" in said[TRUSTEE]
    assert "Numbers are rounded to the nearest 5" in said[TRUSTEE]
    assert "- Ashford Junior School: 0 read, 0 flagged - Oakfield Primary School: fewer than 5 read, fewer than 5 flagged" in said[TRUSTEE]
    assert "https://review.oakfield.example/trust/trustees?term=2026-autumn" in said[TRUSTEE]
    assert "https://review.oakfield.example/schools/oakfield/trustees?term=2026-autumn" in said[HEAD]
    assert {key.partition("-p")[0] for key in mails(stage, "termly-")} == {
        "termly-ashford-2026-autumn", "termly-oakfield-2026-autumn", "termly-trust-2026-autumn",
    }  # fmt: skip
    report(stage.tools, limit=100)
    assert len(mails(stage, "termly-")) == 3


def test_one_school_alone_sends_its_own_term_to_its_trustees(stage: Stage) -> None:
    person(stage, Role.TRUSTEE, TRUSTEE)
    arrive(stage, INSULT)
    at(stage, AFTER_TERM)
    report(stage.tools, limit=100)
    said = told(stage, "termly-")
    assert set(said) == {HEAD, TRUSTEE}
    assert "- Flagged: 1" in said[HEAD]
    assert "- Flagged: fewer than 5" in said[TRUSTEE]


def route_termly(stage: Stage, school: str, *roles: Role) -> None:
    with stage.database.unit() as unit:
        signed.change_route(unit.connection, school=school, kind=RouteKind.TERMLY, roles=roles, author="HEAD-1", why="So", at=NOON)


def test_a_schools_own_signed_route_may_name_its_trustees(stage: Stage) -> None:
    enrol(stage)
    route_termly(stage, SCHOOL.slug, Role.TRUSTEE)
    at(stage, AFTER_TERM)
    report(stage.tools, limit=100)
    assert set(told(stage, "termly-oakfield")) == {TRUSTEE}


def test_a_route_that_leads_to_nobody_falls_back_to_the_digests_and_they_are_led_to_no_page_that_is_not_theirs(stage: Stage) -> None:
    enrol(stage)
    route_termly(stage, "ashford", Role.TRUSTEE)
    with stage.database.unit() as unit:
        ended = sa.update(register.DESIGNATIONS).where(register.DESIGNATIONS.c.role == Role.TRUSTEE.value)
        unit.connection.execute(ended.values(ended_at=NOON, ended_by="CEO-1", end_reason="They have left"))
        head = register.person_by_email(unit.connection, ASHFORD_HEAD)
        assert head is not None
        days = {"first_day": date(2027, 1, 1), "last_day": date(2027, 1, 30)}
        absences.note_absence(unit.connection, person_id=head.id, noted_by="HEAD-2", at=NOON, **days)
    at(stage, AFTER_TERM)
    report(stage.tools, limit=100)
    said = told(stage, "termly-ashford")
    assert set(said) == {"deputy@ashford.example"}
    assert "See it in the service" not in said["deputy@ashford.example"]
    assert "- Flagged: 0" in said["deputy@ashford.example"]


@pytest.mark.parametrize(
    ("missing", "reader"), [((Role.TRUSTEE,), "ceo@oakfield.example"), ((Role.TRUSTEE, Role.CEO), "box@oakfield.example")]
)
def test_without_trustees_the_whole_trusts_term_goes_to_the_ceo_or_the_mailbox(
    stage: Stage, missing: tuple[Role, ...], reader: str
) -> None:
    stage = replace(stage, tools=replace(stage.tools, trust_email="box@oakfield.example"))
    enrol(stage)
    with stage.database.unit() as unit:
        ended = sa.update(register.DESIGNATIONS).where(register.DESIGNATIONS.c.role.in_([role.value for role in missing]))
        unit.connection.execute(ended.values(ended_at=NOON, ended_by="CEO-1", end_reason="They have left"))
    at(stage, AFTER_TERM)
    report(stage.tools, limit=100)
    (to,) = told(stage, "termly-trust")
    assert to == reader


def test_nobody_to_tell_is_dealt_with(stage: Stage) -> None:
    enrol(stage)
    with stage.database.unit() as unit:
        unit.connection.execute(sa.update(register.DESIGNATIONS).values(ended_at=NOON, ended_by="CEO-1", end_reason="They have left"))
    at(stage, AFTER_TERM)
    report(stage.tools, limit=100)
    assert mails(stage, "termly-trust") == {}
    assert set(told(stage, "termly-")) == {HEAD, ASHFORD_HEAD}, "a school has its Headteacher's mailbox"
    assert report(stage.tools) == 0


@pytest.mark.parametrize("kind", ["weekly", "termly"])
def test_switched_off_there_is_none_and_switched_on_again_the_past_stays_past(stage: Stage, kind: str) -> None:
    off = replace(stage, tools=replace(stage.tools, **{f"{kind}_report": False}))  # type: ignore[arg-type] # a switch of the tools
    at(stage, AFTER_TERM)
    stage.run()
    report(off.tools, limit=100)
    assert mails(stage, f"{kind}-") == {}
    assert mails(stage) != {}
    report(stage.tools, limit=100)
    assert mails(stage, f"{kind}-") == {}


def test_a_person_may_leave_a_report_that_others_read(stage: Stage) -> None:
    stage = weekly_alone(stage)
    one = person(stage, Role.HEAD, HEAD, school=SCHOOL.slug)
    person(stage, Role.HEAD, "second@oakfield.example", school=SCHOOL.slug)
    with stage.database.unit() as unit:
        mail_wishes.leave_only(unit.connection, one, {"weekly"}, at=NOON)
        mail_wishes.leave_only(unit.connection, one, {"weekly"}, at=NOON)
    at(stage, MONDAY)
    report(stage.tools)
    assert set(told(stage)) == {"second@oakfield.example"}
    with stage.database.unit() as unit:
        mail_wishes.leave_only(unit.connection, one, (), at=NOON)
        assert mail_wishes.left_by(unit.connection, one) == frozenset()
    at(stage, MONDAY + timedelta(days=7))
    report(stage.tools)
    assert len(mails(stage)) == 3


def test_an_address_no_mail_can_go_to_keeps_nobody_elses_back_and_is_tried_again(stage: Stage) -> None:
    stage = weekly_alone(stage)
    one = person(stage, Role.HEAD, HEAD, school=SCHOOL.slug)
    person(stage, Role.HEAD, "second@oakfield.example", school=SCHOOL.slug)
    broken = sa.update(register.PEOPLE).where(register.PEOPLE.c.id == one)
    with stage.database.unit() as unit:
        unit.connection.execute(broken.values(email="head @@oakfield.example"))
    at(stage, MONDAY)
    assert report(stage.tools) == 1
    assert set(told(stage)) == {"second@oakfield.example"}
    with stage.database.unit() as unit:
        unit.connection.execute(sa.update(register.PEOPLE).where(register.PEOPLE.c.id != one).values(email="second @@oakfield.example"))
    at(stage, MONDAY + timedelta(days=7))
    assert report(stage.tools) == 0
    with stage.database.unit() as unit:
        unit.connection.execute(broken.values(email=HEAD))
    assert report(stage.tools) == 1


def test_exactly_once_when_the_machine_dies_between_composing_and_committing(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = weekly_alone(stage)
    at(stage, MONDAY)
    with stage.database.unit() as unit:
        kind = type(unit)
    whole = kind.mail_composed

    def dies(self: SqlUnit, key: str, school: str, message: EmailMessage, at: datetime) -> None:
        whole(self, key, school, message, at)
        why = "the power went"
        raise Transient(why)

    monkeypatch.setattr(kind, "mail_composed", dies)
    with pytest.raises(Transient):
        report(stage.tools)
    assert mails(stage) == {}
    with stage.database.reading() as connection:
        assert connection.execute(sa.select(REPORTS)).all() == []
    monkeypatch.undo()
    assert report(stage.tools) == 1
    monkeypatch.setattr(type(stage.database), "reports_made", lambda *_: frozenset())
    assert report(stage.tools) == 0, "another worker was quicker"
    assert len(mails(stage)) == 1


def test_r28_no_name_no_text_and_a_way_to_leave_it(stage: Stage) -> None:
    enrol(stage)
    arrive(stage, NAMING, INSULT, CRISIS)
    at(stage, AFTER_TERM)
    report(stage.tools, limit=100)
    assert {key.split("-")[0] for key in mails(stage)} == {"weekly", "termly"}
    for message in mails(stage).values():
        whole = "".join(str(part.get_content()) for part in message.walk() if not part.is_multipart()) + str(message.items())
        assert not [word for word in ("Tilly", "Marwood", "idiot", "Fern", "fern_ashwick", *NAMES.values()) if word in whole]
        assert message["List-Unsubscribe"] == "<https://review.oakfield.example/mail-wishes>"
        assert message["List-Unsubscribe-Post"] is None
        assert message["Auto-Submitted"] == "auto-generated"


def test_other_schools_are_not_counted(stage: Stage) -> None:
    enrol(stage)
    arrive(stage, INSULT)
    at(stage, MONDAY)
    report(stage.tools)
    assert "Nothing was flagged." in told(stage)[ASHFORD_HEAD]
    assert "1 comment was flagged." in told(stage)[HEAD]


def test_a_preview_is_what_the_first_reader_would_get_and_writes_nothing(stage: Stage) -> None:
    enrol(stage)
    arrive(stage, INSULT)
    weekly = report_preview(stage.tools, ReportKind.WEEKLY, DAY, school=SCHOOL.slug)
    termly = report_preview(stage.tools, ReportKind.TERMLY, DAY, school=EVERY_SCHOOL)
    before = report_preview(stage.tools, ReportKind.TERMLY, date(2020, 1, 1), school=SCHOOL.slug)
    assert weekly is not None
    assert termly is not None
    assert before is not None
    assert (str(weekly["To"]), str(termly["To"])) == (HEAD, TRUSTEE)
    assert "- Flagged: 1" in text(weekly)
    assert "Nothing was flagged." in text(before)
    assert report_preview(stage.tools, ReportKind.WEEKLY, DAY, school=EVERY_SCHOOL) is None
    assert mails(stage) == {}
    with stage.database.reading() as connection:
        assert connection.execute(sa.select(REPORTS)).all() == []
