"""An alert as its pages show it: to whom it went, whether it arrived, who read it. Called by the Alerts and item pages."""

from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from moderator.domain.access import ROLE_WORDS, Role
from moderator.domain.digest import AlertKind
from moderator.domain.dues import page_of
from moderator.domain.times import london_date
from moderator.domain.unread import MAILBOX, Telling
from moderator.mail.words import button, capital, next_step, title
from moderator.store import duty, register
from moderator.store.alerts import PastAlert


@dataclass(frozen=True, slots=True)
class Told:
    """Who is who at a school now: people's names and roles by number, and by the reference of each designation they ever had."""

    people: dict[int, str]
    references: dict[str, str]


@dataclass(frozen=True, slots=True)
class Reader:
    """One reader in words: `standing` is `delivered`, `waiting` or `failed`, at `at` (when it was written, while it waits).

    `same_day` is whether that was on the London day of the alert, so that the time alone tells it.
    """

    who: str
    standing: str
    at: datetime
    same_day: bool


@dataclass(frozen=True, slots=True)
class Round:
    """Those whom an alert went to together; `number` 0 is the first time, `failed` whether it went on since a mail had not arrived."""

    number: int
    failed: bool
    readers: tuple[Reader, ...]


@dataclass(frozen=True, slots=True)
class ShownAlert:
    """An alert with its rounds, by whom and when it was read, the one thing to do next, and the page where that is done ("" for none)."""

    alert: PastAlert
    title: str
    rounds: tuple[Round, ...]
    read_by: tuple[tuple[str, datetime], ...]
    next: str
    leads: str
    button: str


def told_at(connection: sa.Connection, school: str, now: datetime) -> Told:
    """Return who is who at a school: designated people's names may stand on a page for those who are signed in."""
    on_duty = duty.on_duty(connection, school, london_date(now))
    roles: dict[int, list[str]] = {}
    for role in Role:
        for person in on_duty.holders.get(role, ()):
            roles.setdefault(person.id, []).append(ROLE_WORDS[role])
    people = {person.id: _with_roles(person.name, roles.get(person.id, [])) for person, _ in register.people_of(connection, school)}
    return Told(people, register.names_by_reference(connection))


def _with_roles(name: str, roles: list[str]) -> str:
    return f"{name} ({', '.join(roles)})" if roles else name


def shown(alert: PastAlert, told: Told, *, school: str) -> ShownAlert:
    """Return an alert of a school as a page shows it. Pure."""
    numbers = sorted({each.round for each in alert.tellings})
    rounds = tuple(_round(number, alert, told) for number in numbers)
    read = tuple((_by(each.by, told), each.at) for each in alert.readers)
    words = (next_step(alert.kind), _leads(alert, school), button(alert.kind))
    return ShownAlert(alert, capital(title(alert.kind)), rounds, read, *words)


def _leads(alert: PastAlert, school: str) -> str:
    """Return the page where what is to be done next is done; "" when there is none."""
    if alert.item_id is not None or alert.kind is AlertKind.SUBMITTED:
        return alert.path
    of_the_service = f"/schools/{school}/health" if alert.kind in {AlertKind.SYSTEM, AlertKind.EVIDENCE} else ""
    return page_of(alert.subject, school) or of_the_service


def _round(number: int, alert: PastAlert, told: Told) -> Round:
    readers = tuple(_reader(each, told, london_date(alert.at)) for each in alert.tellings if each.round == number)
    return Round(number, any(each.failed_at is not None for each in alert.tellings if each.round == number - 1), readers)


def _reader(telling: Telling, told: Told, day: date) -> Reader:
    mailbox = telling.person_id == MAILBOX
    who = f"the mailbox {telling.address}" if mailbox else told.people.get(telling.person_id, "somebody who has left")
    standing = "failed" if telling.failed_at is not None else "delivered" if telling.sent_at is not None else "waiting"
    at = telling.failed_at or telling.sent_at or telling.at
    return Reader(who, standing, at, london_date(at) == day)


def _by(reference: str, told: Told) -> str:
    name = told.references.get(reference)
    return f"{name} ({reference})" if name else reference
