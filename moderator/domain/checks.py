"""The service's own check of its records: when one is due, what a run found, and how a fault is told. Used by the verify step."""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from moderator.domain.record import Fault
from moderator.domain.times import LONDON, utc_text

NIGHT_BEGINS = timedelta(hours=2)
"""A night's check is due from two o'clock in London (our choice: backups and updates are mostly done, and nobody is waiting)."""

TELL_AGAIN = timedelta(days=7)
"""A fault that stays is told again after this long (our choice); a new one is told at once."""

KEPT_FAULTS = 100
"""Faults of one run kept in full; all are counted."""

NAMED = 5
"""Places that one sentence names; the rest is counted."""


class CheckKind(StrEnum):
    """`sample`: some records, every night. `full`: every record, once a month, a slice at a time."""

    SAMPLE = "sample"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class CheckRun:
    """One run for one school. `position` is where a full pass goes on: the last record looked at.

    `found` holds the first KEPT_FAULTS faults in full; `told` says when each fault was last told, by its `fault_key`. `id` is 0 until
    the run is stored.
    """

    school: str
    kind: CheckKind
    started_at: datetime
    id: int = 0
    finished_at: datetime | None = None
    position: str = ""
    checked: int = 0
    disposed: int = 0
    faults: int = 0
    found: tuple[Fault, ...] = ()
    told: Mapping[str, datetime] = field(default_factory=dict)

    def plus(self, *, checked: int, disposed: int, faults: Iterable[Fault], position: str) -> "CheckRun":
        """Return the run with one slice more; a fault it has already is counted once."""
        known = {fault_key(fault) for fault in self.found}
        new = [fault for fault in faults if fault_key(fault) not in known]
        return replace(
            self,
            position=position,
            checked=self.checked + checked,
            disposed=self.disposed + disposed,
            faults=self.faults + len(new),
            found=(*self.found, *new)[:KEPT_FAULTS],
        )


@dataclass(frozen=True, slots=True)
class SealedPlace:
    """A record as the ledger says it was sealed: its number, its path in the vault, and whether it was lawfully disposed of since."""

    record_id: str
    path: str
    disposed: bool = False


@dataclass(frozen=True, slots=True)
class CheckSummary:
    """What people are told of one run. `finished_at` is None while a full pass goes on."""

    started_at: datetime
    finished_at: datetime | None
    checked: int
    disposed: int
    faults: int


@dataclass(frozen=True, slots=True)
class EvidenceStanding:
    """How a school's evidence stands: for the digest, the Health page and doctor.

    `sample` is the last night's finished check, `full` the last finished pass over everything, `running` the one under way.
    `due_for_review` counts records whose review date comes by the end of this month (R30); nothing is disposed of by date.
    """

    sample: CheckSummary | None = None
    full: CheckSummary | None = None
    running: CheckSummary | None = None
    stamps_pending: int = 0
    due_for_review: int = 0
    witness_waiting: int = 0

    @property
    def faults(self) -> int:
        """Return how many faults the last checks found, the worst of them counting."""
        return max((run.faults for run in (self.sample, self.full, self.running) if run is not None), default=0)


def night_of(moment: datetime) -> date:
    """Return the London date whose night's check is due at this moment: until two o'clock it is still the day before's."""
    return (moment.astimezone(LONDON).replace(tzinfo=None) - NIGHT_BEGINS).date()


def sample_due(last: CheckRun | None, now: datetime) -> bool:
    """Return whether a night's sample is due: once a London date; one that was missed is made up for as soon as the machine is on."""
    return last is None or night_of(last.started_at) < night_of(now)


def full_due(last: CheckRun | None, now: datetime) -> bool:
    """Return whether a full pass is to begin or to go on.

    One begins in the first night of a month, and goes on until it is done. After one that found faults, the next begins a week later.
    """
    if last is None or last.finished_at is None or (last.faults and now - last.started_at >= TELL_AGAIN):
        return True
    return night_of(last.started_at).replace(day=1) < night_of(now).replace(day=1)


def at_fault(*runs: CheckRun | None) -> frozenset[str]:
    """Return the numbers of the records that these runs found at fault: the next sample looks at them again."""
    places = {place_of(fault.where) for run in runs if run is not None for fault in run.found}
    return frozenset(place for place in places if place.startswith("R-"))


def fault_key(fault: Fault) -> str:
    """Return what makes a fault the same one from night to night: 16 hex digits over its code and place."""
    return hashlib.sha256(f"{fault.code}\n{fault.where}".encode("utf-8", "replace")).hexdigest()[:16]


def untold(faults: Iterable[Fault], told: Collection[str]) -> tuple[Fault, ...]:
    """Return the faults whose key is not among those told lately."""
    return tuple(fault for fault in faults if fault_key(fault) not in told)


def with_told(run: CheckRun, faults: Iterable[Fault], at: datetime) -> CheckRun:
    """Return the run with these faults noted as told at `at`."""
    return replace(run, told={**run.told, **{fault_key(fault): at for fault in faults}})


_GROUPS: dict[str, tuple[str, ...]] = {
    "A sealed record is missing": ("record_gone", "no_record"),
    "A record's key is lost, so that it cannot be opened": ("key_lost", "key_wrong"),
    "A record that was disposed of is still there": ("disposed_still_there", "key_still_there"),
    "A record lies in the vault that the ledger does not know": ("not_in_ledger", "twice", "stray"),
    "A comment was hidden before its record was sealed": ("hidden_unsealed",),
    "A ledger line that a digest named is gone": ("digest_head", "head"),
    "The ledger and its copy in the database differ": ("ledger_file", "ledger_row", "ledger_longer"),
}
_GROUP_OF = {code: words for words, codes in _GROUPS.items() for code in codes}


def group_of(code: str) -> str:
    """Return in plain words what a fault's code means to a Headteacher."""
    if code in _GROUP_OF:
        return _GROUP_OF[code]
    if code.startswith("ledger"):
        return "The ledger was changed"
    if code.startswith(("stamp", "renew")):
        return "A time stamp does not hold"
    return "A record is not as it was sealed"


def in_words(faults: Iterable[Fault]) -> str:
    """Return the faults in fixed sentences with their places: what a mail may say, since a fault's own words can quote a file's name."""
    groups: dict[str, list[str]] = {}
    for fault in faults:
        places = groups.setdefault(group_of(fault.code), [])
        place = place_of(fault.where)
        if place not in places:
            places.append(place)
    return " ".join(_sentence(words, places) for words, places in groups.items())


def _sentence(words: str, places: list[str]) -> str:
    more = f" and {len(places) - NAMED} more" if len(places) > NAMED else ""
    return f"{words}: {', '.join(places[:NAMED])}{more}."


def place_of(where: str) -> str:
    """Return the record number or the ledger line that a fault is about, and nothing else of where it is."""
    for part in where.replace("/", " ").replace(":", " ").split():
        if part.startswith("R-") and part[2:].isalnum():
            return part
    words = where.split()
    if "line" in words[:-1]:
        number = words[words.index("line") + 1]
        if number.isdigit():
            return f"ledger line {number}"
    return "the school's ledger" if "ledger" in where or where.startswith("head") else "the vault"


def alert_key(run: CheckRun, at: datetime) -> str:
    """Return the unique key of the alert that tells of a run's faults."""
    return f"evidence-{run.school}-{run.kind.value}-{utc_text(at)}"
