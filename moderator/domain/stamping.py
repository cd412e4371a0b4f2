"""Stamps that come after the seal: which records wait for one, which must be renewed, what was added. Called by the stamp step."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from moderator.domain.record import Stamp

RENEW_BEFORE = timedelta(days=60)
"""How long before the first chain of a record's newest stamps runs out they are renewed (our choice)."""

SETTLE_FOR = timedelta(days=30)
"""From this long before, a renewal no longer waits for every authority: one is enough (our choice)."""

CARRIES_ON = timedelta(days=7)
"""A renewal must carry the proof at least this much further (our choice), or the same certificate would be stamped with again and again."""

NEAR_THE_CAPTURE = timedelta(minutes=10)
"""A stamp this near to the capture, by an authority that the record names, needs no ledger line of its own (RECORD.md)."""


@dataclass(frozen=True, slots=True)
class ToStamp:
    """A record that lacks an authority's stamp. `stamp_pending`: it has none at all."""

    record_id: str
    school: str
    path: str
    captured_at: datetime
    sealed_at: datetime
    stamp_pending: bool


@dataclass(frozen=True, slots=True)
class ToRenew:
    """A record whose newest round of stamps runs out: the number of that round, and when its first chain ends."""

    record_id: str
    school: str
    path: str
    round: int
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Added:
    """A stamp that the stored bag now holds.

    `list_sha256`: of the list it renews, "" in round 1. `found`: it was there already, from before a crash. `named`: the record itself
    names this authority with this chain.
    """

    stamp: Stamp
    chain_sha256: str
    list_sha256: str = ""
    found: bool = False
    named: bool = False
