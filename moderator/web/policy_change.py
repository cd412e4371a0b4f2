"""Saving a new version of the policy: after a try, with why, by whoever may at every school; every Headteacher is told (R24, R32)."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from moderator.domain.access import Action
from moderator.domain.decision import Severity
from moderator.domain.digest import AlertKind
from moderator.domain.errors import BadInput
from moderator.domain.events import Event, LedgerEvent
from moderator.domain.policy import Policy
from moderator.domain.policy_text import Thresholds, moved, next_version, refuse_looser_guards, restated, thresholds_of
from moderator.domain.review import MIN_JUSTIFICATION
from moderator.domain.times import london_date
from moderator.domain.work import AlertRequest
from moderator.store import policies
from moderator.web.need import Need, Visit, of_trust
from moderator.web.noted import synced
from moderator.web.policy_facts import read_thresholds
from moderator.web.policy_page import page, tried
from moderator.web.signing_in.fresh import FreshProof
from moderator.web.site import Site, SiteOf

CHANGED = "policy_changed"
"""The ledger's reason code."""
MAX_WHY = 4000
SAME = "Nothing differs from the policy in force, so there is nothing to save."
TOO_SHORT = f"Say why in at least {MIN_JUSTIFICATION} characters. Your reason is kept with the version."
TOO_LONG = f"Please keep your reason under {MAX_WHY} characters."
STALE = "Somebody saved another version meanwhile. Look at that one first, then try again."

router = APIRouter()
CHANGE = Need(Action.CHANGE_POLICY, of_trust)


@router.post("/trust/policy", dependencies=[Depends(FreshProof("/"))])
async def save(request: Request, site: SiteOf, visit: Annotated[Visit, Depends(CHANGE)]) -> Response:
    """Save the thresholds as a new version, which is in force at once (303); the try again, with why, when it is not taken (400)."""
    form = await request.form()
    typed = {name: value for name, value in form.items() if isinstance(value, str)}
    return await run_in_threadpool(_save, site, visit, typed)


def _save(site: Site, visit: Visit, typed: dict[str, str]) -> Response:
    now, why = site.tools.policy, " ".join(typed.get("why", "").split())
    try:
        asked = read_thresholds(typed, now)
        refuse_looser_guards(now, asked)
        _as_text(site, visit, asked, version="a try", why="a try")
    except BadInput as error:
        return page(site, visit, problem=str(error), typed=typed, status=400)
    try:
        _store(site, visit, now, asked, why=why, instead_of=typed.get("instead_of", ""))
    except BadInput as error:
        return tried(site, visit, now, asked, why=why, problem=str(error), status=400)
    return RedirectResponse(f"/schools/{_back(site, visit, typed)}/policy?done=policy_saved", status_code=303)


def _store(  # noqa: PLR0913 - a version, who and why
    site: Site, visit: Visit, now: Policy, asked: Thresholds, *, why: str, instead_of: str
) -> None:
    """Write the version, a line in every school's ledger and an alert to every Headteacher, together. Raises BadInput."""
    if not moved(thresholds_of(now), asked):
        raise BadInput(SAME)
    if not MIN_JUSTIFICATION <= len(why) <= MAX_WHY:
        raise BadInput(TOO_SHORT if len(why) < MIN_JUSTIFICATION else TOO_LONG)
    if not (instead_of.isascii() and instead_of.isdigit()):
        raise BadInput(STALE)
    at = site.clock.now()
    schools = [each.slug for each in site.database.schools()]
    with site.database.unit() as unit:
        taken = frozenset({now.version, *(each.version for each in policies.versions(unit.connection, limit=1000))})
        version = next_version(taken, london_date(at))
        made = _as_text(site, visit, asked, version=version, why=why)
        policies.save(unit.connection, text=made, author=visit.actor, at=at, why=why, instead_of=int(instead_of))
        for school in schools:
            subject = f"policy-{version}"
            unit.append(
                school, LedgerEvent(Event.REGISTERED, at, subject, actor=visit.actor, reason=CHANGED, facts={"before": now.version})
            )
            unit.alert(
                AlertRequest(
                    key=f"{subject}-{school}",
                    school=school,
                    kind=AlertKind.OVERRIDE,
                    severity=Severity.ORDINARY,
                    subject=subject,
                    what="The policy that the service decides by was changed.",
                    done=f"Version {version} is in force, saved by {visit.actor}. What changed, and why, is on the Policy page.",
                    at=at,
                    due_at=at + site.tools.alert_batch,
                )
            )
    synced(site, *schools)


def _as_text(site: Site, visit: Visit, asked: Thresholds, *, version: str, why: str) -> str:
    """Return the policy in force with these thresholds, as a version's text. Raises BadInput for thresholds that no policy can have."""
    day = london_date(site.clock.now())
    return restated(site.tools.policies.text(), asked, version=version, author=visit.actor, dated=day, why=why)


def _back(site: Site, visit: Visit, typed: dict[str, str]) -> str:
    """Return the school whose page the person came from: they may change the policy at every one."""
    return next((each.slug for each in site.database.schools() if each.slug == typed.get("back")), visit.school.slug)
