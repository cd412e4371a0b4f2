"""Benchmark of the roll: 50,000 people looked for in comments, and in which forms they are found. Called by run.py.

The peer is presidio's list recogniser, which takes the same first and last names; it ignores case and nothing else. Start-up is measured
once here, since that recogniser takes half a minute to build its pattern.
"""

import sys
import tempfile
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench import peers, texts
from bench.contest import Entrant, answers, costs
from bench.invented import database, invented_roll
from moderator.domain.person import RollEntry

SAMPLE = 25
"""People of whom every form is tried: spread evenly over the roll."""

FORMS: Mapping[str, Callable[[RollEntry], str]] = {
    "as on the roll": lambda person: f"saw {person.first_name} {person.last_name} today",
    "lower case": lambda person: f"saw {person.first_name} {person.last_name} today".lower(),
    "accented": lambda person: f"ask {_accented(person.first_name)} {person.last_name} about it",
    "last name first": lambda person: f"{person.last_name}, {person.first_name} again",
    "initial": lambda person: f"that {person.first_name[0]}. {person.last_name} again",
    "possessive": lambda person: f"{person.first_name} {person.last_name}'s bag is here",
    "hashtag": lambda person: f"well done #{_joined(person)}",
    "handle": lambda person: f"ask @{_joined(person).lower()}07",
    "letter left out": lambda person: f"saw {person.first_name} {person.last_name[:2]}{person.last_name[3:]} today",
    "letters swapped": lambda person: f"saw {person.first_name} {_swapped(person.last_name)} today",
    "spaced out": lambda person: f"{' '.join(person.first_name)} {person.last_name} is here",
}
_COMMON_LETTERS = {"a": "á", "e": "é", "i": "í", "o": "ö", "u": "ü"}


def _accented(word: str) -> str:
    return unicodedata.normalize("NFC", "".join(_COMMON_LETTERS.get(letter, letter) for letter in word))


def _joined(person: RollEntry) -> str:
    return "".join(letter for letter in person.first_name + person.last_name if letter.isalnum())


def _swapped(word: str) -> str:
    """Return a word with two letters in its middle swapped that differ, or the word where there are none."""
    for place in range(1, len(word) - 1):
        one, other = word[place], word[place + 1]
        if one != other and one.isalpha() and other.isalpha():
            return f"{word[:place]}{other}{one}{word[place + 2 :]}"
    return word


def forms(people: Sequence[RollEntry]) -> Iterator[tuple[str, str]]:
    """Yield (form, text) of every form of every person."""
    for form, write in FORMS.items():
        for person in people:
            yield form, write(person)


def roll() -> dict[str, object]:
    """Return comments a second with a roll of 50,000 people, against presidio's list recogniser; print which forms each finds."""
    if not texts.at_hand():
        sys.stdout.write(f"bench: roll {texts.ABSENT}\n")
        return {"ours": None, "theirs": None, "ratio": None, "target": None, "unit": "", "against": texts.ABSENT}
    people = invented_roll(texts.SHARED / "names" / "lists")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        names = texts.written(list(dict.fromkeys(f"{person.first_name} {person.last_name}" for person in people)), folder / "names.json")
        ours = Entrant("roll", Path(sys.executable), texts.HERE / "ours_roll.py", (str(database(people, folder)),), starts=1)
        theirs = Entrant("presidio-names", peers.python(), peers.CONTENDERS, (str(names),), starts=1)
        tried = [*forms(people[:: len(people) // SAMPLE])]
        asked = texts.written([text for _, text in tried], folder / "forms.json")
        said = answers({ours: [asked], theirs: [asked]}, folder)
        cost = costs([ours, theirs], texts.turns(folder))
    for entrant in (ours, theirs):
        _tell(entrant.name, tried, [bool(one["people"]) for one in said[entrant.name, asked.stem]], cost[entrant.name].resident)
    mine, other = (cost[entrant.name].rate for entrant in (ours, theirs))
    against = "presidio's list recogniser with the same 50,000 names"
    return {"ours": mine, "theirs": other, "ratio": mine / other, "target": 1.0, "unit": "comments/s", "against": against}


def _tell(name: str, tried: Sequence[tuple[str, str]], found: Sequence[bool], resident: float) -> None:
    shares = []
    for form in FORMS:
        hits = [hit for (which, _), hit in zip(tried, found, strict=True) if which == form]
        shares.append(f"{form} {sum(hits) / len(hits):.0%}")
    sys.stdout.write(f"bench:   {name} finds: {', '.join(shares)}; {resident:,.0f} MB resident\n")


BENCHES = {"roll": roll}
