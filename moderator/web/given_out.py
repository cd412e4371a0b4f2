"""Giving a list out as CSV: written in the ledger first, with what was in it. Called by the pages that have such a list."""

import hashlib
from collections.abc import Sequence

from fastapi import Response

from moderator.domain.events import Event, LedgerEvent
from moderator.domain.times import london_date
from moderator.observe import happened
from moderator.web.need import Visit
from moderator.web.noted import note
from moderator.web.sheet import download, sheet
from moderator.web.site import Site


def give_out(site: Site, visit: Visit, what: str, *, header: Sequence[str], rows: Sequence[Sequence[object]]) -> Response:
    """Return the list as a file, after an `exported` line in the ledger with its SHA-256 and how many rows it has.

    `what` is the list's code (`records`, `activity`). Raises Transient when the line cannot be written: what is not logged is not given.
    May be repeated: another file, another line.
    """
    content, at, school = sheet(header, rows), site.clock.now(), visit.school.slug
    facts: dict[str, str | int | bool] = {"pack": "list", "rows": len(rows), "sha256": hashlib.sha256(content).hexdigest()}
    note(site, school, LedgerEvent(Event.EXPORTED, at, f"{what}-list", actor=visit.actor, reason="list", facts=facts))
    happened("list_exported", what=what, rows=len(rows))
    return download(content, name=f"{what}-{school}-{london_date(at).isoformat()}.csv")
