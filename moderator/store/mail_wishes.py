"""Which mails people do not want, of those that anybody may leave. Called by the Mail wishes page and the report steps."""

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa

from moderator.store.engine import insert_new
from moderator.store.mail_tables import MailWishRow

WISHES: sa.Table = MailWishRow.__table__  # type: ignore[attr-defined] # SQLModel sets it at class creation


def not_wanted(connection: sa.Connection, kind: str) -> frozenset[int]:
    """Return the numbers of the people who do not want the mails of a kind."""
    return frozenset(connection.execute(sa.select(WISHES.c.person_id).where(WISHES.c.kind == kind)).scalars())


def left_by(connection: sa.Connection, person_id: int) -> frozenset[str]:
    """Return the kinds of mail that a person does not want."""
    return frozenset(connection.execute(sa.select(WISHES.c.kind).where(WISHES.c.person_id == person_id)).scalars())


def leave_only(connection: sa.Connection, person_id: int, kinds: Collection[str], *, at: datetime) -> None:
    """Let a person be without these kinds of mail, and with every other. May be repeated."""
    back = sa.delete(WISHES).where(WISHES.c.person_id == person_id, WISHES.c.kind.not_in(sorted(kinds)))
    connection.execute(back)
    if kinds:
        insert_new(connection, WISHES, [{"person_id": person_id, "kind": kind, "at": at} for kind in sorted(kinds)])
