"""The keys of encrypted records, themselves encrypted with the service's key. Called by build, the sealing and the disposal."""

import secrets
from datetime import datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from moderator.domain.errors import NotAllowed
from moderator.domain.record_key import KEY_BYTES, key_sha256
from moderator.ports import Clock
from moderator.store.engine import insert_new
from moderator.store.record_tables import RecordKeyRow
from moderator.store.sealed import Sealer

if TYPE_CHECKING:
    from moderator.store.database import Database  # which holds the disposal, which destroys keys

KEYS: sa.Table = RecordKeyRow.__table__  # type: ignore[attr-defined] # SQLModel sets it at class creation


class StoredRecordKeys:
    """One row a record; implements ports.RecordKeys."""

    def __init__(self, database: "Database", sealer: Sealer, clock: Clock) -> None:
        """Keep the database, the service's own encryption, and the clock."""
        self._database, self._sealer, self._clock = database, sealer, clock

    def make(self, record_id: str, school: str) -> bytes:
        """Return the record's key, made and committed. May be repeated: the same key. Raises NotAllowed when it was destroyed."""
        key = secrets.token_bytes(KEY_BYTES)
        row = {
            "record_id": record_id,
            "school": school,
            "sealed": self._sealer.seal(key.hex()),
            "key_sha256": key_sha256(key),
            "made_at": self._clock.now(),
        }
        with self._database.unit() as unit:
            if insert_new(unit.connection, KEYS, [row]):
                return key
        known = self.get(record_id)
        if known is None:
            message = f"the record {record_id} was disposed of; it is not made again"
            raise NotAllowed(message)
        return known

    def get(self, record_id: str) -> bytes | None:
        """Return the key, or None when there never was one or it was destroyed. Raises BadInput when encryption.key does not fit."""
        with self._database.reading() as connection:
            sealed = connection.execute(sa.select(KEYS.c.sealed).where(KEYS.c.record_id == record_id)).scalar()
        return None if sealed is None else bytes.fromhex(self._sealer.open(bytes(sealed)))


def destroy(connection: sa.Connection, record_id: str, at: datetime) -> None:
    """Destroy a record's key, in the caller's transaction; SQLite overwrites the bytes (`secure_delete`). May be repeated."""
    gone = sa.update(KEYS).where(KEYS.c.record_id == record_id, KEYS.c.sealed.is_not(None)).values(sealed=None, destroyed_at=at)
    connection.execute(gone)
