"""Who is told of what (R21), row by row: what happened, whom it names, who is away, and who is then told.

The table is written to be read by a Headteacher. Each block begins with the routes it is of (`domain.routes.RouteKind`); "-" would be
nobody. It was written down and judged by hand, and the properties below are held apart from it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from itertools import combinations, product

import pytest
import sqlalchemy as sa
from stage import NOON, SCHOOL, Stage, comment

from moderator.domain.access import MAY, STANDS_IN, TRUST_WIDE, Action, Role
from moderator.domain.calendar import Span
from moderator.domain.register import EVERY_SCHOOL, Person
from moderator.domain.routes import OnDuty, RouteKind, may_be_told, names, told
from moderator.steps.digest import digest_for
from moderator.store import absences, register
from moderator.store.outbox import OUTBOX

TABLE = """
== A school with everybody

-- flagged, severe, submitted, override, system, digest, weekly
who it names     | nobody away | Head away | Head, deputy away | all away
nobody           | Head        | Deputy    | CEO               | Head, Deputy, CEO
the Head         | CEO         | CEO       | CEO               | CEO, TSL
the deputy       | Head        | CEO       | CEO               | Head, CEO
the DSL          | Head        | Deputy    | CEO               | Head, Deputy, CEO
the CEO          | Head        | Deputy    | Head, Deputy      | Head, Deputy
the admin        | Head        | Deputy    | CEO               | Head, Deputy, CEO
the whole school | CEO         | CEO       | CEO               | CEO, TSL

-- safeguarding
who it names     | nobody away | Head away | Head, deputy away | all away
nobody           | DSL, TSL    | DSL, TSL  | DSL, TSL          | DSL, TSL, Head, CEO
the Head         | DSL, TSL    | DSL, TSL  | DSL, TSL          | DSL, TSL, CEO
the deputy       | DSL, TSL    | DSL, TSL  | DSL, TSL          | DSL, TSL, Head, CEO
the DSL          | TSL         | TSL       | TSL               | TSL, Head, CEO
the CEO          | DSL, TSL    | DSL, TSL  | DSL, TSL          | DSL, TSL, Head
the admin        | DSL, TSL    | DSL, TSL  | DSL, TSL          | DSL, TSL, Head, CEO
the whole school | TSL         | TSL       | TSL               | TSL, CEO

-- withheld
who it names     | nobody away    | Head away        | Head, deputy away | all away
nobody           | Head, DSL, TSL | Deputy, DSL, TSL | CEO, DSL, TSL     | Head, Deputy, CEO, DSL, TSL
the Head         | CEO, DSL, TSL  | CEO, DSL, TSL    | CEO, DSL, TSL     | CEO, TSL, DSL
the deputy       | Head, DSL, TSL | CEO, DSL, TSL    | CEO, DSL, TSL     | Head, CEO, DSL, TSL
the DSL          | Head, TSL      | Deputy, TSL      | CEO, TSL          | Head, Deputy, CEO, TSL
the CEO          | Head, DSL, TSL | Deputy, DSL, TSL | DSL, TSL          | Head, Deputy, DSL, TSL
the admin        | Head, DSL, TSL | Deputy, DSL, TSL | CEO, DSL, TSL     | Head, Deputy, CEO, DSL, TSL
the whole school | CEO, TSL       | CEO, TSL         | CEO, TSL          | CEO, TSL

-- account
who it names     | nobody away | Head away     | Head, deputy away | all away
nobody           | Head, Admin | Deputy, Admin | CEO, Admin        | Head, Deputy, CEO, Admin
the Head         | CEO         | CEO           | CEO               | CEO, TSL
the deputy       | Head, Admin | CEO, Admin    | CEO, Admin        | Head, CEO, Admin
the DSL          | Head, Admin | Deputy, Admin | CEO, Admin        | Head, Deputy, CEO, Admin
the CEO          | Head, Admin | Deputy, Admin | Admin             | Head, Deputy, Admin
the admin        | Head        | Deputy        | CEO               | Head, Deputy, CEO
the whole school | CEO         | CEO           | CEO               | CEO, TSL

