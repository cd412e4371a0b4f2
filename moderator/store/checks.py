"""The service's own checks: their runs, the records they look at, and how the evidence stands. Called by the verify step and the digest."""

import json
from collections.abc import Callable, Collection, Iterable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from moderator.domain.checks import CheckKind, CheckRun, CheckSummary, EvidenceStanding, SealedPlace
from moderator.domain.events import Event, Head
from moderator.domain.record import Fault
from moderator.domain.times import from_utc_text, london_date, utc_text
from moderator.store.items import RECORDS
from moderator.store.ledger import LEDGER
from moderator.store.outbox import DIGESTS, OUTBOX
from moderator.store.record_tables import CheckRow, DisposalRow, RetentionRow

CHECKS: sa.Table = CheckRow.__table__  # type: ignore[attr-defined] # SQLModel sets it at class creation
DISPOSALS: sa.Table = DisposalRow.__table__  # type: ignore[attr-defined] # as above
RETENTION: sa.Table = RetentionRow.__table__  # type: ignore[attr-defined] # as above

RUNS_BACK = 100
"""Runs looked at for faults told lately: more than two months of nights."""

WITNESS = "witness-"
"""How the keys of witness mails begin."""


class CheckWrites:
    """The part of a unit that keeps the runs of the check."""

    connection: sa.Connection

    def check_kept(self, run: CheckRun) -> CheckRun:
        """Store a run as it stands, and return it with its number; a run that has one is replaced."""
        details = {
            "found": [[fault.code, fault.where, fault.what] for fault in run.found],
            "told": {key: utc_text(at) for key, at in run.told.items()},
        }
        values = {
            "school": run.school,
            "kind": run.kind.value,
            "started_at": run.started_at,
            "finished_at": run.finished_at,
            "position": run.position,
            "checked": run.checked,
            "disposed": run.disposed,
            "faults": run.faults,
            "details": json.dumps(details, separators=(",", ":")),
        }
        if run.id:
            self.connection.execute(sa.update(CHECKS).where(CHECKS.c.id == run.id).values(values))
            return run
        made = self.connection.execute(sa.insert(CHECKS).values(values).returning(CHECKS.c.id)).scalar_one()
        return replace(run, id=made)


class CheckReads:
    """The part of the store that the check reads."""

    reading: Callable[[], AbstractContextManager[sa.Connection]]

    def last_check(self, school: str, kind: CheckKind) -> CheckRun | None:
        """Return a school's newest run of a kind, finished or not."""
        wanted = sa.select(CHECKS).where(CHECKS.c.school == school, CHECKS.c.kind == kind.value).order_by(CHECKS.c.id.desc()).limit(1)
        with self.reading() as connection:
            row = connection.execute(wanted).mappings().one_or_none()
        return _run(row) if row is not None else None

    def faults_told(self, school: str, *, since: datetime) -> frozenset[str]:
        """Return the keys of the faults that were told since then."""
        wanted = sa.select(CHECKS.c.details).where(CHECKS.c.school == school).order_by(CHECKS.c.id.desc()).limit(RUNS_BACK)
        with self.reading() as connection:
            details = list(connection.execute(wanted).scalars())
        return frozenset(key for each in details for key, at in _details(each)[1].items() if at >= since)

    def sample(self, school: str, *, count: int, since: datetime, again: Collection[str] = ()) -> list[SealedPlace]:
        """Return `count` records drawn by chance, every one sealed since then and those of `again`; each once, in order of sealing."""
        sealed = _sealed(school)
        with self.reading() as connection:
            drawn = connection.execute(sealed.order_by(sa.func.random()).limit(count)).all()
            named = connection.execute(sealed.where(sa.or_(LEDGER.c.at >= since, LEDGER.c.subject.in_(again)))).all()
        return _places(sorted((*drawn, *named), key=lambda row: row.seq))

    def sealed_after(self, school: str, position: str, *, limit: int) -> list[SealedPlace]:
        """Return up to `limit` records that the ledger says were sealed, in order of their numbers, after `position` ("": the first)."""
        wanted = _sealed(school).where(LEDGER.c.subject > position).order_by(LEDGER.c.subject, LEDGER.c.seq).limit(limit)
        with self.reading() as connection:
            return _places(connection.execute(wanted))

    def not_sealed(self, school: str, paths: Iterable[str]) -> list[str]:
        """Return those of the paths that no `sealed` line of the school's ledger names."""
        asked = list(paths)
        wanted = _sealed(school).where(LEDGER.c.subject.in_({path.rpartition("/")[2] for path in asked}))
        with self.reading() as connection:
            known = {_path(row.line) for row in connection.execute(wanted)}
        return [path for path in asked if path not in known]

    def lost_heads(self, school: str) -> list[Head]:
        """Return the heads printed in digests that are no line of the ledger any more, oldest first."""
        line = sa.and_(LEDGER.c.school == DIGESTS.c.school, LEDGER.c.seq == DIGESTS.c.head_seq, LEDGER.c.hash == DIGESTS.c.head_hash)
        wanted = (
            sa.select(DIGESTS.c.head_seq, DIGESTS.c.head_hash)
            .outerjoin(LEDGER, line)
            .where(DIGESTS.c.school == school, DIGESTS.c.head_seq > 0, LEDGER.c.seq.is_(None))
            .order_by(DIGESTS.c.head_seq)
        )
        with self.reading() as connection:
            return [Head(row.head_seq, row.head_hash) for row in connection.execute(wanted)]


