"""What people note beside their decision: HR's advice (R22), the target's wishes (R23), handing an item up. Called by the steps."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from moderator.domain.access import MAY, Action, Role
from moderator.domain.errors import BadInput
from moderator.domain.review import MIN_JUSTIFICATION

MAX_NOTE = 4000
"""Characters of a note at most: as of any reason (our choice)."""

RECEIVERS: tuple[Role, ...] = (Role.DSL, Role.SAFEGUARDING_LEAD, Role.HEAD, Role.CEO)
"""To whom an item can be handed up, in the order the page offers them."""


class PoliceWish(StrEnum):
    """Whether the member of staff who is the target goes to the police: their own decision (R23)."""

    YES = "yes"
    NO = "no"
    UNDECIDED = "undecided"
    NOT_ASKED = "not_asked"


POLICE_WORDS = {
    PoliceWish.YES: "They go to the police.",
    PoliceWish.NO: "They do not go to the police.",
    PoliceWish.UNDECIDED: "They have not decided about the police yet.",
    PoliceWish.NOT_ASKED: "They could not be asked.",
}


def note_of(words: str, *, what: str, least: int = MIN_JUSTIFICATION) -> str:
    """Return what a person typed as it is kept. Raises BadInput, naming `what`, when it is shorter than `least` or longer than MAX_NOTE."""
    text = words.replace("\r\n", "\n").strip()
    if len(text) < least:
        message = f"{what} in at least {least} characters. It is kept with the record."
        raise BadInput(message)
    if len(text) > MAX_NOTE:
        message = f"Please keep what you write under {MAX_NOTE} characters."
        raise BadInput(message)
    return text


@dataclass(frozen=True, slots=True)
class Advice:
    """One question to HR: why it was asked, by whom, when; and what they advised. While `received_at` is None nobody may judge the item."""

    item_id: int
    why: str
    asked_by: str
    asked_at: datetime
    advice: str = ""
    received_by: str = ""
    received_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """What the member of staff who is the target wishes, and their own decision on the police. The newest of an item counts."""

    item_id: int
    wishes: str
    police: PoliceWish
    noted_by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Escalation:
    """An item handed up to a role, with why."""

    item_id: int
    role: Role
    why: str
    by: str
    at: datetime


def receivers(*, safeguarding: bool) -> tuple[Role, ...]:
    """Return to whom an item can be handed up. A disclosure goes only to those who may see it (R15)."""
    return tuple(role for role in RECEIVERS if not safeguarding or role in MAY[Action.SEE_SAFEGUARDING])


def police_wish(code: str) -> PoliceWish:
    """Return the choice of a form. Raises BadInput for none."""
    try:
        return PoliceWish(code)
    except ValueError:
        message = "Say what they decided about the police: it is their own decision, and it is asked before this is closed."
        raise BadInput(message) from None
