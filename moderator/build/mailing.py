"""Mail as the settings say: how it leaves, how it is signed, and where it comes back to. Called by build and by doctor."""

import hashlib
import json
import os
import tempfile
from pathlib import Path

from moderator.build.keys import sealer
from moderator.domain.errors import BadInput
from moderator.mail.imap import ImapMailbox
from moderator.mail.oauth import Access, Grant, TokenSource
from moderator.mail.outbox import FolderMailer
from moderator.mail.smime import Identity, SigningMailer, identity
from moderator.mail.smtp import SmtpMailer
from moderator.ports import Clock, Mailbox, Mailer, NoMailbox
from moderator.settings import Settings
from moderator.store.sealed import Sealer

TOKEN_FILE = "mail-token.sealed"  # noqa: S105 - a file's name
"""In the data folder: the refresh token that the endpoint gave in place of the secret file's, encrypted."""


def mailer(settings: Settings, *, clock: Clock | None = None) -> Mailer:
    """Return SMTP, or the `outbox/` folder when no server is set; signed where the settings say so.

    Raises BadInput, in one line, for a secret that is missing, or a key and certificate that mail cannot be signed with.
    """
    mail = settings.mail
    if mail is None:
        return FolderMailer(settings.data_dir / "outbox")
    tokens = token_source(settings, clock=clock)
    smtp = SmtpMailer(
        host=mail.host,
        port=mail.port,
        username=mail.username,
        password=settings.secret("smtp-password") if mail.username and tokens is None else "",
        starttls=mail.starttls,
        timeout=mail.timeout_seconds,
        ca_file=mail.ca_file,
        tokens=tokens,
    )
    signing = signing_identity(settings)
    return smtp if signing is None else SigningMailer(smtp, signing, clock=clock)


def mailbox(settings: Settings, *, clock: Clock | None = None) -> Mailbox:
    """Return the mailbox that undelivered mail comes back to, or none. Raises BadInput when its password is missing."""
    mail = settings.mail
    if mail is None or mail.bounces is None:
        return NoMailbox()
    by_token = mail.oauth is not None and not settings.optional_secret("imap-password")
    return ImapMailbox(
        host=mail.bounces.host,
        port=mail.bounces.port,
        username=mail.bounces.username or mail.sender,
        password="" if by_token else settings.secret("imap-password"),
        tokens=token_source(settings, clock=clock) if by_token else None,
        folder=mail.bounces.folder,
        timeout=mail.bounces.timeout_seconds,
        ca_file=mail.bounces.ca_file,
        clock=clock,
    )


def token_source(settings: Settings, *, clock: Clock | None = None) -> TokenSource | None:
    """Return what gives tokens to sign in with, or None where a password does. Raises BadInput when a secret is missing."""
    if settings.mail is None or settings.mail.oauth is None:
        return None
    oauth = settings.mail.oauth
    kind = Grant(oauth.kind)
    agreed = kind is Grant.REFRESH_TOKEN
    access = Access(
        kind=kind,
        token_url=oauth.token_url,
        client_id=oauth.client_id,
        scope=oauth.scope,
        subject=oauth.subject,
        secret=settings.optional_secret("smtp-oauth-secret") if agreed else settings.secret("smtp-oauth-secret"),
        refresh_token=settings.secret("smtp-oauth-refresh-token") if agreed else "",
    )
    keeper = SealedToken(settings.data_dir / TOKEN_FILE, sealer(settings)) if agreed else None
    return TokenSource(access, clock=clock, keeper=keeper, timeout=settings.mail.timeout_seconds)


def signing_identity(settings: Settings) -> Identity | None:
    """Return what mail is signed with, or None. Raises BadInput when it cannot be used."""
    if settings.mail is None or not settings.mail.smime:
        return None
    return identity(settings.secret("smime-key"), settings.secret("smime-cert"), sender=settings.mail.sender)


class SealedToken:
    """Keeps the newest refresh token, encrypted, in a file; implements mail.oauth.TokenKeeper.

    It counts as long as the secret file is the one it began with: a person who puts a new token there wins.
    """

    def __init__(self, path: Path, sealed: Sealer) -> None:
        """Keep where the file is, and what encrypts it."""
        self._path, self._sealer = path, sealed

    def newest(self, given: str) -> str:
        """Return what replaced `given`, or "" when nothing did, or the file cannot be read."""
        try:
            kept = json.loads(self._sealer.open(self._path.read_bytes()))
        except (OSError, BadInput, ValueError):
            return ""
        return str(kept["token"]) if kept["instead_of"] == _fingerprint(given) else ""

    def keep(self, given: str, *, newest: str) -> None:
        """Keep what replaced `given`, whole or not at all. Raises OSError when it cannot."""
        content = self._sealer.seal(json.dumps({"instead_of": _fingerprint(given), "token": newest}))
        handle, part = tempfile.mkstemp(prefix=".", suffix=".part", dir=self._path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(part).replace(self._path)


def _fingerprint(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
