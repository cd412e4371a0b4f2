"""Dates by which somebody must act, and what is said of them (R1, R2, R3, R5, R30, R33). Called by the remind step and the digest."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

REMIND_BEFORE = (14, 7, 1)
"""Days before a date at which people are reminded (R5)."""

OVERDUE = 0
"""What `Due.reminder` returns once the date has passed."""

EVERY_SCHOOL = ""
"""The school of what is the whole trust's."""

DAY = timedelta(days=1)


class Dated(StrEnum):
    """What has a date by which somebody must act."""

    PASSWORD = "password"  # noqa: S105 - the name of a date
    NOT_PERSONAL = "not-personal"
    APPROVAL = "approval"
    CONNECTION = "connection"
    """An account that its platform no longer lets the service read, since the last good look."""
    NEVER_READ = "never-read"
    """An account that was approved and never connected."""
    DESIGNATION = "designation"
    ROLE = "role"
    """A role that nobody has since a designation ended."""
    DELEGATION = "delegation"
    POLICY_REVIEW = "policy-review"
    API_TOKEN = "api-token"  # noqa: S105 - the name of a date
    WEBHOOK = "webhook"
    """A machine that is told of records and does not answer: since the first thing it was not told."""
    RECORD_REVIEW = "record-review"


@dataclass(frozen=True, slots=True)
class Due:
    """A date by which somebody must act; `on` is the last day in time."""

    what: Dated
    on: date

    def days_left(self, day: date) -> int:
        """Return the days from a London day to the date: 0 on the day itself, below 0 once it has passed."""
        return (self.on - day).days

    def overdue(self, day: date) -> bool:
        """Return whether the date has passed."""
        return self.days_left(day) < 0

    def reminder(self, day: date) -> int | None:
        """Return the latest reminder that is due by a day: one of REMIND_BEFORE, or OVERDUE; None while it is too early for any."""
        left = self.days_left(day)
        if left < 0:
            return OVERDUE
        return min((before for before in REMIND_BEFORE if left <= before), default=None)

    def told_between(self, first: date, last: date) -> bool:
        """Return whether one of the reminders falls on a London day from `first` to `last`."""
        return any(first <= self.on - timedelta(days=before) <= last for before in REMIND_BEFORE)


@dataclass(frozen=True, slots=True)
class Deadline:
    """One date of one thing of a school, or of the whole trust (`school` EVERY_SCHOOL).

    `subject` is what messages call it, without a name: `account 3`, `designation DSL-1`. `thing` goes into the sentence: an account's
    handle, or a role's words. `count` is of records. `holder` is the number of the person whose own designation it is, 0 for nobody's.
    """

    school: str
    due: Due
    subject: str
    thing: str = ""
    count: int = 0
    holder: int = 0

    def key(self, day: date) -> str:
        """Return what makes a reminder unique: the thing, its date, and how long before it is told. Records have one a month."""
        what, when = self.due.what, f"{self.due.on.isoformat()}-{self.due.reminder(day)}"
        if what is Dated.RECORD_REVIEW:
            return f"{what.value}-{self.school}-{day:%Y-%m}"
        if what is Dated.POLICY_REVIEW:
            return f"{what.value}-{self.school}-{when}"
        name = self.subject.replace(" ", "-")
        return f"{name}-{self.school}-{what.value}-{when}" if what is Dated.ROLE else f"{name}-{what.value}-{when}"


@dataclass(frozen=True, slots=True)
class DueLine:
    """One date as a digest tells of it: `what` is a whole sentence with the date in it and without a name, `link` where to act.

    `days_left` counts from the day on which the digest is read; `subject` is what other messages call it.
    """

    what: str
    on: date
    days_left: int
    link: str
    subject: str
    overdue: bool


TOLD_ELSEWHERE = frozenset({Dated.CONNECTION, Dated.NEVER_READ, Dated.WEBHOOK})
"""What the step that finds it tells of at once: it stands in the digests until it is mended, and is no alert of its own."""

AN_ACCOUNT = "an account"
"""What an alert calls an account: its number stands beside it."""

