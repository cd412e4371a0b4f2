"""Record: make the sealed record of a flagged item, before anything is hidden. Called by the schedule."""

from datetime import timedelta

from moderator import observe
from moderator.domain.account import Mode
from moderator.domain.decision import Outcome
from moderator.domain.errors import (
    BadInput,
    EvidenceFailed,
    Gone,
    ModeratorError,
    NotAllowed,
    RateLimited,
    Refused,
    Transient,
    Unauthorised,
)
from moderator.domain.events import Event, LedgerEvent
from moderator.domain.item import Fetched
from moderator.domain.lifecycle import Stage, State
from moderator.domain.record import Evidence, Filed, SealedRecord, record_id
from moderator.domain.times import london_date
from moderator.domain.work import Work
from moderator.steps.drain import RE_AUTHORISE, RE_AUTHORISE_DONE, Tools, copy_ledger, tell_of_account, tell_of_system, wait
from moderator.steps.hold import hold
from moderator.steps.retain import first_retention

LEASE = timedelta(minutes=20)
"""Longer than a batch can take: four items, each with a look-up and two tries of a browser that hangs."""

LOOK_UP_READS = 3
"""Reads booked for looking one comment up again: itself, its parent post and one it quotes."""


def record(tools: Tools, *, limit: int = 4) -> int:
    """Record up to `limit` flagged items, severe first; return how many were handled."""
    works = tools.store.claim(Stage.RECORD, limit=limit, now=tools.clock.now(), lease=LEASE)
    for work in works:
        _record(tools, work)
    return len(works)


def _record(tools: Tools, work: Work) -> None:
    """Record one item.

    1. Look the comment up once more; the bytes first seen are used when it is gone, cannot be had or the budget is spent.
    2. Seal the bag: a repeat finds the one that is there.
    3. In one transaction: the record, the new state, and the ledger's lines; then the ledger's file.
    """
    try:
        evidence = _evidence(tools, work)
        sealed = tools.recorder.seal(evidence)
    except Transient as error:
        _wait(tools, work, str(error))
        return
    except (EvidenceFailed, Refused, BadInput) as error:
        observe.went_wrong("record_failed", item=work.item.id, error=type(error).__name__)
        hold(tools, work, "No record could be made of this comment, so it was not hidden. Make a screen print yourself, then try again.")
        return
    _advance(tools, work, sealed, State.GONE if evidence.gone else State.RECORDED)
    observe.happened("item_recorded", item=work.item.id, record=sealed.record_id, kind=sealed.capture_kind.value)


def _evidence(tools: Tools, work: Work) -> Evidence:
    if work.score is None or work.decision is None:
        message = f"item {work.item.id} has no decision to record"
        raise NotAllowed(message)
    fetched, gone, why = _look_up(tools, work)
    item = work.item
    filed = tools.store.filed(item)
    return Evidence(
        record_id=record_id(item.school, item.platform, item.comment.comment_id, item.comment.version),
        item=item,
        account=work.account,
        score=work.score,
        decision=work.decision,
        first_seen=tools.store.first_seen(item.id),
        fetched=fetched,
        not_fetched_why=why,
        gone=gone,
        mode=work.account.approval.mode.value if work.account.approval else "observe",
        delegation=tools.delegation_of(item.school),
        admin_on_duty=tools.admin_on_duty,
        path=_place(tools, filed),
        chains=filed.chains,
    )


def _place(tools: Tools, filed: Filed) -> str:
    """Return where the record is, or is to be made: of several places the one with a bag, else the first."""
    own, *others = filed.paths
    return next((path for path in filed.paths if tools.vault.manifest_sha256(path) is not None), own) if others else own


def _look_up(tools: Tools, work: Work) -> tuple[Fetched | None, bool, str]:  # noqa: PLR0911 - one return an answer
    """Return the comment as it is now, whether it is gone, and why it was not fetched if it was not."""
    account, now = work.account, tools.clock.now()
    month = now.strftime("%Y-%m")
    if not account.pollable(london_date(now)):
        return None, False, "the account has no live approval"
    with tools.store.unit() as unit:
        booked = unit.reserve_reads(account.id, month, LOOK_UP_READS)
    if not booked:
        return None, False, "this month's read budget is used up"
    used = 0
    try:
        fetched = tools.platform_for(account).fetch(work.item.comment.comment_id)
        used = fetched.reads
    except Gone:
        return None, True, "the platform says it was deleted"
    except Unauthorised:
        with tools.store.unit() as unit:
            unit.pause_account(account.id, until=None, trouble=RE_AUTHORISE)
            tell_of_account(unit, account, what=RE_AUTHORISE, done=RE_AUTHORISE_DONE, at=now)
        return None, False, "the account's authorisation no longer works"
    except RateLimited:
        return None, False, "the platform asked us to wait"
    except ModeratorError as error:
        used = LOOK_UP_READS
        return None, False, f"the platform did not answer ({type(error).__name__})"
    else:
        return fetched, False, ""
    finally:
        with tools.store.unit() as unit:
            unit.settle_reads(account.id, month, reserved=LOOK_UP_READS, used=used)


def _wait(tools: Tools, work: Work, why: str) -> None:
    """Put the item back: the disk or vault will be there again; nothing is hidden meanwhile, and a person is told."""
    now = tools.clock.now()
    observe.went_wrong("record_waits", item=work.item.id)
    with tools.store.unit() as unit:
        unit.put_back(work, due_at=now + wait(work.attempts), why=why)
        tell_of_system(
            unit,
            work.item.school,
            what="Records cannot be stored now. The disk may be full.",
            done="Nothing is hidden until this is mended. Flagged comments wait; none is lost.",
            at=now,
        )


def _advance(tools: Tools, work: Work, sealed: SealedRecord, new: State) -> None:
    at = tools.clock.now()
    stage = Stage.HIDE if new is State.RECORDED and _to_hide(tools, work) else None
    events = [
        LedgerEvent(
            Event.CAPTURED,
            sealed.captured_at,
            sealed.record_id,
            facts={"capture_kind": sealed.capture_kind.value, "requests_blocked": sealed.blocked_requests},
        ),
        LedgerEvent(
            Event.SEALED,
            sealed.sealed_at,
            sealed.record_id,
            facts={
                "manifest_sha256": sealed.manifest_sha256,
                **({"manifest_sha512": sealed.manifest_sha512} if sealed.manifest_sha512 else {}),
                "path": sealed.path,
                "stamp_pending": sealed.stamp_pending,
                **({"found": True} if sealed.found else {}),
            },
        ),
    ]
    if new is State.GONE:
        events.append(LedgerEvent(Event.GONE, at, sealed.record_id, actor="platform"))
    retention = first_retention(tools.policy, work.item.school, sealed, work.decision)
    with tools.store.unit() as unit:
        unit.recorded(work, sealed, new, at, stage=stage)
        unit.append(work.item.school, *events)
        unit.retain(retention)
    copy_ledger(tools, work.item.school)


def _to_hide(tools: Tools, work: Work) -> bool:
    approval, decision = work.account.approval, work.decision
    return (
        decision is not None
        and decision.outcome is Outcome.HIDE
        and work.item.comment.hideable
        and approval is not None
        and approval.mode is Mode.HIDE
        and tools.platform_for(work.account).capabilities.can_hide
    )