-- evidence
who it names     | nobody away | Head away   | Head, deputy away | all away
nobody           | Head, CEO   | Deputy, CEO | CEO               | Head, Deputy, CEO, TSL
the Head         | CEO         | CEO         | CEO               | CEO, TSL
the deputy       | Head, CEO   | CEO         | CEO               | Head, CEO, TSL
the DSL          | Head, CEO   | Deputy, CEO | CEO               | Head, Deputy, CEO, TSL
the CEO          | Head, TSL   | Deputy, TSL | TSL               | Head, Deputy, TSL
the admin        | Head, CEO   | Deputy, CEO | CEO               | Head, Deputy, CEO, TSL
the whole school | CEO         | CEO         | CEO               | CEO, TSL

-- reminder
who it names     | nobody away | Head away | Head, deputy away | all away
nobody           | Admin       | Admin     | Admin             | Admin, Head, Deputy, CEO
the Head         | CEO         | CEO       | CEO               | CEO, TSL
the deputy       | Admin       | Admin     | Admin             | Admin, Head, CEO
the DSL          | Admin       | Admin     | Admin             | Admin, Head, Deputy, CEO
the CEO          | Admin       | Admin     | Admin             | Admin, Head, Deputy
the admin        | Head        | Deputy    | CEO               | Head, Deputy, CEO
the whole school | CEO         | CEO       | CEO               | CEO, TSL

-- termly
who it names     | nobody away   | Head away    | Head, deputy away | all away
nobody           | Head, Trustee | CEO, Trustee | CEO, Trustee      | Head, CEO, Trustee
the Head         | CEO, Trustee  | CEO, Trustee | CEO, Trustee      | CEO, TSL, Trustee
the deputy       | Head, Trustee | CEO, Trustee | CEO, Trustee      | Head, CEO, Trustee
the DSL          | Head, Trustee | CEO, Trustee | CEO, Trustee      | Head, CEO, Trustee
the CEO          | Head, Trustee | Trustee      | Trustee           | Head, Trustee
the admin        | Head, Trustee | CEO, Trustee | CEO, Trustee      | Head, CEO, Trustee
the whole school | CEO, Trustee  | CEO, Trustee | CEO, Trustee      | CEO, TSL, Trustee

== A one-school trust without a deputy or a Trust Safeguarding Lead

-- flagged, severe, submitted, override, system, digest, weekly
who it names     | nobody away | Head away | Head, deputy away | all away
nobody           | Head        | CEO       | CEO               | Head, CEO
the Head         | CEO         | CEO       | CEO               | CEO
the deputy       | Head        | CEO       | CEO               | Head, CEO
the DSL          | Head        | CEO       | CEO               | Head, CEO
the CEO          | Head        | Head      | Head              | Head
the admin        | Head        | CEO       | CEO               | Head, CEO
the whole school | CEO         | CEO       | CEO               | CEO

-- safeguarding
who it names     | nobody away | Head away | Head, deputy away | all away
nobody           | DSL         | DSL       | DSL               | DSL, Head, CEO
the Head         | DSL         | DSL       | DSL               | DSL, CEO
the deputy       | DSL         | DSL       | DSL               | DSL, Head, CEO
the DSL          | Head        | CEO       | CEO               | Head, CEO
the CEO          | DSL         | DSL       | DSL               | DSL, Head
the admin        | DSL         | DSL       | DSL               | DSL, Head, CEO
the whole school | CEO         | CEO       | CEO               | CEO

