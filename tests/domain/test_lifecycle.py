import itertools

import pytest

from moderator.domain.errors import NotAllowed
from moderator.domain.lifecycle import NEEDS_RECORD, TRANSITIONS, State, check_move


def test_r10_flagged_never_goes_straight_to_hidden() -> None:
    for sealed in (True, False):
        with pytest.raises(NotAllowed, match="cannot go from flagged to hidden"):
            check_move(State.FLAGGED, State.HIDDEN, sealed=sealed)


@pytest.mark.parametrize(("old", "new"), sorted(TRANSITIONS))
def test_every_move_of_the_table_is_allowed_with_a_record_or_to_withheld_without_one(old: State, new: State) -> None:
    assert check_move(old, new, sealed=new is not State.WITHHELD) is new


def test_r17_what_has_a_record_is_not_withheld() -> None:
    for old in (State.SEEN, State.SCORED, State.FLAGGED):
        with pytest.raises(NotAllowed, match="its record stays"):
            check_move(old, State.WITHHELD, sealed=True)
    for old in (State.RECORDED, State.HIDDEN, State.UPHELD, State.GONE, State.RESTORED, State.CLEARED):
        with pytest.raises(NotAllowed, match="cannot go from"):
            check_move(old, State.WITHHELD, sealed=False)


@pytest.mark.parametrize(("old", "new"), sorted(pair for pair in TRANSITIONS if pair[1] in NEEDS_RECORD))
def test_r10_no_state_after_the_record_is_reached_without_one(old: State, new: State) -> None:
    with pytest.raises(NotAllowed, match="without a sealed record"):
        check_move(old, new, sealed=False)


def test_every_other_move_is_refused() -> None:
    for old, new in itertools.product(State, State):
        if (old, new) not in TRANSITIONS:
            with pytest.raises(NotAllowed):
                check_move(old, new, sealed=True)


def test_a_restored_item_never_moves_again() -> None:
    assert not [pair for pair in TRANSITIONS if pair[0] is State.RESTORED]
