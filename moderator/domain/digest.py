"""The digest and the alerts: what a mail says, before it is a mail. No names, no comment text, no pictures (R28)."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum

from moderator.domain.account import School
from moderator.domain.checks import EvidenceStanding
from moderator.domain.decision import Severity
from moderator.domain.dues import DueLine
from moderator.domain.events import Head
from moderator.domain.mail_words import MailWords
from moderator.domain.usual import Week


class AlertKind(StrEnum):
    """Why a person is told at once, apart from the digest."""

    FLAGGED = "flagged"
    ROUTED = "routed"
    WITHHELD = "withheld"
    HELD = "held"
    NOT_HIDDEN = "not_hidden"
    RESTORED = "restored"
    ACCOUNT = "account"
    SYSTEM = "system"
    EVIDENCE = "evidence"
    SUBMITTED = "submitted"
    DISPOSAL = "disposal"
    OVERRIDE = "override"
    """A person changed what the machine or the policy had decided (R24)."""
    ESCALATED = "escalated"
    REMINDER = "reminder"
    """A date is coming; once an account's has passed, it is an alert about the account."""
    OVERDUE = "overdue"
    """Another date has passed: a review of the policy, a delegation, a role that nobody has any more."""
    REHEARSAL = "rehearsal"
    """Nothing happened: a person tries out a route."""


@dataclass(frozen=True, slots=True)
class AlertLine:
    """One thing to be told. `subject` is a record or item number; `what` and `done` plain sentences without names or comment text.

    `platform` and `grounds` (labels) are those of its item, where it has one; `sent_on` says why it comes to this reader after others,
    "" for those whom it went to first.
    """

    kind: AlertKind
    severity: Severity
    subject: str
    what: str
    done: str
    at: datetime
    link: str = ""
    platform: str = ""
    grounds: tuple[str, ...] = ()
    sent_on: str = ""


@dataclass(frozen=True, slots=True)
class AlertMail:
    """One alert message: every line that was due for one school. `key` makes its Message-ID."""

    key: str
    school: School
    to: str
    lines: tuple[AlertLine, ...]
    visible_after_hide: tuple[str, ...] = ()
    words: MailWords = field(default_factory=MailWords)


@dataclass(frozen=True, slots=True)
class AccountLine:
    """How an account's monitoring stands (R4): last good poll, reads used of the month's budget, and what is wrong if anything."""

    handle: str
    platform: str
    mode: str
    last_good_poll: datetime | None
    reads_used: int
    reads_budget: int
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class DigestCounts:
    """Counts for one school and some time, a London day or more."""

    seen: int = 0
    cleared: int = 0
    flagged: int = 0
    recorded: int = 0
    hidden: int = 0
    routed: int = 0
    withheld: int = 0
    restored: int = 0
    upheld: int = 0
    held: int = 0
    waiting_for_decision: int = 0


@dataclass(frozen=True, slots=True)
class DigestLine:
    """One record in the digest: number, time, outcome and severity in plain words, and a link. Never a name or text.

    `unread`: nobody has opened the serious alert about it; `sent_on` counts how often that went to further people (R21).
    """

    subject: str
    at: datetime
    outcome: str
    severity: Severity
    state: str
    link: str
    unread: bool = False
    sent_on: int = 0


@dataclass(frozen=True, slots=True)
class LateMail:
    """Mails of one kind that did not arrive: what they are ("An alert"), how many, since when, and whether a server gave them back."""

    what: str
    count: int
    since: datetime
    trouble: str = ""
    bounced: bool = False


@dataclass(frozen=True, slots=True)
class Digest:
    """The daily digest of one school (R7). `head` is the ledger's head at the time of writing: the digest is the witness."""

    school: School
    day: date
    to: str
    counts: DigestCounts
    head: Head
    needs_you: tuple[DigestLine, ...] = ()
    more_needing_you: int = 0
    done: tuple[DigestLine, ...] = ()
    more_done: int = 0
    accounts: tuple[AccountLine, ...] = ()
    notes: tuple[str, ...] = field(default_factory=tuple)
    review_link: str = ""
    visible_after_hide: tuple[str, ...] = ()
    evidence: EvidenceStanding = field(default_factory=EvidenceStanding)
    audience: str = ""
    first_day: date | None = None
    """The first London day it tells of, where that is another than `day`, the last."""
    words: MailWords = field(default_factory=MailWords)
    week: Week = field(default_factory=Week)
    dues: tuple[DueLine, ...] = ()
    undelivered: tuple[LateMail, ...] = ()
    hidden_on: tuple[str, ...] = ()
    """The platforms on which something was hidden: `visible_after_hide` is of those alone (R12)."""
    first_ever: bool = False
    due_on: date | None = None
    """The London day on which it was to come: on a later one it says that it is late."""

    @property
    def begins(self) -> date:
        """Return the first London day it tells of."""
        return self.first_day or self.day

    @property
    def key(self) -> str:
        """Return the key that makes the Message-ID: one a school and day, and one a further reader, whom `audience` tells apart."""
        whole = f"digest-{self.school.slug}-{self.day.isoformat()}"
        return f"{whole}-{self.audience}" if self.audience else whole


@dataclass(frozen=True, slots=True)
class WitnessMail:
    """The heads of every school's ledger, for a mailbox of the trust that the Headteacher and the machine's admin cannot change.

    One a London day (`day`: the day it is sent). It names schools and codes, and no person.
    """

    day: date
    to: str
    trust: str
    heads: tuple[tuple[School, Head], ...]

    @property
    def key(self) -> str:
        """Return the key that is unique per day and makes the Message-ID."""
        return f"witness-{self.day.isoformat()}"


_GROUNDS = {
    "abusive": "It reads as abuse.",
    "insult": "It insults somebody.",
    "threat": "It threatens somebody.",
    "identity_attack": "It attacks people for who they are.",
    "sexual": "It is sexual.",
    "profanity": "It swears.",
    "harassment": "It harasses somebody.",
    "name": "It names somebody the school protects.",
    "pii": "It gives somebody's personal details.",
    "disclosure": "It may tell of harm to a child or adult.",
    "crisis": "Its author may be in danger.",
    "whistleblowing": "It may report wrongdoing.",
    "complaint": "It is a complaint that is also flagged.",
    "accused_teacher": "It makes an allegation against a member of staff.",
    "indecent_image": "It may hold an indecent image of a child.",
}


def grounds(labels: tuple[str, ...]) -> str:
    """Return why a comment was flagged, in fixed sentences: what a mail may say, since a reason's own words can quote the comment."""
    return " ".join(dict.fromkeys(_GROUNDS[label] for label in labels))


ALERT_BATCH = timedelta(minutes=5)
"""Ordinary alerts are batched for at most this long from first sight (R7)."""