-- withheld
who it names     | nobody away | Head away | Head, deputy away | all away
nobody           | Head, DSL   | CEO, DSL  | CEO, DSL          | Head, CEO, DSL
the Head         | CEO, DSL    | CEO, DSL  | CEO, DSL          | CEO, DSL
the deputy       | Head, DSL   | CEO, DSL  | CEO, DSL          | Head, CEO, DSL
the DSL          | Head        | CEO       | CEO               | Head, CEO
the CEO          | Head, DSL   | DSL       | DSL               | Head, DSL
the admin        | Head, DSL   | CEO, DSL  | CEO, DSL          | Head, CEO, DSL
the whole school | CEO         | CEO       | CEO               | CEO

-- account
who it names     | nobody away | Head away  | Head, deputy away | all away
nobody           | Head, Admin | CEO, Admin | CEO, Admin        | Head, CEO, Admin
the Head         | CEO         | CEO        | CEO               | CEO
the deputy       | Head, Admin | CEO, Admin | CEO, Admin        | Head, CEO, Admin
the DSL          | Head, Admin | CEO, Admin | CEO, Admin        | Head, CEO, Admin
the CEO          | Head, Admin | Admin      | Admin             | Head, Admin
the admin        | Head        | CEO        | CEO               | Head, CEO
the whole school | CEO         | CEO        | CEO               | CEO

-- evidence
who it names     | nobody away | Head away | Head, deputy away | all away
nobody           | Head, CEO   | CEO       | CEO               | Head, CEO
the Head         | CEO         | CEO       | CEO               | CEO
the deputy       | Head, CEO   | CEO       | CEO               | Head, CEO
the DSL          | Head, CEO   | CEO       | CEO               | Head, CEO
the CEO          | Head        | Head      | Head              | Head
the admin        | Head, CEO   | CEO       | CEO               | Head, CEO
the whole school | CEO         | CEO       | CEO               | CEO

-- reminder
who it names     | nobody away | Head away | Head, deputy away | all away
nobody           | Admin       | Admin     | Admin             | Admin, Head, CEO
the Head         | CEO         | CEO       | CEO               | CEO
the deputy       | Admin       | Admin     | Admin             | Admin, Head, CEO
the DSL          | Admin       | Admin     | Admin             | Admin, Head, CEO
the CEO          | Admin       | Admin     | Admin             | Admin, Head
the admin        | Head        | CEO       | CEO               | Head, CEO
the whole school | CEO         | CEO       | CEO               | CEO

-- termly
who it names     | nobody away   | Head away    | Head, deputy away | all away
nobody           | Head, Trustee | CEO, Trustee | CEO, Trustee      | Head, CEO, Trustee
the Head         | CEO, Trustee  | CEO, Trustee | CEO, Trustee      | CEO, Trustee
the deputy       | Head, Trustee | CEO, Trustee | CEO, Trustee      | Head, CEO, Trustee
the DSL          | Head, Trustee | CEO, Trustee | CEO, Trustee      | Head, CEO, Trustee
the CEO          | Head, Trustee | Trustee      | Trustee           | Head, Trustee
the admin        | Head, Trustee | CEO, Trustee | CEO, Trustee      | Head, CEO, Trustee
the whole school | CEO, Trustee  | CEO, Trustee | CEO, Trustee      | CEO, Trustee

== A school whose register is empty

-- flagged, severe, safeguarding, withheld, submitted, override, account, system, evidence, reminder, digest, weekly, termly
who it names | nobody away | Head away | Head, deputy away | all away
nobody       | Mailbox     | Mailbox   | Mailbox           | Mailbox

