"""An invitation to set up a sign-in, as a mail tells of it. Composed by `mail`, sent by the review app."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class InvitationMail:
    """`name` is the school's name, or the trust's for a role of the whole trust; `link` is good once, until `ends_at`. It names nobody."""

    to: str
    name: str
    link: str
    ends_at: datetime
    key: str
    """Unique for each invitation; makes the Message-ID and opens nothing."""
