"""Alembic's entry: runs the migrations on the engine that `database.upgrade` passes."""

from alembic import context
from sqlmodel import SQLModel

from moderator.store import record_tables, tables  # noqa: F401 - importing them registers the tables

metadata = SQLModel.metadata
engine = context.config.attributes["engine"]
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
