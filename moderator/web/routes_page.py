"""Routes: who is told of what, whom that would be right now, and changing it (R21, R32). Linked from People."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Response
from fastapi.responses import RedirectResponse

from moderator.domain.access import ROLE_WORDS, Action, Role
from moderator.domain.errors import BadInput
from moderator.domain.register import Person
from moderator.domain.review import MIN_JUSTIFICATION
from moderator.domain.routes import DEFAULTS, KIND_WORDS, OnDuty, RouteKind, may_be_told, references, told
from moderator.domain.times import london_date
from moderator.steps.alert import last_resort
from moderator.steps.rehearse import NO_ALERTS
from moderator.store import appoint, duty, register, signed
from moderator.web.accounts_form import MOST_WORDS, as_sentence, words_of
from moderator.web.need import Need, Visit, of_path
from moderator.web.noted import synced
from moderator.web.signing_in.fresh import FreshProof, fresh_proof
from moderator.web.site import Site, SiteOf

PAGE = "/schools/{school}/routes"
VERSIONS = 20
"""Earlier changes shown at most."""
DONE = {
    "changed": "Kept. It holds from now on.",
    "rehearsed": "The rehearsal is on its way. Under Alerts you see who has pressed its button.",
}

router = APIRouter()
Sees = Annotated[Visit, Depends(Need(Action.SEE_PEOPLE, of_path))]
Signs = Annotated[Visit, Depends(Need(Action.SIGN, of_path))]
Proved = Annotated[None, Depends(fresh_proof)]
ProvedForForm = Annotated[None, Depends(FreshProof(f"{PAGE}/{{kind}}"))]


@dataclass(frozen=True, slots=True)
class Row:
    """One route in words: whom it names, and whom it would reach now.

    `assumed` is whether nobody has signed it yet, `alert` whether it is an alert's, so that it can be rehearsed.
    """

    kind: RouteKind
    title: str
    roles: tuple[str, ...]
    now: tuple[str, ...]
    assumed: bool
    alert: bool


@router.get(PAGE)
def routes(site: SiteOf, visit: Sees, school: str, named: Annotated[int, Query(ge=0, le=2_147_483_647)] = 0, done: str = "") -> Response:
    """Show every route, and whom it would reach if it happened now; `named` is the number of a person it were about (0: nobody)."""
    del school
    slug, day = visit.school.slug, london_date(site.clock.now())
    with site.database.reading() as connection:
        now = duty.on_duty(connection, slug, day)
        versions = signed.route_versions(connection, slug, limit=VERSIONS)
        who = register.names_by_reference(connection)
    people = _people(now)
    about = people.get(named)
    return site.pages.html(
        "routes",
        visit=visit,
        section="people",
        rows=[_row(site, kind, now, about) for kind in RouteKind],
        people=list(people.values()),
        named=named if about else 0,
        unplaced=about is not None and not references(about),
        away=[person for person in people.values() if person.id in now.away],
        unknown=[person for role in (Role.HEAD, Role.CEO) for person in now.holders.get(role, ()) if not references(person)],
        versions=[(at, KIND_WORDS[kind], _listed(roles), who.get(author, author), why) for at, kind, roles, author, why in versions],
        may_sign=visit.may(Action.SIGN),
        done=DONE.get(done, ""),
    )


@router.get(f"{PAGE}/{{kind}}")
def ask(site: SiteOf, visit: Signs, school: str, kind: RouteKind, proved: Proved) -> Response:
    """Show the form for one route."""
    del school, proved
    with site.database.reading() as connection:
        now = signed.routes(connection, visit.school.slug).get(kind, DEFAULTS[kind])
    return _form(site, visit, kind, chosen=[role.value for role in now])


@router.post(f"{PAGE}/{{kind}}")
def change(  # noqa: PLR0913 - the fields of one form
    *,
    site: SiteOf,
    visit: Signs,
    school: str,
    kind: RouteKind,
    proved: ProvedForForm,
    roles: Annotated[list[str] | None, Form()] = None,
    why: Annotated[str, Form()] = "",
) -> Response:
    """Keep a new version of the route, then show all (303). 400 with what was typed if it cannot be."""
    del proved
    at, chosen = site.clock.now(), [role for role in Role if role.value in (roles or ())]
    try:
        reason = words_of(why, what="why you change it")
        with site.database.unit() as unit:
            signed.change_route(unit.connection, school=visit.school.slug, kind=kind, roles=chosen, author=visit.actor, why=reason, at=at)
            appoint.noted(unit, visit.school.slug, f"route-{kind.value}", "route_changed", by=visit.actor, at=at)
    except BadInput as error:
        return _form(site, visit, kind, chosen=[role.value for role in chosen], why=why, problem=as_sentence(error))
    synced(site, visit.school.slug)
    return RedirectResponse(f"/schools/{school}/routes?done=changed", status_code=303)


def _people(now: OnDuty) -> dict[int, Person]:
    """Return everybody of the school and the trust by number; a mailbox is nobody."""
    found = {person.id: person for people in now.holders.values() for person in people if person.id}
    return dict(sorted(found.items(), key=lambda each: each[1].name))


def _row(site: Site, kind: RouteKind, now: OnDuty, about: Person | None) -> Row:
    # A person who is not on the roll is given a place here, so that the preview shows what it would be like.
    named: frozenset[str] = references(_placed(about)) if about else frozenset()
    holders = {
        role: tuple(_placed(person) if about and person.id == about.id else person for person in people)
        for role, people in now.holders.items()
    }
    duty = OnDuty(holders, now.away, now.routes)
    people = told(kind, duty, named=named) or last_resort(site.tools, duty, named)
    return Row(
        kind,
        KIND_WORDS[kind],
        tuple(ROLE_WORDS[role] for role in now.roles(kind)),
        tuple(person.name or f"The mailbox {person.email}" for person in people),
        kind not in now.routes,
        kind not in NO_ALERTS,
    )


def _placed(person: Person) -> Person:
    return person if person.roll_reference else Person(person.id, person.name, person.email, "?")


def _listed(roles: tuple[Role, ...]) -> str:
    return ", ".join(ROLE_WORDS[role] for role in roles)


def _form(  # noqa: PLR0913 - the form's state
    site: Site, visit: Visit, kind: RouteKind, *, chosen: list[str], why: str = "", problem: str = ""
) -> Response:
    return site.pages.html(
        "routes_change",
        status=400 if problem else 200,
        visit=visit,
        section="people",
        kind=kind,
        title=KIND_WORDS[kind],
        roles=[(role.value, ROLE_WORDS[role]) for role in may_be_told(kind)],
        chosen=chosen,
        why=why,
        problem=problem,
        shortest=MIN_JUSTIFICATION,
        longest=MOST_WORDS,
    )
