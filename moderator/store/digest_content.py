"""What a digest tells of one school, as one reader may know it (R15, R21). Called by the digest step through the database."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa

from moderator.domain.account import School
from moderator.domain.calendar import Span
from moderator.domain.digest import Digest, DigestCounts, DigestLine, LateMail
from moderator.domain.events import Event
from moderator.domain.lifecycle import Stage
from moderator.domain.routes import View
from moderator.domain.times import london_date, london_day
from moderator.domain.usual import Week, needed, week_of
from moderator.store import checks, ledger, submitted
from moderator.store.dues import due_lines
from moderator.store.duty import in_view
from moderator.store.items import ITEMS
from moderator.store.ledger import LEDGER
from moderator.store.listed import LIST, Listed, listed, outcome_words, state_words
from moderator.store.mail_tables import TellingRow
from moderator.store.outbox import ALERTS, DIGESTS
from moderator.store.people import ACCOUNTS
from moderator.store.today import EVERYTHING, account_lines, count_finished_on, count_needing_review, counts, finished_on, needing_review
from moderator.store.undelivered import Undelivered, undelivered
from moderator.store.unread import unread_alerts
from moderator.store.usual import flagged_by_day

TELLINGS: sa.Table = TellingRow.__table__  # type: ignore[attr-defined] # SQLModel sets it at class creation

LISTED = 10
"""Most lines of one list in a digest (our choice: it is read in a minute); the rest is counted and linked."""


def digest_of(  # noqa: PLR0913 - what the answer depends on, each named
    connection: sa.Connection, school: School, span: Span, *, link: str, view: View, now: datetime
) -> Digest:
    """Return a digest's content for a span of London days; `view` is what its reader may be told of, `now` when it is written.

    A message that is apart from the school's digest (`view.apart`) tells of its own items and of the mails about those, and of no dates.
    One without items is no message: it comes back without the rest.
    """
    seen = EVERYTHING if view == View() else in_view(view)
    start, end = london_day(span.first)[0], london_day(span.last)[1]
    needing, more = _needing(connection, school.slug, link=link, seen=seen)
    done = finished_on(connection, school.slug, start, end, limit=LISTED, seen=seen)
    if view.apart and not needing and not done:
        return Digest(school, span.last, school.head_email, DigestCounts(), ledger.head(connection, school.slug))
    return Digest(
        school=school,
        day=span.last,
        first_day=span.first if span.first != span.last else None,
        to=school.head_email,
        counts=counts(connection, school.slug, start, end, seen=seen),
        head=ledger.head(connection, school.slug),
        needs_you=needing,
        more_needing_you=more,
        done=tuple(_line(row, link) for row in done),
        more_done=max(count_finished_on(connection, school.slug, start, end, seen=seen) - LISTED, 0) if len(done) == LISTED else 0,
        accounts=account_lines(connection, school.slug, now),
        notes=_still_showing(connection, school.slug, seen) + submitted.notes(connection, school.slug, start, end),
        review_link=link,
        evidence=checks.standing(connection, school.slug, now),
        week=Week() if view.apart else _week(connection, school.slug, span, seen),
        dues=() if view.apart else due_lines(connection, school.slug, span.first, span.last, link=link),
        undelivered=_late_mails(_may_be_told(connection, undelivered(connection, school.slug, now), school.slug, view, seen)),
        hidden_on=_hidden_on(connection, school.slug, start, end, seen),
        first_ever=not view.apart
        and connection.execute(sa.select(DIGESTS.c.day).where(DIGESTS.c.school == school.slug).limit(1)).first() is None,
    )


def _needing(connection: sa.Connection, school: str, *, link: str, seen: sa.ColumnElement[bool]) -> tuple[tuple[DigestLine, ...], int]:
    """Return what needs a person and how much more there is: first what nobody has opened an alert about, then what waits."""
    sent_on: dict[int, int] = {}
    for alert in unread_alerts(connection, school, seen=seen):
        number = int(alert.link.rpartition("/")[2])
        sent_on[number] = max(alert.rounds, sent_on.get(number, 0))
    unread = sa.select(*LIST, ITEMS.c.needs_review).where(ITEMS.c.id.in_(sent_on)).order_by(ITEMS.c.rank, ITEMS.c.id)
    rows = connection.execute(unread).all() if sent_on else []
    lines = [replace(_line(listed(row), link), unread=True, sent_on=sent_on[row.id]) for row in rows[:LISTED]]
    others = [row for row in needing_review(connection, school, limit=LISTED + len(sent_on), seen=seen) if row.id not in sent_on]
    lines += [_line(row, link) for row in others[: LISTED - len(lines)]]
    total = count_needing_review(connection, school, seen=seen) + sum(not row.needs_review for row in rows)
    return tuple(lines), total - len(lines)


def _line(row: Listed, link: str) -> DigestLine:
    return DigestLine(row.subject, row.at, outcome_words(row), row.severity, state_words(row), f"{link}/items/{row.id}")


def _still_showing(connection: sa.Connection, school: str, seen: sa.ColumnElement[bool]) -> tuple[str, ...]:
    """Return what a Headteacher must know beside the lists: what still shows although it is to be hidden."""
    waiting = sa.select(sa.func.count()).select_from(ITEMS).where(ITEMS.c.stage == Stage.HIDE.value, ITEMS.c.school == school, seen)
    showing = connection.execute(waiting).scalar_one()
    if showing == 1:
        return ("1 recorded comment waits to be hidden. It is still showing.",)
    return (f"{showing:,} recorded comments wait to be hidden. They are still showing.",) if showing else ()


def _week(connection: sa.Connection, school: str, span: Span, seen: sa.ColumnElement[bool]) -> Week:
    opened = connection.execute(sa.select(LEDGER.c.at).where(LEDGER.c.school == school, LEDGER.c.seq == 1)).scalar()
    if opened is None:
        return Week()
    return week_of(flagged_by_day(connection, school, needed(span), seen=seen), span, opened=london_date(opened))


def _hidden_on(connection: sa.Connection, school: str, start: datetime, end: datetime, seen: sa.ColumnElement[bool]) -> tuple[str, ...]:
    """Return the platforms on which something was hidden in that time, by name."""
    hidden = (
        sa.select(ACCOUNTS.c.platform)
        .join(ITEMS, ITEMS.c.account_id == ACCOUNTS.c.id)
        .join(LEDGER, LEDGER.c.subject == ITEMS.c.record_id)
        .where(LEDGER.c.school == school, LEDGER.c.at >= start, LEDGER.c.at < end, LEDGER.c.event == Event.HIDE_VERIFIED.value, seen)
    )
    return tuple(connection.execute(hidden.distinct().order_by(ACCOUNTS.c.platform)).scalars())


_KEPT_APART = re.compile(r"-[0-9]{4}-[0-9]{2}-[0-9]{2}-(safeguarding|conflict)-")
"""How the key of a digest goes on that is not for every reader (steps/digest.py)."""


def _may_be_told(
    connection: sa.Connection, mails: Sequence[Undelivered], school: str, view: View, seen: sa.ColumnElement[bool]
) -> list[Undelivered]:
    """Return the undelivered mails of a school that a reader may know of.

    None about an item that they may not know, none that was kept apart from them; and in a message that is itself apart, only those about
    its own items. The trust's own mails are not the school's to worry about; the witness mail is told of under the evidence.
    """
    own = [mail for mail in mails if mail.school == school]
    if view == View() or not own:
        return own
    keys = [mail.key for mail in own]
    known = sa.or_(ITEMS.c.id.is_(None), seen) if not view.apart else sa.and_(ITEMS.c.id.is_not(None), seen)
    about = (
        sa.select(TELLINGS.c.mail_key, sa.func.min(sa.case((known, 1), else_=0)).label("known"))
        .join(ALERTS, ALERTS.c.id == TELLINGS.c.alert_id)
        .outerjoin(ITEMS, ITEMS.c.id == ALERTS.c.item_id)
        .where(TELLINGS.c.mail_key.in_(keys))
        .group_by(TELLINGS.c.mail_key)
    )
    found = {row.mail_key: bool(row.known) for row in connection.execute(about)}
    return [mail for mail in own if found.get(mail.key, _other_mail_is_for(mail.key, view))]


def _other_mail_is_for(key: str, view: View) -> bool:
    """Return whether a reader may know of a mail that tells of no alert: what is kept apart is for those it was kept for."""
    apart = _KEPT_APART.search(key)
    if apart is not None:
        return apart[1] == "safeguarding" and view.safeguarding and not view.naming
    return not view.apart and not key.startswith(_PASSED_ON)


_PASSED_ON = "escalated-"
"""How the key of a mail begins that passes an item on: its item is not asked for, so only a reader who knows every item hears of it."""


def _late_mails(mails: Sequence[Undelivered]) -> tuple[LateMail, ...]:
    """Return the undelivered mails by kind, the most first, with the oldest's time and its trouble."""
    kinds = Counter((mail.what, mail.bounced) for mail in mails)
    oldest = {(mail.what, mail.bounced): mail for mail in sorted(mails, key=lambda each: each.since, reverse=True)}
    return tuple(
        LateMail(what, count, oldest[what, bounced].since, oldest[what, bounced].trouble, bounced)
        for (what, bounced), count in kinds.most_common()
    )
