"""The keys of encrypted records at rest, on SQLite and PostgreSQL."""

from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from moderator.domain.errors import NotAllowed
from moderator.domain.record_key import key_sha256
from moderator.domain.times import FrozenClock
from moderator.store.record_keys import KEYS, StoredRecordKeys, destroy
from moderator.store.sealed import Sealer

RECORD = "R-AAAAAAAAAAAAAAAA"
NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def either(any_stage: Any) -> Any:
    return any_stage.tools.store


@pytest.fixture
def keys(either: Any) -> StoredRecordKeys:
    return StoredRecordKeys(either, Sealer([Fernet.generate_key().decode()]), FrozenClock(NOW))


def test_a_key_is_made_once_and_kept_encrypted(either: Any, keys: StoredRecordKeys) -> None:
    assert keys.get(RECORD) is None
    made = keys.make(RECORD, "oakfield")
    assert len(made) == 32
    assert keys.make(RECORD, "oakfield") == made == keys.get(RECORD)
    with either.reading() as connection:
        row = connection.execute(sa.select(KEYS)).one()
    assert row.key_sha256 == key_sha256(made)
    assert made not in bytes(row.sealed)
    assert made.hex().encode() not in bytes(row.sealed)


def test_r30_a_destroyed_key_is_gone_and_not_made_again(either: Any, keys: StoredRecordKeys) -> None:
    keys.make(RECORD, "oakfield")
    for _ in range(2):
        with either.unit() as unit:
            destroy(unit.connection, RECORD, NOW)
    assert keys.get(RECORD) is None
    with pytest.raises(NotAllowed, match="was disposed of"):
        keys.make(RECORD, "oakfield")
