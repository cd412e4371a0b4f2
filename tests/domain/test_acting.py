"""What a person may do: from their live designations and the one table, and from nowhere else (R3)."""

from datetime import UTC, date, datetime

import pytest

from moderator.domain.access import ACTION_WORDS, MAY, OF_A_SCHOOL, ROLE_WORDS, SIGNS_FOR, TRUST_WIDE, Action, Role
from moderator.domain.register import EVERY_SCHOOL, Acting, Designation, Person, next_reference

DAY = date(2026, 11, 18)


def designation(role: Role, school: str, reference: str, **changes: object) -> Designation:
    values: dict[str, object] = {"id": 1, "person_id": 1, "role": role, "school": school, "reference": reference, "signed_by": "CEO-1"}
    values |= {"signed_on": DAY, "begins_on": DAY, **changes}
    return Designation(**values)  # type: ignore[arg-type] # the caller names fields of Designation


def somebody(*designations: Designation, roll_reference: str = "") -> Acting:
    return Acting(Person(1, "Tamsin Okoro", "head@oakfield.example", roll_reference), designations)


def test_every_action_and_role_is_in_the_table_and_has_words() -> None:
    assert set(MAY) == set(Action) == set(ACTION_WORDS)
    assert set(ROLE_WORDS) == set(Role) == TRUST_WIDE | OF_A_SCHOOL
    assert all(signer in MAY[Action.DESIGNATE] for signer in SIGNS_FOR)
    assert all(Role.TRUSTEE not in roles for action, roles in MAY.items() if action is not Action.SEE_COUNTS)
    changing = {Action.DECIDE, Action.HAND_IN, Action.REQUEST_ACCOUNT, Action.CONNECT_ACCOUNT, Action.APPROVE_ACCOUNT, Action.DESIGNATE}
    changing |= {Action.KEEP_RECORDS, Action.SIGN, Action.CHANGE_ROLL, Action.CHANGE_POLICY, Action.MANAGE_READERS}
    assert all(Role.AUDITOR not in MAY[action] for action in changing)


def test_r3_a_person_may_what_their_role_may_at_their_school_only() -> None:
    head = somebody(designation(Role.HEAD, "oakfield", "HEAD-1"))
    assert head.may(Action.APPROVE_ACCOUNT, "oakfield")
    assert not head.may(Action.APPROVE_ACCOUNT, "ashford")
    assert not head.may(Action.SEE_SAFEGUARDING, "oakfield")
    assert head.reference(Action.DECIDE, "oakfield") == "HEAD-1"
    with pytest.raises(LookupError, match="see_safeguarding"):
        head.reference(Action.SEE_SAFEGUARDING, "oakfield")
    assert head.belongs_to("oakfield")
    assert not head.belongs_to("ashford")
    assert head.among(Action.DECIDE, ["ashford", "oakfield"]) == ("oakfield",)
    assert head.roles("oakfield") == {Role.HEAD}
    assert head.roles("ashford") == frozenset()


def test_a_designation_of_the_trust_covers_every_school_and_the_first_that_fits_is_acted_under() -> None:
    both = somebody(designation(Role.DSL, "oakfield", "DSL-1"), designation(Role.CEO, EVERY_SCHOOL, "CEO-1"))
    assert both.reference(Action.SEE_SAFEGUARDING, "oakfield") == "DSL-1"
    assert both.reference(Action.DESIGNATE, "oakfield") == "CEO-1"
    assert both.acts_at(["ashford", "oakfield"]) == (("ashford", "CEO-1"), ("oakfield", "DSL-1"))
    assert somebody().acts_at(["oakfield"]) == ()


def test_r3_a_designation_holds_from_its_first_to_its_last_day_unless_it_is_ended() -> None:
    held = designation(Role.HEAD, "oakfield", "HEAD-1", ends_on=date(2026, 11, 20))
    assert [held.live_on(date(2026, 11, day)) for day in (17, 18, 20, 21)] == [False, True, True, False]
    ended = designation(Role.HEAD, "oakfield", "HEAD-1", ended_at=datetime(2026, 11, 18, 9, tzinfo=UTC))
    assert not ended.live_on(DAY)


def test_r21_who_is_on_the_roll_says_so() -> None:
    assert somebody(roll_reference="S-7").on_the_roll == {"S-7"}
    assert somebody().on_the_roll == frozenset()


def test_a_reference_is_never_given_twice() -> None:
    assert next_reference(Role.HEAD, []) == "HEAD-1"
    assert next_reference(Role.HEAD, ["HEAD-1", "HEAD-9", "ADMIN-12", "HEAD-x", "HEADS-99"]) == "HEAD-10"
