"""The school's accounts: how each stands, and one account with its dates and history. In the menu; linked from reminders."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Path, Response
from fastapi.responses import RedirectResponse

from moderator.domain.access import Action
from moderator.domain.attestation import NCSC_ADVICE, Attested
from moderator.domain.errors import BadInput
from moderator.domain.times import london_date
from moderator.store import account_acts
from moderator.web.accounts_facts import listed, past_of, shown, standing_of, who
from moderator.web.accounts_form import as_sentence, day_of
from moderator.web.accounts_words import DONE
from moderator.web.need import LARGEST, Need, Visit, of_account, of_path
from moderator.web.noted import synced
from moderator.web.site import Site, SiteOf

router = APIRouter()

Number = Annotated[int, Path(ge=1, le=LARGEST)]
Sees = Annotated[Visit, Depends(Need(Action.SEE_ACCOUNTS, of_path))]
SeesOne = Annotated[Visit, Depends(Need(Action.SEE_ACCOUNTS, of_account))]
Attests = Annotated[Visit, Depends(Need(Action.REQUEST_ACCOUNT, of_account))]


@router.get("/schools/{school}/accounts")
def every_account(site: SiteOf, visit: Sees, school: str) -> Response:
    """Show how each account of the school stands."""
    del school
    return site.pages.html(
        "accounts",
        visit=visit,
        section="accounts",
        accounts=listed(site, visit),
        may_ask=visit.may(Action.REQUEST_ACCOUNT),
        advice=NCSC_ADVICE,
    )


@router.get("/accounts/{account_id}")
def one_account(site: SiteOf, visit: SeesOne, account_id: Number, done: str = "") -> Response:
    """Show one account; `done` is what was just done to it."""
    return page(site, visit, account_id, done=DONE.get(done, ""))


@router.post("/accounts/{account_id}/attest")
def attest(
    *, site: SiteOf, visit: Attests, account_id: Number, kind: Annotated[str, Form()] = "", on: Annotated[str, Form()] = ""
) -> Response:
    """Note a password change (R5), or that the account is nobody's own (R2), then show the account (303); 400 and the page again if not."""
    now = site.clock.now()
    account = standing_of(site, account_id).account
    try:
        attested, day = _attested(kind, on, london_date(now))
        with site.database.unit() as unit:
            account_acts.attest(unit, account, attested, on=day, by=visit.actor, at=now)
    except BadInput as error:
        return page(site, visit, account_id, problem=as_sentence(error), typed=on[:20])
    synced(site, visit.school.slug)
    return RedirectResponse(f"/accounts/{account_id}?done={kind}", status_code=303)


def _attested(kind: str, on: str, today: date) -> tuple[Attested, date]:
    if kind == "password":
        return Attested.PASSWORD_CHANGED, day_of(on, what="the day of the change")
    if kind == "not_personal":
        return Attested.NOT_PERSONAL, today
    message = "Choose one of the buttons."
    raise BadInput(message)


def page(  # noqa: PLR0913 - the form's state
    site: Site, visit: Visit, account_id: int, *, done: str = "", problem: str = "", typed: str = "", status: int = 400
) -> Response:
    """Return the page of an account, with what was typed in its form and why it was not taken."""
    standing = standing_of(site, account_id)
    history, approvals, names = past_of(site, standing)
    connector = site.connectors.get(standing.account.platform)
    return site.pages.html(
        "account",
        status=status if problem else 200,
        visit=visit,
        section="accounts",
        each=shown(site, standing),
        account=standing.account,
        state=standing.state.value,
        history=history,
        approvals=approvals,
        who=lambda reference: who(reference, names),
        may={action.value: visit.may(action) for action in (Action.REQUEST_ACCOUNT, Action.CONNECT_ACCOUNT, Action.APPROVE_ACCOUNT)},
        can_connect=connector is not None,
        today=london_date(site.clock.now()).isoformat(),
        advice=NCSC_ADVICE,
        done=done,
        problem=problem,
        typed=typed,
    )
