"""School terms, for the report to trustees (R35). Called by the Trustees page.

Autumn is 1 September to 31 December, spring 1 January to 31 March, summer 1 April to 31 August: our assumption. Each council sets its own
days, and Easter moves; fixed days make one year comparable with the next, and every day belongs to one term.
"""

from dataclasses import dataclass
from datetime import date, timedelta

_TERMS = ((9, "autumn", "Autumn"), (4, "summer", "Summer"), (1, "spring", "Spring"))
"""The month each term begins in, latest first; its code and its name."""


@dataclass(frozen=True, slots=True)
class Term:
    """One term: `code` is `2026-autumn`, after the calendar year; `last` is included."""

    code: str
    words: str
    first: date
    last: date

    def months(self) -> tuple[date, ...]:
        """Return the first day of each month that it has days in."""
        months = [self.first.replace(day=1)]
        while (following := (months[-1] + timedelta(days=32)).replace(day=1)) <= self.last:
            months.append(following)
        return tuple(months)


def term_of(day: date) -> Term:
    """Return the term a day is in."""
    begins, code, words = next(each for each in _TERMS if each[0] <= day.month)
    ends = {9: date(day.year, 12, 31), 4: date(day.year, 8, 31), 1: date(day.year, 3, 31)}[begins]
    return Term(f"{day.year}-{code}", f"{words} {day.year}", date(day.year, begins, 1), ends)


def terms_back(day: date, count: int) -> tuple[Term, ...]:
    """Return the term of a day and those before it, `count` in all, newest first."""
    found = [term_of(day)]
    while len(found) < count:
        found.append(term_of(found[-1].first - timedelta(days=1)))
    return tuple(found)
