"""Alerts: what was told, to whom, whether it arrived, who read it; and saying that one has seen it. In the menu; linked from mails."""

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Path, Query, Response
from fastapi.responses import RedirectResponse

from moderator.domain.access import Action
from moderator.domain.digest import AlertKind
from moderator.steps.acknowledge import acknowledge, acknowledge_item
from moderator.store.alerts import Viewer, alert_of, alerts_of, open_alerts, waiting_alerts
from moderator.store.undelivered import undelivered
from moderator.web.alert_words import shown, told_at
from moderator.web.item import Decides as DecidesItem
from moderator.web.item import Number
from moderator.web.need import LARGEST, Need, Visit, of_path
from moderator.web.opened import note_view, open_item
from moderator.web.seen import seen
from moderator.web.site import Site, SiteOf
from moderator.web.words import done_words

A_PAGE = 25
PAGE = "/schools/{school}/alerts"

router = APIRouter()
Sees = Annotated[Visit, Depends(Need(Action.SEE_ITEMS, of_path))]
Decides = Annotated[Visit, Depends(Need(Action.DECIDE, of_path))]
AlertNumber = Annotated[int, Path(ge=1, le=LARGEST)]


@router.get(PAGE)
def listing(site: SiteOf, visit: Sees, school: str, before: Annotated[int, Query(ge=0, le=LARGEST)] = 0, done: str = "") -> Response:
    """Show what nobody has read, what did not arrive, and every alert, newest first. `before` goes on after an alert."""
    del school
    slug, viewer = visit.school.slug, viewer_of(site, visit)
    with site.database.reading() as connection:
        unread = open_alerts(connection, slug, viewer) if not before else []
        found = alerts_of(connection, slug, viewer, limit=A_PAGE + 1, before=before)
        coming = waiting_alerts(connection, slug, viewer) if not before else []
        late = undelivered(connection, slug, site.clock.now()) if not before else ()
        told = told_at(connection, slug, site.clock.now())
    return site.pages.html(
        "alerts",
        visit=visit,
        section="alerts",
        unread=[shown(each, told, school=slug) for each in unread],
        late=late,
        rows=[shown(each, told, school=slug) for each in (*coming, *found[:A_PAGE]) if each not in unread],
        first=not before,
        following=f"before={found[A_PAGE - 1].id}" if len(found) > A_PAGE else "",
        may_say=visit.may(Action.DECIDE),
        done=done_words(done),
    )


@router.get(f"{PAGE}/{{alert_id}}")
def one(site: SiteOf, visit: Sees, school: str, alert_id: AlertNumber, done: str = "") -> Response:
    """Show one alert. Of one that is about no item, opening it is reading it, so it is written in the ledger like the view of an item."""
    del school
    slug = visit.school.slug
    with site.database.reading() as connection:
        found = alert_of(connection, slug, viewer_of(site, visit), alert_id)
    if found is None:
        raise HTTPException(status_code=404)
    if found.item_id is None and found.kind is not AlertKind.SUBMITTED:
        note_view(site, visit, slug, f"alert-{found.id}", after=found.at)
    with site.database.reading() as connection:
        told = told_at(connection, slug, site.clock.now())
        found = alert_of(connection, slug, viewer_of(site, visit), alert_id) or found
    row = shown(found, told, school=slug)
    return site.pages.html("alert", visit=visit, section="alerts", row=row, may_say=visit.may(Action.DECIDE), done=done_words(done))


@router.post(f"{PAGE}/{{alert_id}}/seen")
def say(site: SiteOf, visit: Decides, school: str, alert_id: AlertNumber) -> Response:
    """Note that this person has seen an alert, then show the list (303). A 404 when it is not for them."""
    with site.database.reading() as connection:
        found = alert_of(connection, visit.school.slug, viewer_of(site, visit), alert_id)
    if found is None:
        raise HTTPException(status_code=404)
    acknowledge(site.tools, alert_id, school=visit.school.slug, by=visit.actor)
    return RedirectResponse(f"/schools/{school}/alerts?done=seen", status_code=303)


@router.post("/items/{item_id}/seen")
def say_of_item(site: SiteOf, visit: DecidesItem, item_id: Number) -> Response:
    """Note that this person has seen every alert of an item so far, then show the item (303)."""
    open_item(site, visit, item_id)
    acknowledge_item(site.tools, item_id, school=visit.school.slug, by=visit.actor)
    return RedirectResponse(f"/items/{item_id}?done=seen", status_code=303)


def viewer_of(site: Site, visit: Visit) -> Viewer:
    """Return what of a school's alerts a visitor may be told of (R15, R21)."""
    return Viewer(seen(site, visit), service=visit.may(Action.SEE_HEALTH))
