"""The schools' rolls as the service works with them: what an import would change, the import, and a classifier that sees it at once (R20).

Called by the Roll page and by `moderator roll`; `build.classifier` makes the classifier.
"""

import hashlib
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from threading import Lock

import sqlalchemy as sa

from moderator.domain.errors import ModeratorError
from moderator.domain.events import Event, LedgerEvent
from moderator.domain.person import RollEntry
from moderator.domain.roll_change import LEAVERS_MATCH, RollChange, change_of
from moderator.domain.score import PersonKind, Score
from moderator.domain.times import london_date
from moderator.learn.classifier import Assessor
from moderator.learn.roll import RollMatcher, roll_tokens
from moderator.observe import happened, went_wrong
from moderator.ports import Clock
from moderator.store import ledger as ledgers
from moderator.store import roll as kept
from moderator.store.database import Database, SqlUnit
from moderator.store.sealed import Sealer

REPLACED = "roll_replaced"
"""The ledger's reason code for an import."""

_NAME_BYTES = 5


@dataclass(frozen=True, slots=True)
class Rolls:
    """What an import needs: the database, the encryption of names, and the key of the tokens, which lives outside the database (R29)."""

    database: Database
    sealer: Sealer
    key: bytes

    def change(
        self,
        school: str,
        read: Iterable[RollEntry],
        *,
        kinds: Collection[PersonKind],
        day: date,
        leavers_match: timedelta = LEAVERS_MATCH,
    ) -> RollChange:
        """Return what an import would change on a London day. Writes nothing. Raises BadInput when no key opens the names."""
        with self.database.reading() as connection:
            return self.change_in(connection, school, read, kinds=kinds, day=day, leavers_match=leavers_match)

    def change_in(  # noqa: PLR0913 - as `change`
        self,
        connection: sa.Connection,
        school: str,
        read: Iterable[RollEntry],
        *,
        kinds: Collection[PersonKind],
        day: date,
        leavers_match: timedelta = LEAVERS_MATCH,
    ) -> RollChange:
        """Return the same, of the roll as a transaction sees it: another import that came between is not undone."""
        connection.execute(sa.select(ledgers.HEADS.c.seq).where(ledgers.HEADS.c.school == school).with_for_update())
        present = list(kept.roll_entries(connection, school, self.sealer))
        return change_of(present, read, kinds=kinds, day=day, name_for=self.name_for, leavers_match=leavers_match)

    def replace(self, unit: SqlUnit, school: str, change: RollChange, *, by: str, at: datetime) -> int:
        """Store the roll as `change` says and tell the ledger, in counts alone; return how many people it holds. The caller commits."""
        tokens = [token for entry in change.entries for token in roll_tokens(entry, self.key)]
        count = kept.replace_roll(unit.connection, school, change.entries, tokens, self.sealer, leavers_match=change.leavers_match)
        if ledgers.public_keys(unit.connection, school):  # before its first start a service has no ledger, and nobody to tell
            counts = {f"{each.kind.value}s": each.in_file for each in change.by_kind if each.in_file}
            facts: dict[str, str | int | bool] = {**counts, "leaving": change.leaving, "people": count}
            unit.append(school, LedgerEvent(Event.REGISTERED, at, kept.SUBJECT, actor=by, reason=REPLACED, facts=facts))
        happened("roll_replaced", school=school, people=count)
        return count

    def name_for(self, entry: RollEntry) -> str:
        """Return a reference for a person without one: keyed, so that it tells nobody the name, and the same at the next import."""
        said = f"{entry.kind.value}\0{entry.first_name}\0{entry.last_name}".casefold()
        return f"N-{hashlib.blake2b(said.encode(), key=self.key, digest_size=_NAME_BYTES).hexdigest()}"


class RollReader:
    """The classifier of a running service: an assessor whose roll is read again as soon as one has changed; implements ports.Classifier.

    Leavers' names end with the day their time is over, so a new day is a change too.
    """

    def __init__(self, assessor: Assessor, *, standing: Callable[[], object], matcher: Callable[[], RollMatcher | None]) -> None:
        """Take the assessor, what tells that a roll has changed (compared, never read), and what reads the roll. The roll is read now."""
        self._assessor, self._standing, self._matcher = assessor, standing, matcher
        self._lock = Lock()
        self._known: object = standing()
        assessor.use_roll(matcher())

    @property
    def version(self) -> str:
        """The model version."""
        return self._assessor.version

    def score(self, texts: Sequence[str], *, parents: Sequence[str] = ()) -> list[Score]:
        """Return one score a text, in order, with the roll as it is now. A roll that cannot be read now leaves the last one in use."""
        with self._lock:
            try:
                self._renew()
            except ModeratorError as error:
                went_wrong("roll_not_read", error=type(error).__name__)
        return self._assessor.score(texts, parents=parents)

    def _renew(self) -> None:
        now = self._standing()
        if now != self._known:
            self._assessor.use_roll(self._matcher())
            self._known = now
            happened("roll_read_again")


def standing(database: Database, clock: Clock) -> object:
    """Return what changes with any roll, and with the day."""
    with database.reading() as connection:
        return kept.standing(connection), london_date(clock.now())


def matcher(database: Database, key: bytes, clock: Clock) -> RollMatcher | None:
    """Return the matcher of every school's roll as it is today; None when there is nobody on any. People who left too long ago are out."""
    with database.reading() as connection:
        tokens = kept.roll_tokens(connection, on=london_date(clock.now()))
    return RollMatcher(tokens, key) if tokens else None
