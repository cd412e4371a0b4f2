"""What ledgers say of each record, kept in a temporary file so that memory stays flat however many records there are. Called by the check.

A private SQLite database without a name: it lives in the folder for temporary files and is gone with the process, however that ends.
It holds what a ledger holds: record ids, hashes, times and numbers, no personal data.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields

from moderator.domain.errors import BadInput

_RECENT = 2_000
"""Records kept in memory before they are written out: the lines of one record mostly stand close together."""
_FLUSH_STAMPS = 1_000


@dataclass(slots=True)
class SaidOfRecord:
    """What one ledger says of one record. 0 and "" mean: nothing was said.

    `first_key`, `key`: numbers of the public keys in force at its first line and at its `sealed` line. `seq`: the number of that line.
    `stamped`: whether it says that a stamp was had while sealing. `found`: whether the line was written late, after a crash.
    `holds`: legal holds standing. `disposed`: line number of its disposal.
    `restamps`: how many stamps it tells of that were added later.
    """

    first_key: int = 0
    captured_at: str = ""
    seq: int = 0
    key: int = 0
    manifest_sha256: str = ""
    manifest_sha512: str = ""
    stamped: bool = False
    found: bool = False
    hidden_at: str = ""
    holds: int = 0
    disposed: int = 0
    restamps: int = 0


@dataclass(frozen=True, slots=True)
class Restamp:
    """A stamp added later: the ledger line's number and time, the authority, its chain, the round and SHA-256 of the list renewed."""

    seq: int
    at: str
    authority: str
    chain_sha256: str
    round: int
    list_sha256: str


_NAMES = tuple(field.name for field in fields(SaidOfRecord))
_TABLES = f"""
CREATE TABLE said (book INTEGER, record TEXT, {", ".join(_NAMES)}, PRIMARY KEY (book, record)) WITHOUT ROWID;
CREATE TABLE restamps (book INTEGER, record TEXT, seq INTEGER, at, authority, chain_sha256, round INTEGER, list_sha256,
    PRIMARY KEY (book, record, seq)) WITHOUT ROWID;
CREATE TABLE seen (book INTEGER, record TEXT, PRIMARY KEY (book, record)) WITHOUT ROWID;
CREATE TABLE stamped (book INTEGER, authority TEXT, seq INTEGER, at TEXT, place TEXT);
CREATE TABLE names (folder INTEGER, name TEXT, PRIMARY KEY (folder, name)) WITHOUT ROWID;
"""
_PUT = f"INSERT OR REPLACE INTO said VALUES ({', '.join('?' * (len(_NAMES) + 2))})"  # noqa: S608 - question marks alone
_GET = f"SELECT {', '.join(_NAMES)} FROM said WHERE book = ? AND record = ?"  # noqa: S608 - our own column names
_UNSEEN = f"""SELECT record, {", ".join(_NAMES)} FROM said WHERE book = ? AND seq > 0
    AND NOT EXISTS (SELECT 1 FROM seen WHERE seen.book = said.book AND seen.record = said.record) ORDER BY record"""  # noqa: S608 - the same


class Index:
    """The index of one check."""

    def __init__(self) -> None:
        """Open an empty one."""
        self._db = sqlite3.connect("", isolation_level=None)
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-4000", "temp_store=FILE", "locking_mode=EXCLUSIVE"):
            self._db.execute(f"PRAGMA {pragma}")
        self._db.executescript(_TABLES)
        self._db.execute("BEGIN")
        self._recent: dict[tuple[int, str], SaidOfRecord] = {}
        self._stamped: list[tuple[int, str, int, str, str]] = []
        self._folders = 0

    def close(self) -> None:
        """Remove it."""
        self._db.close()

    def of(self, book: int, record: str) -> SaidOfRecord | None:
        """Return what ledger number `book` says of a record, or None."""
        found = self._recent.get((book, record))
        if found is None and _is_text(record):
            row = self._db.execute(_GET, (book, record)).fetchone()
            found = None if row is None else SaidOfRecord(*row)
        return found

    def note(self, book: int, record: str) -> SaidOfRecord:
        """Return the same to be changed, made where nothing was said yet. What is changed in it until the next call is kept."""
        found = self.of(book, record) or SaidOfRecord()
        if len(self._recent) >= _RECENT:
            self._write()
        self._recent[book, record] = found
        return found

    def _write(self) -> None:
        rows = ((book, record, *(getattr(said, name) for name in _NAMES)) for (book, record), said in self._recent.items())
        self._db.executemany(_PUT, rows)
        self._recent.clear()

    def restamp(self, book: int, record: str, line: Restamp) -> None:
        """Note a stamp added later."""
        self.note(book, record).restamps += 1
        self._db.execute("INSERT INTO restamps VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (book, record, *asdict(line).values()))

    def restamps(self, book: int, record: str) -> list[Restamp]:
        """Return the stamps added later to a record, in the ledger's order."""
        query = "SELECT seq, at, authority, chain_sha256, round, list_sha256 FROM restamps WHERE book = ? AND record = ? ORDER BY seq"
        return [Restamp(*row) for row in self._db.execute(query, (book, record))]

    def see(self, book: int, record: str) -> bool:
        """Note that a record of a ledger lies in the vault; False when it was there already."""
        return self._db.execute("INSERT OR IGNORE INTO seen VALUES (?, ?)", (book, record)).rowcount == 1

    def unseen(self, book: int) -> Iterator[tuple[str, SaidOfRecord]]:
        """Yield every record that was sealed and was not seen, in order."""
        self._write()
        for record, *rest in self._db.execute(_UNSEEN, (book,)):
            yield record, SaidOfRecord(*rest)

    def stamp(self, book: int, authority: str, seq: int, at: str, place: str) -> None:
        """Note a stamp that holds, for its order along the ledger; `at` in ISO 8601, all of one width.

        `place` is "" where a line of its own tells of it: written late, it may stand behind younger ones.
        """
        self._stamped.append((book, authority, seq, at, place))
        if len(self._stamped) >= _FLUSH_STAMPS:
            self._write_stamps()

    def _write_stamps(self) -> None:
        self._db.executemany("INSERT INTO stamped VALUES (?, ?, ?, ?, ?)", self._stamped)
        self._stamped.clear()

    def stamps(self) -> Iterator[tuple[int, str, str, str]]:
        """Yield ledger number, authority, time and place of every stamp, by authority in the ledger's order."""
        self._write_stamps()
        yield from self._db.execute("SELECT book, authority, at, place FROM stamped ORDER BY book, authority, seq, at")

    def in_order(self, names: Iterable[str]) -> Iterator[str]:
        """Yield any number of names in order."""
        self._folders += 1
        folder = self._folders
        self._db.executemany("INSERT OR IGNORE INTO names VALUES (?, ?)", ((folder, name) for name in names))
        for (name,) in self._db.execute("SELECT name FROM names WHERE folder = ? ORDER BY name", (folder,)):
            yield name


def _is_text(name: str) -> bool:
    """Return whether a name from elsewhere can be looked up. Half a character cannot, and no line of a ledger holds one."""
    return name.isascii() or not any("\ud800" <= each <= "\udfff" for each in name)


@contextmanager
def open_index() -> Iterator[Index]:
    """Give an index for one check. Raises BadInput when the place for temporary files is full or closed."""
    try:
        index = Index()
        try:
            yield index
        finally:
            index.close()
    except sqlite3.OperationalError as error:
        message = f"the check needs room for temporary files, some 100 MB for 100,000 records: {error}. Set TMPDIR to a folder with room"
        raise BadInput(message) from error
