"""What must reach a person and is never hidden by the machine, with a plain-English why (R15, R16, R17, R19). Called by the classifier.

A guard fires when a rule's wording matches, for certain (chance 1), or when the trained part gives it a chance. The rules are in
`guards.toml`, patterns over normalised text (lower case, no punctuation, apostrophes gone). They err on the side of a person: "my phone
died, I want to die lol" goes to a person too, since nobody can tell from a line of text whether a child means it. The trained part finds
what no wording list can: the policy says from which chance it counts.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources

from moderator.domain.errors import BadInput
from moderator.domain.score import Guard, GuardHit, PersonKind, PersonSpan

_KEY = re.compile(r"<<([^<>]+)>>")
_FOLD = re.compile(r"\n *")
_GAPS = ((" ~~ ", r" (?:\S++ ){0,8}"), (" ~ ", r" (?:\S++ ){0,3}"))


@dataclass(frozen=True, slots=True)
class Rule:
    """One wording of a guard. It applies where `find` matches and no match of `unless` overlaps it.

    Both are patterns, compiled when first needed. `words` are the words without one of which it cannot match; with `staff`, it applies
    only when staff are named or pointed at.
    """

    guard: Guard
    why: str
    words: frozenset[str]
    find: str
    unless: str
    staff: bool

    def hit(self, normalised: str) -> GuardHit | None:
        """Return where the rule first applies in a normalised text, staff or not."""
        against: list[tuple[int, int]] | None = None
        for match in compiled(self.find).finditer(normalised):
            if against is None:
                against = [other.span() for other in compiled(self.unless).finditer(normalised)] if self.unless else []
            start, end = match.span()
            if not any(first < end and start < last for first, last in against):
                return GuardHit(self.guard, start, end, self.why)
        return None


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """Return a pattern that matches whole words only, compiled once."""
    return re.compile(rf"(?<![^ ])(?:{pattern})(?![^ ])")


@dataclass(frozen=True, slots=True)
class Rules:
    """Every rule, in the order of Guard and of the file; `by_word` says which rules a word makes worth trying."""

    listed: tuple[Rule, ...]
    by_word: Mapping[str, tuple[int, ...]]
    staff: re.Pattern[str]


@cache
def rules() -> Rules:
    """Return the rules of the package's own file, read once. Raises BadInput that names a pattern that cannot be used."""
    table = tomllib.loads(resources.files("moderator.learn").joinpath("guards.toml").read_text(encoding="utf-8"))
    fragments = {name: _unfolded(fragment) for name, fragment in table["fragments"].items()}
    listed = tuple(
        rule(guard, row["why"], part, fragments, unless=_unfolded(row.get("unless", "")), staff=row.get("staff", False))
        for guard in Guard
        for row in table[guard.value]
        for pattern in row["find"]
        for part in _parts(_unfolded(pattern))
    )
    by_word: dict[str, tuple[int, ...]] = {}
    for place, each in enumerate(listed):
        for word in each.words:
            by_word[word] = (*by_word.get(word, ()), place)
    return Rules(listed, by_word, compiled(fragments["staff"]))


def _unfolded(pattern: str) -> str:
    """Return a pattern that the file spreads over lines as one line; a line's leading blanks are not part of it."""
    return _FOLD.sub("", pattern)


_BRACKETS = {"(": 1, "<": 1, ")": -1, ">": -1}


def _parts(pattern: str) -> list[str]:
    """Return the alternatives of a pattern outside all brackets, each to be found by words of its own."""
    parts, depth, begin = [], 0, 0
    for place, character in enumerate(pattern):
        if character == "|" and depth == 0:
            parts.append(pattern[begin:place])
            begin = place + 1
        elif not pattern.endswith("(?", 0, place):  # not the < of a look behind
            depth += _BRACKETS.get(character, 0)
    return [*parts, pattern[begin:]]


def rule(guard: Guard, why: str, pattern: str, fragments: Mapping[str, str], *, unless: str = "", staff: bool = False) -> Rule:  # noqa: PLR0913 - a row of the file
    """Return one rule from its pattern, as written in guards.toml. Raises BadInput when it has no `<<words>>`."""
    words = [word for key in _KEY.findall(pattern) for word in key.split("|")]
    if not words or not all(word.isalnum() for word in words):
        message = f"guards.toml: a pattern of {guard.value} has no <<plain|words>> to be found by: {pattern}"
        raise BadInput(message)
    find = _KEY.sub(r"(?:\1)", pattern)
    for mark, gap in _GAPS:
        find = find.replace(mark, gap)
    for _ in range(2):  # a fragment may hold another
        for name, fragment in fragments.items():
            find = find.replace(f"<{name}>", fragment)
    return Rule(guard, why, frozenset(words), find, unless, staff)


def guards(normalised: str, people: Iterable[PersonSpan] = ()) -> tuple[GuardHit, ...]:
    """Return the guards whose rules match a normalised text, at most one hit of each, in the order of Guard. Never fails.

    Spans point into the normalised text, at the first match. Linear in the length of the text.
    """
    known = rules()
    words = known.by_word.keys() & normalised.split(" ")
    if not words:
        return ()
    found: dict[Guard, GuardHit] = {}
    staff: bool | None = None
    for place in sorted({place for word in words for place in known.by_word[word]}):
        each = known.listed[place]
        if each.staff:
            if staff is None:
                staff = any(who.kind is PersonKind.STAFF and who.strong for who in people) or known.staff.search(normalised) is not None
            if not staff:
                continue
        hit = each.hit(normalised)
        if hit is not None and (each.guard not in found or hit.start < found[each.guard].start):
            found[each.guard] = hit
    return tuple(found[guard] for guard in Guard if guard in found)


_TRAINED = {
    Guard.DISCLOSURE: "By its wording as a whole, somebody may be telling of harm to a child or adult.",
    Guard.CRISIS: "By its wording as a whole, somebody may be in danger or thinking of hurting themselves.",
    Guard.WHISTLEBLOWING: "By its wording as a whole, it may report wrongdoing inside the school.",
    Guard.COMPLAINT: "By its wording as a whole, it may be a complaint or criticism, which people may make in public.",
    Guard.INDECENT_IMAGE: "By its wording as a whole, it may speak of an indecent picture of a child. Do not look for it or open it.",
    Guard.ACCUSED_TEACHER: "By its wording as a whole, it may accuse a member of staff; publishing it can be an offence.",
}
LEAST = 0.1
"""Chances below this say nothing, and make no hit: nearly every comment has six of them."""


def trained(chances: Mapping[Guard, float], length: int) -> tuple[GuardHit, ...]:
    """Return the hits of the trained part, in the order of Guard: one for each chance of LEAST or more, over a text of `length`.

    Which of them is in force is the policy's to say. Chances are 0 to 1; a missing guard has none.
    """
    return tuple(
        GuardHit(guard, 0, length, _TRAINED[guard], min(chances[guard], 1.0)) for guard in Guard if chances.get(guard, 0.0) >= LEAST
    )


def merged(*parts: Sequence[GuardHit]) -> tuple[GuardHit, ...]:
    """Return one hit a guard, in the order of Guard: the first part that has it gives place and why, all parts the highest chance.

    Called as `merged(guards(...), trained(...))`, so that a rule's words are pointed at rather than the whole comment.
    """
    found: dict[Guard, GuardHit] = {}
    for hit in (hit for part in parts for hit in part):
        before = found.setdefault(hit.guard, hit)
        if hit.chance > before.chance:
            found[hit.guard] = replace(before, chance=hit.chance)
    return tuple(found[guard] for guard in Guard if guard in found)
