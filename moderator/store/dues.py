"""Every date by which somebody must act, of one school or of the trust. Called by the remind step and the digests.

A date that has passed stays until somebody mends it: attests, approves, renews, makes a new one. Facts are as they are now; only the day is
asked for.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import AbstractContextManager
from datetime import date, timedelta

import sqlalchemy as sa

from moderator.domain.access import ROLE_WORDS, Role
from moderator.domain.account import Account
from moderator.domain.dues import DAY, EVERY_SCHOOL, Dated, Deadline, Due, DueLine, line_of, page_of
from moderator.domain.readers import ApiToken
from moderator.domain.register import Designation
from moderator.domain.times import london_date
from moderator.store import accounts, people, policies, readers, register, retention, signed
from moderator.store.ledger import LEDGER
from moderator.store.outbox import OUTBOX

NEEDED = (Role.HEAD, Role.DEPUTY, Role.DSL, Role.ADMIN, Role.CEO, Role.SAFEGUARDING_LEAD)
"""Roles that somebody must have at each school: that one of them is empty is told of. An auditor or a trustee may just stop."""

TRUST_TOO = frozenset({Role.CEO, Role.SAFEGUARDING_LEAD})
"""Roles of the trust whose end matters at each school: they stand in there, or are told of disclosures."""

IN_USE, MISSED = timedelta(days=14), timedelta(days=30)
"""An access token that ended is told of when it was used in its last 14 days, and for 30 days (our choice): then nobody misses it."""


def due_lines(connection: sa.Connection, school: str, first: date, last: date, *, link: str) -> tuple[DueLine, ...]:
    """Return what the digest of the London days `first` to `last` tells of dates: what is overdue first, then the nearest.

    A digest is read on the day after its last one, so days are counted from there. What is overdue then stands in every digest until it is
    mended. What is coming stands in the digest whose reader has one of its reminders (14, 7, 1 days before) today, or had it on a day since
    the last digest: each reminder is in one digest, once. `link` is the review app's address, `school` EVERY_SCHOOL for the trust's own.
    """
    read_on = last + DAY
    found = [
        each for each in deadlines(connection, school, read_on) if each.due.overdue(read_on) or each.due.told_between(first + DAY, read_on)
    ]
    return tuple(line_of(each, read_on, link=f"{link}{page_of(each.subject, school)}") for each in sorted(found, key=_nearest))


def _nearest(deadline: Deadline) -> tuple[date, str]:
    return deadline.due.on, deadline.subject


def deadlines(connection: sa.Connection, school: str, day: date) -> tuple[Deadline, ...]:
    """Return the dates of a school, or of the trust, that people are reminded of by a London day, and those that have passed."""
    found: Iterable[Deadline] = (*_designations(connection, school, day), *_tokens(connection, school, day))
    if school != EVERY_SCHOOL:
        found = (
            *_accounts(connection, school, day),
            *found,
            *_signed(connection, school),
            Deadline(school, Due(Dated.POLICY_REVIEW, policies.review_due(connection, school)), "policy"),
            *_webhooks(connection, school),
            *_records(connection, school, day),
        )
    return tuple(each for each in found if each.due.reminder(day) is not None)


def _accounts(connection: sa.Connection, school: str, day: date) -> Iterator[Deadline]:
    """Yield the dates of every account that is approved and not withdrawn; of one whose approval is over, that alone."""
    for account, dates in accounts.dated(connection, school):
        live = account.pollable(day)
        for due in (*dates.dues(), *(_connection(connection, account) if live else ())):
            if live or due.what is Dated.APPROVAL:
                yield Deadline(school, due, f"account {account.id}", account.handle)


def _connection(connection: sa.Connection, account: Account) -> Iterator[Due]:
    columns = people.ACCOUNTS.c.needs_person, people.ACCOUNTS.c.last_good_poll_at
    row = connection.execute(sa.select(*columns).where(people.ACCOUNTS.c.id == account.id)).one()
    if row.needs_person and row.last_good_poll_at is not None:
        yield Due(Dated.CONNECTION, london_date(row.last_good_poll_at))
    elif row.needs_person and account.approval is not None:
        yield Due(Dated.NEVER_READ, account.approval.approved_on)


def _designations(connection: sa.Connection, school: str, day: date) -> Iterator[Deadline]:
    """Yield when designations end that nobody has renewed, and the roles that nobody has since one ended."""
    held = [each for _, designations in register.people_of(connection) for each in designations if each.ended_at is None]
    for each in held:
        own = each.school == school or (each.school == EVERY_SCHOOL and each.role in TRUST_TOO)
        if own and each.ends_on is not None and each.live_on(day) and not _renewed(each, held):
            yield _of(each, each.ends_on, each.school, Dated.DESIGNATION)
    for role in NEEDED if school != EVERY_SCHOOL else ():
        of_role = [each for each in held if each.role is role and each.covers(school)]
        over = [each for each in of_role if each.ends_on is not None and each.ends_on < day]
        if over and not any(each.live_on(day) for each in of_role):
            last = max(over, key=lambda each: (each.ends_on or day, each.id))
            yield _of(last, last.ends_on or day, school, Dated.ROLE)


def _of(each: Designation, on: date, school: str, what: Dated) -> Deadline:
    return Deadline(school, Due(what, on), f"designation {each.reference}", ROLE_WORDS[each.role], holder=each.person_id)


def _renewed(ending: Designation, held: Iterable[Designation]) -> bool:
    """Return whether the same person has the role for longer under another designation."""
    same = (each for each in held if (each.person_id, each.role, each.school) == (ending.person_id, ending.role, ending.school))
    return any(each.ends_on is None or (ending.ends_on is not None and each.ends_on > ending.ends_on) for each in same)


def _tokens(connection: sa.Connection, school: str, day: date) -> Iterator[Deadline]:
    """Yield when access tokens end; one that has ended only while somebody may miss it, and no newer one has its name."""
    found = [each for each in readers.tokens_of(connection, school) if each.school == school and each.ended_at is None]
    for each in found:
        newer = any(other.label == each.label and other.expires_on > each.expires_on for other in found)
        if not newer and (each.expires_on >= day or _missed(each, day)):
            yield Deadline(school, Due(Dated.API_TOKEN, each.expires_on), f"token {each.id}")


def _missed(token: ApiToken, day: date) -> bool:
    used = token.used_at is not None and london_date(token.used_at) >= token.expires_on - IN_USE
    return used and day <= token.expires_on + MISSED


def _signed(connection: sa.Connection, school: str) -> Iterator[Deadline]:
    """Yield when the last of the delegations that nobody withdrew ends."""
    standing = [each for each in signed.delegations(connection, school) if each.withdrawn_at is None]
    if standing:
        last = max(standing, key=lambda each: (each.ends_on, each.id))
        yield Deadline(school, Due(Dated.DELEGATION, last.ends_on), f"delegation {last.reference}")


def _webhooks(connection: sa.Connection, school: str) -> Iterator[Deadline]:
    """Yield the machines that did not take the last thing they were told, since the day of that."""
    for each in readers.webhooks_of(connection, school):
        if each.ended_at is not None or not each.trouble:
            continue
        waiting = sa.select(LEDGER.c.at).where(
            LEDGER.c.school == school, LEDGER.c.seq > each.after_seq, LEDGER.c.event.in_([event.value for event in each.events])
        )
        since = connection.execute(waiting.order_by(LEDGER.c.seq).limit(1)).scalar()
        if since is not None:
            yield Deadline(school, Due(Dated.WEBHOOK, london_date(since)), f"webhook {each.id}")


def _records(connection: sa.Connection, school: str, day: date) -> Iterator[Deadline]:
    """Yield the oldest review date of records that has passed, with how many there are (R30); their own numbers are not told."""
    oldest = retention.oldest_due(connection, before=day - DAY, school=school)
    if oldest is not None:
        count = retention.count_due(connection, before=day - DAY, school=school)
        yield Deadline(school, Due(Dated.RECORD_REVIEW, oldest), "records", count=count)


class DueReads:
    """The part of the store that tells of dates; implements ports.DueReads."""

    reading: Callable[[], AbstractContextManager[sa.Connection]]

    def deadlines(self, school: str, day: date) -> tuple[Deadline, ...]:
        """Return the dates of a school, or of the trust, that people are reminded of by a London day, and those that have passed."""
        with self.reading() as connection:
            return deadlines(connection, school, day)

    def mail_known(self, keys: Collection[str]) -> frozenset[str]:
        """Return those of the keys under which a message is in the outbox, sent or not."""
        with self.reading() as connection:
            return frozenset(connection.execute(sa.select(OUTBOX.c.key).where(OUTBOX.c.key.in_(list(keys)))).scalars())
