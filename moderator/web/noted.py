"""Writing down in the ledger what a person did to the register. Called by the pages that change it."""

from moderator.domain.errors import EvidenceFailed, Transient
from moderator.domain.events import LedgerEvent
from moderator.observe import went_wrong
from moderator.web.site import Site


def note(site: Site, school: str, *events: LedgerEvent) -> None:
    """Append lines that stand alone, in a transaction of their own. Raises Transient when they cannot be written."""
    with site.database.unit() as unit:
        unit.append(school, *events)
    synced(site, school)


def synced(site: Site, *schools: str) -> None:
    """Bring the ledgers' files up to what the database has. When that cannot be now, the sweep does it and tells a person."""
    for school in schools:
        try:
            site.tools.ledger.sync(school)
        except (Transient, EvidenceFailed):
            went_wrong("ledger_behind", school=school)
