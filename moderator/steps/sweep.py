"""Sweep: what must be put right now and then: ledger files behind their database, silent accounts, a policy at fault. By the schedule."""

from moderator import observe
from moderator.domain.errors import EvidenceFailed, Transient
from moderator.steps.drain import PER_DAY, Tools, tell_of_account, tell_of_system


def sweep(tools: Tools, *, limit: int = 100) -> int:
    """Bring every ledger file up to date, forget rolls that wait too long, tell of silent accounts (R4) and of a policy at fault.

    Returns 0: a sweep is never asked for twice in a row.
    """
    now = tools.clock.now()
    tools.store.forget_uploads(at=now)
    trouble = _policy_trouble(tools)
    for school in tools.store.schools():
        if trouble:
            with tools.store.unit() as unit:
                tell_of_system(unit, school.slug, what="A saved policy cannot be read.", done=trouble, at=now, spell=PER_DAY)
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


def _policy_trouble(tools: Tools) -> str:
    """Return what keeps the newest policy from being used, once it has been looked for."""
    tools.policies.current()
    return tools.policies.trouble
