"""The service's own signature: one Ed25519 key. Called by the sealing, the composition root and `moderator keys`; read by the check."""

import base64
from functools import lru_cache

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_public_key,
    load_pem_private_key,
)

from moderator.domain.errors import BadInput


class Signer:
    """The service's Ed25519 key. The repr shows nothing of it."""

    def __init__(self, pem: bytes) -> None:
        """Take the PKCS #8 PEM bytes of a key file. Raises BadInput when they are not an unencrypted Ed25519 key."""
        try:
            key = load_pem_private_key(pem, password=None)
        except (ValueError, TypeError) as error:
            message = "the signing key cannot be read: it must be an unencrypted Ed25519 key in PEM"
            raise BadInput(message) from error
        if not isinstance(key, Ed25519PrivateKey):
            message = "the signing key is of another kind: it must be Ed25519"
            raise BadInput(message)
        self._key = key
        public = key.public_key()
        self.public_key = base64.b64encode(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()
        self.public_pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    @classmethod
    def generate(cls) -> "Signer":
        """Return a signer with a new key."""
        return cls(Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))

    @property
    def pem(self) -> bytes:
        """The private key in PKCS #8 PEM, for the key file; never logged."""
        return self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def sign(self, data: bytes) -> bytes:
        """Return the 64-byte signature, checked once against the public key before it leaves."""
        signature = self._key.sign(data)
        self._key.public_key().verify(signature, data)
        return signature

    def __repr__(self) -> str:
        """Return a text without the key."""
        return "Signer(…)"


@lru_cache(maxsize=64)
def public_key_from(key: str) -> Ed25519PublicKey | None:
    """Return a public key as ledgers hold it (base64 of DER); None for one that cannot be read or is of another kind."""
    try:
        found = load_der_public_key(base64.b64decode(key, validate=True))
    except (ValueError, UnsupportedAlgorithm):
        return None
    return found if isinstance(found, Ed25519PublicKey) else None


def signature_holds(public_key: Ed25519PublicKey, signature: bytes, data: bytes) -> bool:
    """Return whether the signature over `data` is this key's."""
    try:
        public_key.verify(signature, data)
    except InvalidSignature:
        return False
    return True
