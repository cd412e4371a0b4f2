"""Verify: the service checks its own records, some every night and all every month, and tells of faults. Called by the schedule."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import TypeVar

from moderator import observe
from moderator.domain import checks
from moderator.domain.checks import CheckKind, CheckRun, SealedPlace
from moderator.domain.decision import Severity
from moderator.domain.digest import AlertKind
from moderator.domain.errors import BadInput, EvidenceFailed, ModeratorError, NotAllowed, Transient
from moderator.domain.events import Event, LedgerEvent
from moderator.domain.record import Fault, Verification
from moderator.domain.record_key import key_sha256
from moderator.domain.times import from_utc_text
from moderator.domain.work import AlertRequest
from moderator.ports import RecordCheck
from moderator.steps.drain import PER_DAY, Tools, tell_of_system

T = TypeVar("T")

TURN = timedelta(minutes=1)
"""Longest time one call goes on beginning new work, of the ten minutes between two calls (our choice): other steps are never starved."""

RECENT = timedelta(days=2)
"""Records sealed so lately are all in the night's sample."""

SETTLING = timedelta(days=1)
"""How long a bag may lie in the vault before its ledger line does: a crash between the two is made up for within hours."""

NOT_CHECKED = "The permanent records could not be checked: the check itself broke."
NOT_CHECKED_DONE = (
    "It is tried again every ten minutes. Nothing is lost or changed, but a fault in a record would not be told meanwhile. Ask your IT lead"
    " to run `moderator verify` on the vault."
)


def verify(tools: Tools, *, limit: int = 1000) -> int:
    """Check what is due, `limit` records at once, for no longer than TURN; return 0: what is left waits for the next call.

    1. The night's sample of each school, once a London date; one missed while the machine was off is made up for.
    2. Then the month's full pass, one school at a time, a slice at a time, going on where it stopped.

    One school that cannot be checked now (its vault is away) does not stop the others. One whose check breaks does not either, and a
    person is told.
    """
    if tools.check is None:
        return 0
    until = tools.clock.now() + TURN
    for job in (_sample, _full):
        for school in tools.store.schools():
            if tools.clock.now() >= until:
                return 0
            try:
                job(_Desk(tools, tools.check, school.slug, limit), until)
            except ModeratorError as error:
                observe.went_wrong("check_waits", school=school.slug, error=type(error).__name__)
            except Exception as error:  # noqa: BLE001 - whatever one school's records do to the check, the others' must be checked
                _tell_of_broken(tools, school.slug, error)
    return 0


def _tell_of_broken(tools: Tools, school: str, error: Exception) -> None:
    observe.went_wrong("check_broke", school=school, error=type(error).__name__)
    with tools.store.unit() as unit:
        tell_of_system(unit, school, what=NOT_CHECKED, done=NOT_CHECKED_DONE, at=tools.clock.now(), spell=PER_DAY)


@dataclass(frozen=True, slots=True)
class _Desk:
    """One school's check: what it works with."""

    tools: Tools
    check: RecordCheck
    school: str
    limit: int


def _sample(desk: _Desk, until: datetime) -> None:
    """Check one school's night: the ledger against its copy, the heads that digests printed, and a sample of the records.

    Records that were at fault the last time are looked at again, so that a fault does not drop out of sight by chance.
    """
    del until
    tools, school, at = desk.tools, desk.school, desk.tools.clock.now()
    last = tools.store.last_check(school, CheckKind.SAMPLE)
    if not checks.sample_due(last, at):
        return
    again = checks.at_fault(last, tools.store.last_check(school, CheckKind.FULL))
    drawn = tools.store.sample(school, count=tools.verify_sample, since=at - RECENT, again=again)
    _bring_up_to_date(tools, school)
    run = CheckRun(school, CheckKind.SAMPLE, at)
    run = run.plus(checked=0, disposed=0, faults=_of_the_ledger(tools, school), position="")
    for places in _slices(iter(drawn), desk.limit):
        found = _look_at(desk, places)
        run = run.plus(checked=found.checked, disposed=found.disposed, faults=found.faults, position="")
    _finish(tools, run, complete=False)


