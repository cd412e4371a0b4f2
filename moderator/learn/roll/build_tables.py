"""Builds `variants.txt` and `common.txt` of this folder from public lists; run by hand (`python -m`) when the lists change.

The lists are facts (which names are forms of one another, which words are frequent); the head of `variants.txt` names them. Nothing of
them is needed at run time. Same lists, same files.
"""

import collections
import csv
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from moderator.learn.roll.spelling import name_word

MOST_FORMS = 14
"""The most forms kept for one name: further ones are rare, and each costs room for every person who bears the name."""

LEAST_WRITTEN = 10
LEAST_LOWER_SHARE = 0.6
_FAR = 2
_SHORT = 5
_WORD = re.compile(r"[A-Za-z]+(?:['’][A-Za-z]+)*")  # noqa: RUF001 - comments carry curly apostrophes
_ATTRIBUTION = (
    "# Forms of one name: a name, then the other forms a comment may use. Facts, from:",
    "# nicknames by C. Ingham and others (Apache 2.0); ONS spelling variants by sdglinkage (MIT); own_variants.txt.",
)


def main(shared: Path, into: Path = Path(__file__).parent) -> None:
    """Write both tables: `shared` is the folder that holds `names/lists` and `comments`. Raises OSError when a list is missing."""
    lists = shared / "names" / "lists"
    own = [line.split() for line in (into / "own_variants.txt").read_text(encoding="utf-8").splitlines() if line[:1] not in {"", "#"}]
    firsts = _first_forms(lists, own)
    lasts = _last_forms(lists)
    lines = [*_ATTRIBUTION, "[first]", *_lines(firsts), "[last]", *_lines(lasts)]
    (into / "variants.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    texts = [(shared / "comments" / "youtube.txt"), (shared / "abuse" / "goemotions.txt")]
    common = _common(line for path in texts for line in path.read_text(encoding="utf-8").splitlines())
    (into / "common.txt").write_text("\n".join(sorted(common)) + "\n", encoding="utf-8")


def _lines(forms: dict[str, list[str]]) -> list[str]:
    return [f"{name} {' '.join(others[:MOST_FORMS])}" for name, others in sorted(forms.items()) if others]


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        yield from csv.DictReader(file)


def _first_forms(lists: Path, own: Iterable[list[str]]) -> dict[str, list[str]]:
    """Return each first name's other forms, our own groups first, then by how many people bear the form."""
    borne: collections.Counter[str] = collections.Counter()
    for row in _rows(lists / "uk_first_names.csv"):
        borne[name_word(row["name"])] += int(row["n"])
    sets: dict[str, dict[str, None]] = collections.defaultdict(dict)
    for group in own:
        for one in group:
            sets[one].update(dict.fromkeys(other for other in group if other != one))
    pairs = [(name_word(row["name1"]), name_word(row["name2"])) for row in _rows(lists / "nicknames.csv")]
    close = ((name_word(row["forename"]), name_word(row["forename2"])) for row in _rows(lists / "uk_first_variants.csv"))
    pairs += [(one, other) for one, other in close if _close(one, other) and min(borne[one], borne[other]) > 0]
    for one, other in sorted(set(pairs + [(b, a) for a, b in pairs]), key=lambda pair: (pair[0], -borne[pair[1]], pair[1])):
        if one != other and min(len(one), len(other)) > 1:
            sets[one][other] = None
    return {name: list(others) for name, others in sets.items()}


def _last_forms(lists: Path) -> dict[str, list[str]]:
    sets: dict[str, dict[str, None]] = collections.defaultdict(dict)
    for row in _rows(lists / "uk_last_variants.csv"):
        one, other = name_word(row["lastname1"]), name_word(row["lastname2"])
        if one != other and _close(one, other):
            sets[one][other] = None
            sets[other][one] = None
    return {name: sorted(others) for name, others in sets.items()}


def _close(one: str, other: str) -> bool:
    """Return whether two spellings are near: at most two edits, or one for a short name."""
    return distance(one, other) <= (_FAR if min(len(one), len(other)) >= _SHORT else 1)


def distance(one: str, other: str) -> int:
    """Return the Levenshtein distance of two words."""
    before = list(range(len(other) + 1))
    for row, left in enumerate(one, 1):
        now = [row]
        for column, right in enumerate(other, 1):
            now.append(min(before[column] + 1, now[-1] + 1, before[column - 1] + (left != right)))
        before = now
    return before[-1]


def _common(lines: Iterable[str]) -> set[str]:
    """Return the frequent words of ordinary comments that are mostly written in lower case in the middle of a sentence."""
    lower: collections.Counter[str] = collections.Counter()
    upper: collections.Counter[str] = collections.Counter()
    for line in lines:
        found = list(_WORD.finditer(line))
        if 2 * sum(match[0][0].isupper() for match in found) > len(found):
            continue
        for match in found[1:]:
            if line[match.start() - 2 : match.start() - 1] not in set('.!?"'):
                (upper if match[0][0].isupper() else lower)[name_word(match[0])] += 1
    kept = {word for word, count in lower.items() if count >= LEAST_WRITTEN and count >= LEAST_LOWER_SHARE * (count + upper[word])}
    return {word for word in kept if len(word) > 1}


if __name__ == "__main__":  # pragma: no cover - by hand
    main(Path(sys.argv[1]))
