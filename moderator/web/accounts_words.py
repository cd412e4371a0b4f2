"""The plain words of the accounts pages: states, what is wrong, dates, history. Called by their facts."""

from datetime import date, datetime, timedelta

from moderator.domain.account import Mode
from moderator.domain.account_state import AccountState
from moderator.domain.dues import Dated, Due
from moderator.mail.words import mode_words
from moderator.store.account_history import AccountLine
from moderator.store.accounts import NOT_CONNECTED, Standing

STATES = {
    AccountState.REQUESTED: "Waits for approval",
    AccountState.DECLINED: "Turned down",
    AccountState.APPROVED: "Approved, not connected",
    AccountState.LIVE: "Live",
    AccountState.ENDED: "Approval over",
    AccountState.WITHDRAWN: "Withdrawn",
}

CALM = frozenset({AccountState.REQUESTED, AccountState.DECLINED, AccountState.WITHDRAWN})
"""States in which nothing is read and nobody need mend that."""

DECIDED = CALM - {AccountState.REQUESTED}
"""States in which nobody has anything to do."""

MODES = {
    Mode.OBSERVE: "Watch only: flagged comments are recorded and you are told. Nothing is hidden.",
    Mode.HIDE: "Watch and hide: flagged comments are recorded, then hidden, and you are told.",
}

DONE = {
    "asked": "Asked for. Now connect it, and the Headteacher approves it. Nothing is read before that.",
    "approved": "Approved. Once it is connected, it is read within a minute.",
    "withdrawn": "Withdrawn. It is not read any more.",
    "declined": "Turned down. Nothing was ever read.",
    "connected": "Connected. The platform says that it is the right account.",
    "disconnected": "Disconnected. Its key is thrown away, and nothing is read.",
    "password": "Noted. If the platform signs you out everywhere after a change, connect the account again.",
    "not_personal": "Noted. We ask again in a year.",
}

_HISTORY = {
    "account_requested": "Asked for",
    "account_approved": "Approved",
    "account_withdrawn": "Approval withdrawn",
    "account_declined": "Request turned down",
    "account_connected": "Connected to its platform",
    "account_disconnected": "Disconnected from its platform",
    "password_attested": "Password change noted",
    "not_personal_attested": "Checked that it is nobody's own account",
}

NEARLY_USED = 0.9
"""The part of a month's reads after which the page says so (our choice)."""


def plain_day(day: date) -> str:
    """Return `22 November 2026`."""
    return f"{day.day} {day:%B %Y}"


def due_words(due: Due, today: date) -> str:
    """Return a date and how far off it is: `17 January 2027, in 14 days`."""
    left = due.days_left(today)
    if left < 0:
        return f"{plain_day(due.on)}: overdue by {_days(-left)}"
    return f"{plain_day(due.on)}, " + {0: "today", 1: "tomorrow"}.get(left, f"in {_days(left)}")


def _days(number: int) -> str:
    return "1 day" if number == 1 else f"{number} days"


def what_is_wrong(standing: Standing, now: datetime, today: date, silence: timedelta) -> tuple[str, ...]:
    """Return what somebody must do about an account, as sentences; what nobody need mend has none."""
    if standing.state in CALM:
        return ()
    if standing.state is AccountState.ENDED:
        return ("Its approval is over, so it is not read. Approve it again, or withdraw it.",)
    if standing.state is AccountState.APPROVED:
        return (NOT_CONNECTED + " Nothing is read before it is.",)
    return (*_reading(standing, now, silence), *_dates(standing, today))


def _reading(standing: Standing, now: datetime, silence: timedelta) -> list[str]:
    found = []
    if standing.needs_person:
        found.append("The platform no longer lets the service in. Connect it again.")
    elif standing.trouble:
        found.append(standing.trouble)
    elif standing.last_good_poll is not None and now - standing.last_good_poll > silence:
        found.append("It was not read for a while. Comments wait on the platform.")
    if standing.reads_used >= standing.account.monthly_reads * NEARLY_USED:
        found.append("This month's reads are nearly used up. What is left waits for next month.")
    return found


def _dates(standing: Standing, today: date) -> list[str]:
    said = {
        Dated.PASSWORD: ("Change its password by {on}.", "Its password change is overdue. It was due by {on}."),
        Dated.NOT_PERSONAL: (
            "Look again by {on}: is it still nobody's own account?",
            "Nobody has looked since {on}: is it nobody's own account?",
        ),
        Dated.APPROVAL: ("Its approval ends: {on}.", ""),
    }
    near = [due for due in standing.dates.dues() if due.reminder(today) is not None]
    return [
        said[due.what][1].format(on=plain_day(due.on)) if due.overdue(today) else said[due.what][0].format(on=due_words(due, today))
        for due in near
    ]


def history_words(line: AccountLine) -> str:
    """Return what a line of the history says; a code we have no words for is given as it is."""
    said = _HISTORY.get(line.what, line.what)
    if line.what == "account_approved":
        return f"{said}: {mode_words(str(line.facts['mode']))}, until {_written(line.facts['ends_on'])}"
    return f"{said}: {_written(line.facts['on'])}" if line.what == "password_attested" else said


def _written(day: str | int | bool) -> str:  # noqa: FBT001 - a fact of a ledger line
    return plain_day(date.fromisoformat(str(day)))