def standing(connection: sa.Connection, school: str, now: datetime) -> EvidenceStanding:
    """Return how a school's evidence stands: for the digest, the Health page and doctor."""
    full, running = (
        _summary(connection, school, CheckKind.FULL, finished=True),
        _summary(connection, school, CheckKind.FULL, finished=False),
    )
    return EvidenceStanding(
        sample=_summary(connection, school, CheckKind.SAMPLE, finished=True),
        full=full,
        running=running,
        stamps_pending=_stamps_pending(connection, school),
        due_for_review=due_for_review(connection, school, by=month_end(london_date(now))),
        witness_waiting=_count(connection, sa.select(OUTBOX.c.id).where(OUTBOX.c.key.startswith(WITNESS), _stuck())),
    )


def faults(connection: sa.Connection, school: str) -> int:
    """Return how many faults the last checks of a school's evidence found, as `standing` does and at less cost."""
    return EvidenceStanding(
        sample=_summary(connection, school, CheckKind.SAMPLE, finished=True),
        full=_summary(connection, school, CheckKind.FULL, finished=True),
        running=_summary(connection, school, CheckKind.FULL, finished=False),
    ).faults


def due_for_review(connection: sa.Connection, school: str, *, by: date) -> int:
    """Return how many records have a review date up to and including `by`, by their newest row; those disposed of are left out."""
    newer = RETENTION.alias("newer")
    superseded = sa.select(newer.c.id).where(newer.c.record_id == RETENTION.c.record_id, newer.c.id > RETENTION.c.id)
    gone = sa.select(DISPOSALS.c.id).where(DISPOSALS.c.record_id == RETENTION.c.record_id, DISPOSALS.c.approved_at.is_not(None))
    wanted = sa.select(RETENTION.c.id).where(
        RETENTION.c.school == school, RETENTION.c.review_on <= by, ~superseded.exists(), ~gone.exists()
    )
    return _count(connection, wanted)


def month_end(day: date) -> date:
    """Return the last day of the month."""
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1) - timedelta(days=1)


def _stamps_pending(connection: sa.Connection, school: str) -> int:
    return _count(connection, sa.select(RECORDS.c.record_id).where(RECORDS.c.school == school, RECORDS.c.stamp_pending))


def _stuck() -> sa.ColumnElement[bool]:
    return sa.and_(OUTBOX.c.sent_at.is_(None), OUTBOX.c.attempts > 0)


def _count(connection: sa.Connection, wanted: sa.Select[Any]) -> int:
    return connection.execute(sa.select(sa.func.count()).select_from(wanted.subquery())).scalar_one()


def _summary(connection: sa.Connection, school: str, kind: CheckKind, *, finished: bool) -> CheckSummary | None:
    state = CHECKS.c.finished_at.is_not(None) if finished else CHECKS.c.finished_at.is_(None)
    wanted = sa.select(CHECKS).where(CHECKS.c.school == school, CHECKS.c.kind == kind.value, state).order_by(CHECKS.c.id.desc()).limit(1)
    row = connection.execute(wanted).one_or_none()
    return CheckSummary(row.started_at, row.finished_at, row.checked, row.disposed, row.faults) if row is not None else None


def _run(row: Any) -> CheckRun:  # noqa: ANN401 - a row of CHECKS
    found, told = _details(row["details"])
    return CheckRun(
        school=row["school"],
        kind=CheckKind(row["kind"]),
        started_at=row["started_at"],
        id=row["id"],
        finished_at=row["finished_at"],
        position=row["position"],
        checked=row["checked"],
        disposed=row["disposed"],
        faults=row["faults"],
        found=found,
        told=told,
    )


def _details(text: str) -> tuple[tuple[Fault, ...], dict[str, datetime]]:
    kept = json.loads(text) or {"found": [], "told": {}}
    return tuple(Fault(*each) for each in kept["found"]), {key: from_utc_text(at) for key, at in kept["told"].items()}


def _sealed(school: str) -> sa.Select[Any]:
    gone = LEDGER.alias("gone")
    disposed = sa.select(gone.c.seq).where(
        gone.c.school == school, gone.c.subject == LEDGER.c.subject, gone.c.event == Event.DISPOSED.value
    )
    columns = (LEDGER.c.seq, LEDGER.c.subject, LEDGER.c.line, disposed.exists().label("disposed"))
    return sa.select(*columns).where(LEDGER.c.school == school, LEDGER.c.event == Event.SEALED.value)


def _path(line: str) -> str:
    return str(json.loads(line).get("path", ""))


def _places(rows: Iterable[Any]) -> list[SealedPlace]:
    """Return the places in the order of the rows, each record once: a second `sealed` line of the same record adds nothing."""
    first: dict[str, SealedPlace] = {}
    for row in rows:
        if row.subject not in first:
            first[row.subject] = SealedPlace(row.subject, _path(row.line), disposed=bool(row.disposed))
    return list(first.values())
