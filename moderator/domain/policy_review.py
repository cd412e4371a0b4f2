"""The policy's yearly review: when it is due, and who says that it was done (R33). Shown on Today, Health and the Policy page."""

from datetime import date, timedelta

from moderator.domain.errors import BadInput

FIRST_DUE = date(2025, 8, 31)
"""From the trust's policy itself: "Next review due by 31.08.2025"."""

LONGEST = timedelta(days=400)
"""How far off the next review may be: a year, and a month for a late governors' meeting (our choice; the policy says annual)."""


def overdue(due: date, today: date) -> int:
    """Return how many days a review is overdue on a day; 0 when it is not."""
    return max((today - due).days, 0)


def refuse_bad_date(due: date, today: date) -> None:
    """Raise BadInput unless the next review is after today and about a year away at most."""
    if due <= today:
        message = "The next review is a day to come. Give a date after today."
        raise BadInput(message)
    if due > today + LONGEST:
        message = f"The policy is reviewed every year. Give a date up to {today + LONGEST:%d %B %Y}."
        raise BadInput(message)
