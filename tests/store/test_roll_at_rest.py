"""The roll at rest: no plain name in the database, leavers match for a set time, tokens can be made again (R20, R29)."""

from datetime import date, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet
from stage import SCHOOL, Stage

from moderator.domain.errors import BadInput
from moderator.domain.person import Evidence, RollEntry, RollToken
from moderator.domain.score import PersonKind
from moderator.learn.roll import RollMatcher, roll_tokens
from moderator.store import roll
from moderator.store.schema import downgrade, upgrade
from moderator.store.sealed import Sealer

KEY = b"r" * 32
SEALER = Sealer([Fernet.generate_key().decode()])
ENTRIES = [
    RollEntry("P-1", PersonKind.PUPIL, "Matilda", "Marwood", known_as="Tilly"),
    RollEntry("P-2", PersonKind.PUPIL, "Jonah", "Marwood", left_on=date(2026, 7, 31)),
    RollEntry("S-1", PersonKind.STAFF, "Imogen", "Quillfeather", "Mrs", "", "Larkspur"),
]


def _tokens(entries: list[RollEntry]) -> list[RollToken]:
    return [token for entry in entries for token in roll_tokens(entry, KEY)]


def _keep(stage: Stage) -> None:
    with stage.database.unit() as unit:
        assert roll.replace_roll(unit.connection, SCHOOL.slug, ENTRIES, _tokens(ENTRIES), SEALER) == 3


def _names(stage: Stage, text: str, on: date | None = None) -> list[str]:
    with stage.database.reading() as connection:
        matcher = RollMatcher(roll.roll_tokens(connection, on=on), KEY)
    return [person.reference for person in matcher.find(text) if person.strong]


def test_r29_no_row_of_the_roll_holds_a_name(any_stage: Stage) -> None:
    _keep(any_stage)
    with any_stage.database.reading() as connection:
        rows = b""
        for table in (roll.ROLL_ENTRIES, roll.ROLL_TOKENS):
            for row in connection.execute(sa.select(table)):
                rows += b"|".join(value if isinstance(value, bytes) else str(value).encode() for value in row)
        assert roll.roll_size(connection, SCHOOL.slug) == 3
    for name in (b"matilda", b"marwood", b"tilly", b"jonah", b"imogen", b"quillfeather", b"larkspur"):
        assert name not in rows.lower()


def test_r29_the_database_file_holds_no_name(stage: Stage) -> None:
    _keep(stage)
    path = Path(str(stage.database.engine.url.database))
    files = [file.read_bytes().lower() for file in path.parent.glob(f"{path.name}*")]
    assert b"p-1" in b"".join(files)
    for name in (b"matilda", b"marwood", b"tilly", b"jonah", b"imogen", b"quillfeather", b"larkspur"):
        assert not any(name in held for held in files)


def test_r20_kept_tokens_match_as_fresh_ones_do(any_stage: Stage) -> None:
    _keep(any_stage)
    assert _names(any_stage, "Tilly Marwood, mrs larkspur and jonah marwod") == ["P-1", "S-1", "P-2"]
    with any_stage.database.reading() as connection:
        kept = roll.roll_tokens(connection)
    shared = [token for token in kept if not token.reference]
    assert len(shared) == len({token.evidence for token in shared})


def test_r20_a_leaver_matches_for_a_set_time(any_stage: Stage) -> None:
    _keep(any_stage)
    assert _names(any_stage, "jonah marwood", on=date(2027, 7, 31)) == ["P-2"]
    assert _names(any_stage, "jonah marwood", on=date(2027, 8, 1)) == []
    assert _names(any_stage, "tilly marwood", on=date(2040, 1, 1)) == ["P-1"]
    with any_stage.database.unit() as unit:
        roll.replace_roll(unit.connection, SCHOOL.slug, ENTRIES, _tokens(ENTRIES), SEALER, leavers_match=timedelta(0))
    assert _names(any_stage, "jonah marwood", on=date(2026, 8, 1)) == []


