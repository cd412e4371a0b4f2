"""Hold: take an item out of its queue and tell a person, in one transaction. Called by the steps whose tries are used up."""

from moderator import observe
from moderator.domain.decision import Severity
from moderator.domain.digest import AlertKind
from moderator.domain.events import Event, LedgerEvent
from moderator.domain.lifecycle import State
from moderator.domain.work import AlertRequest, Work
from moderator.steps.drain import Tools, copy_ledger


def hold(tools: Tools, work: Work, why: str, *, kind: AlertKind = AlertKind.HELD) -> None:
    """Hold the item for a person; `why` is a plain sentence that names nobody and says what to do."""
    at = tools.clock.now()
    subject = subject_of(work)
    with tools.store.unit() as unit:
        unit.hold(work, why, at)
        unit.append(work.item.school, LedgerEvent(Event.HELD, at, subject, reason=f"at_{work.stage}"))
        unit.alert(
            AlertRequest(
                key=f"held-{work.item.id}-{at.isoformat()}",
                school=work.item.school,
                kind=kind,
                severity=Severity.SEVERE,
                subject=subject,
                what=why,
                done=f"Nothing more is done to this comment until you decide. It is still {_showing(work)}.",
                at=at,
                due_at=at,
                item_id=work.item.id,
            )
        )
    copy_ledger(tools, work.item.school)
    observe.went_wrong("item_held", item=work.item.id, stage=str(work.stage))


def _showing(work: Work) -> str:
    return "hidden" if work.state in {State.HIDDEN, State.UPHELD} and work.hide_called_at else "showing"


def subject_of(work: Work) -> str:
    """Return what the ledger and mails call an item: its record's number, or its own while there is none."""
    return work.record.record_id if work.record else f"item-{work.item.id}"