def _full(desk: _Desk, until: datetime) -> None:
    """Do the next slices of one school's full pass: every record that the ledger names, then every bag that it does not."""
    tools, school, at = desk.tools, desk.school, desk.tools.clock.now()
    last = tools.store.last_check(school, CheckKind.FULL)
    if not checks.full_due(last, at):
        return
    run = last if last is not None and last.finished_at is None else CheckRun(school, CheckKind.FULL, at)
    while tools.clock.now() < until:
        places = tools.store.sealed_after(school, run.position, limit=desk.limit)
        _bring_up_to_date(tools, school)
        if not places:
            run = run.plus(checked=0, disposed=0, faults=_strangers(desk), position=run.position)
            _finish(tools, run, complete=True)
            return
        found = _look_at(desk, places)
        run = run.plus(checked=found.checked, disposed=found.disposed, faults=found.faults, position=places[-1].record_id)
        run = _keep(tools, run)


def check_now(tools: Tools, school: str, *, limit: int = 1000) -> Verification:
    """Return what a full look at one school finds: its ledger, every record the ledger names with its key, every bag it does not name.

    For a person who asks: nothing is kept and nobody is told. `limit` records at once. May be repeated. Raises NotAllowed when no check is
    set up, Transient when the vault or the ledger's file is away.
    """
    if tools.check is None:
        message = "no check of the records is set up"
        raise NotAllowed(message)
    desk = _Desk(tools, tools.check, school, limit)
    _bring_up_to_date(tools, school)
    faults, checked, disposed, position = list(_of_the_ledger(tools, school)), 0, 0, ""
    while places := tools.store.sealed_after(school, position, limit=limit):
        found = _look_at(desk, places)
        faults += found.faults
        checked, disposed, position = checked + found.checked, disposed + found.disposed, places[-1].record_id
    return Verification(checked, (*faults, *_strangers(desk)), disposed)


def _bring_up_to_date(tools: Tools, school: str) -> None:
    """Write the ledger's file as far as the database goes, so that the check finds every line; a file that is wrong is found below."""
    try:
        tools.ledger.sync(school)
    except EvidenceFailed:
        observe.went_wrong("ledger_behind", school=school, error=EvidenceFailed.__name__)


def _of_the_ledger(tools: Tools, school: str) -> tuple[Fault, ...]:
    lost = tools.store.lost_heads(school)
    heads = tuple(
        Fault(
            "digest_head",
            f"{school} ledger line {head.seq}",
            "A digest printed this line's hash, and the ledger does not have it any more.",
        )
        for head in lost
    )
    return (*tools.ledger.differences(school), *heads)


def _look_at(desk: _Desk, places: list[SealedPlace]) -> Verification:
    """Check some records; what seems at fault is looked at twice, since a stamp may be arriving or a disposal be under way."""
    found = _look_once(desk, places)
    if found.ok:
        return found
    _bring_up_to_date(desk.tools, desk.school)
    return _look_once(desk, places)


def _look_once(desk: _Desk, places: list[SealedPlace]) -> Verification:
    found = desk.check.check(desk.school, [place.path for place in places])
    keys = tuple(fault for place in places if (fault := _key_fault(desk.tools, place)) is not None)
    return replace(found, faults=(*found.faults, *keys))


def _key_fault(tools: Tools, place: SealedPlace) -> Fault | None:
    """Return what is wrong with an encrypted record's key: lost, another one, or not destroyed although the record was disposed of."""
    wanted = _key_named(tools, place.path)
    if wanted is None or tools.record_keys is None:
        return None
    try:
        key = tools.record_keys.get(place.record_id)
    except BadInput:
        return Fault("key_lost", place.path, "The record's key cannot be read with the encryption key given.")
    if place.disposed:
        return Fault("key_still_there", place.path, "The record was disposed of, and its key is still there.") if key else None
    if key is None:
        return Fault("key_lost", place.path, "The record is encrypted, and its key is not there.")
    if key_sha256(key) != wanted:
        return Fault("key_wrong", place.path, "The record is encrypted with another key than the one kept for it.")
    return None


