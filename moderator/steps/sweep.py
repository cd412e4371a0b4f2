"""Sweep: what must be put right now and then: ledger files behind their database, accounts that fell silent. Called by the schedule."""

from moderator import observe
from moderator.domain.errors import EvidenceFailed, Transient
from moderator.steps.drain import Tools, tell_of_account, tell_of_system


def sweep(tools: Tools, *, limit: int = 100) -> int:
    """Bring every ledger file up to date and tell of silent accounts (R4); return 0: a sweep is never asked for twice in a row."""
    now = tools.clock.now()
    for school in tools.store.schools():
        try:
            tools.ledger.sync(school.slug)
        except (Transient, EvidenceFailed) as error:
            observe.went_wrong("ledger_behind", school=school.slug, error=type(error).__name__)
            with tools.store.unit() as unit:
                tell_of_system(
                    unit, school.slug, what="The ledger file cannot be written.", done=f"Nothing is hidden until it can: {error}", at=now
                )
    for account in tools.store.silent_accounts(since=now - tools.silence)[:limit]:
        hours = int(tools.silence.total_seconds() // 3600)
        with tools.store.unit() as unit:
            tell_of_account(
                unit,
                account,
                what="An account has not been read for a while.",
                done=f"No good answer for more than {hours} hours. Comments wait on the platform. Ask an admin to look.",
                at=now,
            )
    return 0
