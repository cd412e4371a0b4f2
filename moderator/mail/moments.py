"""Times as a Headteacher reads them: London first, UTC beside it (R13). The templates call these as filters."""

from datetime import UTC, date, datetime, timedelta

from moderator.domain.times import LONDON
from moderator.mail.words import plural

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def day_words(day: date) -> str:
    """Return `Sunday 22 November 2026`."""
    return f"{WEEKDAYS[day.weekday()]} {day.day} {_MONTHS[day.month - 1]} {day.year}"


def span_words(first: date, last: date) -> str:
    """Return `Friday 20 to Sunday 22 November 2026`; the month and the year are said twice where they differ, and one day is one day."""
    if first == last:
        return day_words(last)
    start = f"{WEEKDAYS[first.weekday()]} {first.day}"
    if (first.year, first.month) != (last.year, last.month):
        start += f" {_MONTHS[first.month - 1]}"
    if first.year != last.year:
        start += f" {first.year}"
    return f"{start} to {day_words(last)}"


def when_words(moment: datetime, day: date) -> str:
    """Return `16:52 GMT` for a moment of the London day, and `20 November, 16:52 GMT` for one of another."""
    london = moment.astimezone(LONDON)
    if london.date() == day:
        return clock_words(moment)
    year = f" {london.year}" if london.year != day.year else ""
    return f"{london.day} {_MONTHS[london.month - 1]}{year}, {clock_words(moment)}"


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
