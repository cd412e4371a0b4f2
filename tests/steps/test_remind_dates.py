"""Remind: designations, delegations, the policy's review, access tokens, records (R3, R8, R30, R33): to whom, once each, and until when."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes
from email.policy import default

import pytest
import sqlalchemy as sa
from cast import ASHFORD
from stage import NOON, SCHOOL, Stage

from moderator.domain.access import Role
from moderator.domain.attestation import Attested
from moderator.domain.dues import EVERY_SCHOOL, DueLine
from moderator.domain.events import Event
from moderator.domain.readers import DueWebhook, Scope
from moderator.domain.register import Person
from moderator.domain.retention import RecordClass, Retention
from moderator.domain.times import london_date
from moderator.steps.alert import alert
from moderator.steps.remind import remind
from moderator.store import accounts, people, policies, readers, register, signed
from moderator.store.dues import due_lines
from moderator.store.outbox import ALERTS, OUTBOX
from moderator.store.people import ACCOUNTS
from moderator.store.register import PEOPLE
from moderator.store.retention import RetentionWrites

DAY = date(2026, 11, 18)
ENDS = date(2026, 12, 15)
LINK = "https://review.oakfield.example"


@contextmanager
def changing(stage: Stage) -> Iterator[sa.Connection]:
    """Open a transaction."""
    with stage.database.unit() as unit:
        yield unit.connection


@pytest.fixture
def quiet(stage: Stage) -> Stage:
    """Return a stage on which nothing is due yet: everything was attested, for long enough."""
    settle(stage)
    return stage


def settle(stage: Stage) -> None:
    """Attest the account's dates and the policy's review far ahead."""
    with changing(stage) as connection:
        policies.attest_review(connection, SCHOOL.slug, next_due=date(2027, 11, 1), by="HEAD-1", at=NOON)
    again(stage)


def again(stage: Stage) -> None:
    """Attest the account's own dates on the clock's day, so that they stay out of the way."""
    now = stage.clock.now()
    with changing(stage) as connection:
        for kind in Attested:
            accounts.attest(connection, stage.account, kind, on=london_date(now), by="ADMIN-1", at=now)


def designate(stage: Stage, role: Role, *, ends: date | None, name: str = "Maren Holloway", school: str = SCHOOL.slug) -> Person:
    """Designate somebody, with an address made from their role."""
    with changing(stage) as connection:
        email = f"{role.value}@oakfield.example"
        person = register.person_by_email(connection, email) or register.add_person(connection, name=name, email=email, at=NOON)
        begins = max(ends - timedelta(days=365), date(2026, 9, 1)) if ends else date(2026, 9, 1)
        register.designate(
            connection, person_id=person.id, role=role, school=school, signed_by="CEO-1", signed_on=DAY, begins_on=begins, ends_on=ends
        )
    return person


def at(stage: Stage, day: date) -> None:
    """Let it be nine o'clock (UTC) of a day, run the step twice and send what is due."""
    stage.clock.move(datetime(day.year, day.month, day.day, 9, tzinfo=UTC) - stage.clock.now())
    for _twice in range(2):
        assert remind(stage.tools) == 0
        stage.clock.move(timedelta(minutes=6))
        alert(stage.tools)


def alerts(stage: Stage) -> list[tuple[str, str]]:
    """Return each alert's key and kind, in order."""
    with stage.database.reading() as connection:
        return [(row.key, row.kind) for row in connection.execute(sa.select(ALERTS.c.key, ALERTS.c.kind).order_by(ALERTS.c.id))]


def mails(stage: Stage) -> list[tuple[str, str]]:
    """Return to whom each mail goes, and its words, in order."""
    with stage.database.reading() as connection:
        rows = connection.execute(sa.select(OUTBOX.c.message).order_by(OUTBOX.c.id)).scalars()
        messages = [message_from_bytes(bytes(row), policy=default) for row in rows]
    return [(str(each["To"]), " ".join(each.get_body(("plain",)).get_content().split())) for each in messages]  # type: ignore[union-attr] # each has a plain part


