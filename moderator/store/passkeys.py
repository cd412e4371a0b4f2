"""Passkeys: public keys by which people sign in without a password. Called by the sign-in and security pages."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from moderator.domain.errors import BadInput
from moderator.store.register_tables import PasskeyRow, PersonRow

PASSKEYS: sa.Table = PasskeyRow.__table__  # type: ignore[attr-defined] # SQLModel sets it at class creation
PEOPLE: sa.Table = PersonRow.__table__  # type: ignore[attr-defined] # as above


@dataclass(frozen=True, slots=True)
class Passkey:
    """One passkey. `credential_id` is unpadded base64url; `public_key` COSE; `sign_count` 0 where the device does not count."""

    credential_id: str
    person_id: int
    public_key: bytes
    sign_count: int
    label: str
    added_at: datetime
    used_at: datetime | None = None


def add(connection: sa.Connection, passkey: Passkey) -> None:
    """Store a new passkey. Raises BadInput when this credential is known already, whoever's it is."""
    values = {column.name: getattr(passkey, column.name) for column in PASSKEYS.c}
    try:
        with connection.begin_nested():
            connection.execute(sa.insert(PASSKEYS).values(values))
    except IntegrityError as error:
        message = "this passkey is registered already"
        raise BadInput(message) from error


def find(connection: sa.Connection, credential_id: str) -> Passkey | None:
    """Return a passkey by its credential, or None."""
    row = connection.execute(sa.select(PASSKEYS).where(PASSKEYS.c.credential_id == credential_id)).mappings().one_or_none()
    return Passkey(**row) if row else None


def of_person(connection: sa.Connection, person_id: int) -> list[Passkey]:
    """Return a person's passkeys, oldest first."""
    wanted = sa.select(PASSKEYS).where(PASSKEYS.c.person_id == person_id).order_by(PASSKEYS.c.added_at, PASSKEYS.c.credential_id)
    return [Passkey(**row) for row in connection.execute(wanted).mappings()]


def used(connection: sa.Connection, passkey: Passkey, *, count: int, at: datetime) -> bool:
    """Note a use and the device's new count; False when another use came between, or the passkey is gone."""
    same = sa.update(PASSKEYS).where(PASSKEYS.c.credential_id == passkey.credential_id, PASSKEYS.c.sign_count == passkey.sign_count)
    return connection.execute(same.values(sign_count=count, used_at=at)).rowcount == 1


def remove(connection: sa.Connection, credential_id: str, *, person_id: int) -> bool:
    """Remove a person's passkey; False when they have no such one.

    Raises BadInput when it is their last way in: no other passkey, and no password with a code.
    """
    wanted = sa.select(PEOPLE.c.password_hash, PEOPLE.c.totp_sealed).where(PEOPLE.c.id == person_id).with_for_update()
    person = connection.execute(wanted).one()  # the lock keeps two removals at once from taking both of the last two
    theirs = {each.credential_id for each in of_person(connection, person_id)}
    if credential_id not in theirs:
        return False
    if len(theirs) == 1 and not (person.password_hash and person.totp_sealed):
        message = "this is your only way in: set up a password with a code, or another passkey, first"
        raise BadInput(message)
    connection.execute(sa.delete(PASSKEYS).where(PASSKEYS.c.credential_id == credential_id))
    return True