"""

SHORT = {
    "CEO": Role.CEO,
    "TSL": Role.SAFEGUARDING_LEAD,
    "Head": Role.HEAD,
    "Deputy": Role.DEPUTY,
    "DSL": Role.DSL,
    "Admin": Role.ADMIN,
    "Trustee": Role.TRUSTEE,
    "Auditor": Role.AUDITOR,
}
NAMED: Mapping[str, tuple[Role, ...]] = {
    "nobody": (),
    "the Head": (Role.HEAD,),
    "the deputy": (Role.DEPUTY,),
    "the DSL": (Role.DSL,),
    "the CEO": (Role.CEO,),
    "the admin": (Role.ADMIN,),
    "the whole school": (Role.HEAD, Role.DEPUTY, Role.DSL, Role.ADMIN),
}
AWAY: tuple[tuple[Role, ...], ...] = ((), (Role.HEAD,), (Role.HEAD, Role.DEPUTY), tuple(Role))
COLUMNS = ("who it names", "nobody away", "Head away", "Head, deputy away", "all away")
PEOPLE = {role: Person(number, "", f"{role.value}@oakfield.example", f"S-{number}") for number, role in enumerate(Role, 1)}
MAILBOX = Person(0, "", SCHOOL.head_email)
REGISTERS: Mapping[str, Mapping[Role, tuple[Person, ...]]] = {
    "A school with everybody": {role: (person,) for role, person in PEOPLE.items()},
    "A one-school trust without a deputy or a Trust Safeguarding Lead": {
        role: (person,) for role, person in PEOPLE.items() if role not in {Role.DEPUTY, Role.SAFEGUARDING_LEAD}
    },
    "A school whose register is empty": {Role.HEAD: (MAILBOX,)},
}
SIGNED = {RouteKind.FLAGGED, RouteKind.SAFEGUARDING, RouteKind.WITHHELD, RouteKind.TERMLY}
"""Routes of each sort: every other one goes by the same roles and the same rule as the first of these."""
UNDER_THE_HEAD = {Role.DEPUTY, Role.DSL, Role.ADMIN}


@dataclass(frozen=True, slots=True)
class Row:
    """One cell of the table: a route at a school, whom it names, who is away, and who is told, in order."""

    school: str
    kind: RouteKind
    naming: str
    away: tuple[Role, ...]
    expected: tuple[str, ...]

    @property
    def duty(self) -> OnDuty:
        """Return who is there."""
        return OnDuty(REGISTERS[self.school], frozenset(PEOPLE[role].id for role in self.away))

    @property
    def named(self) -> frozenset[str]:
        """Return the roll's references of those named."""
        return frozenset(PEOPLE[role].roll_reference for role in NAMED[self.naming])


def rows() -> Iterator[Row]:
    """Read the table."""
    school, kinds = "", list[RouteKind]()
    for line in filter(None, TABLE.splitlines()):
        if line.startswith("== "):
            school = line[3:]
        elif line.startswith("-- "):
            kinds = [RouteKind(kind) for kind in line[3:].split(", ")]
        else:
            naming, *cells = (cell.strip() for cell in line.split("|"))
            if naming == COLUMNS[0]:
                assert tuple(cells) == COLUMNS[1:]
                continue
            yield from (
                Row(school, kind, naming, away, tuple(cell.split(", "))) for kind in kinds for away, cell in zip(AWAY, cells, strict=True)
            )


ROWS = tuple(rows())


def in_short(people: tuple[Person, ...]) -> tuple[str, ...]:
    """Return people as the table writes them."""
    words = {PEOPLE[role]: short for short, role in SHORT.items()} | {MAILBOX: "Mailbox"}
    return tuple(words[person] for person in people) or ("-",)


def test_r21_the_table_has_every_route_away_and_named_once_for_each_register() -> None:
    empty = tuple(REGISTERS)[-1]
    wanted = {(school, kind, naming, away) for school, kind, naming, away in product(REGISTERS, RouteKind, NAMED, AWAY) if school != empty}
    wanted |= {(empty, kind, "nobody", away) for kind, away in product(RouteKind, AWAY)}
    assert sorted((row.school, row.kind, row.naming, row.away) for row in ROWS) == sorted(wanted)


def test_r21_every_row_of_the_table() -> None:
    wrong = [(row, found) for row in ROWS if (found := in_short(told(row.kind, row.duty, named=row.named))) != row.expected]
    assert wrong == []


