"""What happened to an account, from the ledger. Called by the account's page."""

import json
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from moderator.store.account_acts import subject_of
from moderator.store.ledger import LEDGER

MOST = 100
"""Lines of one account's history at most (our choice); the newest are given."""


@dataclass(frozen=True, slots=True)
class AccountLine:
    """One line: when, what (a code), by which designation, and the line's further facts."""

    at: datetime
    what: str
    actor: str
    facts: dict[str, str | int | bool]


_KNOWN = frozenset({"seq", "prev", "at", "school", "event", "subject", "actor", "reason"})


def history(connection: sa.Connection, school: str, account_id: int) -> list[AccountLine]:
    """Return an account's newest lines, the newest first."""
    wanted = sa.select(LEDGER.c.at, LEDGER.c.line).where(LEDGER.c.school == school, LEDGER.c.subject == subject_of(account_id))
    found = []
    for row in connection.execute(wanted.order_by(LEDGER.c.seq.desc()).limit(MOST)):
        line = json.loads(row.line)
        found.append(AccountLine(row.at, line["reason"], line["actor"], {key: line[key] for key in line if key not in _KNOWN}))
    return found
