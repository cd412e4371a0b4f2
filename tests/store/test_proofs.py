"""Passwords, codes and counters as they are kept, on both engines."""

from collections.abc import Iterator
from datetime import date, timedelta

import pyotp
import pytest
from cryptography.fernet import Fernet
from stage import NOON, Stage

from moderator.domain.access import Role
from moderator.domain.errors import BadInput
from moderator.store import proofs, register
from moderator.store.database import SqlUnit
from moderator.store.register_tables import PasskeyRow
from moderator.store.sealed import Sealer
from moderator.store.sign_in import Purpose, add, end_sessions, end_set_up, find, forget_ended, sessions_of

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"  # noqa: S105 - a test's own
SEALER = Sealer([Fernet.generate_key().decode()])


@pytest.fixture
def unit(any_stage: Stage) -> Iterator[SqlUnit]:
    """Yield a transaction with one person in it."""
    with any_stage.database.unit() as made:
        person = register.add_person(made.connection, name="Wren Alder", email="wren@oakfield.example", at=NOON)
        day = date(2026, 9, 1)
        register.designate(
            made.connection, person_id=person.id, role=Role.ADMIN, school="oakfield", signed_by="CEO-1", signed_on=day, begins_on=day
        )
        yield made


def only(unit: SqlUnit) -> int:
    found = register.person_by_email(unit.connection, "wren@oakfield.example")
    assert found is not None
    return found.id


def test_a_code_of_an_app_is_good_once_and_an_older_one_not_after_it(unit: SqlUnit) -> None:
    person, app = only(unit), pyotp.TOTP(SECRET)
    assert not proofs.use_code(unit.connection, SEALER, person, app.at(NOON), at=NOON)
    proofs.set_app(unit.connection, SEALER, person, SECRET, step=0)
    earlier, now = app.at(NOON - timedelta(seconds=30)), app.at(NOON)
    assert proofs.use_code(unit.connection, SEALER, person, f" {now[:3]} {now[3:]} ", at=NOON)
    assert not proofs.use_code(unit.connection, SEALER, person, now, at=NOON)
    assert not proofs.use_code(unit.connection, SEALER, person, earlier, at=NOON)
    later = NOON + timedelta(seconds=30)
    assert proofs.use_code(unit.connection, SEALER, person, app.at(later), at=later)


def test_another_key_opens_no_app(unit: SqlUnit) -> None:
    proofs.set_app(unit.connection, SEALER, only(unit), SECRET, step=0)
    with pytest.raises(BadInput, match="cannot be read"):
        proofs.use_code(unit.connection, Sealer([Fernet.generate_key().decode()]), only(unit), "123456", at=NOON)


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "12345٦"])
def test_what_is_no_code_is_refused(typed: str) -> None:
    assert proofs.code_of_app(SECRET, typed, at=NOON) is None


