"""A mailer that signs: S/MIME (RFC 8551, clear-signed), so that a reader's mail program shows who wrote it. Wraps another mailer.

The signature covers the body. From, To, Subject, Date and Message-ID stay outside, as they were.
"""

import base64
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from cryptography.hazmat.primitives.serialization.pkcs7 import PKCS7Options, PKCS7SignatureBuilder
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from moderator import observe
from moderator.domain.errors import BadInput
from moderator.domain.times import SystemClock
from moderator.mail.envelope import checked_id
from moderator.ports import Clock, Mailer

SOON = timedelta(days=30)
"""How long before its certificate ends doctor warns (our choice): a new one can take weeks to be given."""

_FROM_LINE = re.compile(rb"^From ", re.MULTILINE)
"""A line that some servers change on the way, which would break the signature (RFC 8551 section 3.1.1)."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A key with its certificate and the certificates above it, checked against each other and against an address."""

    key: RSAPrivateKey | EllipticCurvePrivateKey
    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...]

    @property
    def ends(self) -> datetime:
        """Return when the certificate ends (aware UTC)."""
        return self.certificate.not_valid_after_utc

    def does_not_hold(self, at: datetime) -> str:
        """Return why the certificate does not hold at that time; "" when it does."""
        if at > self.ends:
            return f"it ended on {self.ends.date()}"
        begins = self.certificate.not_valid_before_utc
        return "" if begins <= at else f"it begins on {begins.date()}"


def identity(key_pem: str, certificate_pem: str, *, sender: str) -> Identity:
    """Return what mail from `sender` is signed with. The first certificate is ours, those after it lead to the authority.

    Its dates are not looked at here: a service that starts after the last day must still send its alerts (`SigningMailer`).
    Raises BadInput, in one line, for a key that does not fit the certificate, one that is for another address, and one that is not for
    signing mail.
    """
    try:
        key = load_pem_private_key(key_pem.encode(), password=None)
        first, *chain = x509.load_pem_x509_certificates(certificate_pem.encode())
    except (ValueError, TypeError) as error:
        message = "smime: the secrets smime-key and smime-cert must hold PEM: a key without a password, and its certificate"
        raise BadInput(message) from error
    if not isinstance(key, RSAPrivateKey | EllipticCurvePrivateKey):
        message = "secret smime-key: mail programs check RSA and EC signatures only; this key is of another kind"
        raise BadInput(message)
    found = Identity(key, first, tuple(chain))
    for wrong in (_does_not_fit(found), _is_for_another(found, sender), _does_not_sign_mail(found)):
        if wrong:
            message = f"secret smime-cert: {wrong}"
            raise BadInput(message)
    return found


def _does_not_fit(found: Identity) -> str:
    ours, theirs = (
        key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        for key in (found.key.public_key(), found.certificate.public_key())
    )
    return "" if ours == theirs else "it is not the certificate of smime-key; its own certificate must come first in the file"


def _is_for_another(found: Identity, sender: str) -> str:
    named = {name.lower() for name in _addresses(found.certificate)}
    return "" if sender.lower() in named else f"it is for {', '.join(sorted(named)) or 'no address'}, and mail is from {sender}"


