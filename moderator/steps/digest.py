"""Digest: one message per school and London day, empty days too, with the ledger's head in it. Called by the schedule."""

from dataclasses import replace
from datetime import date

from moderator import observe
from moderator.domain.account import School
from moderator.domain.digest import Digest
from moderator.steps.drain import Tools


def digest(tools: Tools, *, limit: int = 10) -> int:
    """Compose up to `limit` digests that are due; return how many were composed."""
    due = tools.store.digest_due(now=tools.clock.now())[:limit]
    for school, day in due:
        digest_for(tools, school, day)
    return len(due)


def content_of(tools: Tools, school: School, day: date) -> Digest:
    """Return one day's digest as it would be now, with who can still see what is hidden (R12). Writes nothing."""
    content = tools.store.digest_of(school, day, link=tools.review_url)
    return replace(content, visible_after_hide=tuple(tools.visible_after_hide.values()))


def digest_for(tools: Tools, school: School, day: date) -> bool:
    """Compose one day's digest into the outbox; return False when it was composed before. May be repeated.

    The ledger's file is brought up to date first: the head in the digest is the head an outsider sees.
    """
    tools.ledger.sync(school.slug)
    content = content_of(tools, school, day)
    message = tools.composer.digest(content)
    with tools.store.unit() as unit:
        new = unit.digest_composed(content, message, tools.clock.now())
    if new:
        observe.happened("digest_composed", school=school.slug, day=day.isoformat())
    return new
