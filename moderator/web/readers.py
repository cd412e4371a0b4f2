"""Machines that read: making and ending API tokens and webhooks. A secret is shown once, when it is made. Linked from the menu."""

import base64
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Form, HTTPException, Path, Response
from fastapi.responses import RedirectResponse

from moderator.domain.access import Action
from moderator.domain.errors import BadInput
from moderator.domain.events import Event, LedgerEvent
from moderator.domain.readers import LONGEST_DAYS, SCOPE_WORDS, TOKEN_START, TOLD, Scope, checked_url
from moderator.domain.times import london_date
from moderator.store import readers as store
from moderator.store.register import names_by_reference
from moderator.web.need import Need, Visit, of_path, safeguards
from moderator.web.noted import synced
from moderator.web.signing_in.fresh import FreshProof
from moderator.web.site import Site, SiteOf
from moderator.web.words import done_words, event_words

LONGEST_LABEL = 100
router = APIRouter()
Number = Annotated[int, Path(ge=1, le=2_147_483_647)]
PROVED = FreshProof("/schools/{school}/readers")
Manages = Annotated[Visit, Depends(Need(Action.MANAGE_READERS, of_path))]


@dataclass(frozen=True, slots=True)
class Typed:
    """What was typed in a form that was not taken, and why."""

    label: str = ""
    expires: str = ""
    url: str = ""
    problem: str = ""
    of_webhook: bool = False


@dataclass(frozen=True, slots=True)
class Made:
    """A secret that was just made, and what it is of."""

    secret: str = ""
    what: str = ""


NOTHING_TYPED, NOTHING_MADE = Typed(), Made()


@router.get("/schools/{school}/readers")
def page(site: SiteOf, visit: Manages, done: str = "") -> Response:
    """Show the tokens and webhooks of a school."""
    return _page(site, visit, done=done_words(done))


@router.post("/schools/{school}/readers/tokens", dependencies=[Depends(PROVED)])
def make_token(
    *,
    site: SiteOf,
    visit: Manages,
    label: Annotated[str, Form()] = "",
    expires: Annotated[str, Form()] = "",
    scope: Annotated[list[str] | None, Form()] = None,
) -> Response:
    """Make a token, and show it this once. 400 when the form does not say for what."""
    now, school = site.clock.now(), visit.school.slug
    try:
        scopes, until, label = _scopes(site, visit, scope or []), _until(expires, london_date(now)), _label(label)
    except BadInput as error:
        return _page(site, visit, typed=Typed(label=label, expires=expires, problem=str(error)), status=400)
    secret = TOKEN_START + secrets.token_urlsafe(32)
    with site.database.unit() as unit:
        made = store.add_token(
            unit.connection, secret, label=label, school=school, scopes=scopes, made_by=visit.actor, at=now, expires_on=until
        )
        unit.append(school, LedgerEvent(Event.REGISTERED, now, f"token-{made.id}", visit.actor, "token_made"))
    synced(site, school)
    return _page(site, visit, made=Made(secret, f"Token “{label}”"))


@router.post("/schools/{school}/readers/webhooks", dependencies=[Depends(PROVED)])
def make_webhook(
    *, site: SiteOf, visit: Manages, url: Annotated[str, Form()] = "", event: Annotated[list[str] | None, Form()] = None
) -> Response:
    """Make a webhook, and show its signing secret this once. 400 for an address that cannot be told, or no event."""
    if site.sealer is None:
        raise HTTPException(status_code=404)
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    now, school = site.clock.now(), visit.school.slug
    try:
        events, address = _events(event or []), checked_url(url)
        with site.database.unit() as unit:
            made = store.add_webhook(
                unit.connection,
                school=school,
                url=address,
                sealed_secret=site.sealer.seal(secret),
                events=events,
                made_by=visit.actor,
                at=now,
            )
            unit.append(school, LedgerEvent(Event.REGISTERED, now, f"webhook-{made.id}", visit.actor, "webhook_made"))
    except BadInput as error:
        return _page(site, visit, typed=Typed(url=url, problem=str(error), of_webhook=True), status=400)
    synced(site, school)
    return _page(site, visit, made=Made(secret, "Signing secret of the webhook"))


