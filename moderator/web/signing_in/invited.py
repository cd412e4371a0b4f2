"""Invitations: a one-time link to a school address, for a new person or one who has lost everything. Called by the People page."""

import secrets
from datetime import timedelta

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from moderator.domain.errors import BadInput
from moderator.domain.events import Event, LedgerEvent
from moderator.domain.invitation import InvitationMail
from moderator.domain.register import Person
from moderator.domain.times import london_date
from moderator.observe import happened, went_wrong
from moderator.store import people, proofs, register
from moderator.store.database import SqlUnit
from moderator.store.sign_in import Purpose, add, end_sessions, find
from moderator.web.need import open_to_all
from moderator.web.signing_in.step import begin_step
from moderator.web.site import Site, SiteOf

INVITATION_LIVES = timedelta(days=7)
"""Our choice: a part-time colleague reads it in time."""

router = APIRouter()


def invite(unit: SqlUnit, site: Site, person: Person, *, by: str) -> list[str]:
    """Put an invitation in the outbox and a line in the ledger, in this transaction; return the schools whose ledger to bring up to date.

    1. The person's sessions, earlier invitations, password, app, recovery codes and passkeys end: a new invitation is also how somebody
       who lost everything comes back, so what they lost must open nothing.
    2. A new link is made, good for INVITATION_LIVES, until a sign-in is set up with it.

    `by` is the designation reference of who invites. Every call sends another mail. Raises BadInput when the address is on no school's
    domain (R26), or the person is not designated, today or later.
    """
    now = site.clock.now()
    register.refuse_foreign(unit.connection, person.email)
    held = {each.id: designations for each, designations in register.people_of(unit.connection)}[person.id]
    today = london_date(now)
    live = [each for each in held if each.live_on(max(today, each.begins_on))]
    if not live:
        message = "this person has no designation: designate them first, then invite them"
        raise BadInput(message)
    schools = [each for each in people.schools(unit.connection) if any(each_held.covers(each.slug) for each_held in live)]
    end_sessions(unit.connection, person.id, at=now)
    proofs.forget_proofs(unit.connection, person.id)
    secret = secrets.token_urlsafe(32)
    invitation = add(unit.connection, secret, purpose=Purpose.INVITE, expires_at=now + INVITATION_LIVES, person_id=person.id)
    told = InvitationMail(
        to=person.email,
        name=schools[0].name if len(schools) == 1 else schools[0].trust,
        link=f"{site.origin.text}/invited/{secret}",
        ends_at=invitation.expires_at,
        key=f"invitation-{invitation.reference}",
    )
    unit.mail_composed(told.key, schools[0].slug, site.tools.composer.invitation(told), now)
    for school in schools:
        reference = next(each.reference for each in live if each.covers(school.slug))
        unit.append(school.slug, LedgerEvent(Event.REGISTERED, now, reference, actor=by, reason="invited"))
    happened("invited", subject=live[0].reference, actor=by)
    return [each.slug for each in schools]


@router.get("/invited/{secret}")
@open_to_all
def show(site: SiteOf, secret: str) -> Response:
    """Show one button. Opening the link uses nothing up and says nothing of who is invited: mail scanners open links too."""
    return site.pages.html("invited", secret=secret, failed=False)


@router.post("/invited/{secret}")
@open_to_all
def begin(request: Request, site: SiteOf, secret: str) -> Response:
    """Go on to the password. The link stays good until the sign-in is set up, so that nobody is stranded half way."""
    response = RedirectResponse("/enrol/password", status_code=303)
    with site.database.unit() as unit:
        invited = find(unit.connection, secret, purpose=Purpose.INVITE, at=site.clock.now())
        if invited is None or invited.person_id is None:
            went_wrong("invitation_refused")
            return site.pages.html("invited", status=403, secret="", failed=True)
        begin_step(site, unit, request, response, purpose=Purpose.ENROL, person_id=invited.person_id)
    return response
