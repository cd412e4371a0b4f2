"""The schema's version: what the database has, what this software wants, and the way there. Called by build, doctor and tests.

Alembic is only loaded to move: a service whose database is up to date does not carry it in memory.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from moderator.store.engine import READ

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).parent / "migrations"


def newest() -> str:
    """Return the newest version: the number that begins the last migration's file name."""
    return max(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*_*.py"))


def version(engine: sa.Engine) -> str | None:
    """Return the database's version; None for an empty database."""
    with engine.connect().execution_options(**READ) as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return None
        found: str | None = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
        return found


def upgrade(engine: sa.Engine) -> None:
    """Bring the schema up to date; does nothing when it is. May be repeated."""
    if version(engine) != newest():
        from alembic import command  # noqa: PLC0415 - see above

        command.upgrade(_alembic(engine), "head")


def downgrade(engine: sa.Engine, to: str = "base") -> None:
    """Take the schema back to a version; for tests of migrations and an emergency."""
    from alembic import command  # noqa: PLC0415 - see above

    command.downgrade(_alembic(engine), to)


def _alembic(engine: sa.Engine) -> "Config":
    from alembic.config import Config  # noqa: PLC0415 - see above

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["engine"] = engine
    return config
