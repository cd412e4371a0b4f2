"""The menu: the pages this person may open at this school, in the order of the day. Called by the layout."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from moderator.domain.access import Action

if TYPE_CHECKING:
    from moderator.web.need import Visit


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: its code, what it is called, and its address."""

    section: str
    title: str
    href: str


_SECTIONS = (
    ("today", "Today", Action.SEE_ITEMS),
    ("alerts", "Alerts", Action.SEE_ITEMS),
    ("records", "Records", Action.SEE_RECORDS),
    ("digests", "Digests", Action.SEE_DIGESTS),
    ("accounts", "Accounts", Action.SEE_ACCOUNTS),
    ("people", "People", Action.SEE_PEOPLE),
    ("roll", "Roll", Action.SEE_ROLL),
    ("policy", "Policy", Action.SEE_POLICY),
    ("activity", "Activity", Action.SEE_ACTIVITY),
    ("health", "Health", Action.SEE_HEALTH),
    ("readers", "Machines that read", Action.MANAGE_READERS),
    ("trustees", "Trustees", Action.SEE_COUNTS),
)


def menu(visit: "Visit") -> tuple[Entry, ...]:
    """Return the entries for a visit."""
    start = f"/schools/{visit.school.slug}"
    return tuple(Entry(code, title, f"{start}/{code}") for code, title, action in _SECTIONS if visit.may(action))


def first_page(visit: "Visit") -> str:
    """Return the address a person lands on after signing in: Today, or the first page they may open."""
    entries = menu(visit)
    return entries[0].href if entries else "/security"
