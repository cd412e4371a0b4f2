"""The ports to the world outside: time, platforms and their tokens, the classifier, mail, waking a step."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from typing import Protocol

from moderator.domain.account import Account, Capabilities
from moderator.domain.digest import AlertMail, Digest, WitnessMail
from moderator.domain.invitation import InvitationMail
from moderator.domain.item import Fetched, Page
from moderator.domain.report import Report
from moderator.domain.score import Score
from moderator.domain.trust_digest import TrustDigest


class Clock(Protocol):
    """The time. Shipped versions: the system's, and a frozen one for rehearsals and tests."""

    def now(self) -> datetime:
        """Return aware UTC. May step back when the machine's clock does; callers that need order must check."""
        ...


class Platform(Protocol):
    """One account on one social platform.

    Every call raises RateLimited, Transient (network, timeout, 5xx, half an answer), Unauthorised (401), Refused (403 and other lasting
    refusals) or Gone (404 or deleted), and nothing else of the client library's. No call sleeps. There is no reply, message, like,
    follow or delete call (R25).
    """

    @property
    def capabilities(self) -> Capabilities:
        """What this platform can do; constant."""
        ...

    @property
    def sources(self) -> tuple[str, ...]:
        """Names of the lists to poll, each with a cursor of its own; their union is de-duplicated by comment id."""
        ...

    def poll(self, source: str, cursor: str, *, limit: int) -> Page:
        """Return one page of what is new in `source` since `cursor` ("" at first), billed at no more than `limit` posts.

        One request for the list, and at most one more for posts it refers to. May be repeated with the same cursor: the same or newer
        comments come again. Raises BadInput when `limit` is below the smallest page the platform serves (`smallest_page`).
        """
        ...

    def smallest_page(self, source: str) -> int:
        """Return the fewest reads one poll of `source` can be billed as at most; a budget below it means: do not poll."""
        ...

    def fetch(self, comment_id: str) -> Fetched:
        """Return one comment as it is now. One request, at most three reads; may be repeated. Raises Gone when it was deleted."""
        ...

    def set_hidden(self, comment_id: str, *, hidden: bool) -> bool:
        """Hide or un-hide one comment and return the state read back from the platform. May be repeated: it sets, it does not toggle."""
        ...

    def identity(self) -> str:
        """Return the platform's id of the account that the credentials belong to. One request; for doctor and `account add`."""
        ...


@dataclass(frozen=True, slots=True)
class Token:
    """An OAuth 2.0 user token. `expires_at` is aware UTC. Never logged: the repr shows nothing."""

    access: str
    refresh: str
    expires_at: datetime

    def __repr__(self) -> str:
        """Return a text without the secrets."""
        return "Token(…)"


class Credentials(Protocol):
    """Where one account's token lives, encrypted at rest."""

    def load(self) -> Token:
        """Return the current token. Raises Unauthorised when there is none."""
        ...

    def save(self, token: Token) -> None:
        """Store a new pair durably before it is used; the old one is dead once the platform has answered."""
        ...


class Classifier(Protocol):
    """Scores texts. Deterministic: the same text, context and model give the same score."""

    @property
    def version(self) -> str:
        """The model version, with the model's hash."""
        ...

    def score(self, texts: Sequence[str], *, parents: Sequence[str] = ()) -> list[Score]:
        """Return one score a text, in order. `parents` is empty or one parent-post text per text. Never fails on any Unicode."""
        ...


class Mailer(Protocol):
    """Delivers mail. Shipped versions: SMTP, and a folder of `.eml` files."""

    def send(self, message: EmailMessage) -> None:
        """Deliver. May be repeated: the Message-ID tells repeats apart. Raises Transient (refused for now, no answer) or Refused (5xx)."""
        ...


class Composer(Protocol):
    """Turns what is to be told into a message: multipart text and HTML, no names, no comment text, no pictures."""

    def alert(self, mail: AlertMail) -> EmailMessage:
        """Return the alert message, with a Message-ID derived from its key."""
        ...

    def digest(self, digest: Digest) -> EmailMessage:
        """Return the digest message, with a Message-ID derived from its key."""
        ...

    def trust_digest(self, digest: TrustDigest) -> EmailMessage:
        """Return the message that tells of every school on one page, with a Message-ID derived from its key."""
        ...

    def report(self, report: Report) -> EmailMessage:
        """Return the report of a week or of a term, with a Message-ID derived from its key."""
        ...

    def witness(self, mail: WitnessMail) -> EmailMessage:
        """Return the message with every ledger's head, each on a line of its own, with a Message-ID derived from its key."""
        ...

    def invitation(self, mail: InvitationMail) -> EmailMessage:
        """Return the message with a one-time link to set up a sign-in, with a Message-ID derived from its key."""
        ...


class Dispatcher(Protocol):
    """Wakes a step sooner than its schedule would, e.g. after a review."""

    def wake(self, step: str) -> None:
        """Ask for `step` to run soon. May be repeated; may do nothing."""
        ...


PlatformFor = Callable[[Account], Platform]
"""How a step gets an account's adapter."""