def duties() -> Iterator[tuple[RouteKind, OnDuty, frozenset[str]]]:
    """Yield every row's state, and the same with the routes of one or two roles that a school may sign instead."""
    for row in ROWS:
        yield row.kind, row.duty, row.named
        for number in (1, 2) if row.kind in SIGNED else ():
            for roles in combinations(may_be_told(row.kind), number):
                yield row.kind, replace(row.duty, routes={row.kind: roles}), row.named


def opens(kind: RouteKind, person: Person, duty: OnDuty) -> bool:
    """Return whether a person has a role that can open what a route tells of; the mailbox of an empty register has no page."""
    action = {
        RouteKind.SAFEGUARDING: Action.SEE_SAFEGUARDING,
        RouteKind.ACCOUNT: Action.SEE_ACCOUNTS,
        RouteKind.SYSTEM: Action.SEE_HEALTH,
        RouteKind.REMINDER: Action.SEE_ACCOUNTS,
        RouteKind.DIGEST: Action.SEE_DIGESTS,
        RouteKind.WEEKLY: Action.SEE_DIGESTS,
        RouteKind.TERMLY: Action.SEE_COUNTS,
    }.get(kind, Action.SEE_ITEMS)
    roles = {role for role, people in duty.holders.items() if person in people}
    return person.id == 0 or bool(roles & (MAY[action] | (STANDS_IN if kind is RouteKind.SAFEGUARDING else frozenset())))


def test_r21_what_holds_for_every_row_and_every_route_that_can_be_signed() -> None:
    for kind, duty, named in duties():
        found = told(kind, duty, named=named)
        about = (kind, duty.routes, duty.away, named)
        assert not any(names(person, named) for person in found), about
        assert all(opens(kind, person, duty) for person in found), about
        assert len(set(found)) == len(found), about
        there = [person for person in found if person.id not in duty.away]
        assert len(there) in {0, len(found)}, ("those away are told only when nobody is there", about)
        assert found or kind is RouteKind.TERMLY, ("a trustee has nobody standing in; anybody else has", about)


def test_r21_what_names_the_headteacher_goes_past_everybody_who_works_for_them() -> None:
    for kind, duty, named in duties():
        if not any(names(person, named) for person in duty.holders[Role.HEAD]):
            continue
        found = told(kind, duty, named=named)
        roles = {role for role, people in duty.holders.items() for person in people if person in found}
        own_duty = {Role.DSL} if kind in {RouteKind.SAFEGUARDING, RouteKind.WITHHELD} else set()
        assert not roles & (UNDER_THE_HEAD - own_duty), (kind, duty.routes, roles)
        assert roles <= TRUST_WIDE | own_duty


def test_r21_head_away_means_the_deputy_and_disclosures_mean_the_leads() -> None:
    for row in ROWS:
        if row.school != next(iter(REGISTERS)) or row.naming not in {"nobody", "the CEO", "the admin"} or len(row.away) > 1:
            continue
        if row.kind is RouteKind.SAFEGUARDING:
            assert row.expected == ("DSL", "TSL")
        elif row.kind not in {RouteKind.REMINDER, RouteKind.TERMLY}:
            assert ("Deputy" if row.away else "Head") in row.expected
            assert ("Head" if row.away else "Deputy") not in row.expected


PLAIN, THREAT, CRISIS, PICTURE = (
    "Tilly Marwood is an idiot",
    "Tilly Marwood, I will hurt you",
    "Tilly Marwood: crisis",
    "Tilly Marwood: indecent_image",
)
"""What the stage's classifier makes of these: flagged, severe, a disclosure, withheld; each names P-1 of the roll."""

