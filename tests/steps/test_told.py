"""Who gets alerts and digests (R21): nobody whom a comment names, whoever stands in for those away, disclosures for the leads (R15)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest
import sqlalchemy as sa
from stage import NOON, SCHOOL, Stage, comment

from moderator.domain.access import Role
from moderator.domain.calendar import Span
from moderator.domain.decision import Severity
from moderator.domain.digest import AlertKind
from moderator.domain.person import RollEntry
from moderator.domain.register import EVERY_SCHOOL
from moderator.domain.routes import RouteKind
from moderator.domain.score import PersonKind, Score
from moderator.domain.work import AlertRequest
from moderator.learn.roll import RollMatcher, roll_tokens
from moderator.ports import Classifier
from moderator.steps.alert import NOBODY, alert
from moderator.steps.digest import FOR_LEADS, IN_CONFLICT, content_of, digest_for
from moderator.store import absences, register, signed

DAY = date(2026, 11, 18)
NAMING, INSULT, CRISIS = "Tilly Marwood is an idiot", "You are an idiot", "this reads as crisis"
"""The roll calls the person whom the first one names P-1 (tests/stage.py)."""


def person(stage: Stage, role: Role, *, placed: str = "", school: str = SCHOOL.slug) -> int:
    """Designate somebody; return their number. Their address is `<role>@oakfield.example`."""
    with stage.database.unit() as unit:
        added = register.add_person(
            unit.connection, name=f"The {role.value}", email=f"{role.value}@oakfield.example", roll_reference=placed, at=NOON
        )
        register.designate(
            unit.connection, person_id=added.id, role=role, school=school, signed_by="CEO-1", signed_on=DAY, begins_on=date(2026, 9, 1)
        )
    return added.id


def everybody(stage: Stage, *, head_is: str = "P-1") -> dict[Role, int]:
    made = {Role.HEAD: person(stage, Role.HEAD, placed=head_is)}
    made |= {role: person(stage, role) for role in (Role.DEPUTY, Role.DSL, Role.ADMIN)}
    return made | {role: person(stage, role, school=EVERY_SCHOOL) for role in (Role.CEO, Role.SAFEGUARDING_LEAD)}


def arrive(stage: Stage, *texts: str) -> list[int]:
    """Let comments arrive and be decided on; return their item numbers."""
    start = len(stage.platform.comments) + 10
    stage.platform.comments += [comment(start + number, text) for number, text in enumerate(texts)]
    stage.clock.move(timedelta(hours=1))
    stage.run("poll", "score", "decide")
    stage.clock.move(timedelta(minutes=6))
    return [int(str(row[0])) for row in stage.rows("id")][-len(texts) :]


def mails(stage: Stage) -> dict[str, tuple[str, str]]:
    """Return each message of the outbox by key: to whom, and its plain text."""
    with stage.database.reading() as connection:
        rows = connection.execute(sa.text("SELECT key, message FROM outbox ORDER BY id")).all()
    return {row.key: _read(message_from_bytes(bytes(row.message), policy=default)) for row in rows}


def _read(message: EmailMessage) -> tuple[str, str]:
    body = message.get_body(("plain",))
    assert body is not None
    return str(message["To"]), str(body.get_content())


def told_of(stage: Stage, item: int) -> set[str]:
    """Return who got a mail that leads to an item."""
    return {
        to
        for to, text in mails(stage).values()
        if f"/items/{item}" in {line.strip().removeprefix(stage.tools.review_url) for line in text.splitlines()}
    }


def test_r21_alerts_go_past_the_person_a_comment_names(any_stage: Stage) -> None:
    stage = any_stage
    everybody(stage)
    naming, insult = arrive(stage, NAMING, INSULT)
    stage.run("alert")
    assert told_of(stage, naming) == {"ceo@oakfield.example"}
    assert told_of(stage, insult) == {"head@oakfield.example"}
    assert len(mails(stage)) == 2
    stage.clock.move(timedelta(hours=1))
    assert alert(stage.tools) == 0, "told once"


def test_r15_r21_a_disclosure_goes_to_the_leads_alone(stage: Stage) -> None:
    everybody(stage)
    (crisis,) = arrive(stage, CRISIS)
    stage.run("alert")
    assert told_of(stage, crisis) == {"dsl@oakfield.example", "tsl@oakfield.example"}
    assert len(mails(stage)) == 2


def test_r21_whoever_is_away_is_stood_in_for(stage: Stage) -> None:
    people = everybody(stage)
    with stage.database.unit() as unit:
        absences.note_absence(unit.connection, person_id=people[Role.HEAD], first_day=DAY, last_day=DAY, noted_by="HEAD-1", at=NOON)
    (insult,) = arrive(stage, INSULT)
    stage.run("alert")
    assert told_of(stage, insult) == {"deputy@oakfield.example"}
    assert content_of(stage.tools, SCHOOL, Span.of(DAY)).to == "deputy@oakfield.example"
    stage.clock.move(timedelta(days=1))
    assert content_of(stage.tools, SCHOOL, Span.of(DAY)).to == "head@oakfield.example"


def test_r21_with_an_empty_register_the_mailbox_of_the_settings_is_told(stage: Stage) -> None:
    naming, crisis = arrive(stage, NAMING, CRISIS)
    stage.run("alert")
    assert told_of(stage, naming) == told_of(stage, crisis) == {SCHOOL.head_email}
    digest_for(stage.tools, SCHOOL, Span.of(DAY))
    assert [key for key in mails(stage) if key.startswith("digest-")] == ["digest-oakfield-2026-11-18"]
    assert told_of(stage, crisis) == {SCHOOL.head_email}


def test_r21_when_nobody_may_be_told_it_waits_and_the_school_hears_that_something_does(stage: Stage) -> None:
    person(stage, Role.HEAD, placed="P-1")
    naming, insult = arrive(stage, NAMING, INSULT)
    stage.run("alert")
    assert told_of(stage, naming) == set()
    assert told_of(stage, insult) == {"head@oakfield.example"}
    assert any(NOBODY in " ".join(text.split()) for _, text in mails(stage).values())
    assert all("Tilly" not in text for _, text in mails(stage).values())
    person(stage, Role.CEO, school=EVERY_SCHOOL)
    stage.clock.move(timedelta(minutes=3))
    stage.run("alert")
    assert told_of(stage, naming) == {"ceo@oakfield.example"}


@pytest.mark.parametrize(("address", "told"), [("chair@trust.example", {"chair@trust.example"}), ("Head@oakfield.example", set())])
def test_r21_the_trusts_mailbox_is_the_last_resort_unless_it_is_that_of_the_person_named(
    stage: Stage, address: str, told: set[str]
) -> None:
    stage = replace(stage, tools=replace(stage.tools, trust_email=address))
    person(stage, Role.HEAD, placed="P-1")
    (naming,) = arrive(stage, NAMING)
    stage.run("alert")
    assert told_of(stage, naming) == told
    digest_for(stage.tools, SCHOOL, Span.of(DAY))
    assert told_of(stage, naming) == told


def test_r15_r21_the_digest_leaves_out_what_is_not_the_readers_and_others_get_it(any_stage: Stage) -> None:
    stage = any_stage
    everybody(stage)
    naming, insult, crisis = arrive(stage, NAMING, INSULT, CRISIS)
    stage.run("record", "hide")
    assert digest_for(stage.tools, SCHOOL, Span.of(DAY))
    sent = mails(stage)
    assert {key.removeprefix("digest-oakfield-2026-11-18"): to for key, (to, _) in sent.items()} == {
        "": "head@oakfield.example",
        "-safeguarding-3": "dsl@oakfield.example",
        "-safeguarding-6": "tsl@oakfield.example",
        "-conflict-1-5": "ceo@oakfield.example",
    }
    assert FOR_LEADS in " ".join(sent["digest-oakfield-2026-11-18-safeguarding-3"][1].split())
    assert IN_CONFLICT in " ".join(sent["digest-oakfield-2026-11-18-conflict-1-5"][1].split())
    assert told_of(stage, insult) == {"head@oakfield.example"}
    assert told_of(stage, naming) == {"ceo@oakfield.example"}
    assert told_of(stage, crisis) == {"dsl@oakfield.example", "tsl@oakfield.example"}
    own, theirs = content_of(stage.tools, SCHOOL, Span.of(DAY)).counts, stage.database.digest_of(SCHOOL, Span.of(DAY), link="").counts
    assert (own.flagged, own.waiting_for_decision, own.hidden) == (1, 1, 1)
    assert (theirs.flagged, theirs.waiting_for_decision, theirs.hidden) == (3, 3, 2)
    assert not digest_for(stage.tools, SCHOOL, Span.of(DAY))
    assert mails(stage) == sent


def test_r21_a_calm_day_is_one_digest(stage: Stage) -> None:
    everybody(stage)
    arrive(stage, "What a lovely day")
    digest_for(stage.tools, SCHOOL, Span.of(DAY))
    assert list(mails(stage)) == ["digest-oakfield-2026-11-18"]


def test_a_signed_route_is_followed(stage: Stage) -> None:
    everybody(stage, head_is="")
    for kind in (RouteKind.FLAGGED, RouteKind.DIGEST):
        with stage.database.unit() as unit:
            signed.change_route(
                unit.connection,
                school=SCHOOL.slug,
                kind=kind,
                roles=(Role.DEPUTY, Role.HEAD),
                author="HEAD-1",
                why="Both of us read it",
                at=NOON,
            )
    (insult,) = arrive(stage, INSULT)
    stage.run("alert")
    both = {"head@oakfield.example", "deputy@oakfield.example"}
    assert told_of(stage, insult) == both
    digest_for(stage.tools, SCHOOL, Span.of(DAY))
    assert {to for key, (to, _) in mails(stage).items() if key.startswith("digest-")} == both


def test_an_address_no_mail_can_go_to_keeps_nobody_elses_back(stage: Stage) -> None:
    everybody(stage, head_is="")
    with stage.database.unit() as unit:
        for role in ("ceo", "dsl"):
            broken = sa.update(register.PEOPLE).where(register.PEOPLE.c.email == f"{role}@oakfield.example")
            unit.connection.execute(broken.values(email=f"{role} @@oakfield.example"))
        request = AlertRequest(
            "e-1", SCHOOL.slug, AlertKind.EVIDENCE, Severity.SEVERE, "sample", "A record is at fault.", "Nothing.", NOON, NOON
        )
        unit.alert(request)
        own = AlertRequest(
            "s-1", SCHOOL.slug, AlertKind.SYSTEM, Severity.SEVERE, "the service", "The disk is full.", "It waits.", NOON, NOON
        )
        unit.alert(own)
    assert alert(stage.tools, limit=1) == 1
    assert {to for to, _ in mails(stage).values()} == {"head@oakfield.example"}
    arrive(stage, CRISIS)
    digest_for(stage.tools, SCHOOL, Span.of(DAY))
    assert {to for key, (to, _) in mails(stage).items() if key.startswith("digest-")} == {"head@oakfield.example", "tsl@oakfield.example"}


def test_r8_a_record_shows_the_delegation_signed_last(stage: Stage) -> None:
    assert stage.tools.delegation_of(SCHOOL.slug) == "Delegation D-1 of 1 September 2026", "of the settings, while none is signed"
    with stage.database.unit() as unit:
        for ends in (date(2027, 8, 31), date(2026, 12, 31)):
            signed.delegate(
                unit.connection, school=SCHOOL.slug, words="I delegate the record.", signed_by="HEAD-1", signed_on=DAY, ends_on=ends
            )
    newest = "DELEGATION-oakfield-2, signed on 18 November 2026 by HEAD-1, until 31 December 2026"
    assert stage.tools.delegation_of(SCHOOL.slug) == newest
    arrive(stage, INSULT)
    stage.run("record")
    (path,) = stage.tools.vault.paths(SCHOOL.slug)
    assert newest.encode() in stage.tools.vault.open(path, "data/record.json")
    stage.clock.move(timedelta(days=60))
    assert stage.tools.delegation_of(SCHOOL.slug).startswith("DELEGATION-oakfield-1"), "the newest that holds"


def test_r12_an_alert_says_who_can_still_see_it_for_the_platform_of_its_item_alone(stage: Stage) -> None:
    sentences = {"memory": "On Memory nobody sees it.", "elsewhere": "On Elsewhere everybody sees it."}
    stage = replace(stage, tools=replace(stage.tools, visible_after_hide=sentences))
    arrive(stage, INSULT, "I will hurt you")
    stage.run("alert")
    ((_, text),) = mails(stage).values()
    assert text.count("On Memory nobody sees it.") == 1
    assert "Elsewhere" not in text
    with stage.database.unit() as unit:
        unit.alert(AlertRequest("s-1", SCHOOL.slug, AlertKind.SYSTEM, Severity.SEVERE, "the service", "Full.", "It waits.", NOON, NOON))
    stage.run("alert")
    assert "Memory" not in list(mails(stage).values())[-1][1]


def test_r26_the_trusts_copy_about_the_evidence_is_noted_as_told(stage: Stage) -> None:
    everybody(stage, head_is="")
    stage = replace(stage, tools=replace(stage.tools, trust_email="chair@trust.example"))
    with stage.database.unit() as unit:
        evidence = AlertRequest("e-1", SCHOOL.slug, AlertKind.EVIDENCE, Severity.SEVERE, "sample", "At fault.", "Nothing.", NOON, NOON)
        unit.alert(evidence)
    stage.run("alert")
    with stage.database.reading() as connection:
        found = connection.execute(sa.text("SELECT address, person_id = 0 AS mailbox, round FROM tellings ORDER BY id")).all()
    assert [tuple(row) for row in found] == [
        ("head@oakfield.example", 0, 0),
        ("ceo@oakfield.example", 0, 0),
        ("chair@trust.example", 1, 0),
    ]


class Rolled:
    """The stage's classifier with a real roll in place of its own."""

    version = "test"

    def __init__(self, inner: Classifier, *entries: RollEntry) -> None:
        """Take who is on the roll."""
        key = b"k" * 32
        self._inner, self._matcher = inner, RollMatcher([token for entry in entries for token in roll_tokens(entry, key)], key)

    def score(self, texts: Sequence[str], *, parents: Sequence[str] = ()) -> list[Score]:
        """Score the texts, and find the roll's people in them."""
        scores = self._inner.score(texts, parents=parents)
        return [replace(score, people=tuple(self._matcher.find(text))) for text, score in zip(texts, scores, strict=True)]


