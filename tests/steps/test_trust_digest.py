"""The trust's digest: every school on one page, once each London day, to whoever leads, and nothing of what is not theirs."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest
import sqlalchemy as sa
from cast import ASHFORD, NAMES, enrol
from stage import NOON, SCHOOL, Stage, comment

from moderator.domain.access import Role
from moderator.domain.attestation import Attested
from moderator.domain.calendar import SchoolCalendar
from moderator.domain.errors import EvidenceFailed, Transient
from moderator.domain.events import Head, heads_from
from moderator.domain.register import EVERY_SCHOOL
from moderator.domain.trust_digest import OwnDigest
from moderator.mail.compose import JinjaComposer
from moderator.settings import ASSETS
from moderator.steps.trust_digest import NO_DISCLOSURES, trust_digest, trust_digest_preview
from moderator.store import absences, accounts, mail_wishes, people, policies, register
from moderator.store.database import SqlUnit
from moderator.store.outbox import DIGESTS, OUTBOX
from moderator.store.reports import REPORTS

DAY = date(2026, 11, 18)
MORNING = datetime(2026, 11, 19, 7, 30, tzinfo=UTC)
INSULT, CRISIS, NAMING = "You are an idiot", "this reads as crisis", "Tilly Marwood is an idiot"
LEAD = "tsl@oakfield.example"


def clocked(stage: Stage) -> Stage:
    """Return the stage with a composer that lives by its clock: what is so long ago depends on it."""
    composer = JinjaComposer(
        templates=ASSETS / "templates", sender="moderator@oakfield.example", trust_domain="oakfield.example", now=stage.clock.now
    )
    return replace(stage, tools=replace(stage.tools, composer=composer))


def at(stage: Stage, moment: datetime) -> None:
    stage.clock.move(moment - stage.clock.now())


def mails(stage: Stage) -> dict[str, EmailMessage]:
    """Return the trust digests of the outbox by key."""
    with stage.database.reading() as connection:
        rows = connection.execute(sa.select(OUTBOX.c.key, OUTBOX.c.message).where(OUTBOX.c.key.startswith("trust-digest-")))
        return {row.key: message_from_bytes(bytes(row.message), policy=default) for row in rows}


def text(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert body is not None
    return " ".join(str(body.get_content()).split())


def only(stage: Stage) -> tuple[str, str]:
    """Return to whom the one trust digest went, and its text."""
    (message,) = mails(stage).values()
    return str(message["To"]), text(message)


def number_of(stage: Stage, address: str) -> int:
    with stage.database.reading() as connection:
        found = register.person_by_email(connection, address)
    assert found is not None
    return found.id


def away(stage: Stage, *addresses: str) -> None:
    with stage.database.unit() as unit:
        for address in addresses:
            absences.note_absence(
                unit.connection,
                person_id=number_of(stage, address),
                first_day=DAY,
                last_day=date(2026, 11, 20),
                noted_by="CEO-1",
                at=NOON,
            )


def arrive(stage: Stage, *texts: str) -> None:
    stage.platform.comments += [comment(20 + number, each) for number, each in enumerate(texts)]
    stage.run("poll", "score", "decide")


def without(stage: Stage, *roles: Role) -> None:
    """End the designations of some roles."""
    with stage.database.unit() as unit:
        ended = sa.update(register.DESIGNATIONS).where(register.DESIGNATIONS.c.role.in_([role.value for role in roles]))
        unit.connection.execute(ended.values(ended_at=NOON, ended_by="CEO-1", end_reason="They have left"))


def test_every_school_is_on_one_page_the_worst_first(any_stage: Stage) -> None:
    stage = clocked(any_stage)
    enrol(stage)
    arrive(stage, INSULT, CRISIS, "What a lovely assembly")
    stage.run("record", "hide")
    at(stage, MORNING)
    assert trust_digest(stage.tools) == 1
    to, said = only(stage)
    assert to == LEAD
    assert said.index("OAKFIELD PRIMARY SCHOOL") < said.index("ASHFORD JUNIOR SCHOOL"), "worst first"
    assert "2 comments wait for a person, 1 of them serious." in said
    assert "That day: 2 flagged: 1 hidden and 1 left showing for a person to decide." in said
    assert "@oakfieldprimary on Memory was last checked 19 hours ago." in said
    assert "No account is approved. Nothing is being checked." in said, "Ashford has none"
    assert "Its own digest was not made." in said
    assert NO_DISCLOSURES not in said
    body = mails(stage)["trust-digest-2026-11-18-p2"].as_string()
    assert heads_from(body) == {slug: (stage.database.head(slug),) for slug in ("oakfield", "ashford")}
    assert trust_digest(stage.tools) == 0
    assert len(mails(stage)) == 1


def test_a_quiet_day_has_a_digest_too(stage: Stage) -> None:
    enrol(stage)
    assert stage.account.approval is not None
    with stage.database.unit() as unit:
        added = people.add_account(
            unit.connection,
            school=ASHFORD,
            platform="memory",
            handle="ashfordjunior",
            platform_id="m-9",
            contact_email="office@ashford.example",
            monthly_reads=10_000,
            at=NOON,
        )
        people.approve(unit.connection, added, stage.account.approval)
    for number in (stage.account.id, added):
        with stage.database.unit() as unit:
            account = people.account(unit.connection, number)
            accounts.attest(unit.connection, account, Attested.PASSWORD_CHANGED, on=date(2026, 11, 1), by="ADMIN-1", at=NOON)
            policies.attest_review(unit.connection, account.school.slug, next_due=date(2027, 8, 31), by="CEO-1", at=NOON)
    at(stage, MORNING)
    stage.run("poll", "digest", "send")
    assert trust_digest(stage.tools) == 1
    (message,) = mails(stage).values()
    assert str(message["Subject"]).strip().startswith("Nothing to report at any school")
    assert "NOTHING TO REPORT Ashford Junior School, Oakfield Primary School" in text(message)
    assert "Every school's own digest was sent." in text(message)


@pytest.mark.parametrize(
    ("gone", "missing", "reader"),
    [
        ((), (), LEAD),
        ((LEAD,), (), "ceo@oakfield.example"),
        ((), (Role.SAFEGUARDING_LEAD,), "ceo@oakfield.example"),
        ((LEAD, "ceo@oakfield.example"), (), "trust@oakfield.example"),
        ((), (Role.SAFEGUARDING_LEAD, Role.CEO), "trust@oakfield.example"),
    ],
)
def test_who_reads_it(stage: Stage, gone: tuple[str, ...], missing: tuple[Role, ...], reader: str) -> None:
    stage = replace(stage, tools=replace(stage.tools, trust_email="trust@oakfield.example"))
    enrol(stage)
    away(stage, *gone)
    without(stage, *missing)
    arrive(stage, CRISIS)
    at(stage, MORNING)
    assert trust_digest(stage.tools) == 1
    to, said = only(stage)
    assert to == reader
    told = "1 comment waits for a person" in said
    assert (told, NO_DISCLOSURES in said) == ((True, False) if reader == LEAD else (False, True)), "R15"


def test_a_mail_that_waits_for_those_who_are_away_is_better_than_none(stage: Stage) -> None:
    enrol(stage)
    away(stage, LEAD, "ceo@oakfield.example")
    at(stage, MORNING)
    trust_digest(stage.tools)
    assert {str(mail["To"]) for mail in mails(stage).values()} == {LEAD, "ceo@oakfield.example"}


def test_nobody_to_tell_and_one_school_alone_have_none_and_whoever_comes_later_is_not_sent_the_past(stage: Stage) -> None:
    at(stage, MORNING + timedelta(days=2))
    assert trust_digest(stage.tools) == 3
    assert mails(stage) == {}
    enrol(stage)
    without(stage, *Role)
    at(stage, MORNING + timedelta(days=3))
    assert trust_digest(stage.tools) == 1, "two schools, and nobody to tell"
    assert mails(stage) == {}
    with stage.database.unit() as unit:
        added = register.add_person(unit.connection, name="A lead", email="lead@oakfield.example", at=NOON)
        register.designate(
            unit.connection, person_id=added.id, role=Role.SAFEGUARDING_LEAD, school=EVERY_SCHOOL, signed_by="CEO-1", signed_on=DAY,
            begins_on=DAY,
        )  # fmt: skip
    assert trust_digest(stage.tools) == 0
    at(stage, MORNING + timedelta(days=4))
    assert trust_digest(stage.tools) == 1
    assert list(mails(stage)) == [f"trust-digest-2026-11-22-p{added.id}"]


def test_before_any_ledger_is_open_nothing_is_due(database: object, stage: Stage) -> None:
    class Unopened:
        def schools(self) -> list[object]:
            return []

    del database
    assert trust_digest(replace(stage.tools, store=Unopened())) == 0  # type: ignore[arg-type] # asked for its schools alone


def test_r21_each_reader_is_told_of_nothing_that_names_them(stage: Stage) -> None:
    stage = replace(stage, tools=replace(stage.tools, trust_email="TSL@oakfield.example"))
    enrol(stage)
    with stage.database.unit() as unit:
        known = register.person(unit.connection, number_of(stage, LEAD))
        register.change_person(unit.connection, replace(known, roll_reference="P-1"))
        second = register.add_person(unit.connection, name="Another lead", email="second@oakfield.example", at=NOON)
        register.designate(
            unit.connection, person_id=second.id, role=Role.SAFEGUARDING_LEAD, school=EVERY_SCHOOL, signed_by="CEO-1", signed_on=DAY,
            begins_on=DAY,
        )  # fmt: skip
    arrive(stage, NAMING, INSULT)
    at(stage, MORNING)
    trust_digest(stage.tools)
    said = {str(mail["To"]): text(mail) for mail in mails(stage).values()}
    assert "1 flagged" in said[LEAD]
    assert "2 flagged" in said["second@oakfield.example"]
    without(stage, Role.SAFEGUARDING_LEAD, Role.CEO)
    at(stage, MORNING + timedelta(days=1))
    trust_digest(stage.tools)
    mailbox = mails(stage)["trust-digest-2026-11-19-p0"]
    assert "1 comment waits" in text(mailbox), "the mailbox is that of the person named"


def test_a_person_may_leave_it_unless_nobody_would_read_it(stage: Stage) -> None:
    enrol(stage)
    with stage.database.unit() as unit:
        second = register.add_person(unit.connection, name="Another lead", email="second@oakfield.example", at=NOON)
        register.designate(
            unit.connection, person_id=second.id, role=Role.SAFEGUARDING_LEAD, school=EVERY_SCHOOL, signed_by="CEO-1", signed_on=DAY,
            begins_on=DAY,
        )  # fmt: skip
        mail_wishes.leave_only(unit.connection, second.id, {"trust_digest"}, at=NOON)
    at(stage, MORNING)
    trust_digest(stage.tools)
    assert only(stage)[0] == LEAD
    with stage.database.unit() as unit:
        mail_wishes.leave_only(unit.connection, number_of(stage, LEAD), {"trust_digest"}, at=NOON)
    at(stage, MORNING + timedelta(days=1))
    trust_digest(stage.tools)
    assert len(mails(stage)) == 3, "when everybody left it, everybody gets it"


def test_it_waits_a_little_for_the_schools_own_digests(stage: Stage) -> None:
    enrol(stage)
    at(stage, datetime(2026, 11, 19, 7, 1, tzinfo=UTC))
    assert trust_digest(stage.tools) == 0
    stage.run("poll", "digest")
    assert trust_digest(stage.tools) == 0, "they are written and not sent"
    stage.run("send")
    assert trust_digest(stage.tools) == 1
    assert "Every school's own digest was sent." in only(stage)[1]
    at(stage, datetime(2026, 11, 20, 7, 15, 1, tzinfo=UTC))
    assert trust_digest(stage.tools) == 1, "and no longer"


def test_two_schools_with_different_calendars(stage: Stage) -> None:
    stage.database._calendars = {"ashford": SchoolCalendar(hour=9), "oakfield": SchoolCalendar(while_closed=False)}  # noqa: SLF001 - as the settings give them
    enrol(stage)
    at(stage, datetime(2026, 11, 19, 7, 20, tzinfo=UTC))
    stage.run("digest", "send")
    assert trust_digest(stage.tools) == 1
    assert (
        "Own digests sent: 1 of 2 schools. At its own hour or on the next school day it comes at Ashford Junior School." in only(stage)[1]
    )
    at(stage, datetime(2026, 11, 22, 7, 20, tzinfo=UTC))
    stage.run("digest", "send")
    assert trust_digest(stage.tools) == 3
    sunday = text(mails(stage)["trust-digest-2026-11-21-p2"])
    assert "comes at Ashford Junior School, Oakfield Primary School" in sunday or "comes at Oakfield Primary School" in sunday
    now = stage.clock.now()
    assert stage.database.own_digest("oakfield", date(2026, 11, 20), now=now) is OwnDigest.LATER
    at(stage, datetime(2026, 11, 23, 7, 20, tzinfo=UTC))
    stage.run("digest", "send")
    assert stage.database.own_digest("oakfield", date(2026, 11, 20), now=stage.clock.now()) is OwnDigest.SENT
    assert stage.database.own_digest("oakfield", date(2026, 11, 22), now=stage.clock.now()) is OwnDigest.SENT


def test_a_digest_of_a_school_that_came_back_is_told(stage: Stage) -> None:
    enrol(stage)
    at(stage, MORNING)
    stage.run("digest", "send")
    with stage.database.unit() as unit:
        unit.connection.execute(
            sa.update(OUTBOX).where(OUTBOX.c.key == "digest-ashford-2026-11-18").values(bounced_at=MORNING, bounce="5.1.1")
        )
        unit.connection.execute(sa.delete(DIGESTS).where(DIGESTS.c.school == "oakfield"))
    trust_digest(stage.tools)
    said = only(stage)[1]
    assert "Its own digest came back." in said
    assert "Its own digest was not made." in said
    assert "1 mail did not arrive." in said


def test_exactly_once_when_the_machine_dies_between_composing_and_committing(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    enrol(stage)
    at(stage, MORNING)
    with stage.database.unit() as unit:
        kind = type(unit)
    whole = kind.mail_composed

    def dies(self: SqlUnit, key: str, school: str, message: EmailMessage, at: datetime) -> None:
        whole(self, key, school, message, at)
        why = "the power went"
        raise Transient(why)

    monkeypatch.setattr(kind, "mail_composed", dies)
    with pytest.raises(Transient):
        trust_digest(stage.tools)
    assert mails(stage) == {}
    with stage.database.reading() as connection:
        assert connection.execute(sa.select(REPORTS)).all() == []
    monkeypatch.undo()
    assert trust_digest(stage.tools) == 1
    assert trust_digest(stage.tools) == 0
    assert list(mails(stage)) == ["trust-digest-2026-11-18-p2"]


def test_of_two_workers_one_composes_it(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    enrol(stage)
    at(stage, MORNING)
    assert trust_digest(stage.tools) == 1
    monkeypatch.setattr(type(stage.database), "reports_made", lambda *_: frozenset())
    assert trust_digest(stage.tools) == 0, "another worker was quicker"
    assert len(mails(stage)) == 1


def test_after_a_standstill_every_day_comes_in_order_and_what_is_too_old_is_named(stage: Stage) -> None:
    enrol(stage)
    at(stage, MORNING)
    assert trust_digest(stage.tools) == 1
    at(stage, MORNING + timedelta(days=41))
    for _ in range(2):
        assert trust_digest(stage.tools, limit=2) == 2
    days = [date.fromisoformat(key.removeprefix("trust-digest-")[:10]) for key in mails(stage)]
    assert days == [DAY, *(date(2026, 11, 29) + timedelta(days=number) for number in range(4))]
    note = "No digest of the trust was made for the days from 19 November 2026 to 28 November 2026"
    assert [note in text(mail) for mail in mails(stage).values()] == [False, True, False, False, False]


def test_an_address_no_mail_can_go_to_keeps_nobody_elses_back(stage: Stage) -> None:
    enrol(stage)
    with stage.database.unit() as unit:
        unit.connection.execute(sa.update(register.PEOPLE).where(register.PEOPLE.c.email == LEAD).values(email="tsl @@oakfield.example"))
    at(stage, MORNING)
    assert trust_digest(stage.tools) == 1
    assert only(stage)[0] == "ceo@oakfield.example"
    with stage.database.unit() as unit:
        unit.connection.execute(sa.update(register.PEOPLE).values(email=register.PEOPLE.c.email + " @@"))
    at(stage, MORNING + timedelta(days=1))
    assert trust_digest(stage.tools) == 0
    with stage.database.unit() as unit:
        unit.connection.execute(
            sa.update(register.PEOPLE).where(register.PEOPLE.c.email == "ceo@oakfield.example @@").values(email="ceo@oakfield.example")
        )
    assert trust_digest(stage.tools) == 1, "nothing is given up: the day waits until a mail can go to somebody"


@pytest.mark.parametrize("error", [EvidenceFailed("changed from outside"), Transient("the disk is full")])
def test_a_ledger_file_in_trouble_is_told_and_the_digest_goes_out(stage: Stage, error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    enrol(stage)

    def sync(_self: object, school: str) -> Head:
        del school
        raise error

    monkeypatch.setattr(type(stage.tools.ledger), "sync", sync)
    at(stage, MORNING)
    assert trust_digest(stage.tools) == 1
    assert "The ledger's file of Ashford Junior School could not be brought up to date." in only(stage)[1]


def test_r28_no_name_and_no_text(stage: Stage) -> None:
    enrol(stage)
    arrive(stage, NAMING, INSULT, CRISIS)
    at(stage, MORNING)
    trust_digest(stage.tools)
    (message,) = mails(stage).values()
    whole = "".join(str(part.get_content()) for part in message.walk() if not part.is_multipart()) + str(message.items())
    assert not [word for word in ("Tilly", "Marwood", "idiot", "Fern", "fern_ashwick", "crisis", *NAMES.values()) if word in whole]
    assert message["List-Unsubscribe"] == "<https://review.oakfield.example/mail-wishes>"
    assert message["List-Unsubscribe-Post"] is None
    assert message["Auto-Submitted"] == "auto-generated"
    assert SCHOOL.name in whole


def test_a_preview_is_what_the_first_reader_would_get_and_writes_nothing(stage: Stage) -> None:
    assert trust_digest_preview(stage.tools, DAY) is None
    enrol(stage)
    shown = trust_digest_preview(stage.tools, DAY)
    assert shown is not None
    assert str(shown["To"]) == LEAD
    assert "Every school, Wednesday 18 November 2026" in text(shown)
    assert mails(stage) == {}
