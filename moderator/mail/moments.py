"""Times as a Headteacher reads them: London first, UTC beside it (R13). The templates call these as filters."""

from datetime import UTC, date, datetime, timedelta

from moderator.domain.times import LONDON
from moderator.mail.words import plural

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def day_words(day: date) -> str:
    """Return `Sunday 22 November 2026`."""
    return f"{_DAYS[day.weekday()]} {day.day} {_MONTHS[day.month - 1]} {day.year}"


def clock_words(moment: datetime) -> str:
    """Return `16:52 GMT`, the London time of day; the zone's letters tell the doubled hour in October apart."""
    return moment.astimezone(LONDON).strftime("%H:%M %Z")


def moment_words(moment: datetime) -> str:
    """Return `Sunday 22 November 2026, 16:52 GMT (16:52 UTC)`; the UTC date is given where it differs."""
    london, utc = moment.astimezone(LONDON), moment.astimezone(UTC)
    beside = utc.strftime("%H:%M UTC")
    if utc.date() != london.date():
        beside = f"{utc.day} {_MONTHS[utc.month - 1]}, {beside}"
    return f"{day_words(london.date())}, {clock_words(moment)} ({beside})"


def gap_words(gap: timedelta) -> str:
    """Return a gap in its largest unit: `4 minutes`, `3 hours`, `2 days`. Less than a minute, or below zero, is `less than a minute`."""
    for unit, length in (("day", timedelta(days=1)), ("hour", timedelta(hours=1)), ("minute", timedelta(minutes=1))):
        if gap >= length:
            return plural(gap // length, unit)
    return "less than a minute"
