"""Mail that did not arrive: what waits after a failed try, and what came back. Called by the digest, the Alerts page and Health."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from moderator.store.mail_tables import MailRow

OUTBOX: sa.Table = MailRow.__table__  # type: ignore[attr-defined] # SQLModel sets it at class creation

LATE = timedelta(minutes=15)
"""How long a mail may wait after a failed try before people hear of it (our choice): a busy server asks for a few minutes."""

SHOWN_FOR = timedelta(days=7)
"""How long a mail that came back is shown (our choice): long enough for a holiday week, and for a digest or two after."""

MOST = 200
"""Most that are returned: a server that is away for days leaves more than anybody reads."""

_KINDS = (
    ("trust-digest-", "The trust's daily digest"),
    ("digest-", "A daily digest"),
    ("alert-", "An alert"),
    ("reminder-", "A reminder of a date"),
    ("rehearsal-", "A rehearsal of a route"),
    ("witness-", "The ledger's codes, for the trust's witness"),
    ("weekly-", "A week's report"),
    ("termly-", "A term's report"),
    ("invitation-", "An invitation"),
    ("escalated-", "What was passed on"),
)

_TROUBLES = (
    ("5.1", "there is no such mailbox, or no longer"),
    ("5.2.2", "the mailbox is full"),
    ("5.2", "the mailbox does not take it"),
    ("5.4", "the address's mail server cannot be reached"),
    ("5.7", "the address's mail server does not let it through"),
)
"""What a status means, in plain words (RFC 3463 section 3); the first that fits counts."""


@dataclass(frozen=True, slots=True)
class Undelivered:
    """One mail that did not arrive. `what` says of which kind it is ("An alert"), `trouble` why, both without a name or an address.

    `since` is when it was written, or, of one that `bounced`, when it came back (aware UTC).
    """

    key: str
    school: str
    what: str
    since: datetime
    trouble: str
    bounced: bool


def undelivered(connection: sa.Connection, school: str, now: datetime) -> tuple[Undelivered, ...]:
    """Return a school's undelivered mails and those of the trust itself (school ""), oldest first, at most MOST.

    They are those that wait for more than LATE and failed at least once, and those that came back within SHOWN_FOR.
    """
    waits = sa.and_(OUTBOX.c.sent_at.is_(None), OUTBOX.c.attempts > 0, OUTBOX.c.created_at <= now - LATE)
    returned = OUTBOX.c.bounced_at > now - SHOWN_FOR
    found: dict[str, Undelivered] = {}
    # One after the other, each by the order of its own short index: by number, all mails of all time would be walked.
    for wanted, order in ((waits, OUTBOX.c.due_at), (returned, OUTBOX.c.bounced_at)):
        rows = connection.execute(
            sa.select(OUTBOX.c.key, OUTBOX.c.school, OUTBOX.c.created_at, OUTBOX.c.trouble, OUTBOX.c.bounced_at, OUTBOX.c.bounce)
            .where(wanted, OUTBOX.c.school.in_([school, ""]))
            .order_by(order)
            .limit(MOST)
        )
        found |= {row["key"]: _mail(row) for row in rows.mappings()}
    return tuple(sorted(found.values(), key=lambda mail: (mail.since, mail.key)))[:MOST]


def _mail(row: sa.RowMapping) -> Undelivered:
    what = kind_of(row["key"])
    if row["bounced_at"] is None:
        return Undelivered(row["key"], row["school"], what, row["created_at"], row["trouble"], bounced=False)
    return Undelivered(row["key"], row["school"], what, row["bounced_at"], trouble_of(row["bounce"]), bounced=True)


def kind_of(key: str) -> str:
    """Return what a mail is by its key: `An alert`, `A daily digest`."""
    return next((words for start, words in _KINDS if key.startswith(start)), "A mail")


def trouble_of(status: str) -> str:
    """Return why a mail came back, by its status code (RFC 3463)."""
    why = next((words for start, words in _TROUBLES if f"{status}.".startswith(f"{start}.")), "it could not be delivered")
    return f"A mail server gave it back: {why} ({status})." if status else f"A mail server gave it back: {why}."
