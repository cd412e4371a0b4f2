"""What a route needs: an action of `domain.access` at the school the request is about. Named by every route; default deny (R3)."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import sqlalchemy as sa
from fastapi import HTTPException, Request
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from moderator.domain.access import MAY, STANDS_IN, Action
from moderator.domain.account import School
from moderator.domain.register import Acting
from moderator.domain.routes import OnDuty, leads_there
from moderator.domain.times import london_date
from moderator.store import absences, register
from moderator.store.items import ITEM_PEOPLE, ITEMS
from moderator.store.people import ACCOUNTS
from moderator.store.seen_by import seen_by
from moderator.store.sign_in import SignIn
from moderator.store.submitted import SUBMITTED
from moderator.web.site import Site, session_of, site_of

LARGEST = 2_147_483_647
"""The largest number of a row (a 32-bit integer); a larger one in an address is a 404."""

Asked = Callable[[Request, Site, Acting, Action], str | None]
"""Finds the school a request is about; None when there is no such thing, or none that this person may know of."""
Route = TypeVar("Route", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Visit:
    """A request that is allowed: who, where, and under which designation (`actor`, for the ledger; never a name).

    `schools` are those that the person belongs to, this one among them.
    """

    acting: Acting
    session: SignIn
    school: School
    actor: str
    schools: tuple[School, ...] = ()

    def may(self, action: Action) -> bool:
        """Return whether the person may do something else as well, at the same school."""
        return self.acting.may(action, self.school.slug)


class Need:
    """A dependency that lets a request through, or refuses it.

    A school that is not theirs does not exist for them (404); at their own school, what their role may not do is refused (403).
    """

    def __init__(self, action: Action, of: Asked) -> None:
        """Keep the action, and how to find the school."""
        self.action, self.of = action, of

    def __call__(self, request: Request) -> Visit:
        """Return the visit. Raises HTTPException: 404 or 403."""
        site, session, acting = site_of(request), session_of(request), acting_of(request)
        slug = self.of(request, site, acting, self.action)
        schools = {each.slug: each for each in site.database.schools()}
        if slug not in schools or not acting.belongs_to(slug):
            raise HTTPException(status_code=404)
        if not acting.may(self.action, slug):
            raise HTTPException(status_code=403, detail=NOT_YOURS)
        theirs = tuple(each for each in schools.values() if acting.belongs_to(each.slug))
        return Visit(acting, session, schools[slug], acting.reference(self.action, slug), theirs)


NOT_YOURS = "not_yours"
"""Detail of a 403 that comes from the table, not from another site."""


def acting_of(request: Request) -> Acting:
    """Return who the gate let in. Raises HTTPException 401 when it let nobody in."""
    found = getattr(request.state, "acting", None)
    if not isinstance(found, Acting):
        raise HTTPException(status_code=401)
    return found


def open_to_all(route: Route) -> Route:
    """Mark a route that anybody may open, signed in or not."""
    route.__dict__["open_to"] = "all"
    return route


def open_to_signed_in(route: Route) -> Route:
    """Mark a route that everybody who is signed in may open: it shows and changes only what is their own."""
    route.__dict__["open_to"] = "signed_in"
    return route


def needs_of(routes: Iterable[BaseRoute]) -> Mapping[tuple[str, str], Need | str]:
    """Return what each route needs, by method and path: a Need, `all` or `signed_in`. Raises LookupError for a route that says nothing."""
    found: dict[tuple[str, str], Need | str] = {}
    for route in _pages(routes):
        needs = [each.call for each in route.dependant.dependencies if isinstance(each.call, Need)]
        marked = getattr(route.endpoint, "open_to", "")
        if len(needs) + bool(marked) != 1:
            message = f"{route.path}: say once who may open it: a Need, @open_to_all or @open_to_signed_in"
            raise LookupError(message)
        found.update({(method, route.path): needs[0] if needs else marked for method in route.methods or ()})
    return found


def paths_open_to_all(routes: Iterable[BaseRoute]) -> tuple[re.Pattern[str], ...]:
    """Return the paths of the routes that anybody may open."""
    return tuple(route.path_regex for route in _pages(routes) if getattr(route.endpoint, "open_to", "") == "all")


def _pages(routes: Iterable[BaseRoute]) -> Iterator[APIRoute]:
    return (route for route in routes if isinstance(route, APIRoute))


def of_path(request: Request, site: Site, acting: Acting, action: Action) -> str | None:
    """Return the school in the address: `/schools/{school}/…`."""
    del site, acting, action
    return str(request.path_params["school"])


def of_query(request: Request, site: Site, acting: Acting, action: Action) -> str | None:
    """Return the school in the query, or the first where the person may do it, or else the first of theirs."""
    asked = request.query_params.get("school")
    return asked or _first(site, acting, action)


def of_first(request: Request, site: Site, acting: Acting, action: Action) -> str | None:
    """Return the first school where the person may do it, or else the first of theirs; the request names none."""
    del request
    return _first(site, acting, action)


def of_trust(request: Request, site: Site, acting: Acting, action: Action) -> str | None:
    """Return the first school of all when the person may do it at every school; else they are refused at their own (403)."""
    del request
    slugs = [each.slug for each in site.database.schools()]
    if all(acting.may(action, slug) for slug in slugs):
        return slugs[0] if slugs else None
    if any(acting.belongs_to(slug) for slug in slugs):
        raise HTTPException(status_code=403, detail=NOT_YOURS)
    return None


def of_account(request: Request, site: Site, acting: Acting, action: Action) -> str | None:
    """Return the school of the account in the address: `/accounts/{account_id}`."""
    del acting, action
    return _text(site, sa.select(ACCOUNTS.c.school).where(ACCOUNTS.c.id == _number(request, "account_id")))


def of_designation(request: Request, site: Site, acting: Acting, action: Action) -> str | None:
    """Return the school of the designation in the address; for one of the whole trust, the first school the person may act at."""
    with site.database.reading() as connection:
        found = register.designation(connection, _number(request, "designation_id"))
    if found is None:
        return None
    return found.school or _first(site, acting, action)


def of_item(request: Request, site: Site, acting: Acting, action: Action) -> str | None:
    """Return the school of the item in the address, unless it is not for this person (R15, R21)."""
    del action
    number = _number(request, "item_id")
    school = _text(site, sa.select(ITEMS.c.school).where(ITEMS.c.id == number))
    return school if school is not None and not _kept_from(site, acting, school, ITEMS.c.id == number) else None


def of_record(request: Request, site: Site, acting: Acting, action: Action) -> str | None:
    """Return the school of the record in the address, unless one of its items is not for this person (R15, R21)."""
    del action
    record = str(request.path_params["record_id"])
    school = _text(site, sa.select(ITEMS.c.school).where(ITEMS.c.record_id == record).limit(1))
    if school is None:
        return _text(site, sa.select(SUBMITTED.c.school).where(SUBMITTED.c.record_id == record))
    return school if not _kept_from(site, acting, school, ITEMS.c.record_id == record) else None


def _kept_from(site: Site, acting: Acting, school: str, which: sa.ColumnElement[bool]) -> bool:
    """Return whether one of these items names the person, or is a disclosure they may not see."""
    with site.database.reading() as connection:
        of_these = sa.select(ITEM_PEOPLE.c.reference).join(ITEMS, ITEMS.c.id == ITEM_PEOPLE.c.item_id).where(which)
        named = frozenset(connection.execute(of_these).scalars())
    may_see = seen_by(references=acting.on_the_roll, safeguarding=safeguards(site, acting, school, named=named))
    with site.database.reading() as connection:
        return connection.execute(sa.select(ITEMS.c.id).where(which, ~may_see).limit(1)).first() is not None


def safeguards(site: Site, acting: Acting, school: str, *, named: frozenset[str] = frozenset()) -> bool:
    """Return whether a person sees disclosures at a school: by role, or standing in where nobody with that role is there (R15).

    `named` are the roll references of those a disclosure names: whoever is named does not count as there (R21).
    """
    if acting.may(Action.SEE_SAFEGUARDING, school):
        return True
    if not acting.roles(school) & STANDS_IN:
        return False
    with site.database.reading() as connection:
        day = london_date(site.clock.now())
        leads = OnDuty(register.holders(connection, school, day, *MAY[Action.SEE_SAFEGUARDING]), absences.away_on(connection, day))
    return not leads_there(leads, named=named)


def _first(site: Site, acting: Acting, action: Action) -> str | None:
    slugs = [each.slug for each in site.database.schools() if acting.belongs_to(each.slug)]
    return next(iter((*acting.among(action, slugs), *slugs)), None)


def _number(request: Request, name: str) -> int:
    text = str(request.path_params[name])
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= len(str(LARGEST)) else 0
    if not 0 < number <= LARGEST:
        raise HTTPException(status_code=404)
    return number


def _text(site: Site, wanted: sa.Select[Any]) -> str | None:
    with site.database.reading() as connection:
        found: str | None = connection.execute(wanted).scalar()
        return found
