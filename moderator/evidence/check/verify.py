"""The check of records against themselves, their ledger and a digest's head. Called by `moderator verify` and by the verify step."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from moderator.domain.events import Head
from moderator.domain.record import Fault, Verification
from moderator.domain.times import from_utc_text
from moderator.evidence.check.bag import BagFound, BagTask
from moderator.evidence.check.many import check_many
from moderator.evidence.check.scope import Place, Scope, scope_of
from moderator.evidence.check.walk import Book, walk

STAMP_WITHIN = timedelta(minutes=10)
"""How far a stamp's time may be from the capture, or from the ledger line that tells of a later stamp (RECORD.md)."""


def verify(  # noqa: PLR0913 - each is one thing an outsider may bring
    path: Path,
    *,
    ledger: Path | None = None,
    head: Head | None = None,
    trusted_chain: bytes | None = None,
    workers: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Verification:
    """Return what the check of a record, a school's folder or a whole vault found.

    1. Walk each ledger: the chain, the order of events, the head that a digest printed (`head`; number 0: the hash alone).
    2. Check every bag: files, manifests, signature with the ledger's key, stamps at their own time (to `trusted_chain`, PEM, if given).
    3. Compare both ways: each sealed record is there, each record there was sealed, with that manifest, before it was hidden.
    4. Stamps lie within ten minutes of the capture and never go back along the ledger.

    `ledger` defaults to every `ledger*.jsonl` beside the vault. `progress` is called with the number of records checked so far.
    Reads only; may be repeated. Raises BadInput when `path` or `ledger` is nothing that can be checked.
    """
    return _Check(scope_of(path, ledger), trusted_chain).run(head, workers, progress)


@dataclass(slots=True)
class _Check:
    """One run over one scope."""

    scope: Scope
    trusted: bytes | None
    faults: list[Fault] = field(default_factory=list)
    books: dict[str, Book] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    stamped: dict[tuple[str, str], list[tuple[int, datetime, str]]] = field(default_factory=dict)

    def run(self, head: Head | None, workers: int | None, progress: Callable[[int], None] | None) -> Verification:
        self._walk(head)
        checked = 0
        for place, found in self._bags(workers):
            checked += 1
            self.faults.extend(found.faults)
            self._compare(place, found)
            if progress is not None:
                progress(checked)
        self._missing()
        self._order_of_stamps()
        return Verification(checked, tuple(self.faults))

    def add(self, code: str, what: str, where: str) -> None:
        self.faults.append(Fault(code, where, what))

    def _walk(self, head: Head | None) -> None:
        books = [walk(path, head) for path in self.scope.ledgers]
        for book in books:
            self.faults.extend(book.faults)
            if book.school in self.books:
                self.add("ledger_twice", f"Two ledgers say that they are of the school {book.school}.", book.path.name)
            self.books[book.school] = book
        if head is not None and not any(book.witnessed for book in books):
            self.add(
                "head",
                "No ledger has the line that the digest printed: it was cut short or written anew.",
                f"head {head.seq}:{head.hash[:12]}…",
            )

    def _bags(self, workers: int | None) -> Iterator[tuple[Place, BagFound]]:
        """Check the bags, many at once; keep only the places in flight."""
        waiting: deque[Place] = deque()

        def tasks() -> Iterator[BagTask]:
            for place in self.scope.places(self.add):
                waiting.append(place)
                yield self._task(place)

        for found in check_many(tasks(), workers=workers):
            yield waiting.popleft(), found

    def _task(self, place: Place) -> BagTask:
        book = self._book(place.school)
        keys: tuple[str, ...] = ()
        chains: frozenset[str] = frozenset()
        if book is not None:
            line = book.sealed.get(place.record)
            keys = (line.public_key if line else book.public_key,)
            chains = frozenset(each.chain_sha256 for each in book.restamps.get(place.record, ()))
        return BagTask(str(place.folder), place.school, place.record, keys, place.year, chains, self.trusted)

    def _book(self, school: str) -> Book | None:
        """Return the ledger of a school; for a record taken out of its vault, the one ledger given."""
        if not school and len(self.books) == 1:
            return next(iter(self.books.values()))
        return self.books.get(school)

    def _compare(self, place: Place, found: BagFound) -> None:
        where = "/".join(part for part in (place.school, place.year, place.record) if part)
        book = self._book(place.school)
        if place.record in self.seen:
            self.add("twice", "The same record id lies in the vault twice.", where)
        if book is None:
            if self.scope.record is None or self.books:
                self.add("no_ledger", f"There is no ledger of the school {place.school} to check this record against.", where)
            return
        line = book.sealed.get(place.record)
        if line is None:
            self.add("not_in_ledger", "The ledger does not know this record.", where)
            return
        self.seen.add(place.record)
        if line.manifest_sha256 != found.manifest_sha256:
            self.add("not_as_sealed", "This is not the record that was sealed: the ledger has another manifest for it.", where)
        hidden = book.hidden_at.get(place.record)
        if hidden is not None and found.sealed_utc and hidden <= found.sealed_utc:
            self.add("hidden_unsealed", f"The comment was hidden at {hidden}, before the record was sealed at {found.sealed_utc}.", where)
        self._stamps(book, line.seq, where, found)

    def _stamps(self, book: Book, sealed_seq: int, where: str, found: BagFound) -> None:
        later = book.restamps.get(where.rpartition("/")[2], ())
        for authority, time in found.tokens:
            seq = sealed_seq
            if not found.captured_utc or abs(time - from_utc_text(found.captured_utc)) > STAMP_WITHIN:
                line = next((each for each in later if each.authority == authority and abs(each.at - time) <= STAMP_WITHIN), None)
                if line is None:
                    self.add("stamp_time", f"The stamp of {authority} is more than ten minutes from the capture.", where)
                    continue
                seq = line.seq
            self.stamped.setdefault((book.school, authority), []).append((seq, time, where))

    def _missing(self) -> None:
        """Tell of sealed records that are not there. Lawful disposal leaves its own line."""
        for school, book in self.books.items():
            if self.scope.record is not None or (self.scope.school and school != self.scope.school):
                continue
            for record, line in book.sealed.items():
                if record not in self.seen and record not in book.disposed:
                    self.add(
                        "record_gone",
                        "The ledger says this record was sealed, and it is not in the vault.",
                        f"{school}/{record} (line {line.seq})",
                    )

    def _order_of_stamps(self) -> None:
        for (_, authority), stamps in self.stamped.items():
            latest: datetime | None = None
            for _, time, where in sorted(stamps):
                if latest is not None and time < latest:
                    self.add("stamp_order", f"The stamp of {authority} is older than that of a record sealed before this one.", where)
                latest = time if latest is None else max(latest, time)
