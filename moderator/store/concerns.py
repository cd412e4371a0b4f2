"""Advice, wishes and escalations of an item (R22, R23). Called by the units, the export step and the item page."""

from datetime import date
from typing import Any

import sqlalchemy as sa

from moderator.domain.access import Role
from moderator.domain.concern import Advice, Escalation, PoliceWish, Wish
from moderator.domain.errors import NotAllowed
from moderator.domain.lifecycle import State
from moderator.domain.register import Acting
from moderator.domain.score import PersonKind
from moderator.store import codec, register
from moderator.store.engine import READ
from moderator.store.items import ITEMS
from moderator.store.police import REPORTS
from moderator.store.register_tables import AdviceRow, EscalationRow, ItemPersonRow, WishRow

ADVICE: sa.Table = AdviceRow.__table__  # type: ignore[attr-defined] # SQLModel sets it at class creation
WISHES: sa.Table = WishRow.__table__  # type: ignore[attr-defined] # as above
ESCALATIONS: sa.Table = EscalationRow.__table__  # type: ignore[attr-defined] # as above
ITEM_PEOPLE: sa.Table = ItemPersonRow.__table__  # type: ignore[attr-defined] # as above


def advice_of(connection: sa.Connection, item_id: int) -> list[Advice]:
    """Return every question to HR about an item, oldest first."""
    rows = connection.execute(sa.select(ADVICE).where(ADVICE.c.item_id == item_id).order_by(ADVICE.c.id))
    return [Advice(row.item_id, row.why, row.asked_by, row.asked_at, row.advice, row.received_by, row.received_at) for row in rows]


def wishes_of(connection: sa.Connection, item_id: int) -> list[Wish]:
    """Return what was noted of the target's wishes, oldest first."""
    rows = connection.execute(sa.select(WISHES).where(WISHES.c.item_id == item_id).order_by(WISHES.c.id))
    return [Wish(row.item_id, row.wishes, PoliceWish(row.police), row.noted_by, row.at) for row in rows]


def escalations_of(connection: sa.Connection, item_id: int) -> list[Escalation]:
    """Return to whom an item was handed up, oldest first."""
    rows = connection.execute(sa.select(ESCALATIONS).where(ESCALATIONS.c.item_id == item_id).order_by(ESCALATIONS.c.id))
    return [Escalation(row.item_id, Role(row.role), row.why, row.by, row.at) for row in rows]


def wishes_missing(connection: sa.Connection, item_id: int) -> bool:
    """Return whether a member of staff is the target and nobody has noted what they wish (R23), R17 and child protection excepted."""
    noted = sa.select(WISHES.c.id).where(WISHES.c.item_id == ITEMS.c.id).exists()
    for_the_police = sa.select(REPORTS.c.id).where(REPORTS.c.item_id == ITEMS.c.id).exists()
    wanted = sa.select(ITEMS.c.id).where(
        ITEMS.c.id == item_id,
        ITEMS.c.about.contains(f",{PersonKind.STAFF.value},"),
        ~ITEMS.c.safeguarding,
        ITEMS.c.state != State.WITHHELD.value,
        ~noted,
        ~for_the_police,
    )
    return connection.execute(wanted).first() is not None


def concerns_staff(connection: sa.Connection, item_id: int) -> bool:
    """Return whether an item names a member of staff."""
    wanted = sa.select(ITEMS.c.id).where(ITEMS.c.id == item_id, ITEMS.c.about.contains(f",{PersonKind.STAFF.value},"))
    return connection.execute(wanted).first() is not None


def addresses_of(connection: sa.Connection, role: Role, school: str, *, item_id: int, day: date) -> list[str]:
    """Return the addresses of whoever has a role at a school on a London day, without those whom the item names (R21)."""
    named = set(connection.execute(sa.select(ITEM_PEOPLE.c.reference).where(ITEM_PEOPLE.c.item_id == item_id)).scalars())
    found = register.holders(connection, school, day, role)[role]
    return [each.email for each in found if Acting(each, ()).on_the_roll.isdisjoint(named)]