_COMING: Mapping[Dated, str] = {
    Dated.PASSWORD: "The password of {account} is due to be changed by {on} ({left}).",
    Dated.NOT_PERSONAL: "Look at {account} again by {on} ({left}): is it still the school's own, and nobody's private one?",
    Dated.APPROVAL: "The approval of {account} ends on {on} ({left}).",
    Dated.DESIGNATION: "The designation of the {thing}, {reference}, ends on {on} ({left}).",
    Dated.DELEGATION: "The Headteacher's delegation to the service ends on {on} ({left}).",
    Dated.POLICY_REVIEW: "The yearly review of the social media policy is due by {on} ({left}).",
    Dated.API_TOKEN: "An access token for a machine that reads records ends on {on} ({left}).",
}
_PASSED: Mapping[Dated, str] = {
    Dated.PASSWORD: "The password of {account} was due to be changed by {on}. Nobody has said that it was.",
    Dated.NOT_PERSONAL: "Nobody has looked at {account} since {on}: is it still the school's own, and nobody's private one?",
    Dated.APPROVAL: "The approval of {account} ended on {on}. Its comments are not read any more.",
    Dated.CONNECTION: "The platform does not let the service read {account}. The last good day was {on}.",
    Dated.NEVER_READ: "Nothing was ever read of {account}. It was approved on {on}, and is not connected to its platform.",
    Dated.ROLE: "Nobody is designated as {thing} since {reference} ended on {on}.",
    Dated.DELEGATION: "The Headteacher's delegation to the service ended on {on}.",
    Dated.POLICY_REVIEW: "The yearly review of the social media policy was due by {on}. Nobody has said that it was done.",
    Dated.API_TOKEN: "An access token for a machine that reads records ended on {on}. That machine can read nothing.",
    Dated.WEBHOOK: "A machine that is told of records has not answered since {on}.",
    Dated.RECORD_REVIEW: "{records} past the day on which somebody looks at them again, the oldest since {on}.",
}
_DO: Mapping[Dated, str] = {
    Dated.PASSWORD: (
        "Ask the account's admin to change it on the platform, then to say so in the service and to connect the account again: "
        "a platform may end the service's access with the old password."
    ),
    Dated.NOT_PERSONAL: "Ask the account's admin to look, and to say so in the service.",
    Dated.APPROVAL: "Open the account in the service. Approve it again, or withdraw it.",
    Dated.CONNECTION: "Ask the account's admin to connect it again.",
    Dated.NEVER_READ: "Ask the account's admin to connect it, or withdraw its approval.",
    Dated.DESIGNATION: "Nothing yet. After that day they cannot sign in. The Headteacher or the CEO can renew it on the People page.",
    Dated.ROLE: "What would go to them goes to whoever stands in. The Headteacher or the CEO can designate somebody on the People page.",
    Dated.DELEGATION: "Nothing is stopped. The Headteacher signs a new one on the Delegation page, so that records show one that holds.",
    Dated.POLICY_REVIEW: "Once it is done, say so on the Policy page, with the date of the next one. Bring what this service taught you.",
    Dated.API_TOKEN: "The Headteacher or the CEO makes a new one on the Machines page, if the machine is still to read.",
    Dated.WEBHOOK: "Nothing is skipped. Ask your IT lead to look at it, or end it on the Machines page.",
    Dated.RECORD_REVIEW: "Nothing was disposed of, and no date disposes of anything. Look at them on the Records page.",
}


def said(deadline: Deadline, day: date, *, account: str = AN_ACCOUNT) -> str:
    """Return what a message says of a date on a London day: a sentence without a person's name. `account` is what it calls an account."""
    words = (_PASSED if deadline.due.overdue(day) else _COMING)[deadline.due.what]
    return words.format(
        account=account,
        thing=deadline.thing,
        reference=deadline.subject.rpartition(" ")[2],
        records="1 record is" if deadline.count == 1 else f"{deadline.count:,} records are",
        on=plain_day(deadline.due.on),
        left=left_words(deadline.due.days_left(day)),
    )


def said_to_holder(deadline: Deadline, day: date) -> str:
    """Return what the person hears whose own designation ends."""
    on, left = plain_day(deadline.due.on), left_words(deadline.due.days_left(day))
    return f"Your own designation as {deadline.thing}, {deadline.subject.rpartition(' ')[2]}, ends on {on} ({left})."


HOLDER_DO = "Nothing yet. After that day you cannot sign in with it. If you go on, ask whoever signed it to renew it on the People page."
"""What the person is told to do whose own designation ends."""


def to_do(deadline: Deadline) -> str:
    """Return what the service did about it, which is nothing, and what somebody does. It stands under "What the service did"."""
    words = _DO[deadline.due.what]
    return words if words.startswith("Nothing") else f"Nothing: this is for a person. {words}"


def line_of(deadline: Deadline, day: date, *, link: str) -> DueLine:
    """Return how a digest that is read on a London day tells of a date; `link` is where somebody acts on it."""
    handle = deadline.thing if " " in deadline.thing else f"@{deadline.thing}"
    return DueLine(
        what=said(deadline, day, account=handle),
        on=deadline.due.on,
        days_left=deadline.due.days_left(day),
        link=link,
        subject=deadline.subject,
        overdue=deadline.due.overdue(day),
    )


_PAGES = {
    "designation": "people",
    "delegation": "delegation",
    "policy": "policy",
    "token": "readers",
    "webhook": "readers",
    "records": "records",
}


def page_of(subject: str, school: str) -> str:
    """Return the path of the page that a subject is about, "" when it is no page of its own or the whole trust's."""
    kind, _, number = subject.partition(" ")
    if kind == "account" and number.isdigit():
        return f"/accounts/{number}"
    return f"/schools/{school}/{_PAGES[kind]}" if school and kind in _PAGES else ""


def plain_day(day: date) -> str:
    """Return `22 November 2026`."""
    return f"{day.day} {day:%B %Y}"


def left_words(days: int) -> str:
    """Return `today`, `tomorrow`, `in 14 days`."""
    return {0: "today", 1: "tomorrow"}.get(days, f"in {days} days")