def lines(stage: Stage, first: date, last: date | None = None, school: str = SCHOOL.slug) -> list[DueLine]:
    """Return what the digest of those days tells."""
    with stage.database.reading() as connection:
        return list(due_lines(connection, school, first, last or first, link=LINK))


def test_r3_the_end_of_a_designation_is_told_to_the_admins_and_to_the_person_alone(any_stage: Stage) -> None:
    stage = any_stage
    settle(stage)
    designate(stage, Role.HEAD, ends=None, name="Tamsin Okoro")
    designate(stage, Role.ADMIN, ends=None, name="Petra Lindqvist")
    designate(stage, Role.DSL, ends=ENDS, name="Bronwen Adeyemi")
    for left in (15, 14, 13, 7, 6, 1, 0):
        again(stage)
        at(stage, ENDS - timedelta(days=left))
    keys = [f"designation-DSL-1-designation-2026-12-15-{before}" for before in (14, 7, 1)]
    assert alerts(stage) == [(key, "reminder") for key in keys]
    told = mails(stage)
    assert [to for to, _ in told] == ["dsl@oakfield.example", "admin@oakfield.example"] * 3
    own, others = told[0][1], told[1][1]
    assert "Your own designation as Designated Safeguarding Lead, DSL-1, ends on 15 December 2026 (in 14 days)." in own
    assert "The designation of the Designated Safeguarding Lead, DSL-1, ends on 15 December 2026 (in 14 days)." in others
    assert f"{LINK}/schools/oakfield/people" in others
    assert not any(name in text for _, text in told for name in ("Okoro", "Lindqvist", "Adeyemi", "Tamsin", "Petra", "Bronwen"))


def test_r3_a_role_that_nobody_has_any_more_is_told_to_the_headteacher_once_and_in_every_digest(quiet: Stage) -> None:
    stage = quiet
    designate(stage, Role.HEAD, ends=None)
    designate(stage, Role.DSL, ends=ENDS)
    over = ENDS + timedelta(days=1)
    at(stage, over)
    at(stage, over + timedelta(days=1))
    assert alerts(stage) == [("designation-DSL-1-oakfield-role-2026-12-15-0", "overdue")]
    assert [to for to, _ in mails(stage)] == ["head@oakfield.example"]
    assert "Nobody is designated as Designated Safeguarding Lead since DSL-1 ended on 15 December 2026." in mails(stage)[0][1]
    for days in (0, 1, 30):
        (line,) = [each for each in lines(stage, over + timedelta(days=days)) if not each.subject.startswith("account")]
        assert (line.subject, line.overdue, line.link) == ("designation DSL-1", True, f"{LINK}/schools/oakfield/people")
    assert lines(stage, ENDS - timedelta(days=2))[0].overdue is False
    designate(stage, Role.DSL, ends=ENDS + timedelta(days=366))
    assert lines(stage, over) == []


def test_r3_whoever_is_renewed_or_stood_in_for_by_another_is_no_gap(quiet: Stage) -> None:
    stage = quiet
    designate(stage, Role.DEPUTY, ends=ENDS)
    designate(stage, Role.AUDITOR, ends=ENDS)
    designate(stage, Role.DEPUTY, ends=ENDS + timedelta(days=366))
    before, after = ENDS - timedelta(days=8), ENDS + timedelta(days=20)
    assert [line.subject for line in lines(stage, before)] == ["designation AUDITOR-1"], "the deputy was renewed"
    assert lines(stage, after) == [], "the renewed deputy is there, and nobody needs an auditor"


def test_r3_one_that_somebody_ended_is_not_told_of(quiet: Stage) -> None:
    stage = quiet
    designate(stage, Role.DSL, ends=ENDS)
    with changing(stage) as connection:
        (held,) = [each for _, designations in register.people_of(connection) for each in designations]
        register.end_designation(connection, held.id, by="HEAD-1", reason="Left the school", at=NOON)
    assert lines(stage, ENDS - timedelta(days=8)) == lines(stage, ENDS + timedelta(days=3)) == []


def test_an_admin_whose_own_designation_ends_hears_of_it_once(quiet: Stage) -> None:
    stage = quiet
    designate(stage, Role.ADMIN, ends=ENDS)
    at(stage, ENDS - timedelta(days=7))
    assert [to for to, _ in mails(stage)] == ["admin@oakfield.example"]


