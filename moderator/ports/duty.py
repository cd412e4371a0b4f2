"""The part of the store that tells who is there and what is signed. Called by the alert, digest, record and submit steps."""

from datetime import date
from typing import Protocol

from moderator.domain.mail_words import MailWords
from moderator.domain.routes import OnDuty


class DutyReads(Protocol):
    """Reads of the register."""

    def on_duty(self, school: str, day: date) -> OnDuty:
        """Return who could be told at a school on a London day; with an empty register the Headteacher's mailbox of the settings (R21)."""
        ...

    def delegation(self, school: str, day: date) -> str:
        """Return the delegation to the service that holds on a London day, as a record shows it; empty when the register has none (R8)."""
        ...

    def mail_words(self, school: str, mail: str) -> MailWords:
        """Return the words a school has for a kind of mail, `alert` or `digest`, as they were kept; the step asks whether they may go."""
        ...


class DutyWrites(Protocol):
    """The part of a unit that looks at the register inside a transaction."""

    def same_person(self, one: str, other: str) -> bool:
        """Return whether two designations are of one person: then they are not two people (R30). Unknown references are nobody's."""
        ...
