"""The schools' rolls at rest: keyed tokens and ciphertext, never a name (R20, R29). Called by build, `moderator roll` and the rehearsal."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from moderator.domain.person import Evidence, RollEntry, RollToken
from moderator.domain.roll_change import LEAVERS_MATCH
from moderator.domain.score import PersonKind
from moderator.store.sealed import Sealer
from moderator.store.tables import LedgerRow, RollEntryRow, RollTokenRow

LEDGER: sa.Table = LedgerRow.__table__  # type: ignore[attr-defined] # SQLModel sets it at class creation
ROLL_TOKENS: sa.Table = RollTokenRow.__table__  # type: ignore[attr-defined] # as above
ROLL_ENTRIES: sa.Table = RollEntryRow.__table__  # type: ignore[attr-defined] # as above

SUBJECT = "roll"
"""What the ledger calls a school's roll."""

_DIGEST = 8
_WIDTHS = dict.fromkeys(Evidence, _DIGEST) | {Evidence.TYPO: 2 * _DIGEST, Evidence.TRIPLE: 2 * _DIGEST}


def replace_roll(  # noqa: PLR0913 - a roll, and what it is kept with
    connection: sa.Connection,
    school: str,
    entries: Iterable[RollEntry],
    tokens: Iterable[RollToken],
    sealer: Sealer,
    *,
    leavers_match: timedelta = LEAVERS_MATCH,
) -> int:
    """Put a roll in place of the school's earlier one; return how many people it holds. Names are stored as ciphertext only."""
    listed = list(entries)
    connection.execute(sa.delete(ROLL_ENTRIES).where(ROLL_ENTRIES.c.school == school))
    rows = [_entry_row(school, entry, sealer, leavers_match) for entry in listed]
    if rows:
        connection.execute(sa.insert(ROLL_ENTRIES), rows)
    put_tokens(connection, school, tokens)
    return len(rows)


def put_tokens(connection: sa.Connection, school: str, tokens: Iterable[RollToken]) -> None:
    """Put tokens in place of the school's earlier ones. Those that belong to nobody are stored once, however many people share them."""
    connection.execute(sa.delete(ROLL_TOKENS).where(ROLL_TOKENS.c.school == school))
    rows: list[dict[str, Any]] = []
    shared: dict[Evidence, set[bytes]] = defaultdict(set)
    for token in tokens:
        if token.reference:
            rows.append(_token_row(school, token))
        else:
            shared[token.evidence].update(_pieces(token))
    rows += [_token_row(school, RollToken(kind, b"".join(sorted(pieces)))) for kind, pieces in sorted(shared.items()) if pieces]
    if rows:
        connection.execute(sa.insert(ROLL_TOKENS), rows)


def roll_tokens(connection: sa.Connection, *, on: date | None = None) -> list[RollToken]:
    """Return every keyed token of every school's roll; with `on`, without people who had left too long before that day."""
    person = sa.and_(ROLL_ENTRIES.c.school == ROLL_TOKENS.c.school, ROLL_ENTRIES.c.reference == ROLL_TOKENS.c.reference)
    wanted = (
        sa.select(ROLL_TOKENS.c.evidence, ROLL_TOKENS.c.digests, ROLL_TOKENS.c.kind, ROLL_TOKENS.c.reference)
        .select_from(ROLL_TOKENS.outerjoin(ROLL_ENTRIES, person))
        .order_by(ROLL_TOKENS.c.id)
    )
    if on is not None:
        wanted = wanted.where(sa.or_(ROLL_ENTRIES.c.matches_until.is_(None), ROLL_ENTRIES.c.matches_until >= on))
    return [
        RollToken(Evidence(row.evidence), bytes(row.digests), PersonKind(row.kind), row.reference) for row in connection.execute(wanted)
    ]


def roll_entries(connection: sa.Connection, school: str, sealer: Sealer) -> Iterator[RollEntry]:
    """Yield a school's people with their names opened, for making their tokens again. Raises BadInput when no key fits."""
    for row in connection.execute(sa.select(ROLL_ENTRIES).where(ROLL_ENTRIES.c.school == school).order_by(ROLL_ENTRIES.c.reference)):
        title, first, last, known_as, *more = json.loads(sealer.open(row.sealed))
        other, left = (*more, "", "")[:2]
        yield RollEntry(
            row.reference, PersonKind(row.kind), first, last, title, known_as, other, date.fromisoformat(left) if left else None
        )


def any_roll(connection: sa.Connection) -> bool:
    """Return whether any school has a roll."""
    return connection.execute(sa.select(ROLL_TOKENS.c.id).limit(1)).first() is not None


