"""Encryption of a record's personal payload under the record's own key. Called by the sealing and by the vault that opens records.

AES-256 in counter mode, because a stranger with the key can open a file with `openssl enc` alone. It needs no tag of its own: the
manifests, the signature and the stamps are over the encrypted bytes, and `key_sha256` commits to the key.
"""

import json
import secrets
from collections.abc import Mapping

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from moderator.domain.errors import BadInput
from moderator.domain.record_key import key_sha256
from moderator.evidence.vault.names import ENCRYPTED_END

CIPHER = "aes-256-ctr"
"""As `openssl enc` calls it."""
_COUNTER_BYTES = 16


def encrypt(payload: Mapping[str, bytes], key: bytes) -> tuple[dict[str, bytes], dict[str, str], dict[str, object]]:
    """Return the files as stored (`<name>.enc`), each one's initial counter in hex, and what `seal.json` says of it all.

    Each file has a random counter of its own.
    """
    stored: dict[str, bytes] = {}
    counters: dict[str, str] = {}
    for name, content in payload.items():
        counter = secrets.token_bytes(_COUNTER_BYTES)
        stored[name + ENCRYPTED_END] = _run(content, key, counter)
        counters[name] = counter.hex()
    return stored, counters, {"cipher": CIPHER, "key_sha256": key_sha256(key), "files": counters}


def decrypt(name: str, content: bytes, seal: bytes, key: bytes) -> bytes:
    """Return the plain bytes of the stored file of `name` (without `data/`), by what `seal` (the bytes of seal.json) says.

    Raises BadInput when the seal does not name the file, or the key is not the one the record was made with.
    """
    try:
        said = json.loads(seal)["encryption"]
        counter = bytes.fromhex(said["files"][name])
        known = said["cipher"] == CIPHER and len(counter) == _COUNTER_BYTES
        fits = said["key_sha256"] == key_sha256(key)
    except (ValueError, KeyError, TypeError) as error:
        message = f"seal.json does not say how {name} is encrypted"
        raise BadInput(message) from error
    if not known or not fits:
        message = f"{name} cannot be opened: the key is not the one this record was made with, or the cipher is not {CIPHER}"
        raise BadInput(message)
    return _run(content, key, counter)


def _run(content: bytes, key: bytes, counter: bytes) -> bytes:
    """Encrypt or decrypt: in counter mode they are the same."""
    worker = Cipher(algorithms.AES256(key), modes.CTR(counter)).encryptor()
    return worker.update(content) + worker.finalize()