@router.post("/schools/{school}/readers/tokens/{token_id}/end")
def end_token(site: SiteOf, visit: Manages, token_id: Number) -> Response:
    """End a token at once, then show the page (303). 404 for another school's."""
    with site.database.reading() as connection:
        found = store.token(connection, token_id)
    if found is None or found.school != visit.school.slug:
        raise HTTPException(status_code=404)
    return _ended(site, visit, store.end_token, token_id, "token")


@router.post("/schools/{school}/readers/webhooks/{webhook_id}/end")
def end_webhook(site: SiteOf, visit: Manages, webhook_id: Number) -> Response:
    """End a webhook at once, then show the page (303). 404 for another school's."""
    with site.database.reading() as connection:
        found = store.webhook(connection, webhook_id)
    if found is None or found.school != visit.school.slug:
        raise HTTPException(status_code=404)
    return _ended(site, visit, store.end_webhook, webhook_id, "webhook")


def _ended(site: Site, visit: Visit, end: Callable[[sa.Connection, int, datetime], object], number: int, what: str) -> Response:
    now, school = site.clock.now(), visit.school.slug
    try:
        with site.database.unit() as unit:
            end(unit.connection, number, now)
            unit.append(school, LedgerEvent(Event.REGISTERED, now, f"{what}-{number}", visit.actor, f"{what}_ended"))
    except BadInput as error:
        return _page(site, visit, typed=Typed(problem=str(error)), status=409)
    synced(site, school)
    return RedirectResponse(f"/schools/{school}/readers?done=reader_ended", status_code=303)


def _label(text: str) -> str:
    label = " ".join(text.split())
    if not label or len(label) > LONGEST_LABEL:
        message = f"Say which machine it is for, in at most {LONGEST_LABEL} characters."
        raise BadInput(message)
    return label


def _scopes(site: Site, visit: Visit, ticked: list[str]) -> frozenset[Scope]:
    offered = {each.value: each for each in _offered(site, visit)}
    if not set(ticked) - {Scope.SAFEGUARDING.value} or not set(ticked) <= offered.keys():
        message = "Tick what it may read."
        raise BadInput(message)
    return frozenset(offered[each] for each in ticked)


def _offered(site: Site, visit: Visit) -> tuple[Scope, ...]:
    """Return what this person may let a machine read: disclosures only when they may see them themselves (R15)."""
    all_of_it = safeguards(site, visit.acting, visit.school.slug)
    return tuple(each for each in Scope if each is not Scope.SAFEGUARDING or all_of_it)


def _until(text: str, today: date) -> date:
    try:
        until = date.fromisoformat(text.strip())
    except ValueError:
        until = date.min
    if not today <= until <= today + timedelta(days=LONGEST_DAYS):
        message = f"Give its last day: from today on, at most {LONGEST_DAYS} days."
        raise BadInput(message)
    return until


def _events(ticked: list[str]) -> frozenset[Event]:
    known = {each.value: each for each in TOLD}
    if not ticked or not set(ticked) <= known.keys():
        message = "Tick what it is told of."
        raise BadInput(message)
    return frozenset(known[each] for each in ticked)


def _page(  # noqa: PLR0913 - the forms' state
    site: Site, visit: Visit, *, done: str = "", typed: Typed = NOTHING_TYPED, made: Made = NOTHING_MADE, status: int = 200
) -> Response:
    today = london_date(site.clock.now())
    with site.database.reading() as connection:
        tokens, webhooks = store.tokens_of(connection, visit.school.slug), store.webhooks_of(connection, visit.school.slug)
        names = names_by_reference(connection)
    return site.pages.html(
        "readers",
        status=status,
        visit=visit,
        section="readers",
        done=done,
        typed=typed,
        made=made,
        # One whose last day is over stays until somebody takes it off: the digest asks for that while its machine may miss it.
        tokens=[each for each in tokens if each.ended_at is None and (each.school or each.expires_on >= today)],
        webhooks=[each for each in webhooks if each.ended_at is None],
        scopes=[(each.value, SCOPE_WORDS[each]) for each in _offered(site, visit)],
        scope_words=SCOPE_WORDS,
        events=[(each.value, event_words(each.value)) for each in TOLD],
        names=names,
        today=today,
        last=today + timedelta(days=LONGEST_DAYS),
    )
