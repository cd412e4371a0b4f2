"""A passkey in software, which can also lie: about the site, the challenge, its counter, its person. Called by tests of the sign-in."""

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

_PRESENT, _VERIFIED, _NEW = 0x01, 0x04, 0x40


def packed(raw: bytes) -> str:
    """Return unpadded base64url."""
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


@dataclass
class Device:
    """One passkey of one site: a P-256 key. `origin` is what the browser tells it; `count` its counter."""

    origin: str
    count: int = 0
    verified: bool = True
    handle: str | None = None
    name: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    @property
    def credential(self) -> str:
        """Return the credential's id."""
        return packed(self.name)

    def make(self, options: dict[str, Any], **lies: Any) -> str:
        """Return the answer to the question that adds it."""
        self.handle = options["user"]["id"]
        numbers = self.key.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        about = bytes(16) + len(self.name).to_bytes(2, "big") + self.name + cbor2.dumps(cose)
        attested = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": self._data(lies, _NEW) + about})
        told = self._told("webauthn.create", options, lies)
        return self._answer({"clientDataJSON": packed(told), "attestationObject": packed(attested)})

    def sign(self, options: dict[str, Any], **lies: Any) -> str:
        """Return the answer to the question that signs in. Lies: origin, type, challenge, site, count, key, handle."""
        told, data = self._told("webauthn.get", options, lies), self._data(lies, 0)
        signed = lies.get("key", self.key).sign(data + hashlib.sha256(told).digest(), ec.ECDSA(hashes.SHA256()))
        response = {"clientDataJSON": packed(told), "authenticatorData": packed(data), "signature": packed(signed)}
        handle = lies.get("handle", self.handle)
        return self._answer(response | ({"userHandle": handle} if handle else {}))

    def _told(self, kind: str, options: dict[str, Any], lies: dict[str, Any]) -> bytes:
        told = {"type": kind, "challenge": options["challenge"], "origin": self.origin, "crossOrigin": False}
        return json.dumps(told | {name: value for name, value in lies.items() if name in told}).encode()

    def _data(self, lies: dict[str, Any], more: int) -> bytes:
        site = lies.get("site", urlsplit(self.origin).hostname or "")
        flags = _PRESENT | more | (_VERIFIED if self.verified else 0)
        count = int(lies.get("count", self.count))
        return hashlib.sha256(site.encode()).digest() + bytes([flags]) + count.to_bytes(4, "big")

    def _answer(self, response: dict[str, str]) -> str:
        return json.dumps({"id": self.credential, "rawId": self.credential, "type": "public-key", "response": response})
