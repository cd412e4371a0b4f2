"""Claimed work, as the store hands it to the steps: items, polls, alerts and messages that are due, each under a lease."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from moderator.domain.account import Account, School
from moderator.domain.decision import Decision, Severity
from moderator.domain.digest import AlertKind, AlertLine
from moderator.domain.item import Item
from moderator.domain.lifecycle import Stage, State
from moderator.domain.record import SealedRecord
from moderator.domain.score import Score


@dataclass(frozen=True, slots=True)
class Work:
    """One claimed item with what the steps have stored about it so far. The lease is this claim's until it runs out."""

    item: Item
    account: Account
    state: State
    stage: Stage | None
    attempts: int
    lease_until: datetime | None
    score: Score | None = None
    decision: Decision | None = None
    record: SealedRecord | None = None
    hide_called_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AlertRequest:
    """An alert to be written in the same transaction as the state it tells of. `key` is unique: the same alert is never written twice."""

    key: str
    school: str
    kind: AlertKind
    severity: Severity
    subject: str
    what: str
    done: str
    at: datetime
    due_at: datetime
    item_id: int | None = None


@dataclass(frozen=True, slots=True)
class AlertAbout:
    """Whom an alert's item names, by the roll's references, and whether it is a disclosure: decides who is told (R15, R21)."""

    named: frozenset[str] = frozenset()
    safeguarding: bool = False


@dataclass(frozen=True, slots=True)
class DueAlerts:
    """Claimed alerts of one school, ready to be composed: numbers, lines and what each is about, in the same order."""

    school: School
    ids: tuple[int, ...]
    lines: tuple[AlertLine, ...]
    about: tuple[AlertAbout, ...]


@dataclass(frozen=True, slots=True)
class DueMail:
    """A claimed message of the outbox, written at `created_at` (aware UTC). The lease is this claim's until it runs out."""

    id: int
    key: str
    school: str
    message: bytes
    attempts: int
    created_at: datetime
    lease_until: datetime


@dataclass(frozen=True, slots=True)
class WaitingMail:
    """A message of the outbox that waits with another one, since their server has trouble."""

    key: str
    school: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class PollTurn:
    """A claimed account, due for a poll, with its cursors by source and what is left of its month's reads."""

    account: Account
    cursors: dict[str, str]
    interval: timedelta
    reads_left: int
    reads_per_poll: float
    troubled: bool = False
