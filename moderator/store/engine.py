"""Opening the database: the only place that knows SQLite from PostgreSQL."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from moderator.domain.errors import BadInput, Transient

READ = {"moderator_read": True}
"""Execution options of a connection that only reads: on SQLite it does not take the write lock."""

BUSY_SECONDS = 30
"""How long a writer waits for SQLite's one write lock before it gives up with Transient."""


def open_engine(url: str) -> sa.Engine:
    """Return an engine for a database URL (`sqlite:///path` or `postgresql+psycopg://…`).

    SQLite: WAL, `synchronous=FULL`, foreign keys on, `BEGIN IMMEDIATE` for every writing transaction.
    Raises BadInput for a URL of any other kind.
    """
    kind = url.partition(":")[0]
    if kind == "sqlite":
        engine = sa.create_engine(url, connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False})
        sa.event.listen(engine, "connect", _sqlite_connect)
        sa.event.listen(engine, "begin", _sqlite_begin)
        return engine
    if kind == "postgresql+psycopg":
        return sa.create_engine(url, pool_pre_ping=True)
    message = f"database: {kind!r} is not supported; use sqlite:///FILE or postgresql+psycopg://…"
    raise BadInput(message)


def _sqlite_connect(connection: Any, record: ConnectionPoolEntry) -> None:  # noqa: ANN401 - the driver's own connection
    del record
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-16000"):
        connection.execute(f"PRAGMA {pragma}")


def _sqlite_begin(connection: sa.Connection) -> None:
    read = connection.get_execution_options().get("moderator_read", False)
    connection.exec_driver_sql("BEGIN" if read else "BEGIN IMMEDIATE")


def insert_new(connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, object]]) -> int:
    """Insert rows, leaving alone those whose unique key is there already; return how many were new."""
    if not rows:
        return 0
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    statement = dialect.insert(table).on_conflict_do_nothing()
    return connection.execute(statement, list(rows)).rowcount


def translate(error: DBAPIError) -> Exception:
    """Return the domain error for a database error: a full disk, a lock or a lost connection is Transient; anything else stays itself."""
    if isinstance(error, OperationalError):
        return Transient(f"the database did not take it: {type(error.orig).__name__}")
    return error
