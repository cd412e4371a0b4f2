"""Opening the database: the only place that knows SQLite from PostgreSQL."""

import sqlite3
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

    SQLite: WAL, `synchronous=FULL`, foreign keys on, deleted values overwritten, `BEGIN IMMEDIATE` for every writing transaction.
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
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-16000", "secure_delete=ON"):
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
    # Without the option, PostgreSQL's driver says -1 instead of a count.
    return connection.execute(statement, list(rows), execution_options={"preserve_rowcount": True}).rowcount


def insert_if_new(connection: sa.Connection, table: sa.Table, row: Mapping[str, object]) -> bool:
    """Insert one row, unless its unique key is there already; return whether it was inserted. Of two workers only one is told so."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    statement = dialect.insert(table).values(row).on_conflict_do_nothing().returning(*table.primary_key.columns)
    return connection.execute(statement).first() is not None


def translate(error: DBAPIError) -> Exception:
    """Return the domain error for a database error: a full disk, a lock or a lost connection is Transient; anything else stays itself."""
    if isinstance(error, OperationalError):
        return Transient(f"the database did not take it: {type(error.orig).__name__}")
    return error


def scrub(engine: sa.Engine) -> None:
    """Let go of deleted bytes: SQLite rewrites its file and cuts its log, PostgreSQL frees the dead rows. May be repeated; slow.

    `secure_delete` alone leaves traces where SQLite has moved rows between pages. Raises Transient when somebody reads the database
    right now, or the disk has no room for a second copy of it.
    """
    try:
        if engine.dialect.name == "sqlite":
            _scrub_sqlite(engine)
        else:
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.exec_driver_sql("VACUUM")
    except (DBAPIError, sqlite3.Error) as error:
        message = "the database could not be scrubbed now"
        raise Transient(message) from error


def _scrub_sqlite(engine: sa.Engine) -> None:
    raw = engine.raw_connection()
    try:
        cursor = raw.cursor()
        for command in ("VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"):
            cursor.execute(command)
        busy, *_ = cursor.fetchone() or (1,)
        cursor.close()
    finally:
        raw.close()
    if busy:
        message = "the database could not be scrubbed now: it is being read"
        raise Transient(message)
