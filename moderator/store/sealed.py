"""Encrypted columns: MultiFernet, so that keys can be rotated; the keys live in a secret file, never in the database."""

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from moderator.domain.errors import BadInput


class Sealer:
    """Encrypts and decrypts small values. The first key encrypts; all of them decrypt."""

    def __init__(self, keys: list[str]) -> None:
        """Take Fernet keys, newest first. Raises BadInput when there is none or one is not a Fernet key."""
        try:
            self._fernet = MultiFernet([Fernet(key) for key in keys])
        except ValueError as error:
            message = "the encryption key file must hold one Fernet key a line (44 characters each); `moderator doctor` can make one"
            raise BadInput(message) from error

    def seal(self, plain: str) -> bytes:
        """Return ciphertext."""
        return self._fernet.encrypt(plain.encode())

    def open(self, sealed: bytes) -> str:
        """Return the plain text. Raises BadInput when no key fits."""
        try:
            return self._fernet.decrypt(sealed).decode()
        except InvalidToken as error:
            message = "a stored secret cannot be read with the encryption keys given; add the old key below the new one"
            raise BadInput(message) from error
