"""How the evidence stands, in the digest's words. The composer calls it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from moderator.domain.checks import CheckSummary, EvidenceStanding
from moderator.domain.times import london_date
from moderator.mail.moments import day_words, gap_words, moment_words
from moderator.mail.words import plural

LATE = timedelta(days=2)
"""A last check older than this is told as a warning (our choice): two nights were missed."""


@dataclass(frozen=True, slots=True)
class EvidenceLine:
    """One sentence about the evidence; `warning` when a person must act."""

    text: str
    warning: bool = False


def evidence_lines(standing: EvidenceStanding, now: datetime) -> tuple[EvidenceLine, ...]:
    """Return how the evidence stands: the last check, the full one, stamps that are waited for, reviews that are due, the witness."""
    lines = [_last(standing.sample, now), _full(standing)]
    if standing.stamps_pending:
        lines.append(
            EvidenceLine(f"{plural(standing.stamps_pending, 'record')} still without an outside time stamp. The service keeps asking.")
        )
    if standing.due_for_review:
        come = "comes" if standing.due_for_review == 1 else "come"
        text = (
            f"{plural(standing.due_for_review, 'record')} {come} up for review this month. Nothing is disposed of unless two people decide."
        )
        lines.append(EvidenceLine(text))
    if standing.witness_waiting:
        lines.append(EvidenceLine("The trust's witness mailbox is not taking our mail. Ask your IT lead to look.", warning=True))
    return tuple(lines)


def _last(run: CheckSummary | None, now: datetime) -> EvidenceLine:
    if run is None:
        return EvidenceLine("The records have not been checked yet. The first check comes in the first night.")
    when = f"Last check of the records: {moment_words(run.started_at)}."
    if run.faults:
        return EvidenceLine(f"{when} {_counted(run)}. Ask your IT lead to look today, and keep this message.", warning=True)
    if now - run.started_at > LATE:
        gap = gap_words(now - run.started_at)
        return EvidenceLine(f"{when} That is {gap} ago: the nightly check is not running. Ask your IT lead to look.", warning=True)
    return EvidenceLine(f"{when} {_counted(run)}.")


def _full(standing: EvidenceStanding) -> EvidenceLine:
    run, done = standing.running, standing.full
    if run is not None:
        begun = f"The monthly check of every record began on {day_words(london_date(run.started_at))}: {_counted(run)} so far."
        return EvidenceLine(begun, warning=bool(run.faults))
    if done is None:
        return EvidenceLine("The monthly check of every record has not been made yet.")
    return EvidenceLine(
        f"Every record was last checked on {day_words(london_date(done.started_at))}: {_counted(done)}.", warning=bool(done.faults)
    )


def _counted(run: CheckSummary) -> str:
    disposed = f" ({run.disposed:,} of them lawfully disposed of)" if run.disposed else ""
    faults = plural(run.faults, "fault") if run.faults else "nothing wrong"
    return f"{plural(run.checked, 'record')}{disposed}, {faults}"
