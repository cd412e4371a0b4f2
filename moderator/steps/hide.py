"""Hide: hide a recorded item on its platform and read it back. Called by the schedule; the only step that hides."""

from datetime import timedelta

from moderator import observe
from moderator.domain.account import Mode
from moderator.domain.digest import AlertKind
from moderator.domain.errors import EvidenceFailed, Gone, NotAllowed, RateLimited, Refused, Transient, Unauthorised
from moderator.domain.events import Event, LedgerEvent
from moderator.domain.lifecycle import Stage
from moderator.domain.record import SealedRecord
from moderator.domain.times import london_date
from moderator.domain.work import Work
from moderator.steps.drain import MAX_ATTEMPTS, RE_AUTHORISE, RE_AUTHORISE_DONE, Tools, copy_ledger, tell_of_account, tell_of_system, wait
from moderator.steps.hold import hold

LEASE = timedelta(minutes=20)
"""Longer than a batch can take: twenty calls that all run into their time limit, with a refresh among them."""


STAMP_WAIT = timedelta(minutes=30)
"""How long an item waits before it is looked at again; its stamp makes it due at once."""

NO_STAMP = "Waiting for a timestamp: the Headteacher's instruction is to hide nothing without one. It is still showing."


def hide(tools: Tools, *, limit: int = 20) -> int:
    """Hide up to `limit` recorded items, severe first; return how many were handled.

    When the platform asks to wait or the token is dead, the rest of that account's claims are put back; when the vault is away,
    the rest of all.
    """
    works = tools.store.claim(Stage.HIDE, limit=limit, now=tools.clock.now(), lease=LEASE)
    stopped: set[int] = set()
    for number, work in enumerate(works):
        if work.account.id in stopped:
            _put_back(tools, work, "The account is waiting.")
            continue
        try:
            record = _sealed(tools, work)
        except Transient:
            _vault_away(tools, works[number:])
            break
        if record is not None and not _hide(tools, work, record):
            stopped.add(work.account.id)
    return len(works)


def _hide(tools: Tools, work: Work, record: SealedRecord) -> bool:  # noqa: PLR0911 - one return an answer of the platform
    """Hide one item; return False when the account's other items must wait.

    1. Before this, `_sealed`: the account must still be approved in hide mode, and the sealed record be in the vault with its hash.
    2. Write the intent, after the seal in time, to the ledger and its file.
    3. Call the platform, and believe only the state it reads back.
    4. Write the result and the new state in one transaction.
    """
    if not _intend(tools, work, record):
        return True
    try:
        hidden = tools.platform_for(work.account).set_hidden(work.item.comment.comment_id, hidden=True)
        if not hidden:
            message = "the platform answered that the comment is still showing"
            raise Transient(message)  # noqa: TRY301 - handled exactly like an unknown answer
    except RateLimited as error:
        with tools.store.unit() as unit:
            unit.pause_account(
                work.account.id, until=error.until, trouble="The platform limits how many comments may be hidden; hiding goes on later."
            )
            unit.put_back(work, due_at=error.until, why="Waiting for the platform's limit. It is still showing.", counts=False)
        return False
    except Unauthorised:
        _unauthorised(tools, work)
        return False
    except Gone:
        _gone(tools, work, record)
        return True
    except Refused:
        _failed(tools, work, record, "refused")
        hold(
            tools, work, "The platform refused to hide this comment. Hide or report it on the platform yourself.", kind=AlertKind.NOT_HIDDEN
        )
        return True
    except Transient:
        _try_again(tools, work, record)
        return True
    _done(tools, work, record)
    return True


def _sealed(tools: Tools, work: Work) -> SealedRecord | None:
    """Return the record when the item may be hidden; otherwise leave or hold it and return None. Raises Transient: the vault is away."""
    approval = work.account.approval
    if approval is None or approval.mode is not Mode.HIDE or not work.account.pollable(london_date(tools.clock.now())):
        with tools.store.unit() as unit:
            unit.leave(work, "The account's approval to hide has ended. It is recorded and still showing.")
        return None
    record = work.record
    if record is None:
        message = f"item {work.item.id} has no sealed record: it must not be hidden"
        raise NotAllowed(message)
    if tools.vault.manifest_sha256(record.path) != record.manifest_sha256:
        hold(
            tools,
            work,
            "The record of this comment is missing or was changed, so it was not hidden. Tell your IT lead.",
            kind=AlertKind.NOT_HIDDEN,
        )
        return None
    if record.stamp_pending and not tools.hide_without_stamp:
        with tools.store.unit() as unit:
            unit.put_back(work, due_at=tools.clock.now() + STAMP_WAIT, why=NO_STAMP, counts=False)
        return None
    return record