def on_the_roll(reference: str, kind: PersonKind, first: str = "Tamsin") -> RollEntry:
    return RollEntry(reference, kind, first, "Oakenshaw", title="Mrs")


@pytest.mark.parametrize(
    ("other", "text"),
    [
        (on_the_roll("U7-C1", PersonKind.PARENT), "Tamsin Oakenshaw is an idiot"),
        (on_the_roll("U7-C2", PersonKind.PARENT, "Joan"), "Mrs Oakenshaw is an idiot"),
        (on_the_roll("S-9", PersonKind.STAFF), "Tamsin Oakenshaw is an idiot"),
    ],
)
def test_r21_a_head_whose_name_is_on_the_roll_twice_is_not_told_of_it(stage: Stage, other: RollEntry, text: str) -> None:
    rolled = Rolled(stage.classifier, on_the_roll("P-1", PersonKind.STAFF), other)
    stage = replace(stage, tools=replace(stage.tools, classifier=rolled))
    everybody(stage)
    (item,) = arrive(stage, text)
    stage.run("alert")
    digest_for(stage.tools, SCHOOL, Span.of(DAY))
    told = told_of(stage, item)
    assert told
    assert SCHOOL.head_email not in told
    kept = stage.database.work(item).score
    assert kept is not None
    assert kept.people[0].shared == tuple(sorted(("P-1", other.reference)))


