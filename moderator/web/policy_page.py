"""The Policy page: what is in force and since when, trying other thresholds on the last weeks, and the yearly review (R32, R33)."""

from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Form, HTTPException, Request, Response
from fastapi.responses import RedirectResponse

from moderator.domain.access import Action
from moderator.domain.errors import BadInput
from moderator.domain.events import Event, LedgerEvent
from moderator.domain.policy import Policy
from moderator.domain.policy_review import LONGEST, overdue, refuse_bad_date
from moderator.domain.policy_text import Thresholds, moved, next_version, refuse_looser_guards, restated, thresholds_of
from moderator.domain.times import london_date
from moderator.domain.trial import trial
from moderator.store import policies, register, trying
from moderator.store.trying import MOST
from moderator.web.need import Need, Visit, of_path, safeguards
from moderator.web.noted import synced
from moderator.web.policy_facts import LISTED, form_rows, may_change, moved_words, policy_facts, read_thresholds, trial_facts
from moderator.web.site import Site, SiteOf
from moderator.web.words import done_words

DAYS = 30
"""Days a change is tried on."""

router = APIRouter()
SEE = Need(Action.SEE_POLICY, of_path)
REVIEW = Need(Action.CHANGE_POLICY, of_path)


@router.get("/schools/{school}/policy")
def policy(site: SiteOf, visit: Annotated[Visit, Depends(SEE)], done: str = "") -> Response:
    """Show the policy in force, its history, and when it is to be reviewed; `done` is what was just done."""
    return page(site, visit, done=done_words(done))


@router.get("/schools/{school}/policy/try")
def try_out(request: Request, site: SiteOf, visit: Annotated[Visit, Depends(SEE)], version: str = "") -> Response:
    """Show what other thresholds would have done to the school's own comments of the last 30 days. Changes nothing.

    The thresholds are in the query, as the form names them; or `version` names an earlier one to go back to. 404 for one that is none.
    """
    now = site.tools.policy
    try:
        asked = _of_version(site, version) if version else read_thresholds(request.query_params, now)
        return tried(site, visit, now, asked)
    except BadInput as error:
        return page(site, visit, problem=str(error), typed=dict(request.query_params), status=400)


@router.post("/schools/{school}/policy/reviewed")
def reviewed(*, site: SiteOf, visit: Annotated[Visit, Depends(REVIEW)], next_due: Annotated[str, Form()] = "") -> Response:
    """Write down that the policy was reviewed at this school, and when the next review is due (303); the page again for a bad date."""
    at = site.clock.now()
    try:
        due = _day(next_due)
        refuse_bad_date(due, london_date(at))
    except BadInput as error:
        return page(site, visit, problem=str(error), status=400)
    slug, version = visit.school.slug, site.tools.policy.version
    with site.database.unit() as unit:
        policies.attest_review(unit.connection, slug, next_due=due, by=visit.actor, at=at)
        facts: dict[str, str | int | bool] = {"next_due": due.isoformat()}
        line = LedgerEvent(Event.REGISTERED, at, f"policy-{version}", actor=visit.actor, reason=policies.REVIEWED, facts=facts)
        unit.append(slug, line)
    synced(site, slug)
    return RedirectResponse(f"/schools/{slug}/policy?done=policy_reviewed", status_code=303)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        message = "Give the day of the next review, as 2027-08-31."
        raise BadInput(message) from error


def _of_version(site: Site, version: str) -> Thresholds:
    """Return the thresholds of a saved version, or of the file's. Raises HTTPException 404 when there is none of that name."""
    given = site.tools.policies.given()
    if version == given.version:
        return thresholds_of(given)
    with site.database.reading() as connection:
        found = policies.saved(connection, version)
    if found is None:
        raise HTTPException(status_code=404)
    return thresholds_of(Policy.from_toml(found.toml, where=f"policy {version}"))


def tried(  # noqa: PLR0913 - a try, and what was typed
    site: Site, visit: Visit, now: Policy, asked: Thresholds, *, why: str = "", problem: str = "", status: int = 200
) -> Response:
    """Return the page that shows what thresholds would do. Raises BadInput for thresholds that no policy can have."""
    refuse_looser_guards(now, asked)
    at = site.clock.now()
    with site.database.reading() as connection:
        last = policies.newest(connection)
        taken = frozenset({now.version, *(each.version for each in policies.versions(connection))})
        version = next_version(taken, london_date(at))
        text = restated(site.tools.policies.text(), asked, version=version, author=visit.actor, dated=london_date(at), why="a try")
        found = trial(trying.tried(connection, visit.school.slug, since=at - timedelta(days=DAYS)), now, Policy.from_toml(text))
        kept = [number for change in found.changes for number in change.kept]
        opens = trying.may_open(
            connection,
            visit.school.slug,
            kept,
            references=visit.acting.on_the_roll,
            safeguarding=safeguards(site, visit.acting, visit.school.slug),
        )
    return site.pages.html(
        "policy_try",
        status=status,
        visit=visit,
        section="policy",
        problem=problem,
        why=why,
        policy=now,
        days=DAYS,
        most=MOST,
        instead_of=last.id if last else 0,
        moved=moved_words(moved(thresholds_of(now), asked)),
        rows=form_rows(asked, now=now),
        asked=asked,
        may_change=may_change(site, visit),
        **trial_facts(found, opens),
    )


def page(  # noqa: PLR0913 - the page, and what was typed in its forms
    site: Site, visit: Visit, *, done: str = "", problem: str = "", typed: dict[str, str] | None = None, status: int = 200
) -> Response:
    """Return the Policy page, with why something was not taken."""
    now, today = site.tools.policy, london_date(site.clock.now())
    with site.database.reading() as connection:
        due = policies.review_due(connection, visit.school.slug)
        history = policies.versions(connection, limit=LISTED + 1)
        names = register.names_by_reference(connection)
    return site.pages.html(
        "policy",
        status=status,
        visit=visit,
        section="policy",
        done=done,
        problem=problem,
        due=due,
        overdue=overdue(due, today),
        latest=today + LONGEST,
        tomorrow=today + timedelta(days=1),
        trouble=site.tools.policies.trouble,
        may_review=visit.may(Action.CHANGE_POLICY),
        may_change=may_change(site, visit),
        days=DAYS,
        given=site.tools.policies.given(),
        **policy_facts(now, site.tools.policies.given(), history, names, typed or {}),
    )