def test_rfc_6238_says_the_same_codes() -> None:
    seed = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    for seconds, code in ((59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")):
        at = NOON - timedelta(seconds=NOON.timestamp() - seconds)
        assert proofs.code_of_app(seed, code, at=at) == seconds // 30


def test_recovery_codes_are_good_once_and_a_new_sheet_ends_the_old(unit: SqlUnit) -> None:
    person = only(unit)
    first = proofs.new_recovery_codes(unit.connection, person, at=NOON)
    assert len(set(first)) == 10
    assert all(len(code) == 19 for code in first)
    assert proofs.use_recovery_code(unit.connection, person, first[0], at=NOON)
    assert not proofs.use_recovery_code(unit.connection, person, first[0], at=NOON)
    assert proofs.proofs_of(unit.connection, person).codes_left == 9
    proofs.new_recovery_codes(unit.connection, person, at=NOON)
    assert not proofs.use_recovery_code(unit.connection, person, first[1], at=NOON)


def test_a_code_read_out_and_typed_is_the_same_code() -> None:
    assert proofs.read_code(" ol1o-abcd efgh.jkmn") == "0110-ABCD-EFGH-JKMN"
    for _ in range(20):
        code = proofs.new_code()
        assert proofs.read_code(code.lower().replace("0", "o").replace("1", "l")) == code


def test_a_person_has_a_way_in_of_their_own_or_not(unit: SqlUnit) -> None:
    person = only(unit)
    assert not proofs.has_any(unit.connection, person)
    proofs.set_password(unit.connection, person, "a hash")
    assert not proofs.has_any(unit.connection, person)
    proofs.set_app(unit.connection, SEALER, person, SECRET, step=1)
    assert proofs.has_any(unit.connection, person)
    proofs.forget_proofs(unit.connection, person)
    assert not proofs.has_any(unit.connection, person)
    key = {"credential_id": "k", "person_id": person, "public_key": b"k", "sign_count": 0, "label": "Key", "added_at": NOON}
    unit.connection.execute(PasskeyRow.__table__.insert().values(key))  # type: ignore[attr-defined] # SQLModel sets it at class creation
    assert proofs.has_any(unit.connection, person)
    proofs.forget_proofs(unit.connection, person)
    unit.connection.execute(register.PEOPLE.update().values(oidc_subject="at the provider"))
    assert proofs.has_any(unit.connection, person)


def test_passwords_are_hashed_as_rfc_9106_says_for_little_memory() -> None:
    made = proofs.hashed("kettle-otter-marigold")
    assert made.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert proofs.matches(made, "kettle-otter-marigold")
    assert not proofs.matches(made, "kettle-otter-harebell")
    assert not proofs.outdated(made)
    assert proofs.hashed("kettle-otter-marigold") != made


def test_a_hash_that_is_none_matches_nothing() -> None:
    assert not proofs.matches("", "kettle-otter-marigold")
    assert not proofs.matches("no hash", "kettle-otter-marigold")


def test_of_two_tries_at_once_one_counts_and_a_right_one_is_taken_back(unit: SqlUnit) -> None:
    person = only(unit)
    before = proofs.proofs_of(unit.connection, person)
    assert proofs.claim_try(unit.connection, before, NOON)
    assert not proofs.claim_try(unit.connection, before, NOON)
    proofs.take_back_try(unit.connection, before)
    assert proofs.proofs_of(unit.connection, person) == before
    proofs.went_wrong_at(unit.connection, person, at=NOON)
    assert proofs.proofs_of(unit.connection, person).failures == 1
    proofs.went_well(unit.connection, person)
    assert proofs.proofs_of(unit.connection, person).failures == 0


@pytest.mark.parametrize(("failures", "seconds"), [(0, 0), (1, 1), (2, 2), (5, 16), (10, 512), (11, 900), (5000, 900)])
def test_the_wait_doubles_up_to_a_quarter_of_an_hour(failures: int, seconds: int) -> None:
    assert proofs.wait_after(failures, NOON, at=NOON) == timedelta(seconds=seconds)
    assert proofs.wait_after(failures, NOON, at=NOON + timedelta(seconds=seconds)) == timedelta(0)
    assert proofs.wait_after(failures, None, at=NOON) == timedelta(0)


def test_sign_ins_end_by_purpose_and_are_forgotten_a_week_later(unit: SqlUnit) -> None:
    person, soon = only(unit), NOON + timedelta(hours=1)
    for purpose in (Purpose.SESSION, Purpose.INVITE, Purpose.KNOWN):
        add(unit.connection, f"secret of {purpose}", purpose=purpose, person_id=person, expires_at=soon)
    add(unit.connection, "a code", purpose=Purpose.SET_UP, expires_at=soon)
    assert end_sessions(unit.connection, person, at=NOON, only=(Purpose.INVITE,)) == 1
    assert len(sessions_of(unit.connection, person, at=NOON)) == 1
    assert find(unit.connection, "secret of known", purpose=Purpose.KNOWN, at=NOON) is not None
    assert end_sessions(unit.connection, person, at=NOON) == 2
    assert end_set_up(unit.connection, at=NOON) == 1
    assert end_set_up(unit.connection, at=NOON) == 0
    assert forget_ended(unit.connection, at=NOON + timedelta(days=7)) == 0
    assert forget_ended(unit.connection, at=NOON + timedelta(days=8)) == 4
