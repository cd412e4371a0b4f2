"""A serious alert that nobody has read: who comes next, when, and what they are told (R21). Called by the unread step."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from moderator.domain.access import ROLE_WORDS, STANDS_IN, TRUST_WIDE, Role
from moderator.domain.account import School
from moderator.domain.digest import AlertLine
from moderator.domain.register import Person
from moderator.domain.routes import IN_ABSENCE, IN_CONFLICT, OnDuty, RouteKind, kept_from, leads_there, may_be_told, names, route_of, told
from moderator.domain.work import AlertAbout

MAILBOX = 0
"""Number of a reader who is a mailbox and no person of the register."""


@dataclass(frozen=True, slots=True)
class Telling:
    """One alert as one reader was told of it. `sent_at`: when a mail server took the mail; `failed_at`: when one refused or returned it."""

    person_id: int
    address: str
    mail_key: str
    round: int
    at: datetime
    sent_at: datetime | None = None
    failed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """Who read an alert first, by designation, and when."""

    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class Unread:
    """One serious alert whose time is up, with whom it went to. `reading` is not None when somebody has read it meanwhile.

    `known` is whether an earlier alert of the same trouble of the service is on its way to further people already.
    """

    id: int
    line: AlertLine
    about: AlertAbout
    subject: str
    round: int
    tellings: tuple[Telling, ...]
    reading: Reading | None = None
    known: bool = False

    @property
    def route(self) -> RouteKind:
        """Return the route it went by."""
        return route_of(self.line.kind, self.line.severity, safeguarding=self.about.safeguarding)


@dataclass(frozen=True, slots=True)
class DueUnread:
    """Serious alerts of one school whose time is up."""

    school: School
    alerts: tuple[Unread, ...]


def waits_until(alert: Unread, *, now: datetime, after: timedelta) -> datetime | None:
    """Return until when an alert is left where it is; None when it goes on now. Pure.

    The time runs from when a mail server took the newest round's first mail: nobody can open what never left. A mail that was refused or
    came back ends the wait.
    """
    newest = [each for each in alert.tellings if each.round == alert.round]
    if any(each.failed_at is not None for each in newest):
        return None
    left = min((each.sent_at for each in newest if each.sent_at is not None), default=None)
    until = (left or now) + after
    return until if until > now else None


def next_readers(kind: RouteKind, duty: OnDuty, *, named: frozenset[str], tellings: Collection[Telling]) -> tuple[Person, ...]:
    """Return who is told next: nobody twice, nobody named, of disclosures only those who see them (R15). Empty when nobody is left. Pure.

    1. Whoever `told` finds when everybody told so far counts as away.
    2. Then, one role at a time, whoever stands in for those who stand in: Headteacher, deputy, CEO, Trust Safeguarding Lead.
    3. Then those who are away: a mail that waits is better than none.
    """
    had = frozenset(each.person_id for each in tellings if each.person_id != MAILBOX)
    addresses = {each.address.lower() for each in tellings}
    later = replace(duty, away=duty.away | had)

    def fresh(people: Collection[Person]) -> tuple[Person, ...]:
        left = (one for one in people if one.email.lower() not in addresses and one.id not in had and not names(one, named))
        return tuple(one for one in left if _may_see(kind, one, duty, named))

    chain = tuple(_chain(kind, duty, named))
    there = [tuple(one for one in told(kind, later, named=named) if one.id not in later.away)]
    there += [tuple(one for one in duty.holders.get(role, ()) if one.id not in later.away) for role in chain]
    away = [duty.holders.get(role, ()) for role in chain]
    return next((found for people in (*there, *away) if (found := fresh(people))), ())


def _chain(kind: RouteKind, duty: OnDuty, named: frozenset[str]) -> Iterator[Role]:
    """Yield the roles of a route, then who stands in for them, then who stands in for those, each once."""
    conflict = any(names(one, named) for one in duty.holders.get(Role.HEAD, ()))
    waiting, seen = list(duty.roles(kind)), set[Role]()
    while waiting:
        role = waiting.pop(0)
        if role in seen:
            continue
        seen.add(role)
        if not kept_from(kind, role, duty, named=named):
            yield role
        following = (IN_CONFLICT if conflict else IN_ABSENCE).get(role, ())
        # When the Headteacher is named, nobody who works under them comes in by standing in.
        waiting += [each for each in following if not conflict or each in TRUST_WIDE]


def _may_see(kind: RouteKind, person: Person, duty: OnDuty, named: frozenset[str]) -> bool:
    if kind is not RouteKind.SAFEGUARDING:
        return True
    leads = {one.id for role in may_be_told(kind) for one in duty.holders.get(role, ())}
    stand_in = {one.id for role in STANDS_IN for one in duty.holders.get(role, ())}
    return person.id in leads or (person.id in stand_in and not leads_there(duty, named=named))


def first_told(alert: Unread, duty: OnDuty) -> tuple[str, ...]:
    """Return in words to whom an alert went first, by role: never a name. Pure."""
    roles = dict.fromkeys((*duty.roles(alert.route), *Role))
    found = dict.fromkeys(_in_words(each, duty, tuple(roles)) for each in alert.tellings if each.round == 0)
    return tuple(found)


def _in_words(telling: Telling, duty: OnDuty, roles: tuple[Role, ...]) -> str:
    if telling.person_id == MAILBOX:
        mailboxes = {one.email.lower() for people in duty.holders.values() for one in people if one.id == MAILBOX}
        return "the school's mailbox" if telling.address.lower() in mailboxes else "the trust's mailbox"
    held = (role for role in roles if any(one.id == telling.person_id for one in duty.holders.get(role, ())))
    return next((f"the {ROLE_WORDS[role]}" for role in held), "somebody who is no longer designated")


def sent_on_words(alert: Unread, duty: OnDuty, *, now: datetime) -> str:
    """Return why somebody gets an alert now that went to others first, in one or two plain sentences without a name. Pure."""
    who = first_told(alert, duty)
    first = f"This went to {_listed(who)} first" if who else "This went to somebody else first"
    newest = [each for each in alert.tellings if each.round == alert.round]
    if any(each.failed_at is not None for each in newest):
        return f"{first}. A mail about it could not be delivered, so it comes to you now."
    since = min((each.sent_at or each.at for each in alert.tellings), default=now)
    return f"{first}. Nobody has opened it for {_gap(now - since)}, so it comes to you now."


def _gap(gap: timedelta) -> str:
    minutes = max(int(gap / timedelta(minutes=1)), 1)
    if minutes < 120:  # noqa: PLR2004 - up to two hours people count in minutes
        return "1 minute" if minutes == 1 else f"{minutes} minutes"
    return f"{minutes // 60} hours"


def _listed(words: tuple[str, ...]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