def _key_named(tools: Tools, path: str) -> str | None:
    """Return the hash of the key that a record is encrypted with; None when it is not, or does not say: the check tells of that."""
    seal = _seal(tools, path)
    said = seal.get("encryption") if seal is not None else None
    return str(said.get("key_sha256", "")) if isinstance(said, dict) else None


def _seal(tools: Tools, path: str) -> dict[str, object] | None:
    try:
        seal = json.loads(tools.vault.open(path, "data/seal.json"))
    except (BadInput, ValueError, RecursionError):
        return None
    return seal if isinstance(seal, dict) else None


def _strangers(desk: _Desk) -> Iterator[Fault]:
    """Yield a fault for each bag that the school's ledger does not know, unless it is so new that its line may be coming."""
    tools = desk.tools
    before = tools.clock.now() - SETTLING
    for paths in _slices(iter(tools.vault.paths(desk.school)), desk.limit):
        for path in tools.store.not_sealed(desk.school, paths):
            if not _sealed_after(tools, path, before):
                yield Fault("not_in_ledger", path, "The ledger does not know this record.")


def _sealed_after(tools: Tools, path: str, moment: datetime) -> bool:
    seal = _seal(tools, path) or {}
    try:
        return from_utc_text(str(seal.get("sealed_utc", ""))) > moment
    except ValueError:
        return False


def _slices(stream: Iterator[T], size: int) -> Iterator[list[T]]:
    while some := list(islice(stream, size)):
        yield some


def _finish(tools: Tools, run: CheckRun, *, complete: bool) -> None:
    """End a run: its row, its ledger line and its alert in one transaction; then the ledger's file."""
    at = tools.clock.now()
    facts: dict[str, str | int | bool] = {
        "kind": run.kind.value,
        "checked": run.checked,
        "disposed": run.disposed,
        "faults": run.faults,
        "complete": complete,
    }
    run = _keep(tools, replace(run, finished_at=at), LedgerEvent(Event.VERIFIED, at, run.kind.value, facts=facts))
    try:
        tools.ledger.sync(run.school)
    except (Transient, EvidenceFailed) as error:
        observe.went_wrong("ledger_behind", school=run.school, error=type(error).__name__)
    observe.happened("records_checked", school=run.school, kind=run.kind.value, checked=run.checked, faults=run.faults)


def _keep(tools: Tools, run: CheckRun, *events: LedgerEvent) -> CheckRun:
    """Store the run, its ledger lines, and an alert of faults that are new or were last told a week ago, in one transaction."""
    at = tools.clock.now()
    told = tools.store.faults_told(run.school, since=at - checks.TELL_AGAIN)
    new = checks.untold(run.found, told)
    with tools.store.unit() as unit:
        if new:
            unit.alert(_alert(run, new, at))
            run = checks.with_told(run, new, at)
        run = unit.check_kept(run)
        unit.append(run.school, *events)
    if new:
        observe.went_wrong("evidence_at_fault", school=run.school, kind=run.kind.value, faults=len(new))
    return run


def _alert(run: CheckRun, new: tuple[Fault, ...], at: datetime) -> AlertRequest:
    return AlertRequest(
        key=checks.alert_key(run, at),
        school=run.school,
        kind=AlertKind.EVIDENCE,
        severity=Severity.SEVERE,
        subject="the permanent record",
        what=f"The service checked its own permanent records and found something wrong. {checks.in_words(new)}",
        done="It changed nothing and mended nothing. New comments are still recorded and handled as before.",
        at=at,
        due_at=at,
    )
