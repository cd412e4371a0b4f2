"""Rehearsing a route (R21): a harmless mail to exactly those whom it would reach, once an hour, and nothing that counts as an alert."""

from dataclasses import replace
from datetime import date, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest
import sqlalchemy as sa
from stage import NOON, SCHOOL, Stage, Woken

from moderator.domain.access import Role
from moderator.domain.calendar import Span
from moderator.domain.errors import BadInput, NotAllowed
from moderator.domain.register import EVERY_SCHOOL
from moderator.domain.routes import KIND_WORDS, RouteKind
from moderator.mail.compose import JinjaComposer
from moderator.settings import ASSETS
from moderator.steps.alert import alert
from moderator.steps.digest import content_of
from moderator.steps.rehearse import NO_ALERTS, Rehearsal, reached, rehearse
from moderator.store import absences, register
from moderator.store.ledger import LEDGER
from moderator.store.outbox import ALERTS
from moderator.store.tellings import TELLINGS

DAY = date(2026, 11, 18)
ALERT_KINDS = [kind for kind in RouteKind if kind not in NO_ALERTS]
NAMED = frozenset({"P-1"})
"""The roll calls the Headteacher P-1 here."""


def of(kind: RouteKind, *, named: frozenset[str] = frozenset()) -> Rehearsal:
    return Rehearsal(SCHOOL, kind, named, "HEAD-1")


@pytest.fixture
def peopled(stage: Stage) -> dict[Role, int]:
    """Designate everybody but a trustee and an auditor; return their numbers. Addresses are `<role>@oakfield.example`."""
    found = {}
    with stage.database.unit() as unit:
        for role in (Role.HEAD, Role.DEPUTY, Role.DSL, Role.ADMIN, Role.CEO, Role.SAFEGUARDING_LEAD):
            whole_trust = role in {Role.CEO, Role.SAFEGUARDING_LEAD}
            added = register.add_person(
                unit.connection,
                name=f"The {role.value}",
                email=f"{role.value}@oakfield.example",
                roll_reference="P-1" if role is Role.HEAD else "",
                at=NOON,
            )
            register.designate(
                unit.connection,
                person_id=added.id,
                role=role,
                school=EVERY_SCHOOL if whole_trust else SCHOOL.slug,
                signed_by="CEO-1",
                signed_on=DAY,
                begins_on=date(2026, 9, 1),
            )
            found[role] = added.id
    return found


def go(stage: Stage, rehearsal: Rehearsal) -> list[str]:
    """Rehearse as a person does who was shown the readers; return their addresses."""
    seen = [person.email for person in reached(stage.tools, rehearsal)]
    return [person.email for person in rehearse(stage.tools, rehearsal, seen=seen)]


def outbox(stage: Stage) -> list[EmailMessage]:
    with stage.database.reading() as connection:
        rows = connection.execute(sa.text("SELECT message FROM outbox ORDER BY id")).scalars()
        return [message_from_bytes(bytes(row), policy=default) for row in rows]


def count(stage: Stage, table: sa.Table) -> int:
    with stage.database.reading() as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()


@pytest.mark.parametrize(
    ("rehearsal", "away", "readers"),
    [
        (of(RouteKind.FLAGGED), (), ["head"]),
        (of(RouteKind.FLAGGED, named=NAMED), (), ["ceo"]),
        (of(RouteKind.SEVERE), (Role.HEAD,), ["deputy"]),
        (of(RouteKind.SEVERE, named=NAMED), (Role.CEO,), ["tsl"]),
        (of(RouteKind.SAFEGUARDING), (), ["dsl", "tsl"]),
        (of(RouteKind.WITHHELD, named=NAMED), (), ["ceo", "dsl", "tsl"]),
        (of(RouteKind.REMINDER), (Role.ADMIN, Role.HEAD, Role.DEPUTY), ["ceo"]),
    ],
)
def test_r21_a_rehearsal_goes_to_exactly_those_whom_the_route_reaches(
    stage: Stage, peopled: dict[Role, int], rehearsal: Rehearsal, away: tuple[Role, ...], readers: list[str]
) -> None:
    with stage.database.unit() as unit:
        for role in away:
            absences.note_absence(unit.connection, person_id=peopled[role], first_day=DAY, last_day=DAY, noted_by="HEAD-1", at=NOON)
    assert go(stage, rehearsal) == [f"{role}@oakfield.example" for role in readers]
    assert [str(mail["To"]) for mail in outbox(stage)] == [f"{role}@oakfield.example" for role in readers]


def test_every_route_of_an_alert_can_be_rehearsed_and_says_so(stage: Stage, peopled: dict[Role, int]) -> None:
    assert peopled
    for kind in ALERT_KINDS:
        before = len(outbox(stage))
        readers = go(stage, of(kind))
        sent = outbox(stage)[before:]
        assert len(sent) == len(readers) > 0
        for mail in sent:
            body = mail.get_body(("plain",))
            assert body is not None
            text = " ".join(str(body.get_content()).split())
            assert str(mail["Subject"]).startswith("Rehearsal:")
            assert "NOTHING HAPPENED" in text
            assert KIND_WORDS[kind] in text
            assert "/schools/oakfield/alerts/" in text
            assert "References" not in mail, "it stays out of the thread of what did happen"
            assert "Importance" not in mail
            assert not any(f"The {role.value}" in text for role in Role), "it names nobody"


