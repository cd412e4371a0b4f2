"""Who could be told at a school on one day, and of what (R21). Called by the alert and digest steps, and by the routes page."""

from datetime import date

import sqlalchemy as sa

from moderator.domain.access import Role
from moderator.domain.mail_words import MailWords
from moderator.domain.register import Person
from moderator.domain.routes import OnDuty, View
from moderator.store import absences, mail_words, people, register, signed
from moderator.store.engine import READ
from moderator.store.items import ITEM_PEOPLE, ITEMS
from moderator.store.seen_by import seen_by


def on_duty(connection: sa.Connection, school: str, day: date) -> OnDuty:
    """Return who has which role, who is away, and what the school has signed.

    A school whose register has no Headteacher has their mailbox of the settings instead: what is to be told is told from the first day.
    Raises BadInput when there is no such school.
    """
    mailbox = Person(0, "", people.school(connection, school).head_email)
    holders = register.holders(connection, school, day, *Role)
    holders[Role.HEAD] = holders[Role.HEAD] or (mailbox,)
    return OnDuty(holders, absences.away_on(connection, day), signed.routes(connection, school))


def in_view(view: View) -> sa.ColumnElement[bool]:
    """Return the condition on ITEMS for what one reader of a digest is told of (R15, R21)."""
    seen = seen_by(references=view.references, safeguarding=view.safeguarding)
    if view.only_safeguarding:
        seen = sa.and_(seen, ITEMS.c.safeguarding)
    if view.naming:
        named = sa.select(ITEM_PEOPLE.c.item_id).where(
            ITEM_PEOPLE.c.item_id == ITEMS.c.id, ITEM_PEOPLE.c.reference.in_(sorted(view.naming))
        )
        seen = sa.and_(seen, named.exists())
    return seen


class DutyReads:
    """What the database tells of who is there; implements ports.DutyReads."""

    engine: sa.Engine

    def on_duty(self, school: str, day: date) -> OnDuty:
        """Return who could be told at a school on a London day."""
        with self.engine.connect().execution_options(**READ) as connection:
            return on_duty(connection, school, day)

    def delegation(self, school: str, day: date) -> str:
        """Return the delegation that holds on a London day, as a record shows it; empty when there is none."""
        with self.engine.connect().execution_options(**READ) as connection:
            found = signed.delegation_on(connection, school, day)
        return found.on_record() if found else ""

    def mail_words(self, school: str, mail: str) -> MailWords:
        """Return the words a school has for a kind of mail, `alert` or `digest`, as they were kept."""
        with self.engine.connect().execution_options(**READ) as connection:
            return mail_words.words_of(connection, school, mail)


class DutyWrites:
    """What a unit looks up of the register; implements ports.DutyWrites."""

    connection: sa.Connection

    def same_person(self, one: str, other: str) -> bool:
        """Return whether two designations are of one person: then they are not two people (R30). Unknown references are nobody's."""
        found = [register.holder_of(self.connection, reference) for reference in (one, other)]
        return found[0] is not None and found[0] == found[1]