def _intend(tools: Tools, work: Work, record: SealedRecord) -> bool:
    """Write the intent down, or put the item back when the clock says it is not after the seal; return whether to go on."""
    now = tools.clock.now()
    if now <= record.sealed_at:
        observe.went_wrong("clock_stepped_back", item=work.item.id)
        with tools.store.unit() as unit:
            unit.put_back(work, due_at=record.sealed_at + timedelta(seconds=1), why="The machine's clock was set back.", counts=False)
            tell_of_system(
                unit,
                work.item.school,
                what="The machine's clock was set back.",
                done="Hiding waits until the clock has passed the time of the record. Ask your IT lead to check the clock.",
                at=now,
            )
        return False
    with tools.store.unit() as unit:
        unit.hide_intended(work, now)
        facts: dict[str, str | int | bool] = {"unstamped": True} if record.stamp_pending else {}
        unit.append(work.item.school, LedgerEvent(Event.HIDE_INTENDED, now, record.record_id, facts=facts))
    try:
        tools.ledger.sync(work.item.school)
    except (Transient, EvidenceFailed) as error:
        # The sweep tells a person what is wrong with the file; until it is mended nothing is hidden.
        with tools.store.unit() as unit:
            unit.put_back(work, due_at=now + wait(work.attempts), why=str(error), counts=False)
        return False
    return True


def _done(tools: Tools, work: Work, record: SealedRecord) -> None:
    at = tools.clock.now()
    with tools.store.unit() as unit:
        unit.hidden(work, at)
        unit.append(
            work.item.school,
            LedgerEvent(Event.HIDDEN, at, record.record_id),
            LedgerEvent(Event.HIDE_VERIFIED, at, record.record_id, actor="platform"),
        )
    copy_ledger(tools, work.item.school)
    observe.happened("item_hidden", item=work.item.id, record=record.record_id)


def _failed(tools: Tools, work: Work, record: SealedRecord, reason: str) -> None:
    with tools.store.unit() as unit:
        unit.append(work.item.school, LedgerEvent(Event.HIDE_FAILED, tools.clock.now(), record.record_id, reason=reason))
    observe.went_wrong("hide_failed", item=work.item.id, reason=reason)


def _try_again(tools: Tools, work: Work, record: SealedRecord) -> None:
    """Put the item back for another try; after MAX_ATTEMPTS tell a person that it is still showing."""
    _failed(tools, work, record, "no_answer")
    if work.attempts + 1 >= MAX_ATTEMPTS:
        hold(tools, work, "The platform did not confirm that this comment is hidden. Look at it there.", kind=AlertKind.NOT_HIDDEN)
        return
    with tools.store.unit() as unit:
        unit.put_back(work, due_at=tools.clock.now() + wait(work.attempts), why="The platform did not answer. Trying again.")


def _unauthorised(tools: Tools, work: Work) -> None:
    now = tools.clock.now()
    with tools.store.unit() as unit:
        unit.pause_account(work.account.id, until=None, trouble=RE_AUTHORISE)
        unit.put_back(work, due_at=now, why=RE_AUTHORISE, counts=False)
        tell_of_account(unit, work.account, what=RE_AUTHORISE, done=RE_AUTHORISE_DONE, at=now)


def _gone(tools: Tools, work: Work, record: SealedRecord) -> None:
    at = tools.clock.now()
    with tools.store.unit() as unit:
        unit.gone(work, at)
        unit.append(work.item.school, LedgerEvent(Event.GONE, at, record.record_id, actor="platform"))
    copy_ledger(tools, work.item.school)


def _vault_away(tools: Tools, works: list[Work]) -> None:
    """Put items back whose records cannot be looked at now, and tell their schools that nothing is hidden meanwhile."""
    now = tools.clock.now()
    observe.went_wrong("hide_waits", items=len(works))
    with tools.store.unit() as unit:
        for work in works:
            unit.put_back(work, due_at=now + wait(work.attempts), why="Its record cannot be looked at now. Trying again.", counts=False)
            tell_of_system(
                unit,
                work.item.school,
                what="Records cannot be read now: their storage does not answer.",
                done="Nothing is hidden until it does; comments that wait are still showing. If it goes on, ask your IT lead to look.",
                at=now,
            )


def _put_back(tools: Tools, work: Work, why: str) -> None:
    with tools.store.unit() as unit:
        unit.put_back(work, due_at=tools.clock.now(), why=why, counts=False)
