"""The schema's versions; alembic runs them."""
