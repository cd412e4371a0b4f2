"""Signed mail: `openssl` accepts it after it went over the wire, its headers stay as they were, and a wrong key refuses to start."""

import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
import structlog
from certificates import Authority, new_key, pem_of
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as rsa_key
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given, settings
from hypothesis import strategies as st

from moderator.domain.digest import AlertMail, Digest
from moderator.domain.errors import BadInput, Refused
from moderator.domain.times import FrozenClock
from moderator.mail.compose import JinjaComposer
from moderator.mail.outbox import FolderMailer
from moderator.mail.smime import Identity, SigningMailer, identity, signed

SENDER = "moderator@trust.example"
ROOT = Authority.new()
BETWEEN = ROOT.below()
KEY = new_key()


def made(certificate: str, key: str = pem_of(KEY)) -> Identity:
    return identity(key, certificate, sender=SENDER)


SIGNING = made(BETWEEN.gives(KEY) + BETWEEN.pem)


@pytest.fixture
def verified(tmp_path: Path) -> Callable[..., bytes]:
    """Return how a message as it arrived is checked by openssl, with nothing but the root; what was signed comes back."""
    (tmp_path / "root.pem").write_text(ROOT.pem)

    def check(raw: bytes, *, command: str = "smime") -> bytes:
        (tmp_path / "mail.eml").write_bytes(raw)
        asked = ["openssl", command, "-verify", "-in", "mail.eml", "-CAfile", "root.pem", "-out", "body"]
        done = subprocess.run(asked, capture_output=True, check=False, cwd=tmp_path)
        assert done.returncode == 0, done.stderr.decode()
        return (tmp_path / "body").read_bytes()

    return check


@pytest.fixture
def made_of(alert_mail: AlertMail, full_digest: Digest) -> dict[str, AlertMail | Digest]:
    return {"alert": alert_mail, "digest": full_digest}


def sent(message: EmailMessage, folder: Path, *, clock: FrozenClock | None = None) -> bytes:
    """Return what arrives, as the outbox keeps it, the step reads it back and the mailer writes it."""
    stored = message_from_bytes(message.as_bytes(policy=policy.SMTP), _class=EmailMessage, policy=policy.SMTP)
    SigningMailer(FolderMailer(folder), SIGNING, clock=clock).send(stored)
    (only,) = folder.glob("*.eml")
    return only.read_bytes()


@pytest.mark.parametrize("kind", ["alert", "digest"])
def test_openssl_accepts_what_arrives(
    composer: JinjaComposer, made_of: dict[str, AlertMail | Digest], verified: Callable[..., bytes], tmp_path: Path, kind: str
) -> None:
    what = made_of[kind]
    message = composer.alert(what) if isinstance(what, AlertMail) else composer.digest(what)
    raw = sent(message, tmp_path / "out")
    for command in ("smime", "cms"):
        assert verified(raw, command=command).startswith(b"Content-Type: multipart/alternative")
    verified(raw.replace(b"\r\n", b"\n"))
    with pytest.raises(AssertionError, match="digest failure"):
        verified(raw.replace(b"Northfield", b"Southfield"))
    found, before = (message_from_bytes(each, policy=policy.default) for each in (raw, message.as_bytes()))
    outside = [name for name in before if not name.lower().startswith("content-") or name == "Content-Language"]
    assert [(name, str(found[name])) for name in outside] == [(name, str(before[name])) for name in outside]
    assert found["Content-Type"].params["micalg"] == "sha-256"
    first, second = found.iter_parts()
    assert second.get_content_type() == "application/pkcs7-signature"
    assert [each.get_content() for each in first.iter_parts()] == [each.get_content() for each in before.iter_parts()]


def test_the_bytes_signed_are_the_bytes_sent_again_and_again(composer: JinjaComposer, alert_mail: AlertMail) -> None:
    once = signed(composer.alert(alert_mail), SIGNING).as_bytes(policy=policy.SMTP)
    again = message_from_bytes(once, _class=EmailMessage, policy=policy.SMTP).as_bytes(policy=policy.SMTP)
    assert once == again
    assert all(len(line) <= 998 for line in once.split(b"\r\n"))


LINES = st.lists(st.sampled_from(["From here", ".", "", "--x", "caf\u00e9", "trailing ", "\t", "=", "x" * 200]), max_size=8)


