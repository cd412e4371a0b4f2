"""How accounts stand, in words, for the list and the account's page. Called by both."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from moderator.domain.account_state import AccountState
from moderator.domain.dues import Dated
from moderator.domain.times import london_date
from moderator.mail.words import mode_words, platform_words
from moderator.store import account_history, accounts, register
from moderator.store.accounts import ApprovalEntry, Standing
from moderator.web.accounts_words import CALM, DECIDED, STATES, due_words, history_words, what_is_wrong
from moderator.web.need import Visit
from moderator.web.site import Site


@dataclass(frozen=True, slots=True)
class Shown:
    """One account in words.

    `tone` is the card's colour: good, ordinary or severe. `decided`: nothing is to be done, since it was turned down or withdrawn. `near`:
    the dates that somebody is reminded of. `ago` None: never read.
    """

    standing: Standing
    platform: str
    state: str
    tone: str
    wrong: tuple[str, ...]
    decided: bool
    near: frozenset[str]
    happens: str
    connection: str
    ago: timedelta | None
    password: str
    not_personal: str
    approval: str


@dataclass(frozen=True, slots=True)
class Said:
    """One line of the history: when, what, and by whom (with the name, on this page only)."""

    at: datetime
    what: str
    who: str


def shown(site: Site, standing: Standing) -> Shown:
    """Return an account in words."""
    now = site.clock.now()
    today = london_date(now)
    wrong = what_is_wrong(standing, now, today, site.tools.silence)
    dues = {due.what: due_words(due, today) for due in standing.dates.dues()}
    live = standing.state is AccountState.LIVE
    approval = standing.account.approval
    return Shown(
        standing=standing,
        platform=platform_words(standing.account.platform),
        state=STATES[standing.state],
        tone="severe" if wrong else "good" if live else "ordinary",
        wrong=wrong,
        decided=standing.state in DECIDED,
        near=frozenset(due.what.value for due in standing.dates.dues() if due.reminder(today) is not None),
        happens=mode_words(approval.mode.value) if live and approval else "nothing is read",
        connection=_connection(standing),
        ago=None if standing.last_good_poll is None else now - standing.last_good_poll,
        password=dues[Dated.PASSWORD] if standing.state not in DECIDED else "",
        not_personal=dues[Dated.NOT_PERSONAL],
        approval=dues.get(Dated.APPROVAL, "") if standing.state not in CALM else "",
    )


def _connection(standing: Standing) -> str:
    if not standing.connected:
        return "not connected"
    return "connected, but the platform no longer accepts it" if standing.needs_person else "connected"


def listed(site: Site, visit: Visit) -> list[Shown]:
    """Return every account of the visit's school."""
    with site.database.reading() as connection:
        found = accounts.standings(connection, visit.school.slug, site.clock.now())
    return sorted((shown(site, each) for each in found), key=_first)


def _first(each: Shown) -> tuple[bool, bool, bool]:
    """Put what needs attention first, then what waits for approval, and last what is decided."""
    return (not each.wrong, each.standing.state is not AccountState.REQUESTED, each.decided)


def standing_of(site: Site, account_id: int) -> Standing:
    """Return how one account stands."""
    with site.database.reading() as connection:
        return accounts.standing(connection, account_id, site.clock.now())


def past_of(site: Site, standing: Standing) -> tuple[list[Said], list[ApprovalEntry], Mapping[str, str]]:
    """Return an account's history, its approvals, and the names of the people in them by reference."""
    account = standing.account
    with site.database.reading() as connection:
        lines = account_history.history(connection, account.school.slug, account.id)
        approvals = list(accounts.approvals(connection, account.id))
        names = register.names_by_reference(connection)
    return [Said(line.at, history_words(line), who(line.actor, names)) for line in lines], approvals, names


def who(reference: str, names: Mapping[str, str]) -> str:
    """Return a reference with the person's name, where the register has one: `HEAD-1 (Ms Oakenshaw)`."""
    return f"{reference} ({names[reference]})" if reference in names else reference
