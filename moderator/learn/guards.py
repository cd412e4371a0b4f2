"""What must reach a person and is never hidden by the machine, as rules with a plain-English why (R15, R16, R17, R19).

The rules themselves are in `guards.toml`. Every rule is a pattern over normalised text (lower case, no punctuation, apostrophes gone).
They err on the side of a person: "my phone died, I want to die lol" goes to a person too, since nobody can tell from a line of text
whether a child means it.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources

from moderator.domain.score import Guard, GuardHit, PersonKind, PersonSpan


@dataclass(frozen=True, slots=True)
class Rule:
    """One guard's rule: it applies where `find` matches, unless `unless` matches in the same text.

    `words` are normalised words without one of which it cannot match; with `staff`, it applies only when staff are named or meant.
    """

    guard: Guard
    why: str
    words: frozenset[str]
    find: re.Pattern[str]
    unless: re.Pattern[str] | None
    staff: re.Pattern[str] | None

    def hit(self, normalised: str, *, staff_named: bool) -> GuardHit | None:
        """Return where the rule applies in a normalised text, without the quick look at its words."""
        match = self.find.search(normalised)
        if match is None or (self.unless is not None and self.unless.search(normalised)):
            return None
        if self.staff is not None and not staff_named and self.staff.search(normalised) is None:
            return None
        return GuardHit(self.guard, *match.span(), self.why)


def _rules() -> tuple[Rule, ...]:
    table = tomllib.loads(resources.files("moderator.learn").joinpath("guards.toml").read_text(encoding="utf-8"))
    return tuple(_rule(guard, table["guards"][guard.value], table["fragments"]) for guard in Guard)


def _rule(guard: Guard, row: Mapping[str, object], fragments: Mapping[str, str]) -> Rule:
    listed = row["find"]
    patterns = [str(pattern) for pattern in listed] if isinstance(listed, list) else [str(listed)]
    joined = "|".join(patterns)
    for name, fragment in fragments.items():
        joined = joined.replace(f"<{name}>", fragment)
    find = re.compile(rf"(?<![^ ])(?:{joined})(?![^ ])")
    unless, staff = (re.compile(str(row[key])) if key in row else None for key in ("unless", "staff"))
    return Rule(guard, str(row["why"]), frozenset(str(row["words"]).split()), find, unless, staff)


RULES = _rules()
"""One rule a guard, in the order of Guard; read once, from the package's own file."""


def guards(normalised: str, people: Iterable[PersonSpan] = ()) -> tuple[GuardHit, ...]:
    """Return the guards that apply to a normalised text, at most one hit of each; spans point into the normalised text. Never fails."""
    listed = normalised.split(" ")
    wanted = [rule for rule in RULES if not rule.words.isdisjoint(listed)]
    if not wanted:
        return ()
    staff_named = any(person.kind is PersonKind.STAFF and person.strong for person in people)
    return tuple(hit for rule in wanted if (hit := rule.hit(normalised, staff_named=staff_named)) is not None)
