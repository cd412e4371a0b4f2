"""A roll of 50,000 people who do not exist, in a database as the service keeps it. Called by bench_assess and bench_roll."""

import csv
import random
from pathlib import Path

from moderator.domain.account import School
from moderator.domain.person import RollEntry
from moderator.domain.score import PersonKind
from moderator.learn.roll import roll_tokens
from moderator.store import people
from moderator.store.engine import open_engine
from moderator.store.roll import put_tokens
from moderator.store.schema import upgrade

PEOPLE = 50_000
KEY = b"bench" * 6
"""The key of the invented roll; a service makes its own at random."""

SCHOOL = School("oakfield", "Oakfield Primary School", "1", "head@oakfield.example", ("oakfield.example",), "Oakfield Learning Trust")
KINDS = (PersonKind.STAFF, *[PersonKind.PARENT] * 3, *[PersonKind.PUPIL] * 6)
TITLES = ("Mr", "Mrs", "Miss", "Ms", "Dr")
_SHORTEST = 3


def invented_roll(lists: Path) -> list[RollEntry]:
    """Return the people: first and last names drawn apart from the UK lists, the common ones more often. Same lists, same people."""
    rng = random.Random(7)  # noqa: S311 - invented names, not secrets
    firsts = _counted(lists / "uk_first_names.csv", "name", "n", least=20)
    lasts = _counted(lists / "uk_surnames.csv", "surname", "freq", least=0)
    drawn = zip(*(rng.choices(list(pool), list(pool.values()), k=PEOPLE) for pool in (firsts, lasts)), strict=True)
    return [_person(place, first, last) for place, (first, last) in enumerate(drawn)]


def _person(place: int, first: str, last: str) -> RollEntry:
    kind = KINDS[place % len(KINDS)]
    return RollEntry(f"R{place}", kind, first, last, TITLES[place // len(KINDS) % len(TITLES)] if kind is PersonKind.STAFF else "")


def _counted(path: Path, name: str, count: str, *, least: float) -> dict[str, float]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = [(row[name].strip().title(), float(row[count])) for row in csv.DictReader(file)]
    return {word: often for word, often in rows if len(word) >= _SHORTEST and often >= least}


def database(roll: list[RollEntry], folder: Path) -> Path:
    """Write the roll's keyed tokens into a database of the service's own making in `folder` and return its path."""
    path = folder / "roll.db"
    engine = open_engine(f"sqlite:///{path}")
    upgrade(engine)
    with engine.begin() as connection:
        people.put_school(connection, SCHOOL)
        put_tokens(connection, SCHOOL.slug, (token for entry in roll for token in roll_tokens(entry, KEY)))
    engine.dispose()
    return path
