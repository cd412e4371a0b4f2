"""The check of records against themselves, their ledger and a digest's head. Called by `moderator verify` and by the verify step."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from moderator.domain.events import Head
from moderator.domain.record import Fault, Verification, Walked
from moderator.domain.times import from_utc_text
from moderator.evidence.check.bag import BagFound, BagTask, check_bag
from moderator.evidence.check.index import Index, Restamp, SaidOfRecord, open_index
from moderator.evidence.check.many import check_many
from moderator.evidence.check.places import Place
from moderator.evidence.check.reading import shown
from moderator.evidence.check.scope import Scope, scope_of
from moderator.evidence.check.stamps import Token
from moderator.evidence.check.walk import Book, ledger_file, walk

STAMP_WITHIN = timedelta(minutes=10)
"""How far a stamp's time may be from the capture, or after the ledger line that tells of a later stamp (RECORD.md)."""
OVERLAP = timedelta(minutes=10)
"""How much older a stamp may be than that of a record sealed before it (our choice): two workers that seal at once may write their lines
in another order than they were stamped.
"""
MAX_FAULTS = 10_000
"""Faults listed at most (our choice): whoever meets more needs no longer list."""
Heads = Mapping[str, tuple[Head, ...]]
"""What digests printed, by school; "" for a head that names none. As `domain.events.heads_from` reads it."""


