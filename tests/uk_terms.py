"""The school calendar of 2026/27 as an English county might set it, and twenty schools of one trust: for the simulated school year.

What a school must be told, and when, is worked out here from the words of R7 and the settings' guide, day by day with the standard
library alone: nothing of moderator.domain.calendar is used, so that the two can disagree.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")
A_DAY = timedelta(days=1)

HOLIDAYS = (
    (date(2026, 10, 26), date(2026, 10, 30)),
    (date(2026, 12, 21), date(2027, 1, 1)),
    (date(2027, 2, 15), date(2027, 2, 19)),
    (date(2027, 3, 26), date(2027, 4, 9)),
    (date(2027, 5, 3), date(2027, 5, 3)),
    (date(2027, 5, 31), date(2027, 6, 4)),
    (date(2027, 7, 22), date(2027, 9, 1)),
)
"""Half terms, Christmas, Easter (Good Friday is 26 March 2027), the May bank holiday, and the summer with a training day."""

TWO_WEEKS_IN_OCTOBER = ((date(2026, 10, 19), date(2026, 10, 30)), *HOLIDAYS[1:])
SNOW = (*HOLIDAYS, (date(2027, 1, 19), date(2027, 1, 20)))
"""A school that was closed for snow, and said so on the morning."""

FIRST = date(2026, 9, 1)


@dataclass(frozen=True, slots=True)
class Setting:
    """What a school's settings say from a London midnight on."""

    begins: date
    hour: int = 7
    closed: tuple[tuple[date, date], ...] = HOLIDAYS
    while_closed: bool = True

    def is_school_day(self, day: date) -> bool:
        """Return whether the school is open on a London day."""
        return day.weekday() < 5 and not any(first <= day <= last for first, last in self.closed)

    def tells_on(self, day: date) -> bool:
        """Return whether a digest comes on that London day."""
        return self.while_closed or self.is_school_day(day)


@dataclass(frozen=True, slots=True)
class Plan:
    """One school: when it joined, and its settings through the year, the oldest first."""

    slug: str
    name: str
    settings: tuple[Setting, ...]
    joined: datetime

    def setting(self, day: date) -> Setting:
        """Return the setting of a London day."""
        return [each for each in self.settings if each.begins <= day][-1]

    @property
    def changes(self) -> tuple[date, ...]:
        """Return the London days on which the settings change."""
        return tuple(each.begins for each in self.settings[1:])


@dataclass(frozen=True, slots=True)
class DigestDue:
    """A digest that must come: the London days it tells of, and the instant before which it must not."""

    school: str
    first: date
    last: date
    not_before: datetime


def at_london(day: date, hour: int, minute: int = 0) -> datetime:
    """Return the instant at which London's clocks show an hour of a day; of the doubled hour the first, after the missing one the next."""
    return datetime.combine(day, time(hour, minute), tzinfo=LONDON).astimezone(UTC)


def days(first: date, last: date) -> Iterator[date]:
    """Return the days from first to last, both included."""
    return (first + timedelta(days=number) for number in range((last - first).days + 1))


def digests_due(plan: Plan, until: datetime) -> list[DigestDue]:
    """Return every digest of a school that must have been written by an instant.

    On each morning that is told on, one that tells of every day since the last one. A school that hears daily has a digest of its own
    for each day; of those that waited when it chose so too, and at once.
    """
    due: list[DigestDue] = []
    untold = plan.joined.astimezone(LONDON).date()
    for morning in days(untold + A_DAY, until.astimezone(LONDON).date()):
        setting = plan.setting(morning)
        hour = at_london(morning, setting.hour)
        if setting.tells_on(morning) and hour <= until:
            firsts = list(days(untold, morning - A_DAY)) if setting.while_closed else [untold]
            lasts = firsts if setting.while_closed else [morning - A_DAY]
            hours = [at_london(last + A_DAY, setting.hour) for last in lasts]
            due += [DigestDue(plan.slug, *each) for each in zip(firsts, lasts, hours, strict=True)]
            untold = morning
    return due


_NAMES = (
    "Alder Grove", "Birchfield", "Cedar Lane", "Damson Hill", "Elmbridge", "Fernley", "Gorse Common", "Hazelwood", "Ivy Bank",
    "Juniper Way", "Kestrel Rise", "Larkfield", "Maplewood", "Nettlecombe", "Oakfield", "Pinewood", "Quince Road", "Rowan Park",
    "Sorrel Street", "Thornbury",
)  # fmt: skip


def plans(count: int = 20, *, first: date = FIRST) -> list[Plan]:
    """Return up to twenty schools with settings of many kinds, as they stand when the simulation begins on a London day.

    Every fourth hears on school days alone; hours from midnight to late evening; some change their settings in the year.
    """
    changes: dict[int, Sequence[Setting]] = {
        1: (Setting(FIRST, while_closed=False),),
        2: (Setting(FIRST, hour=16), Setting(date(2026, 11, 14), hour=6), Setting(date(2027, 3, 28), hour=16)),
        3: (Setting(FIRST, while_closed=True), Setting(date(2026, 12, 19), while_closed=False), Setting(date(2027, 1, 9))),
        5: (Setting(FIRST, while_closed=False), Setting(date(2026, 10, 31)), Setting(date(2027, 2, 13), while_closed=False)),
        6: (Setting(FIRST, hour=0),),
        7: (Setting(FIRST, hour=1),),  # the hour that is there twice in October, and not at all in March
        8: (Setting(FIRST, hour=23, while_closed=False),),
        9: (Setting(FIRST, closed=TWO_WEEKS_IN_OCTOBER, while_closed=False),),
        10: (Setting(FIRST, hour=8, while_closed=False), Setting(date(2027, 1, 19), hour=8, closed=SNOW, while_closed=False)),
        13: (Setting(FIRST, hour=16, while_closed=False), Setting(date(2027, 6, 6), hour=7, while_closed=False)),
        17: (Setting(FIRST, hour=6, while_closed=False), Setting(date(2027, 7, 20), hour=6)),
    }
    late = {18: at_london(date(2027, 1, 4), 0, 30), 19: at_london(date(2027, 3, 28), 23, 30), 20: at_london(date(2026, 10, 25), 12)}
    made = []
    for number, name in enumerate(_NAMES[:count], start=1):
        settings = tuple(changes.get(number, (Setting(FIRST),)))
        joined = max(late.get(number, at_london(FIRST, 0, 30)), at_london(first, 0, 30))
        made.append(Plan(name.lower().replace(" ", "-"), f"{name} Primary School", settings, joined))
    return made