def _addresses(certificate: x509.Certificate) -> list[str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        also = names.get_values_for_type(x509.RFC822Name)
    except x509.ExtensionNotFound:
        also = []
    return [*also, *(str(each.value) for each in certificate.subject.get_attributes_for_oid(NameOID.EMAIL_ADDRESS))]


def _does_not_sign_mail(found: Identity) -> str:
    """Return what is wrong with what the certificate is for, if it says what it is for (RFC 8550 section 4.4)."""
    extensions = found.certificate.extensions
    try:
        purposes = set(extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    except x509.ExtensionNotFound:
        purposes = {ExtendedKeyUsageOID.EMAIL_PROTECTION}
    try:
        usage = extensions.get_extension_for_class(x509.KeyUsage).value
        signs = usage.digital_signature or usage.content_commitment
    except x509.ExtensionNotFound:
        signs = True
    allowed = {ExtendedKeyUsageOID.EMAIL_PROTECTION, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE} & purposes
    return "" if signs and allowed else "it is not for signing mail (emailProtection, digitalSignature)"


class SigningMailer:
    """Signs, then delivers through another mailer; implements Mailer."""

    def __init__(self, mailer: Mailer, signing: Identity, *, clock: Clock | None = None) -> None:
        """Keep the mailer that delivers, and what to sign with."""
        self.mailer, self.identity, self._clock = mailer, signing, clock or SystemClock()

    def send(self, message: EmailMessage) -> None:
        """Sign and deliver. May be repeated: the Message-ID stays. Raises what the other mailer raises.

        Where the certificate does not hold, mail leaves unsigned rather than not at all: an alert must arrive. Doctor and the log say so.
        """
        checked_id(message)
        if self.identity.does_not_hold(self._clock.now()):
            observe.went_wrong("mail_not_signed", ends=self.identity.ends.date().isoformat())
            self.mailer.send(message)
        else:
            self.mailer.send(signed(message, self.identity))


def signed(message: EmailMessage, signing: Identity) -> EmailMessage:
    """Return the message with its body signed: multipart/signed, detached, SHA-256.

    1. The body's own bytes are settled first: line ends as on the wire, no line that a server on the way would change.
    2. Those very bytes are signed, and put between the boundaries as they are; all headers but the body's stay outside.
    """
    body = _body(message)
    builder = PKCS7SignatureBuilder().set_data(body).add_signer(signing.certificate, signing.key, SHA256())
    for each in signing.chain:
        builder = builder.add_certificate(each)
    proof = builder.sign(Encoding.DER, [PKCS7Options.DetachedSignature, PKCS7Options.Binary])
    boundary = f"signed-{secrets.token_hex(12)}"  # by chance: it is in no body
    edge = f"--{boundary}".encode()
    lines = (*_outside(message, boundary), b"", edge, body, edge, *_attached(proof), edge + b"--", b"")
    return message_from_bytes(b"\r\n".join(lines), _class=EmailMessage, policy=SMTP)


def _outside(message: EmailMessage, boundary: str) -> Iterator[bytes]:
    """Yield the header lines that stay outside, and those that say what is within."""
    for name, value in message.raw_items():  # as they were given: a header read and written anew can gain a space
        if name.lower() != "mime-version" and not _of_the_body(name):
            yield SMTP.fold_binary(name, value).removesuffix(b"\r\n")
    yield b"MIME-Version: 1.0"
    yield b'Content-Type: multipart/signed; protocol="application/pkcs7-signature";'
    yield f' micalg="sha-256"; boundary="{boundary}"'.encode()


def _attached(proof: bytes) -> Iterator[bytes]:
    """Yield the lines of the signature's own part."""
    yield b'Content-Type: application/pkcs7-signature; name="smime.p7s"'
    yield b"Content-Transfer-Encoding: base64"
    yield b'Content-Disposition: attachment; filename="smime.p7s"'
    yield b""
    yield from base64.encodebytes(proof).splitlines()


def _of_the_body(name: str) -> bool:
    return name.lower().startswith("content-") and name.lower() != "content-language"


def _body(message: EmailMessage) -> bytes:
    """Return the body with its own headers, as it stands on the wire."""
    inner = EmailMessage(policy=SMTP)
    for name, value in message.items():
        if _of_the_body(name):
            inner[name] = value
    inner.set_payload(message.get_payload())
    plain = inner.as_bytes(policy=SMTP)
    leaves = [part for part in message.walk() if not part.is_multipart()]
    if all(str(part["Content-Transfer-Encoding"]).lower() == "quoted-printable" for part in leaves):
        return _FROM_LINE.sub(b"=46rom ", plain)
    return plain
