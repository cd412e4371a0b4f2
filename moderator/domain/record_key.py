"""The key of one encrypted record: 32 random bytes, and the hash by which it is known. Used by the cipher and by the key store."""

import hashlib

KEY_BYTES = 32
"""AES-256."""


def key_sha256(key: bytes) -> str:
    """Return what a record and the database say of a key: SHA-256 of its bytes, in hex. It tells nothing of the key itself."""
    return hashlib.sha256(key).hexdigest()
