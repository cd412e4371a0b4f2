"""Event names and counters: every log line and metric of the service starts here. Never comment text or a person's name."""

from typing import Final

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge

REGISTRY: Final = CollectorRegistry()
"""The service's own registry, so that tests and a second service in one process do not share counters."""

_EVENTS = Counter("moderator_events_total", "Past-tense events of the service", ["event"], registry=REGISTRY)
LAST_GOOD_POLL = Gauge("moderator_last_good_poll_timestamp_seconds", "When an account was last polled well", ["account"], registry=REGISTRY)

_log = structlog.get_logger("moderator")


def happened(event: str, **ids: str | float | bool | None) -> None:
    """Count and log one past-tense event (`item_hidden`) with ids. Values are ids, counts and codes only."""
    _EVENTS.labels(event).inc()
    _log.info(event, **ids)


def went_wrong(event: str, **ids: str | float | bool | None) -> None:
    """Count and log one event that a person should look at."""
    _EVENTS.labels(event).inc()
    _log.warning(event, **ids)