def test_the_trusts_own_dates_go_to_its_ceo_and_stand_in_every_schools_digest(quiet: Stage) -> None:
    stage = quiet
    with changing(stage) as connection:
        people.put_school(connection, ASHFORD)
        policies.attest_review(connection, ASHFORD.slug, next_due=date(2027, 11, 1), by="HEAD-2", at=NOON)
    designate(stage, Role.CEO, ends=None, school=EVERY_SCHOOL)
    designate(stage, Role.SAFEGUARDING_LEAD, ends=ENDS, school=EVERY_SCHOOL)
    designate(stage, Role.TRUSTEE, ends=ENDS, school=EVERY_SCHOOL)
    with changing(stage) as connection:
        scopes = [Scope.COUNTS]
        readers.add_token(connection, "mod_x", label="Board", school=EVERY_SCHOOL, scopes=scopes, made_by="CEO-1", at=NOON, expires_on=ENDS)
    at(stage, ENDS - timedelta(days=7))
    assert alerts(stage) == [], "no school's admin hears of the trust's people"
    assert sorted(to for to, _ in mails(stage)) == ["ceo@oakfield.example"] * 3 + ["trustee@oakfield.example", "tsl@oakfield.example"]
    told = dict(mails(stage))
    assert told["tsl@oakfield.example"].startswith("Oakfield Learning Trust A date is coming. What happened: Your own designation as Trust")
    assert "TRUSTEE-1" in told["trustee@oakfield.example"]
    for school in (SCHOOL.slug, ASHFORD.slug):
        assert [line.subject for line in lines(stage, ENDS - timedelta(days=8), school=school)] == ["designation TSL-1"]
    trusts = lines(stage, ENDS - timedelta(days=8), school=EVERY_SCHOOL)
    assert [line.subject for line in trusts] == ["designation TRUSTEE-1", "designation TSL-1", "token 1"]
    assert {line.link for line in trusts} == {LINK}
    over = ENDS + timedelta(days=1)
    again(stage)
    at(stage, over)
    assert {key for key, kind in alerts(stage) if kind == "overdue"} == {
        f"designation-TSL-1-{school}-role-2026-12-15-0" for school in ("oakfield", "ashford")
    }


@pytest.mark.parametrize(("address", "told"), [("", []), ("chair@trust.example", ["chair@trust.example", "tsl@oakfield.example"])])
def test_without_a_ceo_the_trusts_mailbox_hears(quiet: Stage, address: str, told: list[str]) -> None:
    stage = replace(quiet, tools=replace(quiet.tools, trust_email=address))
    designate(stage, Role.SAFEGUARDING_LEAD, ends=ENDS, school=EVERY_SCHOOL)
    at(stage, ENDS - timedelta(days=1))
    assert sorted(to for to, _ in mails(stage)) == (told or ["tsl@oakfield.example"])


def test_an_address_no_mail_can_go_to_keeps_nobody_elses_reminder_back(quiet: Stage) -> None:
    stage = quiet
    designate(stage, Role.ADMIN, ends=None)
    designate(stage, Role.DSL, ends=ENDS)
    with changing(stage) as connection:
        connection.execute(sa.update(PEOPLE).where(PEOPLE.c.email == "dsl@oakfield.example").values(email="dsl @@oakfield.example"))
    at(stage, ENDS - timedelta(days=1))
    assert [to for to, _ in mails(stage)] == ["admin@oakfield.example"]