def test_r21_a_person_of_the_register_is_found_by_name(any_stage: Stage) -> None:
    _keep(any_stage)
    with any_stage.database.reading() as connection:
        for name, found in (
            ("tilly  MARWOOD", ["P-1"]),
            ("Matilda Marwood", ["P-1"]),
            ("Mrs Quillfeather", ["S-1"]),
            ("Imogen Larkspur", ["S-1"]),
            ("Marwood", []),
            ("", []),
        ):
            assert roll.find_reference(connection, SEALER, SCHOOL.slug, name) == found, name
        assert roll.find_reference(connection, SEALER, "ashford", "Tilly Marwood") == []


def test_a_roll_is_counted_by_kind(any_stage: Stage) -> None:
    with any_stage.database.reading() as connection:
        assert not roll.any_roll(connection)
        assert roll.standing(connection) == ()
        assert roll.last_replaced(connection, SCHOOL.slug) is None
    _keep(any_stage)
    with any_stage.database.reading() as connection:
        assert roll.any_roll(connection)
        assert roll.counts_by_kind(connection, SCHOOL.slug, on=date(2026, 8, 1)) == {PersonKind.PUPIL: (1, 1), PersonKind.STAFF: (1, 0)}
        assert roll.counts_by_kind(connection, SCHOOL.slug, on=date(2028, 8, 1)) == {PersonKind.PUPIL: (1, 0), PersonKind.STAFF: (1, 0)}


def test_a_roll_is_replaced_whole(any_stage: Stage) -> None:
    _keep(any_stage)
    with any_stage.database.unit() as unit:
        assert roll.replace_roll(unit.connection, SCHOOL.slug, [], [], SEALER) == 0
    assert _names(any_stage, "tilly marwood") == []
    with any_stage.database.reading() as connection:
        assert roll.roll_tokens(connection) == []


def test_names_can_be_opened_to_make_tokens_again(any_stage: Stage) -> None:
    _keep(any_stage)
    with any_stage.database.unit() as unit:
        assert list(roll.roll_entries(unit.connection, SCHOOL.slug, SEALER)) == ENTRIES
        assert roll.schools_without_tokens(unit.connection) == []
        roll.put_tokens(unit.connection, SCHOOL.slug, [])
        assert roll.schools_without_tokens(unit.connection) == [SCHOOL.slug]
        roll.put_tokens(unit.connection, SCHOOL.slug, _tokens(ENTRIES))
    assert _names(any_stage, "Matilda Marwood") == ["P-1"]
    with any_stage.database.reading() as connection, pytest.raises(BadInput, match="add the old key"):
        list(roll.roll_entries(connection, SCHOOL.slug, Sealer([Fernet.generate_key().decode()])))


def test_names_outlive_a_move_of_the_schema_there_and_back(any_stage: Stage) -> None:
    _keep(any_stage)
    engine = any_stage.database.engine
    downgrade(engine, "0001")
    with engine.begin() as connection:
        connection.execute(
            sa.text(
                "INSERT INTO roll_tokens (school, digest, words, kind, reference, strong) "
                "VALUES ('oakfield', 'ab', 1, 'pupil', 'P-1', :strong)"
            ),
            {"strong": True},
        )
    upgrade(engine)
    with any_stage.database.reading() as connection:
        assert roll.schools_without_tokens(connection) == [SCHOOL.slug]
        assert list(roll.roll_entries(connection, SCHOOL.slug, SEALER)) == ENTRIES


def test_pieces_of_every_sort_are_kept_whole(any_stage: Stage) -> None:
    tokens = [RollToken(kind, bytes(range(32))) for kind in (Evidence.FIRST, Evidence.TYPO)]
    with any_stage.database.unit() as unit:
        roll.put_tokens(unit.connection, SCHOOL.slug, tokens + tokens)
        assert roll.roll_tokens(unit.connection) == tokens