class ConcernReads:
    """The part of the store that tells what was noted about an item."""

    engine: sa.Engine

    def wishes_missing(self, item_id: int) -> bool:
        """Return whether the target's wishes must be noted first (R23)."""
        with self.engine.connect().execution_options(**READ) as connection:
            return wishes_missing(connection, item_id)

    def is_safeguarding(self, item_id: int) -> bool:
        """Return whether an item is a disclosure or a crisis."""
        with self.engine.connect().execution_options(**READ) as connection:
            return bool(connection.execute(sa.select(ITEMS.c.safeguarding).where(ITEMS.c.id == item_id)).scalar())

    def addresses_of(self, role: Role, school: str, *, item_id: int, day: date) -> list[str]:
        """Return the addresses of whoever has a role at a school, without those whom the item names."""
        with self.engine.connect().execution_options(**READ) as connection:
            return addresses_of(connection, role, school, item_id=item_id, day=day)


class ConcernWrites:
    """The part of a unit that notes them."""

    connection: sa.Connection

    def is_held(self, item_id: int) -> bool:
        """Return whether the service stopped at an item; it is locked until the transaction ends."""
        wanted = sa.select(ITEMS.c.held_at).where(ITEMS.c.id == item_id)
        return self.connection.execute(wanted.with_for_update()).scalar() is not None

    def advice_awaited(self, item_id: int) -> bool:
        """Return whether HR has not answered yet; the item is locked until the transaction ends."""
        wanted = sa.select(ITEMS.c.awaits_advice).where(ITEMS.c.id == item_id)
        return bool(self.connection.execute(wanted.with_for_update()).scalar())

    def advice_asked(self, advice: Advice) -> None:
        """Note that HR was asked. Raises NotAllowed when they were asked already."""
        if not self._advice_flag(advice.item_id, old=False):
            message = "HR has been asked already. Note their advice when it comes."
            raise NotAllowed(message)
        asked = {"item_id": advice.item_id, "why": codec.storable(advice.why), "asked_by": advice.asked_by, "asked_at": advice.asked_at}
        self.connection.execute(sa.insert(ADVICE).values(asked))

    def advice_received(self, advice: Advice) -> None:
        """Store what HR advised. Raises NotAllowed when nobody waits for it."""
        if not self._advice_flag(advice.item_id, old=True):
            message = "Nobody waits for HR's advice about this comment."
            raise NotAllowed(message)
        told = {"advice": codec.storable(advice.advice), "received_by": advice.received_by, "received_at": advice.received_at}
        waiting = sa.update(ADVICE).where(ADVICE.c.item_id == advice.item_id, ADVICE.c.received_at.is_(None))
        self.connection.execute(waiting.values(told))

    def _advice_flag(self, item_id: int, *, old: bool) -> bool:
        """Turn the item's flag over; False when it was not `old`."""
        flag = ITEMS.c.awaits_advice if old else ~ITEMS.c.awaits_advice
        turned = sa.update(ITEMS).where(ITEMS.c.id == item_id, flag).values(awaits_advice=not old, needs_review=True)
        return self.connection.execute(turned).rowcount == 1

    def wishes_noted(self, wish: Wish) -> None:
        """Add what the target wishes."""
        row: dict[str, Any] = {"item_id": wish.item_id, "wishes": codec.storable(wish.wishes), "police": wish.police.value}
        self.connection.execute(sa.insert(WISHES).values(row | {"noted_by": wish.noted_by, "at": wish.at}))

    def wishes_missing(self, item_id: int) -> bool:
        """Return whether the target's wishes must be noted first, inside this transaction."""
        return wishes_missing(self.connection, item_id)

    def escalated(self, escalation: Escalation) -> None:
        """Add that an item was handed up, and put it back among what needs a person."""
        row: dict[str, Any] = {"item_id": escalation.item_id, "role": escalation.role.value, "why": codec.storable(escalation.why)}
        self.connection.execute(sa.insert(ESCALATIONS).values(row | {"by": escalation.by, "at": escalation.at}))
        self.connection.execute(sa.update(ITEMS).where(ITEMS.c.id == escalation.item_id).values(needs_review=True))


class ForgetConcerns:
    """What the unit that forgets a disposed record takes from here (R30)."""

    connection: sa.Connection

    def forget_concerns(self, item_id: int, instead: str) -> None:
        """Replace what people wrote about an item by `instead`, and drop whom it names. May be repeated."""
        for table, words in ((ADVICE, ("why", "advice")), (WISHES, ("wishes",)), (ESCALATIONS, ("why",))):
            self.connection.execute(sa.update(table).where(table.c.item_id == item_id).values(dict.fromkeys(words, instead)))
        self.connection.execute(sa.delete(ITEM_PEOPLE).where(ITEM_PEOPLE.c.item_id == item_id))
