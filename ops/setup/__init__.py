"""Setting a fresh checkout up, with nothing but Python's standard library. Called by ops/bootstrap.py."""
