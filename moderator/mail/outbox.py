"""The mailer for a service without SMTP settings: each message is an `.eml` file in a folder. Implements the Mailer port."""

import hashlib
import os
import re
import tempfile
from email import policy
from email.message import EmailMessage
from pathlib import Path

from moderator.domain.errors import Transient
from moderator.mail.envelope import checked_id


class FolderMailer:
    """Writes messages where a mail program can open them. They are read on this machine; nothing leaves it."""

    def __init__(self, folder: Path) -> None:
        """Write to `folder`, made at the first message, readable to the service's user only."""
        self._folder = folder

    def send(self, message: EmailMessage) -> None:
        """Write the message durably, named for its Message-ID.

        1. A message that is there already is left as it is: a repeat makes no second file.
        2. Otherwise write a part file beside it, fsync it, rename it, and fsync the folder.
        Raises Refused for a message without id, sender or recipient, Transient when the disk is full or the folder cannot be written.
        """
        path = self._folder / file_name(checked_id(message))
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not path.exists():
                _write(path, message.as_bytes(policy=policy.SMTP))
        except OSError as error:
            text = f"the outbox folder {self._folder} cannot be written: {error.strerror}. The message waits; nothing is lost"
            raise Transient(text) from error


def file_name(message_id: str) -> str:
    """Return the file name of a Message-ID: a part that a person can read, and 64 bits of SHA-256 so that no two ids share a name."""
    readable = re.sub(r"[^A-Za-z0-9]+", "-", message_id).strip("-")[:80].strip("-")
    return f"{readable}-{hashlib.sha256(message_id.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}.eml"


def _write(path: Path, content: bytes) -> None:
    handle, part = tempfile.mkstemp(prefix=".", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(part).replace(path)
    except OSError:
        Path(part).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
