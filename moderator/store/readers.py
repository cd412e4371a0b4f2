"""Machines that read: API tokens by the SHA-256 of their secret, and webhooks with how far they were told. Called by web and the unit."""

import hashlib
import json
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from moderator.domain.errors import BadInput
from moderator.domain.events import Event
from moderator.domain.readers import ApiToken, DueWebhook, Scope, Webhook
from moderator.store.ledger import HEADS, LEDGER
from moderator.store.register_tables import ApiTokenRow, WebhookRow

TOKENS: sa.Table = ApiTokenRow.__table__  # type: ignore[attr-defined] # SQLModel sets it at class creation
WEBHOOKS: sa.Table = WebhookRow.__table__  # type: ignore[attr-defined] # as above

SEEN_EVERY = timedelta(minutes=1)
"""How often a token's last use is written down (our choice): reading must not be a write each time."""


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _token(row: Any) -> ApiToken:  # noqa: ANN401 - a row of TOKENS
    scopes = frozenset(Scope(each) for each in json.loads(row.scopes))
    return ApiToken(row.id, row.label, row.school, scopes, row.made_by, row.made_at, row.expires_on, row.ended_at, row.used_at)


def _webhook(row: Any) -> Webhook:  # noqa: ANN401 - a row of WEBHOOKS
    events = frozenset(Event(each) for each in json.loads(row.events))
    return Webhook(row.id, row.school, row.url, events, row.after_seq, row.made_by, row.made_at, row.ended_at, row.attempts, row.trouble)


def add_token(  # noqa: PLR0913 - the facts of one token
    connection: sa.Connection,
    secret: str,
    *,
    label: str,
    school: str,
    scopes: Iterable[Scope],
    made_by: str,
    at: datetime,
    expires_on: date,
) -> ApiToken:
    """Store a new token; only the hash of its secret is kept. The secret must be new and random."""
    values: dict[str, Any] = {"secret_sha256": _hash(secret), "label": label, "school": school, "scopes": json.dumps(sorted(scopes))}
    values |= {"made_by": made_by, "made_at": at, "expires_on": expires_on}
    return _token(connection.execute(sa.insert(TOKENS).values(values).returning(*TOKENS.c)).one())


def find_token(connection: sa.Connection, secret: str, *, day: date) -> ApiToken | None:
    """Return the live token of a secret on a London day; None when it is unknown, ended or past its last day."""
    wanted = sa.select(TOKENS).where(TOKENS.c.secret_sha256 == _hash(secret), TOKENS.c.ended_at.is_(None), TOKENS.c.expires_on >= day)
    row = connection.execute(wanted).one_or_none()
    return _token(row) if row else None


def token_used(connection: sa.Connection, token: ApiToken, at: datetime) -> None:
    """Note when a token was used. May be repeated."""
    connection.execute(sa.update(TOKENS).where(TOKENS.c.id == token.id).values(used_at=at))


def tokens_of(connection: sa.Connection, school: str) -> list[ApiToken]:
    """Return the tokens that read a school, ended ones too, the newest first."""
    wanted = sa.select(TOKENS).where(TOKENS.c.school.in_([school, ""])).order_by(TOKENS.c.id.desc())
    return [_token(row) for row in connection.execute(wanted)]


def end_token(connection: sa.Connection, token_id: int, at: datetime) -> ApiToken:
    """End a token at once. Raises BadInput when it has ended already."""
    live = sa.update(TOKENS).where(TOKENS.c.id == token_id, TOKENS.c.ended_at.is_(None)).values(ended_at=at).returning(*TOKENS.c)
    row = connection.execute(live).one_or_none()
    if row is None:
        message = "This token has ended already."
        raise BadInput(message)
    return _token(row)


def token(connection: sa.Connection, token_id: int) -> ApiToken | None:
    """Return a token by its number, or None."""
    row = connection.execute(sa.select(TOKENS).where(TOKENS.c.id == token_id)).one_or_none()
    return _token(row) if row else None


def add_webhook(  # noqa: PLR0913 - the facts of one webhook
    connection: sa.Connection, *, school: str, url: str, sealed_secret: bytes, events: Iterable[Event], made_by: str, at: datetime
) -> Webhook:
    """Store a webhook that is told of what happens from now on. Raises BadInput when the school has one at that address already."""
    known = sa.select(WEBHOOKS).where(WEBHOOKS.c.school == school, WEBHOOKS.c.url == url)
    old = connection.execute(known).one_or_none()
    if old is not None and old.ended_at is None:
        message = "This address is told already."
        raise BadInput(message)
    last = connection.execute(sa.select(HEADS.c.seq).where(HEADS.c.school == school)).scalar() or 0
    values: dict[str, Any] = {
        "secret_sealed": sealed_secret,
        "events": json.dumps(sorted(events)),
        "after_seq": last,
        "made_by": made_by,
        "made_at": at,
    }
    values |= {"due_at": at, "ended_at": None, "attempts": 0, "trouble": "", "lease_until": None}
    if old is not None:
        again = sa.update(WEBHOOKS).where(WEBHOOKS.c.id == old.id).values(values).returning(*WEBHOOKS.c)
        return _webhook(connection.execute(again).one())
    return _webhook(connection.execute(sa.insert(WEBHOOKS).values(values | {"school": school, "url": url}).returning(*WEBHOOKS.c)).one())


