"""A term's counts as trustees read them: in words, in charts, and too coarse to pick anybody out (R35). Called by the Trustees pages."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup

from moderator.domain.report import Tally
from moderator.domain.report_rows import NOT_TOLD, Count, counter, ground_words, rate_words
from moderator.domain.small_counts import LEAST_FOR_MEDIAN
from moderator.domain.terms import Term
from moderator.mail.moments import gap_words
from moderator.store.counting import Counts
from moderator.web.chart import Bar, bars


@dataclass(frozen=True, slots=True)
class Table:
    """A table with its chart: its title, what its rows are, the heads of its columns of numbers, and its rows."""

    title: str
    of: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    chart: Markup


@dataclass(frozen=True, slots=True)
class Report:
    """A term's report. `rate` and `wait` are sentences' ends; `coarse` says that counts are rounded."""

    term: Term
    coarse: bool
    read: str
    flagged: str
    handed_in: str
    rate: str
    wait: str
    tables: tuple[Table, ...]


def report(term: Term, counts: Counts, *, plain: bool) -> Report:
    """Return a term's report: `plain` with the exact counts, else with none from which somebody can be picked out."""
    count = counter(coarsely=not plain)
    done = (
        ("Hidden", counts.hidden),
        ("Recorded, not hidden", counts.showing),
        ("For a person, never hidden", counts.routed),
        ("Police only", counts.withheld),
    )
    decided = (("Decision kept", counts.kept), ("Shown again: a false flag", counts.restored), ("Not decided yet", counts.undecided))
    grounds = [(ground_words(label), number) for label, number in counts.by_ground.most_common()]
    return Report(
        term=term,
        coarse=not plain,
        read=count(counts.read).words,
        flagged=count(counts.flagged).words,
        handed_in=count(counts.handed_in).words,
        rate=rate_words(Tally(kept=counts.kept, restored=counts.restored), coarsely=not plain),
        wait=_wait(counts, plain=plain),
        tables=(
            _one("What was done with flagged comments", "What was done", done, count),
            _one("What people decided about them", "Decision", decided, count),
            _by_month(counts, term, count),
            _one("Why comments were flagged (a comment can have several grounds)", "Ground", grounds, count),
        ),
    )


def _one(title: str, of: str, rows: Iterable[tuple[str, int]], count: Count) -> Table:
    counted = [(name, count(number)) for name, number in rows]
    chart = bars(title, [Bar(name, number.size, number.words) for name, number in counted])
    return Table(title, of, ("Comments",), tuple((name, (number.words,)) for name, number in counted), chart)


def _by_month(counts: Counts, term: Term, count: Count) -> Table:
    title = "Flagged comments by month"
    months = [(month, count(counts.read_by_month[month]), count(counts.flagged_by_month[month])) for month in term.months()]
    chart = bars(title, [Bar(_month(month), flagged.size, flagged.words) for month, _, flagged in months])
    rows = tuple((_month(month), (read.words, flagged.words)) for month, read, flagged in months)
    return Table(title, "Month", ("Read", "Flagged"), rows, chart)


def _month(first: date) -> str:
    return f"{first:%B} {first.year}"


def _wait(counts: Counts, *, plain: bool) -> str:
    wait = counts.median_wait
    if wait is None:
        return "nothing was decided yet"
    return gap_words(wait) if plain or len(counts.waits) >= LEAST_FOR_MEDIAN else NOT_TOLD
