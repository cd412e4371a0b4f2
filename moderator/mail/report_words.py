"""What a week's or a term's report says in words, and its chart. The composer calls it."""

from dataclasses import dataclass

from moderator.domain.report import Report, ReportKind
from moderator.mail.chart import BARS, BEFORE, TOLD, share
from moderator.mail.moments import gap_words, span_words
from moderator.mail.words import capital, plural

_NAMES = {ReportKind.WEEKLY: ("This week", "Week before"), ReportKind.TERMLY: ("This term", "Term before")}


@dataclass(frozen=True, slots=True)
class BarRow:
    """One period of the chart: `width` in percent of the longest bar (0 to 100), `marks` the same in the plain text."""

    of: str
    words: str
    width: int
    marks: str
    colour: str

    def __str__(self) -> str:
        """Return the bar as a line of the plain text, at most 72 columns."""
        return f"{self.of:<12} {self.words:>13}  {self.marks}".rstrip()


def title(report: Report) -> str:
    """Return what the report is of: `Report for Monday 16 to Sunday 22 November 2026`, or `Report for Autumn 2026`."""
    of = report.period.words if report.kind is ReportKind.TERMLY else span_words(report.period.first, report.period.last)
    return f"Report for {of}"


def columns(report: Report) -> tuple[str, str]:
    """Return the heads of its columns of numbers; the second is empty when there is nothing to compare with."""
    now, before = _NAMES[report.kind]
    return now, before if any(row.before for row in report.rows) else ""


def headline(report: Report) -> str:
    """Return the one thing that the report says, as its subject and its first words."""
    flagged = next(row for row in report.rows if row.what == "Flagged")
    if flagged.now.words == "0":
        return "Nothing was flagged"
    one = flagged.now.words == "1"
    said = f"{capital(flagged.now.words)} {'comment was' if one else 'comments were'} flagged"
    if flagged.before is None:
        return said
    return f"{said}, {flagged.before.words if flagged.before.words != '0' else 'none'} the {_NAMES[report.kind][1].lower()}"


def bars(report: Report) -> tuple[BarRow, ...]:
    """Return the chart's rows, oldest first; none while there is one period alone, or nothing to draw."""
    longest = max((bar.flagged.size for bar in report.chart), default=0)
    if len(report.chart) < 2 or not longest:  # noqa: PLR2004 - one bar alone says nothing
        return ()
    last = len(report.chart) - 1
    return tuple(
        BarRow(
            bar.of,
            bar.flagged.words,
            share(bar.flagged.size, longest, 100),
            "#" * share(bar.flagged.size, longest, BARS),
            TOLD if number == last else BEFORE,
        )
        for number, bar in enumerate(report.chart)
    )


def wait_words(report: Report) -> str:
    """Return the time to a person's decision, as a sentence."""
    if report.wait is not None:
        return f"Half of the decisions came within {gap_words(report.wait)} of first sight, half later."
    return "The time to a decision is not told: there were too few." if report.too_few else "Nobody decided on any of them yet."


def gap_words_of(report: Report) -> str:
    """Return how well the accounts were watched, as a sentence."""
    if not report.gap_days:
        return "No gap in checking the accounts was noticed."
    return f"On {plural(report.gap_days, 'day')} of {report.days} an account was not checked for too long, or could not be."


def rounded(report: Report) -> str:
    """Return why its numbers are as they are, as a sentence."""
    if report.coarse:
        return "Numbers are rounded to the nearest 5, and small ones are not told, so that nobody can be picked out."
    return "Comments that name you are not counted here. Nor is what only safeguarding leads are told of, unless you are one."
