"""Time as every record, page and mail states it: aware UTC inside, Europe/London beside it (R13)."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")

_UTC_TEXT_LENGTH = len("2026-11-22T10:00:00.123456Z")


def utc_text(moment: datetime) -> str:
    """Return an aware datetime as ISO 8601 UTC with microseconds and `Z`; text order is time order.

    Raises ValueError for a naive datetime.
    """
    if moment.tzinfo is None:
        message = "a time without a zone cannot be recorded: give an aware datetime"
        raise ValueError(message)
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def from_utc_text(text: str) -> datetime:
    """Return the aware UTC datetime that `utc_text` wrote. Raises ValueError for anything else."""
    if len(text) != _UTC_TEXT_LENGTH or not text.endswith("Z"):
        message = f"{text!r} is not a time as this service writes it"
        raise ValueError(message)
    return datetime.fromisoformat(text)


def london_text(moment: datetime) -> str:
    """Return the time in Europe/London with its offset, so that the doubled hour in October is told apart."""
    return moment.astimezone(LONDON).isoformat(sep=" ", timespec="seconds") + " " + moment.astimezone(LONDON).strftime("%Z")


def london_date(moment: datetime) -> date:
    """Return the calendar day in Europe/London, the day a digest is for."""
    return moment.astimezone(LONDON).date()


def london_day(day: date) -> tuple[datetime, datetime]:
    """Return the first instant of a London day and of the next one, in UTC (23 to 25 hours apart)."""
    day = min(day, date.max - timedelta(days=2))  # the last days of all have no next one
    start = datetime.combine(day, time(), tzinfo=LONDON)
    end = datetime.combine(day + timedelta(days=1), time(), tzinfo=LONDON)
    return start.astimezone(UTC), end.astimezone(UTC)


class SystemClock:
    """The machine's clock; implements ports.Clock."""

    def now(self) -> datetime:
        """Return aware UTC."""
        return datetime.now(UTC)


class FrozenClock:
    """A clock that stands still until it is moved: for rehearsals and tests; implements ports.Clock."""

    def __init__(self, at: datetime) -> None:
        """Start at an aware time."""
        self._at = at.astimezone(UTC)

    def now(self) -> datetime:
        """Return the time it was set to."""
        return self._at

    def move(self, by: timedelta) -> None:
        """Move on, or back with a negative duration."""
        self._at += by
