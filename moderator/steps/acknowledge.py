"""Acknowledge: a person says that they have seen an alert, and it goes no further (R21). Called by the Alerts and item pages."""

from moderator import observe
from moderator.domain.events import Event, LedgerEvent
from moderator.steps.drain import Tools


def acknowledge(tools: Tools, alert_id: int, *, school: str, by: str) -> bool:
    """Note that somebody has seen an alert of a school, and with it every other of the same thing; False when that is known.

    May be repeated: the first time is noted, with one line in the ledger. Whether they may see it the page has asked before. `by` is
    their designation.
    """
    at = tools.clock.now()
    with tools.store.unit() as unit:
        subject = unit.acknowledged(alert_id, school=school, by=by, at=at)
        if subject:
            unit.append(school, LedgerEvent(Event.ACKNOWLEDGED, at, subject, actor=by))
    return _told(tools, school, subject)


def acknowledge_item(tools: Tools, item_id: int, *, school: str, by: str) -> bool:
    """Note that somebody has seen every alert of an item so far; otherwise like `acknowledge`."""
    at = tools.clock.now()
    with tools.store.unit() as unit:
        subject = unit.item_acknowledged(item_id, by=by, at=at)
        if subject:
            unit.append(school, LedgerEvent(Event.ACKNOWLEDGED, at, subject, actor=by))
    return _told(tools, school, subject)


def _told(tools: Tools, school: str, subject: str) -> bool:
    if not subject:
        return False
    tools.ledger.sync(school)
    observe.happened("alert_acknowledged", school=school, subject=subject)
    return True
