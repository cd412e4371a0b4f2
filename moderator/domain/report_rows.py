"""A report's numbers as its reader may be told them: exact, or too coarse to pick anybody out (R35).

Called by the report step and the Trustees pages.
"""

from collections.abc import Callable
from datetime import timedelta

from moderator.domain.report import ReportRow, Tally
from moderator.domain.small_counts import LEAST_FOR_MEDIAN, LEAST_FOR_RATE, Counted, coarse, exact

Count = Callable[[int], Counted]

NOT_TOLD = "not told: too few"

_ROWS = (
    ("Comments read", "read"),
    ("Flagged", "flagged"),
    ("Hidden", "hidden"),
    ("Recorded, not hidden", "showing"),
    ("For a person to decide", "routed"),
    ("Police only", "withheld"),
    ("Decision kept", "kept"),
    ("Shown again (a false flag)", "restored"),
    ("Not decided yet", "undecided"),
    ("Screen prints handed in", "handed_in"),
)

GROUNDS = {
    "abusive": "Abuse",
    "insult": "Insults",
    "threat": "Threats",
    "identity_attack": "Attacks on people for who they are",
    "sexual": "Sexual remarks",
    "profanity": "Swearing",
    "harassment": "Harassment",
    "name": "Names somebody the school protects",
    "pii": "Gives personal details",
    "disclosure": "May tell of harm",
    "crisis": "Its author may be in danger",
    "whistleblowing": "May report wrongdoing",
    "complaint": "A complaint",
    "accused_teacher": "An allegation against staff",
    "indecent_image": "May hold an indecent image",
}
"""What each ground is called in a report."""


def ground_words(label: str) -> str:
    """Return what a ground is called in a report."""
    return GROUNDS.get(label, label.replace("_", " "))


def counter(*, coarsely: bool) -> Count:
    """Return how counts are told: rounded for those who only read counts, exact for those who run the school."""
    return coarse if coarsely else exact


def rows(now: Tally, before: Tally | None, count: Count) -> tuple[ReportRow, ...]:
    """Return the report's numbers, each beside that of the period before."""
    return tuple(
        ReportRow(what, count(getattr(now, name)), None if before is None else count(getattr(before, name))) for what, name in _ROWS
    )


def ground_rows(now: Tally, before: Tally | None, count: Count) -> tuple[ReportRow, ...]:
    """Return the grounds, the commonest now first; those of the period before that did not come up now are last."""
    earlier = dict(before.grounds) if before else {}
    listed = dict(sorted(now.grounds, key=lambda each: -each[1])) | {label: 0 for label in earlier if label not in dict(now.grounds)}
    return tuple(
        ReportRow(ground_words(label), count(number), None if before is None else count(earlier.get(label, 0)))
        for label, number in listed.items()
    )


def rate_words(tally: Tally, *, coarsely: bool) -> str:
    """Return the share of false flags as a sentence's end; for those who only read counts, none of too few decisions."""
    decided = tally.kept + tally.restored
    if not decided:
        return "nothing was decided yet"
    rate = tally.restored / decided
    if coarsely:
        return f"{rate:.0%}" if decided >= LEAST_FOR_RATE else NOT_TOLD
    return f"{rate:.0%}: {tally.restored:,} of {decided:,}"


def wait_told(tally: Tally, *, coarsely: bool) -> timedelta | None:
    """Return the middle time to a decision, where it may be told."""
    return None if coarsely and tally.waits < LEAST_FOR_MEDIAN else tally.wait
