"""The lifecycle of an item: its states, who may move it, and what must be true first (DESIGN §3)."""

from enum import StrEnum

from moderator.domain.errors import NotAllowed


class State(StrEnum):
    """Where an item stands."""

    SEEN = "seen"
    SCORED = "scored"
    CLEARED = "cleared"
    FLAGGED = "flagged"
    RECORDED = "recorded"
    HIDDEN = "hidden"
    UPHELD = "upheld"
    RESTORED = "restored"
    GONE = "gone"
    WITHHELD = "withheld"


class Stage(StrEnum):
    """The step an item waits for. The database row is the queue: no stage, nothing waits."""

    SCORE = "score"
    DECIDE = "decide"
    RECORD = "record"
    HIDE = "hide"
    RESTORE = "restore"


TRANSITIONS: frozenset[tuple[State, State]] = frozenset(
    {
        (State.SEEN, State.SCORED),
        (State.SCORED, State.CLEARED),
        (State.SCORED, State.FLAGGED),
        (State.SCORED, State.WITHHELD),
        (State.SEEN, State.WITHHELD),
        (State.FLAGGED, State.WITHHELD),
        (State.CLEARED, State.FLAGGED),
        (State.FLAGGED, State.RECORDED),
        (State.FLAGGED, State.GONE),
        (State.RECORDED, State.HIDDEN),
        (State.RECORDED, State.UPHELD),
        (State.RECORDED, State.RESTORED),
        (State.HIDDEN, State.UPHELD),
        (State.HIDDEN, State.RESTORED),
        (State.UPHELD, State.RESTORED),
    }
)
"""Every move there is. `flagged → hidden` is not among them: a hide needs a record first (R10).

A person may withhold what has no record yet: a flagged comment, or one held before it was judged (R17). What is recorded stays recorded.
"""

NEEDS_RECORD = frozenset({State.RECORDED, State.HIDDEN, State.UPHELD, State.RESTORED, State.GONE})


def check_move(old: State, new: State, *, sealed: bool) -> State:
    """Return `new` if the item may move there. `sealed` says whether its sealed record exists.

    Raises NotAllowed for a move that is not in the table, one that needs a sealed record and has none, and for withholding what has a
    record: R17 is a path without one.
    """
    if (old, new) not in TRANSITIONS:
        message = f"an item cannot go from {old} to {new}"
        raise NotAllowed(message)
    if new in NEEDS_RECORD and not sealed:
        message = f"an item cannot go from {old} to {new} without a sealed record"
        raise NotAllowed(message)
    if new is State.WITHHELD and sealed:
        message = "a comment that has a record already is not withheld: its record stays, and is marked for the police"
        raise NotAllowed(message)
    return new
