"""What every step works with, and the loop that runs a step until nothing is due. Called by the jobs, the command line and tests."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from moderator import observe
from moderator.domain.account import Account
from moderator.domain.decision import Severity
from moderator.domain.digest import ALERT_BATCH, AlertKind
from moderator.domain.errors import EvidenceFailed, Transient
from moderator.domain.policy import Policy
from moderator.domain.times import london_date
from moderator.domain.work import AlertRequest
from moderator.ports import (
    Classifier,
    Clock,
    Composer,
    Courier,
    Dispatcher,
    Intake,
    Ledger,
    Mailbox,
    Mailer,
    NoCourier,
    NoMailbox,
    NoStamper,
    PlatformFor,
    PolicySource,
    RecordCheck,
    Recorder,
    RecordKeys,
    Stamper,
    Store,
    Unit,
    Vault,
)

MAX_ATTEMPTS = 8
"""Tries before an item is held for a person: with the waits below, about half an hour."""

FIRST_WAIT = timedelta(seconds=5)
LONGEST_WAIT = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Tools:
    """Everything the steps need, put together once by the composition root.

    `delegation` is the Headteacher's delegation to the service, for a school whose register has none (R8); `review_url` the review app's
    address, used in links only;
    `silence` how long an account may go without a good poll (R4); `keep_cleared` how long cleared comments are kept (R28).
    `check` checks stored records, `verify_sample` of them a night, with `record_keys` where records are encrypted; without it no record
    is checked. `stamper` adds timestamps to sealed records; `hide_without_stamp` is the Headteacher's standing instruction for those that
    have none yet. `intake` takes what people hand in; without it nothing is taken.
    `mailbox` is where undelivered mail comes back to; a serious alert that nobody has read for `unread_after` goes to further people (R21).
    `trust_hour` is the hour in London (0 to 23) of the trust's own digest and reports.
    `trust_email` hears of evidence at fault beside the Headteacher, `witness_email` keeps the ledgers' heads; "" is nobody.
    """

    store: Store
    platform_for: PlatformFor
    classifier: Classifier
    policies: PolicySource
    recorder: Recorder
    vault: Vault
    ledger: Ledger
    composer: Composer
    mailer: Mailer
    clock: Clock
    dispatcher: Dispatcher
    review_url: str
    delegation: str = ""
    admin_on_duty: str = ""
    alert_batch: timedelta = ALERT_BATCH
    silence: timedelta = timedelta(hours=2)
    keep_cleared: timedelta = timedelta(hours=24)
    visible_after_hide: Mapping[str, str] = field(default_factory=dict)
    check: RecordCheck | None = None
    intake: Intake | None = None
    record_keys: RecordKeys | None = None
    verify_sample: int = 200
    trust: str = ""
    trust_email: str = ""
    witness_email: str = ""
    stamper: Stamper = field(default_factory=NoStamper)
    hide_without_stamp: bool = True
    courier: Courier = field(default_factory=NoCourier)
    mailbox: Mailbox = field(default_factory=NoMailbox)
    unread_after: timedelta = timedelta(minutes=30)
    weekly_report: bool = True
    termly_report: bool = True
    trust_hour: int = 7

    @property
    def policy(self) -> Policy:
        """The policy in force now (R32). Ask once for things that belong together, and not within a unit. Raises Transient."""
        return self.policies.current()

    def delegation_of(self, school: str) -> str:
        """Return the delegation to the service that holds today at a school: the newest one signed, or that of the settings (R8)."""
        return self.store.delegation(school, london_date(self.clock.now())) or self.delegation


PER_HOUR, PER_DAY = "%Y-%m-%dT%H", "%Y-%m-%d"
"""How often the same trouble is told: the part of its time that makes an alert's key."""

Step = Callable[..., int]
"""A step: `step(tools, limit=…)` does up to `limit` pieces of due work and returns how many it did."""


def drain(step: Step, tools: Tools, *, limit: int, deadline: datetime) -> int:
    """Run a step until nothing is due or the deadline (aware UTC) has passed; return how many pieces were done. May be repeated."""
    done = 0
    while tools.clock.now() < deadline:
        handled = step(tools, limit=limit)
        if handled == 0:
            break
        done += handled
    return done


def wait(attempts: int) -> timedelta:
    """Return how long to wait after that many failed tries (0 or more): doubling from FIRST_WAIT, never over LONGEST_WAIT."""
    doubled: timedelta = FIRST_WAIT * (1 << min(attempts, 20))
    return min(doubled, LONGEST_WAIT)


def copy_ledger(tools: Tools, school: str) -> None:
    """Copy a school's new ledger lines to its file. One that cannot be written stops nothing here, least of all another school.

    The database has the lines, the sweep tells a person, and the hide step hides nothing until the file has them (R10).
    """
    try:
        tools.ledger.sync(school)
    except (Transient, EvidenceFailed) as error:
        observe.went_wrong("ledger_behind", school=school, error=type(error).__name__)


def tell_of_account(unit: Unit, account: Account, *, what: str, done: str, at: datetime) -> None:
    """Write an alert about an account, once a day for each kind of trouble."""
    unit.alert(
        AlertRequest(
            key=f"account-{account.id}-{at.date().isoformat()}-{what[:40]}",
            school=account.school.slug,
            kind=AlertKind.ACCOUNT,
            severity=Severity.SEVERE,
            subject=f"account {account.id}",
            what=what,
            done=done,
            at=at,
            due_at=at,
        )
    )


def tell_of_system(  # noqa: PLR0913 - what an alert is made of
    unit: Unit, school: str, *, what: str, done: str, at: datetime, spell: str = PER_HOUR
) -> None:
    """Write an alert about the machine itself, once in each spell (PER_HOUR or PER_DAY) for each kind of trouble."""
    unit.alert(
        AlertRequest(
            key=f"system-{school}-{at.strftime(spell)}-{what[:40]}",
            school=school,
            kind=AlertKind.SYSTEM,
            severity=Severity.SEVERE,
            subject="the service",
            what=what,
            done=done,
            at=at,
            due_at=at,
        )
    )


RE_AUTHORISE = "An account's authorisation no longer works."
RE_AUTHORISE_DONE = "Polling and hiding wait. Nothing is lost. Ask an admin to authorise the account again."
