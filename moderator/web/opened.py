"""The item a person opens: whether it may be shown, and writing down in the ledger that it was. Called by the item and record pages."""

from dataclasses import dataclass
from datetime import datetime

from fastapi import HTTPException

from moderator.domain.decision import Outcome
from moderator.domain.errors import BadInput
from moderator.domain.events import Event, LedgerEvent
from moderator.domain.lifecycle import State
from moderator.domain.times import london_date, london_day
from moderator.domain.work import Work
from moderator.observe import happened
from moderator.steps.hold import subject_of
from moderator.store.alerts import newest_about
from moderator.store.today import Standing, item_of_record, standing, viewed_since
from moderator.web.need import Visit
from moderator.web.noted import synced
from moderator.web.site import Site

_NOT_SHOWN = frozenset({State.SEEN, State.SCORED, State.CLEARED})


@dataclass(frozen=True, slots=True)
class Opened:
    """An item with how it stands."""

    work: Work
    standing: Standing

    @property
    def withheld(self) -> bool:
        """Return whether nothing of it may be shown (R17)."""
        decision = self.work.decision
        return self.work.state is State.WITHHELD or (decision is not None and decision.outcome is Outcome.WITHHOLD)


def open_item(site: Site, visit: Visit, item_id: int) -> Opened:
    """Return an item that a person may see, after writing in the ledger that this session opened it (once a London day).

    Unflagged comments are kept for polling only (R28), so they are a 404 like an item that does not exist; one that is held because a
    step failed on it is shown. Raises Transient when the view cannot be written down: what is not logged is not shown.
    """
    with site.database.reading() as connection:
        stands, newest = standing(connection, item_id), newest_about(connection, item_id)
    if stands is None:
        raise HTTPException(status_code=404)
    work = site.database.work(item_id)
    if work.state in _NOT_SHOWN and not stands.held:
        raise HTTPException(status_code=404)
    note_view(site, visit, work.item.school, subject_of(work), after=newest)
    return Opened(work, stands)


def open_record(site: Site, visit: Visit, record_id: str) -> Opened:
    """Return the item of a record that a person may see; the view is written down as for the item. A withheld item has none to show."""
    with site.database.reading() as connection:
        item_id = item_of_record(connection, record_id)
    if item_id is None:
        raise HTTPException(status_code=404)
    opened = open_item(site, visit, item_id)
    if opened.withheld:
        raise HTTPException(status_code=404)
    return opened


def read_file(site: Site, opened: Opened, name: str) -> bytes:
    """Return one file of the item's record; a 404 when there is none."""
    record = opened.work.record
    if record is None:
        raise HTTPException(status_code=404)
    try:
        return site.tools.vault.open(record.path, name)
    except BadInput:
        raise HTTPException(status_code=404) from None


def note_view(site: Site, visit: Visit, school: str, subject: str, *, after: datetime | None = None) -> None:
    """Append the view to the ledger, unless this session has one of today; the check and the line are one transaction.

    A view from before `after`, the newest alert about it, counts no more: the ledger shows that somebody has opened it since.
    """
    now = site.clock.now()
    since, _ = london_day(london_date(now))
    since = max(since, after) if after is not None else since
    with site.database.reading() as connection:
        if viewed_since(connection, school, subject, session=visit.session.reference, since=since):
            return
    with site.database.unit() as unit:
        if viewed_since(unit.connection, school, subject, session=visit.session.reference, since=since):
            return
        unit.append(school, LedgerEvent(Event.VIEWED, now, subject, actor=visit.actor, facts={"session": visit.session.reference}))
    synced(site, school)
    happened("item_viewed", subject=subject, session=visit.session.reference)
