"""Certificates to sign mail with: an authority, one between, and people's. Made new in each run. Called by the tests of signed mail."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

Key = EllipticCurvePrivateKey | RSAPrivateKey | Ed25519PrivateKey
MAIL = ExtendedKeyUsageOID.EMAIL_PROTECTION


def pem_of(key: Key) -> str:
    """Return a private key as PEM."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def new_key() -> EllipticCurvePrivateKey:
    """Return a new key: EC, since that is quick."""
    return generate_private_key(SECP256R1())


@dataclass
class Authority:
    """Somebody who gives certificates out."""

    key: EllipticCurvePrivateKey
    certificate: x509.Certificate

    @classmethod
    def new(cls) -> "Authority":
        """Return one that everybody must trust by itself."""
        key = new_key()
        return cls(key, _made("root", key, "root", key, lasts=timedelta(days=3650), authority=True))

    @property
    def pem(self) -> str:
        """Return its certificate as PEM."""
        return self.certificate.public_bytes(Encoding.PEM).decode()

    def below(self) -> "Authority":
        """Return one that this one vouches for."""
        key = new_key()
        return Authority(key, _made("between", key, _name(self), self.key, lasts=timedelta(days=3000), authority=True))

    def gives(  # noqa: PLR0913 - what a certificate says
        self,
        key: Key,
        address: str = "moderator@trust.example",
        *,
        lasts: timedelta = timedelta(days=365),
        begun: timedelta = timedelta(days=1),
        purpose: ObjectIdentifier | None = MAIL,
        signs: bool | None = True,
        in_name: bool = False,
    ) -> str:
        """Return a certificate as PEM. `lasts` counts from now, `begun` backwards; None leaves an extension out."""
        made = _made(
            "moderator",
            key,
            _name(self),
            self.key,
            address=address,
            lasts=lasts,
            begun=begun,
            purpose=purpose,
            signs=signs,
            in_name=in_name,
        )
        return made.public_bytes(Encoding.PEM).decode()


def _name(of: Authority) -> str:
    return str(of.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)


def _made(  # noqa: PLR0913 - as above
    name: str,
    key: Key,
    issuer: str,
    by: EllipticCurvePrivateKey,
    *,
    lasts: timedelta,
    begun: timedelta = timedelta(days=1),
    address: str = "",
    purpose: ObjectIdentifier | None = None,
    signs: bool | None = None,
    in_name: bool = False,
    authority: bool = False,
) -> x509.Certificate:
    now = datetime.now(UTC)
    also = [x509.NameAttribute(NameOID.EMAIL_ADDRESS, address)] if in_name else []
    built = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name), *also]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - max(begun, -lasts + timedelta(days=1)))
        .not_valid_after(now + lasts)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    if address and not in_name:
        built = built.add_extension(x509.SubjectAlternativeName([x509.RFC822Name(address)]), critical=False)
    if purpose is not None:
        built = built.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
    if signs is not None:
        usage = x509.KeyUsage(
            digital_signature=signs,
            content_commitment=False,
            key_encipherment=True,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=False,
            crl_sign=False,
            encipher_only=False,
            decipher_only=False,
        )
        built = built.add_extension(usage, critical=True)
    return built.sign(by, SHA256())