@settings(max_examples=40)
@given(LINES)
def test_no_body_breaks_its_signature(lines: list[str]) -> None:
    message = EmailMessage(policy=policy.SMTP)
    message["Message-ID"], message["From"], message["To"] = "<a@trust.example>", SENDER, "head@northfield.example"
    message.set_content("\n".join(lines), cte="quoted-printable")
    message.add_alternative("<p>x</p>", subtype="html", cte="quoted-printable")
    raw = signed(message, SIGNING).as_bytes(policy=policy.SMTP)
    boundary = message_from_bytes(raw).get_boundary()
    _, body, proof, _ = raw.split(f"--{boundary}".encode())
    inner = body.removeprefix(b"\r\n").removesuffix(b"\r\n")
    assert b"\nFrom " not in inner
    assert message_from_bytes(inner, policy=policy.default).get_body(("plain",)) is not None
    assert b"smime.p7s" in proof
    again = message_from_bytes(raw, _class=EmailMessage, policy=policy.SMTP).as_bytes(policy=policy.SMTP)
    assert inner in again


def test_a_body_that_is_not_quoted_printable_is_left_as_it_is(verified: Callable[..., bytes]) -> None:
    message = EmailMessage(policy=policy.SMTP)
    message["Message-ID"], message["From"], message["To"] = "<a@trust.example>", SENDER, "head@northfield.example"
    message.set_content("From here\n", cte="7bit")
    assert b"\nFrom here" in verified(signed(message, SIGNING).as_bytes())


def test_a_repeat_keeps_its_id(composer: JinjaComposer, alert_mail: AlertMail, tmp_path: Path) -> None:
    message = composer.alert(alert_mail)
    sent(message, tmp_path)
    assert sent(message, tmp_path), "one file"


def test_a_message_that_cannot_be_sent_is_refused_as_by_every_mailer(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="Message-ID"):
        SigningMailer(FolderMailer(tmp_path), SIGNING).send(EmailMessage())


@pytest.mark.parametrize("at", [SIGNING.ends + timedelta(seconds=1), SIGNING.certificate.not_valid_before_utc - timedelta(seconds=1)])
def test_when_the_certificate_does_not_hold_mail_still_leaves(
    composer: JinjaComposer, alert_mail: AlertMail, tmp_path: Path, at: datetime
) -> None:
    late = FrozenClock(at)
    with structlog.testing.capture_logs() as logs:
        raw = sent(composer.alert(alert_mail), tmp_path, clock=late)
    assert b"pkcs7" not in raw
    assert [entry["event"] for entry in logs] == ["mail_not_signed"]


# --- what it starts with ---


def test_an_rsa_key_and_a_name_with_the_address_in_it_will_do() -> None:
    key = rsa_key(public_exponent=65537, key_size=2048)
    found = made(ROOT.gives(key, in_name=True, purpose=None, signs=None), pem_of(key))
    assert found.chain == ()
    assert found.does_not_hold(datetime.now(UTC)) == ""
    other = made(ROOT.gives(KEY, "Moderator@Trust.example", purpose=ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE))
    assert other.ends > datetime.now(UTC)


@pytest.mark.parametrize(
    ("certificate", "said"),
    [
        (lambda: ROOT.gives(new_key()), "not the certificate of smime-key"),
        (lambda: BETWEEN.pem + BETWEEN.gives(KEY), "its own certificate must come first"),
        (lambda: ROOT.gives(KEY, "head@northfield.example"), "it is for head@northfield.example, and mail is from moderator@trust.example"),
        (lambda: ROOT.gives(KEY, ""), "it is for no address"),
        (lambda: ROOT.gives(KEY, purpose=ExtendedKeyUsageOID.SERVER_AUTH), "not for signing mail"),
        (lambda: ROOT.gives(KEY, signs=False), "not for signing mail"),
    ],
)
def test_a_certificate_that_readers_would_not_accept_refuses_to_start(certificate: Callable[[], str], said: str) -> None:
    with pytest.raises(BadInput, match=f"^secret smime-cert: .*{said}"):
        made(certificate())


@pytest.mark.parametrize(("key", "certificate"), [("no key", SIGNING), (pem_of(KEY), "no certificate"), ("", "")])
def test_what_is_no_pem_refuses_to_start(key: str, certificate: object) -> None:
    with pytest.raises(BadInput, match="must hold PEM"):
        made(str(certificate) if isinstance(certificate, str) else ROOT.gives(KEY), key)


def test_a_key_that_mail_programs_cannot_check_refuses_to_start() -> None:
    key = Ed25519PrivateKey.generate()
    with pytest.raises(BadInput, match="RSA and EC"):
        made(ROOT.gives(key), pem_of(key))