def test_r33_the_policys_review_is_told_before_and_overdue_until_it_is_attested(stage: Stage) -> None:
    again(stage)
    (line,) = lines(stage, DAY)
    assert line.what == "The yearly review of the social media policy was due by 31 August 2025. Nobody has said that it was done."
    assert (line.overdue, line.days_left, line.link) == (True, -445, f"{LINK}/schools/oakfield/policy")
    at(stage, DAY)
    at(stage, DAY + timedelta(days=1))
    assert alerts(stage) == [("policy-review-oakfield-2025-08-31-0", "overdue")]
    assert [to for to, _ in mails(stage)] == [SCHOOL.head_email]
    with changing(stage) as connection:
        policies.attest_review(connection, SCHOOL.slug, next_due=ENDS, by="HEAD-1", at=NOON)
    again(stage)
    at(stage, ENDS)
    assert alerts(stage)[1:] == [("policy-review-oakfield-2026-12-15-1", "reminder")], "a date anew is reminded of anew"
    again(stage)
    at(stage, ENDS + timedelta(days=1))
    assert alerts(stage)[2:] == [("policy-review-oakfield-2026-12-15-0", "overdue")]


def test_r8_the_last_delegation_that_stands_is_told_of(quiet: Stage) -> None:
    stage = quiet
    with changing(stage) as connection:
        for ends in (date(2026, 12, 1), ENDS, date(2027, 5, 1)):
            signed.delegate(connection, school=SCHOOL.slug, words="I delegate.", signed_by="HEAD-1", signed_on=DAY, ends_on=ends)
        newest = signed.delegations(connection, SCHOOL.slug)[0]
        signed.withdraw_delegation(connection, newest.id, school=SCHOOL.slug, by="HEAD-1", at=NOON)
    assert lines(stage, date(2026, 12, 1)) == []
    again(stage)
    at(stage, ENDS - timedelta(days=1))
    again(stage)
    at(stage, ENDS + timedelta(days=1))
    start = "delegation-DELEGATION-oakfield-2-delegation-2026-12-15"
    assert alerts(stage) == [(f"{start}-1", "reminder"), (f"{start}-0", "overdue")]
    assert [line.what for line in lines(stage, ENDS + timedelta(days=40)) if line.subject.startswith("delegation")] == [
        "The Headteacher's delegation to the service ended on 15 December 2026."
    ]


def test_an_access_token_is_told_of_until_there_is_a_newer_one_or_nobody_misses_it(quiet: Stage) -> None:
    stage = quiet

    def add(secret: str, label: str, ends: date) -> None:
        with changing(stage) as connection:
            made = readers.add_token(
                connection, secret, label=label, school=SCHOOL.slug, scopes=[Scope.COUNTS], made_by="HEAD-1", at=NOON, expires_on=ends
            )
            if label == "Used":
                readers.token_used(connection, made, datetime(2026, 12, 10, tzinfo=UTC))

    add("mod_1", "Used", ENDS)
    add("mod_2", "Forgotten", ENDS)
    add("mod_3", "Renewed", ENDS)
    add("mod_4", "Renewed", ENDS + timedelta(days=300))
    add("mod_5", "Ended", ENDS)
    with changing(stage) as connection:
        readers.end_token(connection, 5, NOON)
    assert [line.subject for line in lines(stage, ENDS - timedelta(days=8))] == ["token 1", "token 2"]
    over = ENDS + timedelta(days=1)
    assert [(line.subject, line.overdue) for line in lines(stage, over)] == [("token 1", True)], "the other was not in use"
    again(stage)
    at(stage, over)
    assert alerts(stage) == [("token-1-api-token-2026-12-15-0", "overdue")]
    add("mod_6", "Used", ENDS + timedelta(days=300))
    assert lines(stage, over) == []
    with changing(stage) as connection:
        readers.end_token(connection, 6, NOON)
    assert [line.subject for line in lines(stage, ENDS + timedelta(days=28))] == ["token 1"]
    assert lines(stage, ENDS + timedelta(days=30)) == []


def test_an_account_that_is_not_connected_stands_in_every_digest_and_is_no_second_alert(quiet: Stage) -> None:
    stage = quiet

    def put(**values: object) -> list[DueLine]:
        with changing(stage) as connection:
            connection.execute(sa.update(ACCOUNTS).values(values))
        return lines(stage, DAY)

    assert put(needs_person=False) == []
    (never,) = put(needs_person=True, last_good_poll_at=None)
    assert (
        never.what
        == "Nothing was ever read of @oakfieldprimary. It was approved on 1 September 2026, and is not connected to its platform."
    )
    (since,) = put(last_good_poll_at=NOON)
    assert since.what == "The platform does not let the service read @oakfieldprimary. The last good day was 18 November 2026."
    assert (since.link, since.overdue) == (f"{LINK}/accounts/{stage.account.id}", True)
    assert lines(stage, DAY - timedelta(days=1)) == [], "on the day itself the alert has told it"
    at(stage, DAY + timedelta(days=1))
    assert alerts(stage) == []
    with changing(stage) as connection:
        people.withdraw(connection, stage.account.id, NOON)
    assert lines(stage, DAY) == []


