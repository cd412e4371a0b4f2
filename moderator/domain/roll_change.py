"""What a new roll would change: who comes, who leaves, who stays (R20). Called by an import, and for its preview."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

from moderator.domain.person import RollEntry
from moderator.domain.score import PersonKind

LEAVERS_MATCH = timedelta(days=365)
"""How long a leaver's name keeps matching, unless an import says otherwise (R20; our choice)."""

KINDS = (PersonKind.PUPIL, PersonKind.STAFF, PersonKind.PARENT, PersonKind.GOVERNOR, PersonKind.OTHER)
"""The kinds of people a roll holds, in the order they are told."""

_UNNAMED = "line-"
"""How the reference begins that reading gives to a row without one: good within its file only."""

NameFor = Callable[[RollEntry], str]
"""Makes a reference for a person whose file gives none: the same for the same name and kind, and telling nothing of either."""


@dataclass(frozen=True, slots=True)
class KindChange:
    """How many people of one kind: in the file, new, changed, the same as before, leaving now, and matching from before."""

    kind: PersonKind
    in_file: int = 0
    new: int = 0
    changed: int = 0
    same: int = 0
    leaving: int = 0
    left_before: int = 0


@dataclass(frozen=True, slots=True)
class RollChange:
    """The roll as it would be, leavers who still match among it, and what that changes, kind by kind. `kinds` are those replaced.

    `leavers_match` is how long somebody who leaves keeps matching.
    """

    entries: tuple[RollEntry, ...]
    kinds: frozenset[PersonKind]
    by_kind: tuple[KindChange, ...]
    leavers_match: timedelta = LEAVERS_MATCH

    @property
    def in_file(self) -> int:
        """How many people the file holds."""
        return sum(each.in_file for each in self.by_kind)

    @property
    def leaving(self) -> int:
        """How many people leave."""
        return sum(each.leaving for each in self.by_kind)

    @property
    def present(self) -> int:
        """How many people of the kinds replaced are on the roll before, leavers apart."""
        return sum(each.changed + each.same + each.leaving for each in self.by_kind)


def change_of(  # noqa: PLR0913 - two rolls, and by what rules the one takes the other's place
    present: Iterable[RollEntry],
    read: Iterable[RollEntry],
    *,
    kinds: Collection[PersonKind],
    day: date,
    name_for: NameFor,
    leavers_match: timedelta = LEAVERS_MATCH,
) -> RollChange:
    """Return what putting the people `read` in place of those of `kinds` would change, on a London day. Pure; may be repeated.

    1. Give people without a reference one, made from name and kind; give one that somebody of another kind has already its kind.
    2. Whoever is in the file is taken from the file, by reference.
    3. Whoever of `kinds` is not in the file leaves: their name keeps matching for `leavers_match` from that day (R20).
    4. Leavers of before stay until their time is over; people of other kinds stay as they are.
    """
    before = _named(present, name_for, {})
    now = _named(read, name_for, {key: entry.kind for key, entry in before.items() if entry.kind not in kinds})
    counts: Counter[tuple[PersonKind, str]] = Counter()
    for reference, entry in now.items():
        counts[entry.kind, "in_file"] += 1
        known = before.get(reference)
        counts[entry.kind, "new" if known is None else "same" if known == entry else "changed"] += 1
    stay: list[RollEntry] = []
    for reference, entry in before.items():
        if reference in now:
            continue
        if entry.left_on is not None and entry.left_on <= day:
            if entry.left_on >= day - leavers_match:
                stay.append(entry)
                counts[entry.kind, "left_before"] += 1
        elif entry.kind in kinds:
            stay.append(replace(entry, left_on=day))
            counts[entry.kind, "leaving"] += 1
        else:
            stay.append(entry)
    return RollChange((*now.values(), *stay), frozenset(kinds), tuple(_of_kind(kind, counts) for kind in KINDS), leavers_match)


def _of_kind(kind: PersonKind, counts: Mapping[tuple[PersonKind, str], int]) -> KindChange:
    return KindChange(kind, **{name: counts.get((kind, name), 0) for name in KindChange.__slots__ if name != "kind"})


def _named(entries: Iterable[RollEntry], name_for: NameFor, taken: Mapping[str, PersonKind]) -> dict[str, RollEntry]:
    """Return people by reference, each with one of its own. `taken` are references that people of other kinds have."""
    found: dict[str, RollEntry] = {}
    for entry in entries:
        reference = name_for(entry) if entry.reference.startswith(_UNNAMED) else entry.reference
        if taken.get(reference, entry.kind) is not entry.kind:
            reference = f"{reference}-{entry.kind.value}"
        number, free = 1, reference
        while free in found:
            number += 1
            free = f"{reference}-{number}"
        found[free] = replace(entry, reference=free)
    return found
