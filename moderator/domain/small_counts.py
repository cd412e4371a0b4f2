"""Counts from which nobody can be picked out: for readers who are to see numbers and no person (R35). Called by the Trustees page.

The rule is the one of the Higher Education Statistics Agency (HESA, "Rounding and suppression to anonymise statistics"): every count to
the nearest 5, no percentage of fewer than 22.5 people, no average of 7 or fewer. Rounding all of them also keeps a small count from being
worked out as the difference of two others. We say "fewer than 5" for 1 to 4, and 0 for none.
"""

from dataclasses import dataclass

SMALL = 5
"""Counts from 1 to below this are not told."""

LEAST_FOR_RATE = 23
"""Fewest decisions of which a percentage is told."""

LEAST_FOR_MEDIAN = 8
"""Fewest decisions of which a middle time is told."""


@dataclass(frozen=True, slots=True)
class Counted:
    """A count as it is shown: `words`, and `size`, what a bar may be drawn from; 0 where the count is too small to tell."""

    words: str
    size: int


def exact(count: int) -> Counted:
    """Return a count as it is."""
    return Counted(f"{count:,}", count)


def coarse(count: int) -> Counted:
    """Return a count from which nobody can be picked out."""
    if count == 0:
        return Counted("0", 0)
    if count < SMALL:
        return Counted(f"fewer than {SMALL}", 0)
    rounded = SMALL * ((count + SMALL // 2) // SMALL)
    return Counted(f"about {rounded:,}", rounded)
