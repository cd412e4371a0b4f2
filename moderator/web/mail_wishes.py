"""Which mails a person gets, and which of them they may be without. Everybody signed in, their own alone; linked from each such mail.

Alerts and a school's own digest cannot be left: the policy asks that the Headteacher is told (R7). There is no answer to a press of a mail
program's button without signing in: a forwarded mail must not let others switch it off.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from moderator.domain.mail_wishes import MAY_LEAVE, TERMLY, TRUST_DIGEST, WEEKLY, may_leave
from moderator.domain.register import Person
from moderator.domain.report import ReportKind
from moderator.domain.report_readers import digest_people, school_people, trust_people
from moderator.domain.routes import OnDuty
from moderator.domain.times import london_date
from moderator.observe import happened
from moderator.store import duty, mail_wishes, people, reports
from moderator.web.need import acting_of, open_to_signed_in
from moderator.web.site import SessionOf, Site, SiteOf

PAGE = "/mail-wishes"
DONE = {"kept": "Kept. It holds from the next mail on."}
ALONE = "You are the only one who reads it, so it keeps coming."

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Choice:
    """One kind of mail that the person gets: of which schools, whether they have left it, and whether nobody else reads it (`alone`)."""

    kind: str
    called: str
    of: tuple[str, ...]
    left: bool
    alone: bool


@router.get(PAGE)
@open_to_signed_in
def show(request: Request, site: SiteOf, session: SessionOf, done: str = "") -> Response:
    """Show which mails this person gets."""
    person = acting_of(request).person
    with site.database.reading() as connection:
        choices = choices_of(connection, site, person)
    return _page(site, session.actor, choices, done=DONE.get(done, ""))


@router.post(PAGE)
@open_to_signed_in
def keep(request: Request, site: SiteOf, session: SessionOf, wanted: Annotated[list[str] | None, Form()] = None) -> Response:
    """Keep which of them the person wants (303); 400 when one they would leave has no other reader."""
    person = acting_of(request).person
    with site.database.unit() as unit:
        choices = choices_of(unit.connection, site, person)
        leaving = {each.kind for each in choices if each.kind not in (wanted or ())}
        if any(each.alone and each.kind in leaving for each in choices):
            return _page(site, session.actor, choices, problem=ALONE)
        before = mail_wishes.left_by(unit.connection, person.id)
        after = (before - {each.kind for each in choices}) | leaving
        mail_wishes.leave_only(unit.connection, person.id, after, at=site.clock.now())
    happened("mail_wishes_kept", person=person.id, left=len(after))
    return RedirectResponse(f"{PAGE}?done=kept", status_code=303)


def choices_of(connection: sa.Connection, site: Site, person: Person) -> tuple[Choice, ...]:
    """Return the mails that the person reads by their roles, away or not, and that are not switched off for everybody."""
    left = {kind: mail_wishes.not_wanted(connection, kind) for kind in MAY_LEAVE}
    found: dict[str, list[tuple[str, tuple[Person, ...]]]] = {kind: [] for kind in MAY_LEAVE}
    off = {kind for kind, on in ((WEEKLY, site.tools.weekly_report), (TERMLY, site.tools.termly_report)) if not on}
    for kind, of, readers in _read(connection, site):
        if kind not in off and person.id in {each.id for each in readers}:
            found[kind].append((of, readers))
    return tuple(
        Choice(
            kind,
            called,
            tuple(of for of, _ in found[kind]),
            left=person.id in left[kind],
            alone=not all(may_leave(person.id, readers, left[kind]) for _, readers in found[kind]),
        )
        for kind, called in MAY_LEAVE.items()
        if found[kind]
    )


def _read(connection: sa.Connection, site: Site) -> Iterator[tuple[str, str, tuple[Person, ...]]]:
    """Yield each mail of these kinds: its kind, of what it is, and who reads it when nobody is away."""
    day, schools = london_date(site.clock.now()), people.schools(connection)
    several = len(schools) > 1
    for school in schools:
        at_school = _all_there(duty.on_duty(connection, school.slug, day))
        yield WEEKLY, school.name, school_people(ReportKind.WEEKLY, at_school, several=several)
        yield TERMLY, school.name, school_people(ReportKind.TERMLY, at_school, several=several)
    of_trust = _all_there(reports.trust_on_duty(connection, day))
    if several:
        yield TERMLY, schools[0].trust, trust_people(of_trust)
    yield TRUST_DIGEST, schools[0].trust, next(iter(digest_people(of_trust, several=several)), ())


def _all_there(found: OnDuty) -> OnDuty:
    return replace(found, away=frozenset())


def _page(site: Site, actor: str, choices: tuple[Choice, ...], *, done: str = "", problem: str = "") -> Response:
    return site.pages.html(
        "mail_wishes", status=400 if problem else 200, actor=actor, choices=choices, done=done, problem=problem, alone=ALONE
    )
