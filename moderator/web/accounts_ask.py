"""Asking for an account: what it is, what it is for, and that it is nobody's own (R2). Linked from the accounts page."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Response
from fastapi.responses import RedirectResponse

from moderator.domain.access import Action
from moderator.domain.attestation import Attested
from moderator.domain.errors import BadInput
from moderator.domain.times import london_date
from moderator.store import account_acts, people
from moderator.web.accounts_form import as_sentence, day_of, line_of, reads_of, words_of
from moderator.web.need import Need, Visit, of_path
from moderator.web.noted import synced
from moderator.web.site import Site, SiteOf

router = APIRouter()

Asks = Annotated[Visit, Depends(Need(Action.REQUEST_ACCOUNT, of_path))]
USUAL_READS = "10,000"
TICK = "Tick the box: only an account that is nobody's own can be connected (R2)."


@dataclass(frozen=True, slots=True)
class Typed:
    """What was typed in the form, as typed."""

    platform: str = ""
    handle: str = ""
    contact_email: str = ""
    purpose: str = ""
    monthly_reads: str = USUAL_READS
    password_changed: str = ""
    not_personal: str = ""


def _typed(  # noqa: PLR0913, PLR0917 - the form's fields
    platform: Annotated[str, Form()] = "",
    handle: Annotated[str, Form()] = "",
    contact_email: Annotated[str, Form()] = "",
    purpose: Annotated[str, Form()] = "",
    monthly_reads: Annotated[str, Form()] = USUAL_READS,
    password_changed: Annotated[str, Form()] = "",
    not_personal: Annotated[str, Form()] = "",
) -> Typed:
    return Typed(platform, handle, contact_email, purpose, monthly_reads, password_changed, not_personal)


@router.get("/schools/{school}/accounts/ask")
def blank(site: SiteOf, visit: Asks, school: str) -> Response:
    """Show the form."""
    del school
    return _form(site, visit, Typed())


@router.post("/schools/{school}/accounts/ask")
def take(site: SiteOf, visit: Asks, school: str, typed: Annotated[Typed, Depends(_typed)]) -> Response:
    """Take the request, then show the account (303); 400 and what was typed if it cannot be taken."""
    del school
    try:
        number = _ask(site, visit, typed)
    except BadInput as error:
        return _form(site, visit, typed, problem=as_sentence(error))
    synced(site, visit.school.slug)
    return RedirectResponse(f"/accounts/{number}?done=asked", status_code=303)


def _ask(site: Site, visit: Visit, typed: Typed) -> int:
    connector = site.connectors.get(typed.platform)
    if connector is None:
        message = "Choose the platform."
        raise BadInput(message)
    handle = connector.checked_handle(line_of(typed.handle, what="the handle"))
    contact = line_of(typed.contact_email, what="the contact e-mail")
    people.refuse_unofficial(contact, visit.school)
    purpose = words_of(typed.purpose, what="what the account is for")
    reads = reads_of(typed.monthly_reads)
    changed = day_of(typed.password_changed, what="the day its password was last changed")
    if typed.not_personal != "yes":
        raise BadInput(TICK)
    now = site.clock.now()
    with site.database.unit() as unit:
        number = account_acts.ask(
            unit,
            school=visit.school,
            platform=typed.platform,
            handle=handle,
            contact_email=contact,
            purpose=purpose,
            monthly_reads=reads,
            by=visit.actor,
            at=now,
        )
        account = people.account(unit.connection, number)
        account_acts.attest(unit, account, Attested.PASSWORD_CHANGED, on=changed, by=visit.actor, at=now)
    return number


def _form(site: Site, visit: Visit, typed: Typed, *, problem: str = "") -> Response:
    return site.pages.html(
        "account_ask",
        status=400 if problem else 200,
        visit=visit,
        section="accounts",
        typed=typed,
        problem=problem,
        platforms={name: connector.plan.called for name, connector in site.connectors.items()},
        today=london_date(site.clock.now()).isoformat(),
    )