THROUGH: tuple[tuple[str, RouteKind, str, tuple[Role, ...]], ...] = (
    (PLAIN, RouteKind.FLAGGED, "nobody", ()),
    (PLAIN, RouteKind.FLAGGED, "nobody", (Role.HEAD,)),
    (PLAIN, RouteKind.FLAGGED, "the Head", ()),
    (PLAIN, RouteKind.FLAGGED, "the deputy", (Role.HEAD,)),
    (THREAT, RouteKind.SEVERE, "the Head", (Role.HEAD,)),
    (THREAT, RouteKind.SEVERE, "nobody", (Role.HEAD, Role.DEPUTY)),
    (CRISIS, RouteKind.SAFEGUARDING, "the DSL", ()),
    (CRISIS, RouteKind.SAFEGUARDING, "the Head", ()),
    (PICTURE, RouteKind.WITHHELD, "the Head", ()),
    (PICTURE, RouteKind.WITHHELD, "the DSL", ()),
)


@pytest.mark.parametrize(("text", "kind", "naming", "away"), THROUGH)
def test_r21_rows_of_the_table_as_mails(stage: Stage, text: str, kind: RouteKind, naming: str, away: tuple[Role, ...]) -> None:
    """From the comment to the outbox: the alert goes to whom the table says, and no mail of the day leads the person named to it."""
    (row,) = (each for each in ROWS if (each.school, each.kind, each.naming, each.away) == (ROWS[0].school, kind, naming, away))
    enrol(stage, NAMED[naming], away)
    stage.platform.comments.append(comment(10, text))
    stage.run("poll", "score", "decide")
    stage.clock.move(timedelta(minutes=6))
    stage.run("alert")
    expected = {f"{SHORT[short].value}@oakfield.example" for short in row.expected}
    assert leading_to(stage, 1) == expected
    digest_for(stage.tools, SCHOOL, Span.of(date(2026, 11, 18)))
    assert not {f"{role.value}@oakfield.example" for role in NAMED[naming]} & leading_to(stage, 1)
    digests = leading_to(stage, 1, key="digest-%")
    assert digests, "the item is in somebody's digest"
    if kind is RouteKind.SAFEGUARDING:
        assert digests == expected, "disclosures are in the leads' digests alone"
    elif naming == "the Head":
        assert digests == {"ceo@oakfield.example"}, "whoever reads the digest for the Headteacher works for them"


def enrol(stage: Stage, named: tuple[Role, ...], away: tuple[Role, ...]) -> None:
    """Designate one person a role; those named are on the roll as P-1."""
    day = date(2026, 11, 18)
    with stage.database.unit() as unit:
        for role in Role:
            person = register.add_person(
                unit.connection,
                name=f"The {role.value}",
                email=f"{role.value}@oakfield.example",
                roll_reference="P-1" if role in named else "",
                at=NOON,
            )
            register.designate(
                unit.connection,
                person_id=person.id,
                role=role,
                school=EVERY_SCHOOL if role in TRUST_WIDE else SCHOOL.slug,
                signed_by="CEO-1",
                signed_on=day,
                begins_on=date(2026, 9, 1),
            )
            if role in away:
                absences.note_absence(unit.connection, person_id=person.id, first_day=day, last_day=day, noted_by="CEO-1", at=NOON)


def leading_to(stage: Stage, item: int, *, key: str = "%") -> set[str]:
    """Return to whom mails go that lead to an item, of those whose key is like that."""
    link = f"{stage.tools.review_url}/items/{item}"
    with stage.database.reading() as connection:
        messages = connection.execute(sa.select(OUTBOX.c.message).where(OUTBOX.c.key.like(key))).scalars()
        return {str(mail["To"]) for mail in map(opened, messages) if link in plain(mail).split()}


def opened(message: bytes) -> EmailMessage:
    """Return a message of the outbox."""
    return message_from_bytes(bytes(message), policy=default)


def plain(message: EmailMessage) -> str:
    """Return a message's plain text."""
    body = message.get_body(("plain",))
    assert body is not None
    return str(body.get_content())
