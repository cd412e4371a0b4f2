"""Prune: forget cleared comments after some hours (R28). Called by the schedule."""

from moderator import observe
from moderator.steps.drain import Tools


def prune(tools: Tools, *, limit: int = 500) -> int:
    """Blank up to `limit` cleared items that are old enough; return how many rows changed."""
    changed = tools.store.prune(before=tools.clock.now() - tools.keep_cleared, limit=limit)
    if changed:
        observe.happened("cleared_pruned", rows=changed)
    return changed