def webhooks_of(connection: sa.Connection, school: str) -> list[Webhook]:
    """Return a school's webhooks, ended ones too, the newest first."""
    wanted = sa.select(WEBHOOKS).where(WEBHOOKS.c.school == school).order_by(WEBHOOKS.c.id.desc())
    return [_webhook(row) for row in connection.execute(wanted)]


def webhook(connection: sa.Connection, webhook_id: int) -> Webhook | None:
    """Return a webhook by its number, or None."""
    row = connection.execute(sa.select(WEBHOOKS).where(WEBHOOKS.c.id == webhook_id)).one_or_none()
    return _webhook(row) if row else None


def end_webhook(connection: sa.Connection, webhook_id: int, at: datetime) -> Webhook:
    """End a webhook at once. Raises BadInput when it has ended already."""
    live = sa.update(WEBHOOKS).where(WEBHOOKS.c.id == webhook_id, WEBHOOKS.c.ended_at.is_(None)).values(ended_at=at).returning(*WEBHOOKS.c)
    row = connection.execute(live).one_or_none()
    if row is None:
        message = "This webhook has ended already."
        raise BadInput(message)
    return _webhook(row)


def claim_webhook(connection: sa.Connection, *, now: datetime, lease: timedelta) -> DueWebhook | None:
    """Claim the webhook that is due longest and has lines it was not told of; None when there is none."""
    behind = sa.select(HEADS.c.seq).where(HEADS.c.school == WEBHOOKS.c.school, HEADS.c.seq > WEBHOOKS.c.after_seq)
    free = sa.or_(WEBHOOKS.c.lease_until.is_(None), WEBHOOKS.c.lease_until <= now)
    due = sa.select(WEBHOOKS.c.id).where(WEBHOOKS.c.ended_at.is_(None), WEBHOOKS.c.due_at <= now, free, behind.exists())
    first = due.order_by(WEBHOOKS.c.due_at, WEBHOOKS.c.id).limit(1).with_for_update(skip_locked=True)
    claimed = sa.update(WEBHOOKS).where(WEBHOOKS.c.id.in_(first.scalar_subquery())).values(lease_until=now + lease).returning(*WEBHOOKS.c)
    row = connection.execute(claimed).one_or_none()
    if row is None:
        return None
    found = _webhook(row)
    wanted = sa.select(LEDGER.c.seq, LEDGER.c.line).where(
        LEDGER.c.school == found.school, LEDGER.c.seq > found.after_seq, LEDGER.c.event.in_([event.value for event in found.events])
    )
    line = connection.execute(wanted.order_by(LEDGER.c.seq).limit(1)).one_or_none()
    if line is None:
        last = connection.execute(sa.select(HEADS.c.seq).where(HEADS.c.school == found.school)).scalar_one()
        return DueWebhook(found, row.secret_sealed, None, last)
    return DueWebhook(found, row.secret_sealed, line.line, line.seq)


class WebhookReads:
    """The part of the store that tells which machine is due."""

    engine: sa.Engine

    def claim_webhook(self, *, now: datetime, lease: timedelta) -> DueWebhook | None:
        """Claim the webhook that is due longest and has lines it was not told of; None when there is none."""
        with self.engine.begin() as connection:
            return claim_webhook(connection, now=now, lease=lease)


class WebhookWrites:
    """The part of a unit that moves webhooks on."""

    connection: sa.Connection

    def webhook_told(self, due: DueWebhook, at: datetime) -> None:
        """Note that the machine took the message (or that there was none for it): the next line is due at once."""
        values = {"after_seq": due.seq, "attempts": 0, "trouble": "", "due_at": at, "lease_until": None}
        self.connection.execute(
            sa.update(WEBHOOKS).where(WEBHOOKS.c.id == due.webhook.id, WEBHOOKS.c.after_seq == due.webhook.after_seq).values(values)
        )

    def webhook_failed(self, due: DueWebhook, why: str, *, next_at: datetime) -> None:
        """Put the message back for another try; nothing is skipped."""
        values = {"attempts": due.webhook.attempts + 1, "trouble": why, "due_at": next_at, "lease_until": None}
        self.connection.execute(sa.update(WEBHOOKS).where(WEBHOOKS.c.id == due.webhook.id).values(values))
