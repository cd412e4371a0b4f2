"""Logs: one JSON line an event on stderr, past-tense names and ids only. Called by the command line at start."""

import logging
import sys

import structlog

QUIET = ("tweepy", "urllib3", "requests_oauthlib", "oauthlib", "apscheduler", "alembic", "playwright", "httpx")
"""Libraries whose own log lines can carry tokens, addresses or text: errors only."""

SILENT = ("asyncio",)
"""Ctrl-C in a terminal also ends the browser's driver, and asyncio prints its end as errors; what matters of it reaches us as Transient."""


def set_up(*, verbose: bool = False) -> None:
    """Configure logging for the process; may be repeated. `verbose` shows events, otherwise only what a person should look at."""
    level = logging.INFO if verbose else logging.WARNING
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.ERROR)
    for name in SILENT:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=_on_stderr,
        cache_logger_on_first_use=False,
    )


def _on_stderr(*names: object) -> structlog.PrintLogger:
    """Return a logger on whatever stderr is now, not on what it was at the set-up."""
    del names
    return structlog.PrintLogger(sys.stderr)
