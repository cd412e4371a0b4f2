"""Reading an RFC 3161 stamp: is it good, over what, from when, until when. Called by the authorities, the late stamps and the check."""

from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from rfc3161_client import VerificationError, VerifierBuilder, decode_timestamp_response

from moderator.domain.errors import BadInput

SHA256, SHA512 = "sha256", "sha512"
HASHES = {SHA256: "2.16.840.1.101.3.4.2.1", SHA512: "2.16.840.1.101.3.4.2.3"}
"""Object identifiers of the hashes a stamp may be over (NIST, Computer Security Objects Register)."""
_UNREADABLE = (ValueError, x509.InvalidVersion, x509.DuplicateExtension, x509.UnsupportedGeneralNameType)
"""What the library for certificates raises for a damaged or hostile one."""
_PANIC = "PanicException"
"""What the timestamp library raises for a certificate that OpenSSL cannot read: no module has this class, and it is no Exception."""


@dataclass(frozen=True, slots=True)
class Token:
    """What a good stamp says.

    `at`: its time, aware UTC. `expires_at`: when the first certificate it leads through runs out, the one it was signed with among them.
    `hashed_by` and `policy`: object identifiers in dotted form. `nonce`: None when it carries none.
    """

    at: datetime
    expires_at: datetime
    hashed_by: str
    policy: str
    nonce: int | None


def read_token(token: bytes, chain_pem: bytes, data: bytes) -> Token:
    """Return what a stamp over `data` says, once it is checked at its very own time.

    The authority's certificate need only have been valid then, so a good stamp stays good when the certificate runs out (RECORD.md).
    Raises BadInput, saying why, when the stamp is not good, is over something else, or does not lead to a certificate of the chain.
    """
    try:
        response = decode_timestamp_response(token)
        chain = x509.load_pem_x509_certificates(chain_pem)
        roots = [each for each in chain if each.issuer == each.subject]
        others = [each for each in chain if each.issuer != each.subject]
        VerifierBuilder(roots=roots or chain, intermediates=others).build().verify_message(response, data)
        inside = [x509.load_der_x509_certificate(each) for each in response.signed_data.certificates]
        said = response.tst_info
        return Token(
            at=said.gen_time.astimezone(UTC),
            expires_at=min(each.not_valid_after_utc for each in [*inside, *chain]),
            hashed_by=said.message_imprint.hash_algorithm.dotted_string,
            policy=said.policy.dotted_string,
            nonce=said.nonce,
        )
    except (VerificationError, *_UNREADABLE) as error:
        message = f"the stamp is not good: {error}"
        raise BadInput(message) from error
    except BaseException as error:
        if type(error).__name__ != _PANIC:
            raise
        message = "the stamp is not good: a certificate of its chain cannot be read"
        raise BadInput(message) from error


def token_time(token: bytes, chain_pem: bytes, data: bytes) -> datetime:
    """Return the time in a stamp over `data` once it is checked at that very time (aware UTC). Raises BadInput as `read_token` does."""
    return read_token(token, chain_pem, data).at
