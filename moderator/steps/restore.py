"""Restore: carry out a person's restore: un-hide, read back, then store it. Called by the schedule, soon after the review."""

from datetime import timedelta

from moderator import observe
from moderator.domain.access import Role
from moderator.domain.decision import Severity
from moderator.domain.digest import AlertKind
from moderator.domain.errors import Gone, RateLimited, Refused, Transient, Unauthorised
from moderator.domain.events import Event, LedgerEvent
from moderator.domain.lifecycle import Stage, State
from moderator.domain.work import AlertRequest, Work
from moderator.steps.drain import MAX_ATTEMPTS, RE_AUTHORISE, RE_AUTHORISE_DONE, Tools, tell_of_account, wait
from moderator.steps.hold import hold, subject_of

LEASE = timedelta(minutes=20)
"""Longer than a batch can take: twenty calls that all run into their time limit, with a refresh among them."""


def restore(tools: Tools, *, limit: int = 20) -> int:
    """Carry out up to `limit` restores; return how many were handled."""
    works = tools.store.claim(Stage.RESTORE, limit=limit, now=tools.clock.now(), lease=LEASE)
    for work in works:
        _restore(tools, work)
    return len(works)


def _restore(tools: Tools, work: Work) -> None:
    """Restore one item.

    1. If hide was ever called, write the intent, un-hide, and believe only the state read back.
    2. Finish the review: the machine never hides this version again.
    3. The Headteacher is told of the override (R24).
    """
    try:
        if work.hide_called_at is not None:
            _show_again(tools, work)
    except RateLimited as error:
        with tools.store.unit() as unit:
            unit.pause_account(work.account.id, until=error.until, trouble="The platform asked us to wait.")
            unit.put_back(work, due_at=error.until, why="Waiting for the platform's limit.", counts=False)
        return
    except Unauthorised:
        now = tools.clock.now()
        with tools.store.unit() as unit:
            unit.pause_account(work.account.id, until=None, trouble=RE_AUTHORISE)
            unit.put_back(work, due_at=now, why=RE_AUTHORISE, counts=False)
            tell_of_account(unit, work.account, what=RE_AUTHORISE, done=RE_AUTHORISE_DONE, at=now)
        return
    except Gone:
        observe.happened("restore_found_gone", item=work.item.id)
    except Refused:
        hold(tools, work, "The platform refused to show this comment again. Un-hide it on the platform yourself.")
        return
    except Transient:
        if work.attempts + 1 >= MAX_ATTEMPTS:
            hold(tools, work, "The platform did not confirm that this comment shows again. Look at it there.")
            return
        with tools.store.unit() as unit:
            unit.put_back(work, due_at=tools.clock.now() + wait(work.attempts), why="The platform did not answer. Trying again.")
        return
    _done(tools, work)


def _show_again(tools: Tools, work: Work) -> None:
    with tools.store.unit() as unit:
        unit.append(work.item.school, LedgerEvent(Event.RESTORE_INTENDED, tools.clock.now(), subject_of(work)))
    if tools.platform_for(work.account).set_hidden(work.item.comment.comment_id, hidden=False):
        message = "the platform answered that the comment is still hidden"
        raise Transient(message)


HEADS = f"{Role.HEAD.value.upper()}-"
"""How a Headteacher's designation begins: what they decided themselves is told as done, anybody else's decision as an override (R24)."""


def _override(actor: str) -> str:
    return f"{actor} decided against the service: this comment may be shown."


def _done(tools: Tools, work: Work) -> None:
    asked = tools.store.pending_review(work.item.id)
    at = tools.clock.now()
    subject = subject_of(work)
    of_the_head = asked.actor.startswith(HEADS)
    with tools.store.unit() as unit:
        unit.review_done(asked, work.state, State.RESTORED)
        unit.append(work.item.school, LedgerEvent(Event.RESTORED, at, subject, actor=asked.actor))
        unit.alert(
            AlertRequest(
                key=f"restored-{work.item.id}-{asked.at.isoformat()}",
                school=work.item.school,
                kind=AlertKind.RESTORED if of_the_head else AlertKind.OVERRIDE,
                severity=Severity.ORDINARY,
                subject=subject,
                what="A person decided that this comment may be shown." if of_the_head else _override(asked.actor),
                done="It shows again. The record is kept. The reason is on the item's page.",
                at=at,
                due_at=at + tools.alert_batch,
                item_id=work.item.id,
            )
        )
    tools.ledger.sync(work.item.school)
    observe.happened("item_restored", item=work.item.id)