def test_a_machine_that_does_not_answer_for_days_stands_in_the_digest(quiet: Stage) -> None:
    stage = quiet
    with changing(stage) as connection:
        hook = readers.add_webhook(
            connection, school=SCHOOL.slug, url="https://it.example/x", sealed_secret=b"x", events=[Event.SEALED], made_by="HEAD-1", at=NOON
        )
        connection.execute(sa.update(readers.WEBHOOKS).values(after_seq=0, events='["opened"]'))
    assert lines(stage, DAY + timedelta(days=3)) == []
    with stage.database.unit() as unit:
        unit.webhook_failed(DueWebhook(hook, b"x", "{}", 1), "no answer", next_at=NOON)
    (line,) = lines(stage, DAY)
    assert line.what == "A machine that is told of records has not answered since 18 November 2026."
    assert line.link == f"{LINK}/schools/oakfield/readers"
    assert lines(stage, DAY - timedelta(days=1)) == [], "for less than a day"
    at(stage, DAY + timedelta(days=3))
    assert alerts(stage) == [], "the step that tells it has told of that"
    with changing(stage) as connection:
        connection.execute(sa.update(readers.WEBHOOKS).values(after_seq=10**6))
    assert lines(stage, DAY) == [], "nothing waits for it"
    with changing(stage) as connection:
        readers.end_webhook(connection, hook.id, NOON)
    assert lines(stage, DAY) == []


def test_r30_records_past_their_review_date_are_counted_and_told_once_a_month(quiet: Stage) -> None:
    stage = quiet
    with stage.database.unit() as unit:
        assert isinstance(unit, RetentionWrites)
        for number, day in enumerate((date(2026, 12, 1), date(2026, 12, 3), date(2027, 12, 1))):
            unit.retain(Retention(f"R-{number}", SCHOOL.slug, RecordClass.ORDINARY, day, "service", "A year.", NOON))
    assert lines(stage, date(2026, 11, 30)) == [], "the day itself is in time"
    assert lines(stage, date(2026, 12, 1))[0].what.startswith("1 record is past the day")
    (line,) = lines(stage, date(2026, 12, 3))
    assert line.what == "2 records are past the day on which somebody looks at them again, the oldest since 1 December 2026."
    assert line.link == f"{LINK}/schools/oakfield/records"
    for day in (date(2026, 12, 2), date(2026, 12, 20), date(2027, 1, 2)):
        again(stage)
        at(stage, day)
    assert alerts(stage) == [("record-review-oakfield-2026-12", "overdue"), ("record-review-oakfield-2027-01", "overdue")]


def test_r5_each_reminder_is_in_one_digest_and_what_is_overdue_in_every_one(quiet: Stage) -> None:
    """Day by day, and with weekends and a holiday told of in one: 14, 7 and 1 days before, as the reader counts them."""
    stage = quiet
    due = date(2027, 1, 17)
    told = {day: lines(stage, day) for day in (due - timedelta(days=number) for number in range(20, -4, -1))}
    read = {day + timedelta(days=1): found for day, found in told.items() if found}
    assert {(due - day).days: found[0].days_left for day, found in read.items()} == {14: 14, 7: 7, 1: 1, -1: -1, -2: -2, -3: -3, -4: -4}
    assert [found[0].overdue for found in read.values()] == [False, False, False, True, True, True, True]
    spans = [(due - timedelta(days=30), due - timedelta(days=10)), (due - timedelta(days=9), due - timedelta(days=1))]
    assert [[line.days_left for line in lines(stage, first, last)] for first, last in spans] == [[9], [0]]
    assert lines(stage, due - timedelta(days=13), due - timedelta(days=9)) == []
