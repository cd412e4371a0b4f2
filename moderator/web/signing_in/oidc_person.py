"""Which person of the register a believed account is. Nobody is ever added by it (R3). Called by the sign-in by OIDC."""

from datetime import datetime

from moderator.domain.errors import Refused
from moderator.domain.register import Acting
from moderator.domain.times import london_date
from moderator.store import identities, register
from moderator.store.database import SqlUnit
from moderator.web.signing_in.changed import note_change
from moderator.web.signing_in.oidc_claims import Identity

BOUND = "identity_bound"
"""Reason of the ledger's line when a person's account at the provider is known from now on."""


def person_of(unit: SqlUnit, identity: Identity, at: datetime) -> Acting:
    """Return the person, by account; the first time by e-mail, which binds the account to them from then on.

    Raises Refused with the code `unknown` when nobody in the register has that account or address, or none of their designations is live:
    the caller's transaction then takes back what was bound.
    """
    account = {"issuer": identity.issuer, "subject": identity.subject}
    known = identities.person_of(unit.connection, **account)
    number = known if known is not None else identities.bind(unit.connection, email=identity.email, **account)
    acting = register.acting(unit.connection, number, london_date(at)) if number is not None else None
    if acting is None:
        message = "unknown"
        raise Refused(message)
    if known is None:
        note_change(unit, acting, at, reason=BOUND)
    return acting