def roll_size(connection: sa.Connection, school: str) -> int:
    """Return how many people the school's roll holds."""
    return connection.execute(sa.select(sa.func.count()).select_from(ROLL_ENTRIES).where(ROLL_ENTRIES.c.school == school)).scalar_one()


def counts_by_kind(connection: sa.Connection, school: str, *, on: date) -> dict[PersonKind, tuple[int, int]]:
    """Return, by kind, how many people of the roll match on a London day: those at the school, and those who left it."""
    left = ROLL_ENTRIES.c.matches_until.is_not(None)
    wanted = (
        sa.select(ROLL_ENTRIES.c.kind, left.label("left"), sa.func.count().label("people"))
        .where(ROLL_ENTRIES.c.school == school, sa.or_(ROLL_ENTRIES.c.matches_until.is_(None), ROLL_ENTRIES.c.matches_until >= on))
        .group_by(ROLL_ENTRIES.c.kind, left)
    )
    found: dict[PersonKind, tuple[int, int]] = {}
    for row in connection.execute(wanted):
        here, gone = found.get(PersonKind(row.kind), (0, 0))
        found[PersonKind(row.kind)] = (here, gone + row.people) if row.left else (here + row.people, gone)
    return found


def find_reference(connection: sa.Connection, sealer: Sealer, school: str, name: str) -> list[str]:
    """Return the references of the people on a school's roll who are called that: first or preferred name and a last name, in any case.

    For linking a person of the register to the roll (R21). Opens every name of the school: a tenth of a second for two thousand.
    Raises BadInput when no key fits.
    """
    wanted = " ".join(name.split()).casefold()
    return [entry.reference for entry in roll_entries(connection, school, sealer) if wanted in _called(entry)]


def _called(entry: RollEntry) -> set[str]:
    firsts = [each for each in (entry.first_name, entry.known_as) if each]
    lasts = [each for each in (entry.last_name, entry.other_last_name) if each]
    whole = {f"{first} {last}" for first in firsts for last in lasts} | {f"{entry.title} {last}" for last in lasts if entry.title}
    return {" ".join(each.split()).casefold() for each in whole}


def standing(connection: sa.Connection) -> tuple[tuple[str, int], ...]:
    """Return what changes when any school's roll does: the last line of each ledger that tells of its roll. One quick look-up."""
    told = sa.select(LEDGER.c.school, sa.func.max(LEDGER.c.seq)).where(LEDGER.c.subject == SUBJECT).group_by(LEDGER.c.school)
    return tuple((str(row[0]), int(row[1])) for row in connection.execute(told.order_by(LEDGER.c.school)))


def last_replaced(connection: sa.Connection, school: str) -> tuple[datetime, str] | None:
    """Return when a school's roll was replaced last, and by whom (a designation's reference); None when no line of the ledger says so."""
    told = sa.select(LEDGER.c.at, LEDGER.c.line).where(LEDGER.c.school == school, LEDGER.c.subject == SUBJECT)
    row = connection.execute(told.order_by(LEDGER.c.seq.desc()).limit(1)).one_or_none()
    return None if row is None else (row.at, str(json.loads(row.line)["actor"]))


def schools_without_tokens(connection: sa.Connection) -> list[str]:
    """Return the schools that have a roll but no tokens, as after an update that makes them another way."""
    with_tokens = sa.select(ROLL_TOKENS.c.school)
    wanted = sa.select(ROLL_ENTRIES.c.school).where(ROLL_ENTRIES.c.school.not_in(with_tokens)).distinct().order_by(ROLL_ENTRIES.c.school)
    return list(connection.execute(wanted).scalars())


def _entry_row(school: str, entry: RollEntry, sealer: Sealer, leavers_match: timedelta) -> dict[str, Any]:
    left = entry.left_on.isoformat() if entry.left_on else ""
    names = [entry.title, entry.first_name, entry.last_name, entry.known_as, entry.other_last_name, left]
    return {
        "school": school,
        "reference": entry.reference,
        "kind": entry.kind.value,
        "sealed": sealer.seal(json.dumps(names)),
        "matches_until": min(entry.left_on, date.max - leavers_match) + leavers_match if entry.left_on else None,
    }


def _token_row(school: str, token: RollToken) -> dict[str, Any]:
    return {
        "school": school,
        "evidence": token.evidence.value,
        "digests": token.digests,
        "kind": token.kind.value,
        "reference": token.reference,
    }


def _pieces(token: RollToken) -> Iterator[bytes]:
    width = _WIDTHS[token.evidence]
    return (token.digests[place : place + width] for place in range(0, len(token.digests), width))
