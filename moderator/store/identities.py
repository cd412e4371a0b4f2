"""Which person an identity provider's account is (OIDC issuer and subject). Called by the sign-in by Google or Microsoft."""

import sqlalchemy as sa

from moderator.store.register_tables import PersonRow

PEOPLE: sa.Table = PersonRow.__table__  # type: ignore[attr-defined] # SQLModel sets it at class creation


def person_of(connection: sa.Connection, *, issuer: str, subject: str) -> int | None:
    """Return the number of the person bound to that account, or None."""
    bound = sa.select(PEOPLE.c.id).where(PEOPLE.c.oidc_issuer == issuer, PEOPLE.c.oidc_subject == subject)
    return connection.execute(bound).scalar()


def bind(connection: sa.Connection, *, email: str, issuer: str, subject: str) -> int | None:
    """Bind the person with that address to the account, once, and return their number.

    None when nobody has the address, or the person is bound to another account already: an address can be given to somebody else at the
    provider, an account cannot.
    """
    free = sa.update(PEOPLE).where(PEOPLE.c.email == email.strip().lower(), PEOPLE.c.oidc_subject == "")
    return connection.execute(free.values(oidc_issuer=issuer, oidc_subject=subject).returning(PEOPLE.c.id)).scalar()


def issuer_of(connection: sa.Connection, person_id: int) -> str:
    """Return the issuer of a person's account; "" when none is bound."""
    return str(connection.execute(sa.select(PEOPLE.c.oidc_issuer).where(PEOPLE.c.id == person_id)).scalar_one())


def unbind(connection: sa.Connection, person_id: int) -> None:
    """Forget a person's account at the provider: the next sign-in there binds afresh by address. May be repeated."""
    connection.execute(sa.update(PEOPLE).where(PEOPLE.c.id == person_id).values(oidc_issuer="", oidc_subject=""))
