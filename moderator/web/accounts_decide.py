"""Approving an account, changing how it is approved, withdrawing it, and turning a request down (R1, R24). Linked from its page."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Path, Response
from fastapi.responses import RedirectResponse

from moderator.domain.access import ROLE_WORDS, Action
from moderator.domain.account import Approval, Mode
from moderator.domain.account_state import AccountState
from moderator.domain.errors import BadInput
from moderator.domain.review import MIN_JUSTIFICATION
from moderator.domain.times import london_date
from moderator.store import account_acts
from moderator.store.accounts import Standing
from moderator.web.accounts_facts import shown, standing_of
from moderator.web.accounts_form import MOST_WORDS, as_sentence, day_of, line_of, words_of
from moderator.web.accounts_words import MODES, plain_day
from moderator.web.need import LARGEST, Need, Visit, of_account
from moderator.web.noted import synced
from moderator.web.signing_in.fresh import FreshProof, fresh_proof
from moderator.web.site import Site, SiteOf

router = APIRouter()

Number = Annotated[int, Path(ge=1, le=LARGEST)]
Approves = Annotated[Visit, Depends(Need(Action.APPROVE_ACCOUNT, of_account))]
Proved = Annotated[None, Depends(fresh_proof)]
ProvedForApproval = Annotated[None, Depends(FreshProof("/accounts/{account_id}/approve"))]
ProvedForWithdrawal = Annotated[None, Depends(FreshProof("/accounts/{account_id}/withdraw"))]

LASTS = timedelta(days=364)
"""How long an approval lasts unless the form says otherwise: a year, its first and last day included (our choice, R33's rhythm)."""


@dataclass(frozen=True, slots=True)
class Typed:
    """What was typed in the form for an approval, as typed."""

    mode: str = ""
    purpose: str = ""
    reference: str = ""
    ends_on: str = ""
    why: str = ""


def _typed(
    mode: Annotated[str, Form()] = "",
    purpose: Annotated[str, Form()] = "",
    reference: Annotated[str, Form()] = "",
    ends_on: Annotated[str, Form()] = "",
    why: Annotated[str, Form()] = "",
) -> Typed:
    return Typed(mode, purpose, reference, ends_on, why)


@router.get("/accounts/{account_id}/approve")
def approval(site: SiteOf, visit: Approves, account_id: Number, proved: Proved) -> Response:
    """Show the form, filled in with what was asked for or holds now."""
    del proved
    standing = standing_of(site, account_id)
    held = standing.account.approval
    ends = london_date(site.clock.now()) + LASTS
    typed = Typed(held.mode.value if held else "", standing.purpose, "", ends.isoformat())
    return _approval_form(site, visit, standing, typed)


@router.post("/accounts/{account_id}/approve")
def approve(
    site: SiteOf, visit: Approves, account_id: Number, proved: ProvedForApproval, typed: Annotated[Typed, Depends(_typed)]
) -> Response:
    """Approve the account, then show it (303); 400 and what was typed if it cannot be. The service begins to read at once."""
    del proved
    standing, now = standing_of(site, account_id), site.clock.now()
    try:
        found = _approval(site, visit, typed)
        why = words_of(typed.why, what="why you change it") if _changes(site, standing) else ""
        with site.database.unit() as unit:
            account_acts.approve(unit, standing.account, found, why=why, by=visit.actor, at=now)
    except BadInput as error:
        return _approval_form(site, visit, standing, typed, problem=as_sentence(error))
    synced(site, visit.school.slug)
    site.tools.dispatcher.wake("poll")
    return RedirectResponse(f"/accounts/{account_id}?done=approved", status_code=303)


def _approval(site: Site, visit: Visit, typed: Typed) -> Approval:
    today = london_date(site.clock.now())
    if typed.mode not in {mode.value for mode in Mode}:
        message = "Choose what the service may do."
        raise BadInput(message)
    ends = day_of(typed.ends_on, what="the last day of the approval")
    if ends < today:
        message = f"{plain_day(ends)} is over: give a last day that is still to come."
        raise BadInput(message)
    return Approval(
        reference=line_of(typed.reference, what="your reference of the signed approval"),
        approver=_signature(visit),
        approved_on=today,
        purpose=words_of(typed.purpose, what="what the account is for"),
        mode=Mode(typed.mode),
        ends_on=ends,
    )


def _signature(visit: Visit) -> str:
    """Return who approves as each record says it: `Ms Oakenshaw, Headteacher (HEAD-1)`."""
    role = next(each.role for each in visit.acting.designations if each.reference == visit.actor)
    return f"{visit.acting.person.name}, {ROLE_WORDS[role]} ({visit.actor})"


def _changes(site: Site, standing: Standing) -> bool:
    """Return whether an approval now would take the place of one that holds."""
    held = standing.account.approval
    return held is not None and held.live_on(london_date(site.clock.now()))


def _approval_form(site: Site, visit: Visit, standing: Standing, typed: Typed, *, problem: str = "") -> Response:
    return site.pages.html(
        "account_approve",
        status=400 if problem else 200,
        visit=visit,
        section="accounts",
        each=shown(site, standing),
        account=standing.account,
        typed=typed,
        problem=problem,
        changes=_changes(site, standing),
        modes={mode.value: words for mode, words in MODES.items()},
        today=london_date(site.clock.now()).isoformat(),
        shortest=MIN_JUSTIFICATION,
        longest=MOST_WORDS,
    )


@router.get("/accounts/{account_id}/withdraw")
def withdrawal(site: SiteOf, visit: Approves, account_id: Number, proved: Proved) -> Response:
    """Show the form that withdraws an approval or turns a request down."""
    del proved
    return _withdrawal_form(site, visit, standing_of(site, account_id))


@router.post("/accounts/{account_id}/withdraw")
def withdraw(site: SiteOf, visit: Approves, account_id: Number, proved: ProvedForWithdrawal, why: Annotated[str, Form()] = "") -> Response:
    """Withdraw the approval, or turn the request down, then show the account (303); 400 and what was typed if it cannot be."""
    del proved
    standing, now = standing_of(site, account_id), site.clock.now()
    declines = standing.state is AccountState.REQUESTED
    act = account_acts.decline if declines else account_acts.withdraw
    try:
        reason = words_of(why, what="why")
        with site.database.unit() as unit:
            act(unit, standing.account, why=reason, by=visit.actor, at=now)
    except BadInput as error:
        return _withdrawal_form(site, visit, standing, typed=why, problem=as_sentence(error))
    synced(site, visit.school.slug)
    return RedirectResponse(f"/accounts/{account_id}?done={'declined' if declines else 'withdrawn'}", status_code=303)


def _withdrawal_form(site: Site, visit: Visit, standing: Standing, *, typed: str = "", problem: str = "") -> Response:
    return site.pages.html(
        "account_withdraw",
        status=400 if problem else 200,
        visit=visit,
        section="accounts",
        each=shown(site, standing),
        account=standing.account,
        declines=standing.state is AccountState.REQUESTED,
        typed=typed,
        problem=problem,
        shortest=MIN_JUSTIFICATION,
        longest=MOST_WORDS,
    )
