"""The way to a machine outside: one signed HTTPS POST, no redirect, its answer not read. Called by the webhook step."""

from collections.abc import Callable
from datetime import datetime

import requests

from moderator.domain.errors import Transient
from moderator.domain.readers import DueWebhook, message, message_id, signature


class HttpCourier:
    """Posts over HTTP; implements ports.Courier."""

    def __init__(self, unseal: Callable[[bytes], str], *, timeout: float = 10.0) -> None:
        """Keep what opens a webhook's secret, and the seconds to wait for a connection and for an answer."""
        self._unseal, self._timeout = unseal, timeout

    def tell(self, due: DueWebhook, *, at: datetime) -> None:
        """Hand one message over. Raises Transient when the machine did not answer 2xx."""
        if due.line is None:
            return
        body, id_, timestamp = message(due.line), message_id(due.webhook.school, due.seq), int(at.timestamp())
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "moderator",
            "webhook-id": id_,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signature(self._unseal(due.sealed_secret), id_=id_, timestamp=timestamp, body=body),
        }
        try:
            with requests.post(
                due.webhook.url, data=body, headers=headers, timeout=self._timeout, allow_redirects=False, stream=True
            ) as answer:
                status = answer.status_code
        except requests.RequestException as error:
            why = f"it could not be reached ({type(error).__name__})"
            raise Transient(why) from None
        if not 200 <= status < 300:  # noqa: PLR2004 - HTTP's successes
            why = f"it answered {status}"
            raise Transient(why)