def test_what_is_written_at_a_set_time_has_a_preview_instead(stage: Stage, peopled: dict[Role, int]) -> None:
    assert peopled
    for kind in NO_ALERTS:
        with pytest.raises(BadInput, match="look at the preview"):
            rehearse(stage.tools, of(kind), seen=())
    assert outbox(stage) == []


def test_r21_the_alert_says_whom_it_went_to_and_nothing_of_it_counts(stage: Stage, peopled: dict[Role, int]) -> None:
    before = content_of(stage.tools, SCHOOL, Span.of(DAY))
    go(stage, of(RouteKind.SAFEGUARDING))
    with stage.database.reading() as connection:
        rows = connection.execute(sa.select(ALERTS).order_by(ALERTS.c.id)).all()
        tellings = connection.execute(sa.select(TELLINGS).order_by(TELLINGS.c.id)).all()
        line = connection.execute(sa.select(LEDGER.c.line).order_by(LEDGER.c.seq.desc()).limit(1)).scalar_one()
    assert [(row.kind, row.severity, row.reroute_at, row.read_at) for row in rows] == [("rehearsal", "ordinary", None, None)]
    assert rows[0].subject.startswith("rehearsal-safeguarding-")
    assert [(row.alert_id, row.person_id, row.address, row.mail_key) for row in tellings] == [
        (rows[0].id, peopled[Role.DSL], "dsl@oakfield.example", rows[0].mail_key),
        (rows[0].id, peopled[Role.SAFEGUARDING_LEAD], "tsl@oakfield.example", f"{rows[0].mail_key}-2"),
    ]
    assert '"subject":"route-safeguarding","actor":"HEAD-1","reason":"route_rehearsed"' in line
    assert '"mails":2' in line
    assert isinstance(stage.tools.dispatcher, Woken)
    assert stage.tools.dispatcher.steps == ["send"]
    stage.clock.move(timedelta(hours=2))
    assert alert(stage.tools) == 0, "no alert mail picks it up"
    stage.run("unread")
    assert len(outbox(stage)) == len(tellings), "nobody is told again"
    after = content_of(stage.tools, SCHOOL, Span.of(DAY))
    assert replace(after, head=before.head) == before


def test_one_rehearsal_a_route_an_hour(any_stage: Stage) -> None:
    stage = any_stage
    assert go(stage, of(RouteKind.SEVERE)) == [SCHOOL.head_email], "an empty register has the mailbox of the settings"
    before = count(stage, LEDGER)
    stage.clock.move(timedelta(minutes=59))
    with pytest.raises(NotAllowed, match="less than an hour ago"):
        go(stage, of(RouteKind.SEVERE))
    assert (len(outbox(stage)), count(stage, LEDGER)) == (1, before), "nothing is written then"
    assert go(stage, of(RouteKind.FLAGGED)) == [SCHOOL.head_email], "another route is another"
    stage.clock.move(timedelta(minutes=2))
    assert go(stage, of(RouteKind.SEVERE)) == [SCHOOL.head_email]


def test_nothing_is_sent_when_the_readers_are_others_than_were_shown(stage: Stage, peopled: dict[Role, int]) -> None:
    seen = [person.email for person in reached(stage.tools, of(RouteKind.SEVERE))]
    with stage.database.unit() as unit:
        absences.note_absence(unit.connection, person_id=peopled[Role.HEAD], first_day=DAY, last_day=DAY, noted_by="HEAD-1", at=NOON)
    with pytest.raises(NotAllowed, match="others than you were shown"):
        rehearse(stage.tools, of(RouteKind.SEVERE), seen=seen)
    assert (outbox(stage), count(stage, ALERTS)) == ([], 0)


def test_r21_the_trusts_mailbox_is_the_last_resort_and_without_it_nothing_is_sent(stage: Stage) -> None:
    with stage.database.unit() as unit:
        head = register.add_person(unit.connection, name="The head", email="head@oakfield.example", roll_reference="P-1", at=NOON)
        register.designate(
            unit.connection,
            person_id=head.id,
            role=Role.HEAD,
            school=SCHOOL.slug,
            signed_by="CEO-1",
            signed_on=DAY,
            begins_on=date(2026, 9, 1),
        )
    about_the_head = of(RouteKind.SEVERE, named=NAMED)
    assert reached(stage.tools, about_the_head) == ()
    with pytest.raises(NotAllowed, match="nobody now"):
        rehearse(stage.tools, about_the_head, seen=())
    with_mailbox = replace(stage, tools=replace(stage.tools, trust_email="trust@oakfield.example"))
    assert go(with_mailbox, about_the_head) == ["trust@oakfield.example"]


def test_r26_an_address_that_no_mail_may_go_to_is_what_a_rehearsal_is_there_to_show(stage: Stage) -> None:
    composer = JinjaComposer(
        templates=ASSETS / "templates", sender="moderator@oakfield.example", trust_domain="oakfield.example", domains={"elsewhere.example"}
    )
    strict = replace(stage, tools=replace(stage.tools, composer=composer))
    with pytest.raises(BadInput):
        go(strict, of(RouteKind.SEVERE))
    assert (outbox(stage), count(stage, ALERTS)) == ([], 0)
