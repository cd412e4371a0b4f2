"""One item as a list shows it, and its words: never a name, never comment text. Called by the queue, Today and the digest."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from moderator.domain.about import unpacked
from moderator.domain.decision import Severity
from moderator.domain.lifecycle import State
from moderator.store.items import ITEMS


@dataclass(frozen=True, slots=True)
class Listed:
    """One item as a list shows it: no text, no name."""

    id: int
    record_id: str
    school: str
    at: datetime
    state: State
    outcome: str
    severity: Severity
    kind: str
    held: bool
    hideable: bool
    trouble: str
    awaits_advice: bool = False
    working: bool = False
    grounds: tuple[str, ...] = ()
    about: tuple[str, ...] = ()
    """`working`: a step of the service has it now. Labels of the decision's reasons, and kinds of people it names (`domain.about`)."""

    @property
    def subject(self) -> str:
        """Return the record number, or the item's number while there is no record."""
        return self.record_id or f"item {self.id}"


LIST = (
    ITEMS.c.id,
    ITEMS.c.record_id,
    ITEMS.c.school,
    ITEMS.c.first_seen_at,
    ITEMS.c.state,
    ITEMS.c.outcome,
    ITEMS.c.severity,
    ITEMS.c.kind,
    ITEMS.c.held_at,
    ITEMS.c.hideable,
    ITEMS.c.trouble,
    ITEMS.c.awaits_advice,
    ITEMS.c.stage,
    ITEMS.c.grounds,
    ITEMS.c.about,
)


def listed(row: Any) -> Listed:  # noqa: ANN401 - a row of LIST
    """Return the item of a row of LIST."""
    return Listed(
        id=row.id,
        record_id=row.record_id or "",
        school=row.school,
        at=row.first_seen_at,
        state=State(row.state),
        outcome=row.outcome or "",
        severity=Severity(row.severity or "none"),
        kind=row.kind,
        held=row.held_at is not None,
        hideable=row.hideable,
        trouble=row.trouble,
        awaits_advice=row.awaits_advice,
        working=row.stage is not None,
        grounds=unpacked(row.grounds),
        about=unpacked(row.about),
    )


def state_words(listed: Listed) -> str:
    """Return where an item stands, in words a Headteacher uses."""
    if listed.held:
        return "Waiting for you: the service could not finish"
    if listed.awaits_advice:
        return "Waiting for advice from HR"
    words = {
        State.FLAGGED: "Being recorded",
        State.RECORDED: "Recorded, still showing",
        State.HIDDEN: "Recorded, then hidden",
        State.UPHELD: "Decision kept",
        State.RESTORED: "Showing again",
        State.GONE: "Deleted on the platform, record kept",
        State.WITHHELD: "Withheld: do not open, call the police",
    }
    return words.get(listed.state, listed.state.value)


def outcome_words(listed: Listed) -> str:
    """Return what was decided, in plain words."""
    return {"hide": "Hide", "route": "For a person, never hidden", "withhold": "Police only"}.get(listed.outcome, "")
