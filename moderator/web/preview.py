"""Preview: the digest so far, or a week's or a term's report, as this person would get it. Linked from Digests and from Who is told."""

import re
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Response
from fastapi.responses import HTMLResponse

from moderator.domain.access import Action
from moderator.domain.calendar import Span
from moderator.domain.errors import BadInput
from moderator.domain.report import ReportKind, period_named, period_of
from moderator.domain.routes import RouteKind, View, reads_disclosures, told
from moderator.domain.times import london_date
from moderator.steps.digest import content_for
from moderator.steps.report import report_as_read_by
from moderator.store.digest_span import span_about
from moderator.web.accounts_form import as_sentence
from moderator.web.need import NOT_YOURS, Need, Visit, of_path
from moderator.web.site import Site, SiteOf

router = APIRouter(prefix="/schools/{school}/digests/preview")
Sees = Annotated[Visit, Depends(Need(Action.SEE_DIGESTS, of_path))]

_LINK = re.compile(r"(<a\b[^>]*?)\shref=\"[^\"]*\"")


@dataclass(frozen=True, slots=True)
class Preview:
    """The message a person would get, of which London days it tells, and whether they are among those who get it.

    `what` is `digest`, `weekly` or `termly`; `so_far` is false of a time that is over; `of` is the code of a report's period.
    """

    message: EmailMessage
    span: Span
    gets_it: bool
    what: str = "digest"
    so_far: bool = True
    of: str = ""


@router.get("")
def page(site: SiteOf, visit: Sees, report: ReportKind | None = None, of: str = "") -> Response:
    """Show the digest so far, or the report of the period with the code `of` (the present one without), as a phone shows it and as text.

    Writes nothing. A 404 for a period that is not yet, or before the school began.
    """
    problem, preview = "", None
    try:
        preview = _preview(site, visit, report, of)
    except BadInput as error:  # an address that no mail can go to: the page says so, since the mail would not come either
        problem = as_sentence(error)
    return site.pages.html(
        "preview",
        visit=visit,
        section="digests",
        preview=preview,
        text=_part(preview.message, "plain") if preview else "",
        problem=problem,
        may_sign=visit.may(Action.SIGN),
    )


@router.get("/mail")
def mail(site: SiteOf, visit: Sees, report: ReportKind | None = None, of: str = "") -> HTMLResponse:
    """Return the HTML of the message for the frame in the page. `security` lets it have styles of its own, and nothing else."""
    try:
        return HTMLResponse(as_shown(_part(_preview(site, visit, report, of).message, "html")))
    except BadInput:
        raise HTTPException(status_code=404) from None


def as_shown(html: str) -> str:
    """Return a mail's HTML with links that lead nowhere: in a frame of ours no page of ours can be shown."""
    return _LINK.sub(r"\1", html)


def _preview(site: Site, visit: Visit, report: ReportKind | None, of: str) -> Preview:
    return _digest(site, visit) if report is None else _report(site, visit, report, of)


def _digest(site: Site, visit: Visit) -> Preview:
    """Compose today's digest as the person would get it: without what names them (R21) or is not theirs to read (R15)."""
    slug, person, now = visit.school.slug, visit.acting.person, site.clock.now()
    duty = site.tools.store.on_duty(slug, london_date(now))
    view = View(visit.acting.on_the_roll, safeguarding=reads_disclosures(person, duty))
    with site.database.reading() as connection:
        span = span_about(connection, slug, london_date(now), calendar=site.database.calendar(slug), now=now)
    message = site.tools.composer.digest(content_for(site.tools, visit.school, span, person=person, view=view))
    return Preview(message, span, any(each.id == person.id for each in told(RouteKind.DIGEST, duty)))


def _report(site: Site, visit: Visit, kind: ReportKind, of: str) -> Preview:
    """Compose a report as it would be counted now, for the person (R15, R21, R35)."""
    if kind is ReportKind.TERMLY and not visit.may(Action.SEE_COUNTS):
        raise HTTPException(status_code=403, detail=NOT_YOURS)
    today = london_date(site.clock.now())
    period = period_named(kind, of) if of else period_of(kind, today)
    opened = site.tools.store.opened_on(visit.school.slug) or today
    if period is None or period.first > today or period.last < opened:
        raise HTTPException(status_code=404)
    message, gets_it = report_as_read_by(site.tools, period, visit.acting.person, school=visit.school)
    return Preview(message, Span(period.first, period.last), gets_it, kind.value, so_far=period.last >= today, of=period.code)


def _part(message: EmailMessage, kind: str) -> str:
    body = message.get_body((kind,))
    return str(body.get_content()) if body is not None else ""
