"""Poll: read what is new on one account that is due, within its month's read budget. Called by the schedule."""

import calendar
from datetime import UTC, datetime, timedelta

from moderator import observe
from moderator.domain.account import next_poll_in
from moderator.domain.errors import ModeratorError, RateLimited, Transient, Unauthorised
from moderator.domain.work import PollTurn
from moderator.ports import Platform
from moderator.steps.drain import RE_AUTHORISE, RE_AUTHORISE_DONE, Tools, tell_of_account

LEASE = timedelta(minutes=15)

PAGE_READS = 300
"""Most reads booked for one page: X's largest, 100 comments, each billed with the post it replies to and the one it quotes."""


def poll(tools: Tools, *, limit: int = 1) -> int:
    """Poll up to `limit` due accounts; return how many were polled.

    1. Claim the account that has been due longest and has a live approval (R1).
    2. For each source, book reads, ask for a page, and store items, cursor and bill in one transaction, until nothing more is waiting.
    3. Release the account until its next poll: sooner when busy, later when quiet, within the budget.
    """
    for done in range(limit):
        turn = tools.store.claim_poll(now=tools.clock.now(), lease=LEASE)
        if turn is None:
            return done
        _poll_account(tools, turn)
    return limit


def _poll_account(tools: Tools, turn: PollTurn) -> None:
    account = turn.account
    found, reads, trouble = 0, 0, ""
    wait_until: datetime | None = None
    try:
        platform = tools.platform_for(account)
        for source in platform.sources:
            new, read, more = _read_source(tools, platform, turn, source, left=turn.reads_left - reads)
            found, reads = found + new, reads + read
            if more:
                trouble = "This month's read budget is used up; the rest waits for next month."
    except RateLimited as error:
        wait_until = error.until
    except Unauthorised:
        _pause(tools, turn, RE_AUTHORISE, RE_AUTHORISE_DONE)
        trouble = RE_AUTHORISE
    except ModeratorError as error:
        trouble = f"The last poll failed: {error}"
        observe.went_wrong("poll_failed", account=account.id, error=type(error).__name__)
    _release(tools, turn, found=found, reads=reads, trouble=trouble, wait_until=wait_until)


def _read_source(tools: Tools, platform: Platform, turn: PollTurn, source: str, *, left: int) -> tuple[int, int, bool]:
    """Return how many comments were new, how many reads they cost, and whether more is waiting that the budget does not allow."""
    account, cursor = turn.account, turn.cursors.get(source, "")
    smallest = platform.smallest_page(source)
    found, used, more = 0, 0, True
    biggest = smallest if turn.troubled else PAGE_READS
    while more:
        booked = min(biggest, left - used)
        month = tools.clock.now().strftime("%Y-%m")
        if booked < smallest or not _book(tools, account.id, month, booked):
            return found, used, True
        try:
            page = platform.poll(source, cursor, limit=booked)
        except ModeratorError as error:
            # A refusal is not billed. After a broken answer nobody knows, so the booking stays and the next try asks for little.
            if isinstance(error, RateLimited) or not isinstance(error, Transient):
                with tools.store.unit() as unit:
                    unit.settle_reads(account.id, month, reserved=booked, used=0)
            raise
        at = tools.clock.now()
        with tools.store.unit() as unit:
            new = unit.add_page(account, source, page, at)
            unit.settle_reads(account.id, month, reserved=booked, used=page.reads)
        found, used, more, cursor, biggest = found + new, used + page.reads, page.more, page.cursor, PAGE_READS
    return found, used, False


def _book(tools: Tools, account_id: int, month: str, reads: int) -> bool:
    with tools.store.unit() as unit:
        return unit.reserve_reads(account_id, month, reads)


def _pause(tools: Tools, turn: PollTurn, what: str, done: str) -> None:
    with tools.store.unit() as unit:
        unit.pause_account(turn.account.id, until=None, trouble=what)
        tell_of_account(unit, turn.account, what=what, done=done, at=tools.clock.now())


def _release(  # noqa: PLR0913 - the facts of one poll
    tools: Tools, turn: PollTurn, *, found: int, reads: int, trouble: str, wait_until: datetime | None
) -> None:
    now = tools.clock.now()
    interval = next_poll_in(
        turn.interval,
        found=found,
        reads_left=max(turn.reads_left - reads, 0),
        reads_used_per_poll=turn.reads_per_poll,
        month_left=month_left(now),
    )
    next_at = max(now + interval, wait_until) if wait_until else now + interval
    with tools.store.unit() as unit:
        unit.end_poll(turn.account.id, at=now, next_at=next_at, interval=interval, reads=reads, trouble=trouble)
    if not trouble:
        observe.LAST_GOOD_POLL.labels(str(turn.account.id)).set(now.timestamp())
    observe.happened("account_polled", account=turn.account.id, new=found, reads=reads)


def month_left(now: datetime) -> timedelta:
    """Return the time left of the calendar month, UTC."""
    days = calendar.monthrange(now.year, now.month)[1]
    first = datetime(now.year, now.month, 1, tzinfo=UTC)
    return first + timedelta(days=days) - now
