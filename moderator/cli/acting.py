"""Who acts from the console, and the ledger line it leaves (R3). Called by the commands that a person signs for."""

from contextlib import suppress
from typing import TYPE_CHECKING

from moderator.domain.access import MAY, Action, Role
from moderator.domain.errors import BadInput, EvidenceFailed, Transient
from moderator.domain.times import SystemClock, london_date

if TYPE_CHECKING:
    from moderator.settings import Settings
    from moderator.store.database import Database

CONSOLE = "console"
"""What the ledger calls whoever sits at the machine while nobody is designated yet."""


def actor(database: "Database", *, by: str, action: Action, school: str) -> str:
    """Return the designation that a command acts under at a school.

    `by` is a reference such as HEAD-1. It may be "" only while nobody is designated who could do this: then it is CONSOLE.
    Raises BadInput when the designation is not live, or does not allow this.
    """
    from moderator.store import register  # noqa: PLC0415 - keeps `moderator --help` quick

    today = london_date(SystemClock().now())
    with database.reading() as connection:
        if by:
            acting = register.acting_by_reference(connection, by, today)
            if acting is None or not acting.may(action, school):
                message = f"--by {by}: no live designation of that reference allows this at {school}"
                raise BadInput(message)
            return acting.reference(action, school)
    if somebody_may(database, action=action, school=school):
        message = "say who does this with --by, a designation such as HEAD-1: people are designated for it now"
        raise BadInput(message)
    return CONSOLE


def checked(database: "Database", *, by: str, action: Action, school: str) -> None:
    """Raise BadInput unless `by` is a live designation that allows this; while nobody is designated for it, any reference will do."""
    if somebody_may(database, action=action, school=school):
        actor(database, by=by.strip().upper(), action=action, school=school)


def held_by_somebody(database: "Database", *, by: str) -> None:
    """Raise BadInput unless `by` is a live designation of any role; while nobody is designated anywhere, any reference will do."""
    from moderator.store import register  # noqa: PLC0415 - keeps `moderator --help` quick

    today = london_date(SystemClock().now())
    with database.reading() as connection:
        if register.acting_by_reference(connection, by.strip().upper(), today) is not None:
            return
        if any(register.someone_is(connection, Role, school.slug, today) for school in database.schools()):
            message = f"--by {by}: no live designation has that reference; moderator person list shows who is designated"
            raise BadInput(message)


def somebody_may(database: "Database", *, action: Action, school: str) -> bool:
    """Return whether anybody is designated today who may do this at a school."""
    from moderator.store import register  # noqa: PLC0415 - keeps `moderator --help` quick

    today = london_date(SystemClock().now())
    with database.reading() as connection:
        return register.someone_is(connection, MAY[action], school, today)


def open_ledger(options: "Settings", database: "Database", school: str) -> None:
    """Begin a school's ledger if it has no line yet. Raises BadInput when the service has no signing key."""
    from moderator import build  # noqa: PLC0415 - keeps `moderator --help` quick

    if database.head(school).seq == 0:
        build.open_signer(options, database, SystemClock())


def write_ledger(options: "Settings", database: "Database", school: str) -> None:
    """Bring the ledger's file up to the database. When that cannot be now, the service's sweep does it and tells a person."""
    from moderator.store.ledger import LedgerFile  # noqa: PLC0415 - keeps `moderator --help` quick

    with suppress(Transient, EvidenceFailed):
        LedgerFile(database.engine, options.data_dir).sync(school)