def test_r21_what_names_the_head_and_another_reader_goes_to_nobody_under_the_head(stage: Stage) -> None:
    entries = (on_the_roll("P-1", PersonKind.STAFF), RollEntry("P-2", PersonKind.STAFF, "Cora", "Chief"))
    stage = replace(stage, tools=replace(stage.tools, classifier=Rolled(stage.classifier, *entries)))
    person(stage, Role.HEAD, placed="P-1")
    for role in (Role.DEPUTY, Role.DSL):
        person(stage, role)
    person(stage, Role.CEO, placed="P-2", school=EVERY_SCHOOL)
    person(stage, Role.SAFEGUARDING_LEAD, school=EVERY_SCHOOL)
    for kind, roles in ((RouteKind.FLAGGED, (Role.HEAD, Role.DEPUTY)), (RouteKind.DIGEST, (Role.HEAD, Role.CEO))):
        with stage.database.unit() as unit:
            signed.change_route(unit.connection, school=SCHOOL.slug, kind=kind, roles=roles, author="HEAD-1", why="We agreed", at=NOON)
    (item,) = arrive(stage, "Tamsin Oakenshaw and Cora Chief are idiots, idiot")
    stage.run("alert")
    digest_for(stage.tools, SCHOOL, Span.of(DAY))
    assert "deputy@oakfield.example" not in told_of(stage, item)


@pytest.mark.parametrize("roles", [(Role.HEAD,), (Role.HEAD, Role.DSL)])
def test_r15_a_disclosure_that_names_the_head_is_in_the_leads_digest(stage: Stage, roles: tuple[Role, ...]) -> None:
    person(stage, Role.HEAD, placed="P-1")
    person(stage, Role.DSL)
    person(stage, Role.CEO, school=EVERY_SCHOOL)
    with stage.database.unit() as unit:
        signed.change_route(
            unit.connection, school=SCHOOL.slug, kind=RouteKind.DIGEST, roles=roles, author="HEAD-1", why="We agreed", at=NOON
        )
    (item,) = arrive(stage, "Tilly Marwood hurts me, this reads as disclosure")
    digest_for(stage.tools, SCHOOL, Span.of(DAY))
    assert told_of(stage, item) == {"dsl@oakfield.example"}
