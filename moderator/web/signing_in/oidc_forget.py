"""Forgetting which account at Google or Microsoft is a person's: for when the school gave them a new one there. On the security page."""

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from moderator.domain.register import Acting
from moderator.observe import happened
from moderator.store import identities
from moderator.web.need import acting_of, open_to_signed_in
from moderator.web.noted import synced
from moderator.web.signing_in.changed import note_change
from moderator.web.signing_in.fresh import FreshProof
from moderator.web.site import SessionOf, Site, SiteOf

router = APIRouter()


def known_at(site: Site, acting: Acting) -> str:
    """Return the name of the provider where the signed-in person's account is known; "" when none is."""
    with site.database.reading() as connection:
        issuer = identities.issuer_of(connection, acting.person.id)
    return next((each.provider.name for each in site.providers if each.provider.issuer == issuer), issuer)


@router.post("/security/account/forget", dependencies=[Depends(FreshProof("/security"))])
@open_to_signed_in
def forget(request: Request, site: SiteOf, session: SessionOf) -> Response:
    """Forget the account: the next sign-in there finds the person by their e-mail address again. May be repeated."""
    acting = acting_of(request)
    with site.database.unit() as unit:
        identities.unbind(unit.connection, acting.person.id)
        schools = note_change(unit, acting, site.clock.now(), reason="identity_forgotten")
    happened("identity_forgotten", session=session.reference)
    synced(site, *schools)
    return RedirectResponse("/security?done=identity_forgotten", status_code=303)
