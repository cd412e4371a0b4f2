"""Digests: what was told day by day, the head in each, whether a mail agrees with the ledger; and the reports. Linked from the menu."""

import re
from datetime import date
from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Form, HTTPException, Query, Response

from moderator.domain.access import Action
from moderator.domain.errors import BadInput
from moderator.domain.events import Head, heads_from
from moderator.domain.report import Period, ReportKind, period_named
from moderator.store import queue
from moderator.store.listed import outcome_words, state_words
from moderator.store.past_digests import Sent, digest, digests, in_ledger
from moderator.store.reports import made
from moderator.store.seen_by import seen_by
from moderator.web.need import Need, Visit, of_path
from moderator.web.reader import reader_of
from moderator.web.site import Site, SiteOf

A_PAGE = 50
LISTED = 100
"""Comments of one digest listed at most (our choice); a worse day is searched on Records."""

REPORTS = 8
"""Reports of a kind listed (our choice): half a term of weeks."""

_DIGEST_HEAD = re.compile(r"Ledger line ([0-9]{1,18}):\s*(?:>\s*)*([0-9a-fA-F]{64})(?![0-9a-fA-F])")
"""How a digest prints the head, in its text and, copied from the screen, in its HTML; quoted or not."""

router = APIRouter(prefix="/schools/{school}")
Sees = Annotated[Visit, Depends(Need(Action.SEE_DIGESTS, of_path))]


@router.get("/digests")
def listing(site: SiteOf, visit: Sees, before: Annotated[date | None, Query()] = None) -> Response:
    """Show one page of the digests that were written, newest first."""
    with site.database.reading() as connection:
        found = digests(connection, visit.school.slug, limit=A_PAGE + 1, before=before)
        reports = _reports(site, connection, visit.school.slug) if before is None else []
    following = f"before={found[A_PAGE - 1].day.isoformat()}" if len(found) > A_PAGE else ""
    return site.pages.html(
        "digests",
        visit=visit,
        section="digests",
        rows=found[:A_PAGE],
        reports=reports,
        first=before is None,
        following=following,
        may_sign=visit.may(Action.SIGN),
    )


@router.get("/digests/{day}")
def of_day(site: SiteOf, visit: Sees, day: date) -> Response:
    """Show the digest that tells of a day: its days, its head, and what became of their comments since. A 404 when there is none."""
    return _page(site, visit, day)


@router.post("/digests/{day}")
def compare(site: SiteOf, visit: Sees, day: date, mail: Annotated[str, Form()] = "") -> Response:
    """Show the day, and whether the heads in a pasted mail are lines of the ledger. Keeps nothing of it."""
    return _page(site, visit, day, mail=mail)


def heads_in(text: str, school: str) -> tuple[Head, ...]:
    """Return the heads of a school in a mail, as a digest or a witness mail prints them, each once; empty when there is none."""
    found = [Head(int(number), code.lower()) for number, code in _DIGEST_HEAD.findall(text.replace("=\r\n", "").replace("=\n", ""))]
    try:
        named = heads_from(text)
    except BadInput:
        named = {}
    return tuple(dict.fromkeys((*found, *named.get(school, ()), *named.get("", ()))))


def _page(site: Site, visit: Visit, day: date, *, mail: str = "") -> Response:
    school, reader = visit.school.slug, reader_of(site, visit)
    shown = seen_by(references=reader.references, safeguarding=reader.safeguarding)
    with site.database.reading() as connection:
        sent = digest(connection, school, day)
        if sent is None:
            raise HTTPException(status_code=404)
        found = queue.flagged_on(connection, school, sent.first_day, last=sent.day, seen=shown, limit=LISTED + 1)
        counts = queue.day_counts(connection, school, sent.first_day, last=sent.day, seen=shown)
        heads = [(head, in_ledger(connection, school, head)) for head in heads_in(mail, school)]
        stands = sent.head.seq == 0 or in_ledger(connection, school, sent.head)
    return site.pages.html(
        "digest",
        visit=visit,
        section="digests",
        sent=sent,
        stands=stands,
        counts=counts,
        rows=[(each, state_words(each), outcome_words(each)) for each in found[:LISTED]],
        more=len(found) > LISTED,
        mail=mail,
        verdict=_verdict(sent, heads) if mail.strip() else "",
        heads=heads,
    )


def _reports(site: Site, connection: sa.Connection, school: str) -> list[Period]:
    """Return the weeks and terms whose reports were written, newest first, weeks before terms; none of a kind that is switched off."""
    kinds = ((ReportKind.WEEKLY, site.tools.weekly_report), (ReportKind.TERMLY, site.tools.termly_report))
    found = []
    for kind in (kind for kind, on in kinds if on):
        periods = [period for code in made(connection, kind.value, school) if (period := period_named(kind, code)) is not None]
        found += sorted(periods, key=lambda each: each.first, reverse=True)[:REPORTS]
    return found


def _verdict(sent: Sent, heads: list[tuple[Head, bool]]) -> str:
    """Return the code of what a pasted mail says: `none`, `match`, `other` (right, but of another day) or `differs`."""
    if not heads:
        return "none"
    if not all(known for _, known in heads):
        return "differs"
    return "match" if sent.head in {head for head, _ in heads} else "other"
