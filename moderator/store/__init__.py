"""The database: items as a queue, the register, the ledger's mirror, the outbox. One SQL for SQLite and PostgreSQL."""