def verify(  # noqa: PLR0913 - each is one thing an outsider may bring
    path: Path,
    *,
    ledger: Path | None = None,
    head: Head | None = None,
    heads: Heads | None = None,
    trusted_chain: bytes | None = None,
    workers: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Verification:
    """Return what the check of a record, a school's folder, a whole vault or a ZIP found.

    1. Walk each ledger: the chain, the order of events, the key changes, the heads that digests printed (number 0: the hash alone).
    2. Check every bag: files, manifests, signature with the ledger's key, stamps at their own time (to `trusted_chain`, PEM, if given).
    3. Compare both ways: each sealed record is there, each record there was sealed, with these manifests, before it was hidden.
    4. Stamps lie within ten minutes of the capture, or the ledger tells of them; along the ledger they go back by OVERLAP at most.

    `ledger` defaults to every `ledger*.jsonl` beside the vault, or in the ZIP. `progress` is called with the number of records checked so
    far. Reads only, in memory that does not grow with the number of records; may be repeated. Raises BadInput when `path` or `ledger` is
    nothing that can be checked.
    """
    every = {**(heads or {}), **({"": (head, *(heads or {}).get("", ()))} if head is not None else {})}
    return _run(scope_of(path, ledger), every, trusted_chain, workers, progress)


def verify_records(  # noqa: PLR0913 - as `verify`
    places: Iterable[Place],
    *,
    ledger: Path,
    heads: Heads | None = None,
    trusted_chain: bytes | None = None,
    workers: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Verification:
    """Return what the check of given records against one school's ledger found. For the service's own checks, over any vault.

    A place is `place_in_vault(vault.source(path), path)`. A record that is not there is a fault, unless the ledger says that it was
    disposed of; records that are not given are not looked for. Otherwise as `verify`.
    """
    scope = Scope(lambda _say, _index: iter(places), (ledger_file(ledger),))
    return _run(scope, heads or {}, trusted_chain, workers, progress)


def _run(scope: Scope, heads: Heads, trusted: bytes | None, workers: int | None, progress: Callable[[int], None] | None) -> Verification:
    with open_index() as index:
        return _Check(scope, trusted, index).run(heads, workers, progress)


@dataclass(slots=True)
class _Check:
    """One run over one scope."""

    scope: Scope
    trusted: bytes | None
    index: Index
    faults: list[Fault] = field(default_factory=list)
    books: dict[str, Book] = field(default_factory=dict)
    checked: int = 0
    disposed: int = 0

    def run(self, heads: Heads, workers: int | None, progress: Callable[[int], None] | None) -> Verification:
        self._walk(heads)
        for place, said, found in self._bags(workers):
            self._take(found.faults)
            self._compare(place, said, found)
            self.checked += found.there
            if progress is not None:
                progress(self.checked)
        self._missing()
        self._order_of_stamps()
        ledgers = tuple(Walked(book.school, book.head) for book in self.books.values())
        return Verification(self.checked, tuple(self.faults), self.disposed, ledgers, self.scope.complete)

    def add(self, code: str, what: str, where: str) -> None:
        self._take((Fault(code, where, what),))

    def _take(self, faults: Iterable[Fault]) -> None:
        for fault in faults:
            if len(self.faults) < MAX_FAULTS:
                self.faults.append(fault)
            elif len(self.faults) == MAX_FAULTS:
                self.faults.append(Fault("too_many", "", f"There are more than {MAX_FAULTS} faults; the others are not listed."))

    def _walk(self, heads: Heads) -> None:
        asked = {head for each in heads.values() for head in each}
        for number, file in enumerate(self.scope.ledgers):
            book = walk(file, asked, self.index, number=number)
            self._take(book.faults)
            if book.school in self.books:
                self.add("ledger_twice", f"Two ledgers say that they are of the school {shown(book.school)}.", file.name)
            self.books[book.school] = book
        for school, each in heads.items():
            books = [self.books[school]] if school in self.books else [] if school else list(self.books.values())
            for head in each:
                if not books or all(head in book.lacking for book in books):
                    what = "No ledger has the line that the digest printed: it was cut short or written anew."
                    self.add("head", what, f"{school} head {head.seq}:{head.hash[:12]}…".strip())

    def _bags(self, workers: int | None) -> Iterator[tuple[Place, SaidOfRecord | None, BagFound]]:
        """Check the bags, many at once; keep only the places in flight, each with what the ledger says of it."""
        waiting: deque[tuple[Place, SaidOfRecord | None]] = deque()

        def tasks() -> Iterator[BagTask]:
            for place in map(_named, self.scope.places(self.add, self.index)):
                book = self._book(place.school)
                said = None if book is None else self.index.of(book.number, place.record)
                waiting.append((place, said))
                yield self._task(place, book, said)

        for found in check_many(tasks(), workers=workers):
            yield *waiting.popleft(), found

    def _task(self, place: Place, book: Book | None, said: SaidOfRecord | None) -> BagTask:
        keys: tuple[str, ...] = ()
        chains: frozenset[str] = frozenset()
        if book is not None and said is not None and said.seq:
            # The key may have changed while this record was under way: then any key since its first line may have signed it.
            keys = tuple(book.keys[said.first_key - 1 : said.key])
        elif book is not None:
            keys = tuple(book.keys[-1:]) if place.record else tuple(book.keys)
        if book is not None and said is not None and said.restamps:
            chains = frozenset(each.chain_sha256 for each in self.index.restamps(book.number, place.record))
        disposed = said is not None and said.disposed > 0
        return BagTask(place.source, place.school, place.record, keys, place.year, chains, self.trusted, disposed)

    def _book(self, school: str) -> Book | None:
        """Return the ledger of a school; for a record taken out of its vault, the one ledger given."""
        if not school and len(self.books) == 1:
            return next(iter(self.books.values()))
        return self.books.get(school)

    def _compare(self, place: Place, said: SaidOfRecord | None, found: BagFound) -> None:
        where = "/".join(shown(part) for part in (place.school, place.year, place.record) if part)
        book = self._book(place.school)
        if book is None:
            if not self.scope.lone or self.books:
                self.add("no_ledger", f"There is no ledger of the school {place.school} to check this record against.", where)
            return
        if said is None or not said.seq:
            self.add("not_in_ledger", "The ledger does not know this record.", where)
            return
        if not self.index.see(book.number, place.record):
            self.add("twice", "The same record id lies in the vault twice.", where)
        self.disposed += said.disposed > 0
        if found.there:
            self._against(said, where, found)
            self._stamps(book, said, where, found)

    def _against(self, said: SaidOfRecord, where: str, found: BagFound) -> None:
        if said.manifest_sha256 != found.manifest_sha256:
            self.add("not_as_sealed", "This is not the record that was sealed: the ledger has another manifest for it.", where)
        elif said.manifest_sha512 != found.manifest_sha512:
            self.add("not_as_sealed", "This is not the record that was sealed: the ledger has another SHA-512 manifest for it.", where)
        sealed = found.facts.sealed_utc
        if said.hidden_at and sealed and said.hidden_at <= sealed:
            self.add("hidden_unsealed", f"The comment was hidden at {said.hidden_at}, before the record was sealed at {sealed}.", where)

    def _stamps(self, book: Book, said: SaidOfRecord, where: str, found: BagFound) -> None:
        lines = self.index.restamps(book.number, where.rpartition("/")[2]) if said.restamps else []
        captured = found.facts.captured_utc or said.captured_at
        for token in found.tokens:
            at = token.at.isoformat(timespec="microseconds")
            line = next((line for line in lines if _tells_of(line, token)), None)
            if line is not None:
                # It stands where its own line stands, which a crash may have kept back: it may be older, and proves no less.
                self.index.stamp(book.number, token.authority, line.seq, at, "")
            elif not (token.round == 1 and captured and abs(token.at - from_utc_text(captured)) <= STAMP_WITHIN):
                self._unknown(token, where)
            elif not said.found:  # a crash kept the record's own line back: the same
                self.index.stamp(book.number, token.authority, said.seq, at, where)
        self._stamps_gone(said, lines, where, found)

    def _unknown(self, token: Token, where: str) -> None:
        if token.round == 1:
            self.add("stamp_time", f"The stamp of {token.authority} is more than ten minutes from the capture.", where)
        else:
            self.add("renewal_unknown", f"The ledger does not tell of the renewal by {token.authority}, round {token.round}.", where)

    def _stamps_gone(self, said: SaidOfRecord, lines: list[Restamp], where: str, found: BagFound) -> None:
        """Tell of stamps that the ledger says were had, and that are not there. One that is there and bad has its own fault."""
        if any(fault.code.startswith("stamp") for fault in found.faults):
            return
        there = {(token.authority, token.round) for token in found.tokens}
        if said.stamped and found.facts.authorities and not any(number == 1 for _, number in there):
            self.add("stamp_gone", "The ledger says that this record was stamped when it was sealed, and no stamp is there.", where)
        for line in lines:
            if (line.authority, line.round) not in there:
                self.add("stamp_gone", f"The ledger tells of a stamp by {shown(line.authority)}, and it is not there.", where)

    def _missing(self) -> None:
        """Tell of sealed records that are not there. Lawful disposal leaves its own line."""
        for school, book in self.books.items() if self.scope.complete else ():
            if self.scope.school and school != self.scope.school:
                continue
            for record, said in self.index.unseen(book.number):
                if said.disposed:
                    self.disposed += 1
                    continue
                what = "The ledger says this record was sealed, and it is not in the vault."
                self.add("record_gone", what, f"{shown(school)}/{shown(record)} (line {said.seq})")

    def _order_of_stamps(self) -> None:
        latest = (0, "", "")
        for book, authority, at, where in self.index.stamps():
            if latest[:2] != (book, authority) or at >= latest[2]:
                latest = (book, authority, at)
            elif where and datetime.fromisoformat(latest[2]) - datetime.fromisoformat(at) > OVERLAP:
                self.add("stamp_order", f"The stamp of {authority} is older than that of a record sealed before this one.", where)


def _named(place: Place) -> Place:
    """Return the place with the record's own account of its id where the place gives none, as in a ZIP without a folder."""
    return place if place.record else replace(place, record=check_bag(BagTask(place.source, place.school, "")).facts.record)


def _tells_of(line: Restamp, token: Token) -> bool:
    """Return whether a ledger line tells of this stamp: the same files, and not written before the stamp was had."""
    same = (line.authority, line.round, line.chain_sha256, line.list_sha256) == (
        token.authority, token.round, token.chain_sha256, token.list_sha256,
    )  # fmt: skip
    return same and token.at - from_utc_text(line.at) <= STAMP_WITHIN
