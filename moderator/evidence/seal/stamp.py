"""The service's signature and the authorities' stamps over a manifest. Called by the recorder, by doctor, and by the re-stamping job."""

import base64
import hashlib
import re
import secrets
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import requests
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat, load_pem_private_key
from rfc3161_client import TimestampRequestBuilder, VerificationError, VerifierBuilder, decode_timestamp_response
from rfc3161_client.base import HashAlgorithm

from moderator.domain.errors import BadInput, Transient
from moderator.evidence.vault.durable import sync_folder, write_durably
from moderator.evidence.vault.folder import MANIFEST, FolderVault
from moderator.evidence.vault.staging import DRAFT, STAGING
from moderator.observe import happened, went_wrong
from moderator.ports import TimestampAuthority

AUTHORITY_NAME = re.compile(r"[a-z0-9][a-z0-9-]*")
MAX_ANSWER = 256 * 1024
"""Bytes of a stamp we read at most; a real one is 2 to 8 KB (our choice)."""


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


def signature_holds(public_key: Ed25519PublicKey, signature: bytes, data: bytes) -> bool:
    """Return whether the signature over `data` is this key's."""
    try:
        public_key.verify(signature, data)
    except InvalidSignature:
        return False
    return True


def token_time(token: bytes, chain_pem: bytes, data: bytes) -> datetime:
    """Return the time in a stamp over `data` once the stamp is checked at that very time (aware UTC).

    The authority's certificate need only have been valid then, so a good stamp stays good when the certificate runs out (RECORD.md).
    Raises BadInput, saying why, when the stamp is not good or does not lead to a certificate of the chain.
    """
    try:
        response = decode_timestamp_response(token)
        chain = x509.load_pem_x509_certificates(chain_pem)
        roots = [each for each in chain if each.issuer == each.subject]
        others = [each for each in chain if each.issuer != each.subject]
        VerifierBuilder(roots=roots or chain, intermediates=others).build().verify_message(response, data)
        return response.tst_info.gen_time.astimezone(UTC)
    except (VerificationError, ValueError) as error:
        message = f"the stamp is not good: {error}"
        raise BadInput(message) from error


class HttpAuthority:
    """An RFC 3161 authority reached over HTTP; implements ports.TimestampAuthority."""

    def __init__(self, name: str, url: str, chain_pem: bytes, *, timeout: float = 10.0) -> None:
        """Take a short name, the authority's address, its certificate chain, and seconds to wait. Raises BadInput for a bad name."""
        if not AUTHORITY_NAME.fullmatch(name):
            message = f"{name!r} cannot name a timestamp authority: use lower-case letters, digits and hyphens"
            raise BadInput(message)
        self._name, self._url, self._timeout = name, url, timeout
        self.chain_pem = chain_pem

    @property
    def name(self) -> str:
        """Return the short name used in file names."""
        return self._name

    def stamp(self, data: bytes) -> tuple[bytes, bytes]:
        """Return a checked stamp over SHA-256 of `data`, and the chain in PEM. Raises Transient when none can be had now."""
        request = TimestampRequestBuilder().data(data).hash_algorithm(HashAlgorithm.SHA256).nonce().cert_request(cert_request=True).build()
        headers = {"Content-Type": "application/timestamp-query"}
        try:
            with requests.post(
                self._url, data=request.as_bytes(), headers=headers, timeout=self._timeout, stream=True, allow_redirects=False
            ) as got:
                got.raise_for_status()
                token = got.raw.read(MAX_ANSWER + 1, decode_content=True)
        except (requests.RequestException, OSError) as error:
            message = f"the timestamp authority {self._name} does not answer: {type(error).__name__}"
            raise Transient(message) from error
        self._check(token, data, request.nonce)
        return token, self.chain_pem

    def _check(self, token: bytes, data: bytes, nonce: int | None) -> None:
        try:
            if len(token) > MAX_ANSWER or decode_timestamp_response(token).tst_info.nonce != nonce:
                message = f"the timestamp authority {self._name} answered another question"
                raise Transient(message)
            token_time(token, self.chain_pem, data)
        except (BadInput, ValueError) as error:
            message = f"the timestamp authority {self._name} gave a stamp that does not hold: {error}"
            raise Transient(message) from error


def stamp_files(authorities: Sequence[TimestampAuthority], manifest: bytes) -> dict[str, bytes]:
    """Return the stamp and chain files of every authority that answers, by file name; none answering gives an empty dict."""
    files: dict[str, bytes] = {}
    for authority in authorities:
        try:
            token, chain = authority.stamp(manifest)
        except Transient:
            went_wrong("stamp_not_had", authority=authority.name)
            continue
        files[f"{MANIFEST}.{authority.name}.tsr"] = token
        files[f"{authority.name}-chain.pem"] = chain
    return files


def stamp_pending(vault: FolderVault, path: str, authorities: Sequence[TimestampAuthority]) -> dict[str, str]:
    """Add the stamps a sealed bag still lacks; return what was added, as authority name to SHA-256 of its chain.

    The caller writes a `restamped` line with `authority` and `chain_sha256` for each. Stamp files stand outside the tag manifest: they
    prove themselves. May be repeated: a stamp that is there is left alone. Raises Transient when the disk is full.
    """
    folder = vault.folder(path)
    lacking = [each for each in authorities if not (folder / f"{MANIFEST}.{each.name}.tsr").exists()]
    files = stamp_files(lacking, vault.open(path, MANIFEST))
    if not files:
        return {}
    try:
        _add_files(vault, folder, files)
    except OSError as error:
        message = f"the stamp of {path} could not be kept: {error.strerror}"
        raise Transient(message) from error
    happened("record_stamped", record=path, stamps=len(files) // 2)
    return {
        name.removesuffix("-chain.pem"): hashlib.sha256(content).hexdigest()
        for name, content in files.items()
        if name.endswith("-chain.pem")
    }


def _add_files(vault: FolderVault, folder: Path, files: dict[str, bytes]) -> None:
    """Write in the staging area, flush, rename: a crash leaves no half stamp. The token comes last and never stands without its chain."""
    drafts = vault.root / STAGING
    drafts.mkdir(mode=0o700, exist_ok=True)
    folder.chmod(0o755)
    try:
        for name in sorted(files, key=lambda each: (each.endswith(".tsr"), each)):
            draft = drafts / f"{secrets.token_hex(8)}{DRAFT}"
            try:
                write_durably(draft, files[name])
                draft.rename(folder / name)
            except OSError:
                with suppress(OSError):
                    draft.unlink()
                raise
        sync_folder(folder)
    finally:
        folder.chmod(0o555)
