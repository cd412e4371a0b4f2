"""What a new roll changes: who comes, stays, leaves, by kind (R20)."""

from datetime import date, timedelta

from moderator.domain.person import RollEntry
from moderator.domain.roll_change import KINDS, change_of
from moderator.domain.score import PersonKind

DAY = date(2026, 11, 23)
PUPIL, STAFF = PersonKind.PUPIL, PersonKind.STAFF


def _entry(reference: str, name: str = "Orla Larkspur", kind: PersonKind = PUPIL, left: date | None = None) -> RollEntry:
    first, _, last = name.partition(" ")
    return RollEntry(reference, kind, first, last, left_on=left)


def _name_for(entry: RollEntry) -> str:
    return f"N-{entry.first_name[:1]}{entry.last_name[:1]}"


def _change(present: list[RollEntry], read: list[RollEntry], kinds: object = (PUPIL,)) -> tuple[dict[str, RollEntry], dict[str, int]]:
    made = change_of(present, read, kinds=frozenset(kinds), day=DAY, name_for=_name_for, leavers_match=timedelta(days=365))  # type: ignore[call-overload] # any collection of kinds
    of_kind = next(each for each in made.by_kind if each.kind is PUPIL)
    counts = {name: getattr(of_kind, name) for name in ("in_file", "new", "changed", "same", "leaving", "left_before")}
    assert made.in_file == len(read)
    return {entry.reference: entry for entry in made.entries}, counts


def test_r20_people_are_told_apart_by_reference() -> None:
    before = [_entry("U1"), _entry("U2", "Tilly Marwood"), _entry("U3", "Jonah Bramwell")]
    after, counts = _change(before, [_entry("U1"), _entry("U2", "Tilly Ashwick"), _entry("U4", "Fern Ashwick")])
    assert counts == {"in_file": 3, "new": 1, "changed": 1, "same": 1, "leaving": 1, "left_before": 0}
    assert after["U3"].left_on == DAY
    assert after["U2"].last_name == "Ashwick"


def test_r20_leavers_stay_until_their_time_is_over_and_come_back_when_the_file_has_them() -> None:
    before = [
        _entry("U1", left=DAY - timedelta(days=365)),
        _entry("U2", left=DAY - timedelta(days=366)),
        _entry("U3", left=DAY - timedelta(days=1)),
        _entry("U4", left=DAY + timedelta(days=30)),
    ]
    after, counts = _change(before, [_entry("U3")])
    assert set(after) == {"U1", "U3", "U4"}
    assert after["U3"].left_on is None
    assert after["U4"].left_on == DAY
    assert counts == {"in_file": 1, "new": 0, "changed": 1, "same": 0, "leaving": 1, "left_before": 1}


def test_other_kinds_stay_and_a_reference_of_theirs_is_never_taken() -> None:
    before = [_entry("17", "Gareth Pemberwick", STAFF), _entry("18", "Farida Oakenshaw", STAFF)]
    after, counts = _change(before, [_entry("17")])
    assert after["17"].kind is STAFF
    assert after["17-pupil"].kind is PUPIL
    assert counts["new"] == 1
    again, counts = _change(list(after.values()), [_entry("17")])
    assert again == after
    assert counts["same"] == 1
    assert counts["leaving"] == 0


def test_people_without_a_reference_get_one_of_their_own() -> None:
    after, _ = _change([], [_entry("line-2"), _entry("line-3"), _entry("line-4", "Tilly Marwood")])
    assert set(after) == {"N-OL", "N-OL-2", "N-TM"}
    again, counts = _change(list(after.values()), [_entry("line-9", "Tilly Marwood"), _entry("line-2"), _entry("line-7")])
    assert again == after
    assert counts["same"] == 3


def test_the_present_are_counted_without_leavers() -> None:
    made = change_of([_entry("U1"), _entry("U2", left=DAY)], [_entry("U1")], kinds=KINDS, day=DAY, name_for=_name_for)
    assert (made.present, made.leaving, len(made.entries)) == (1, 0, 2)
