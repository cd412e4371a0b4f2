"""What a mailer must know before it sends: the message has an id and one reader to go to. Every mailer calls it."""

from email.message import EmailMessage
from email.utils import getaddresses

from moderator.domain.errors import Refused


def checked_id(message: EmailMessage) -> str:
    """Return the Message-ID without its brackets. Raises Refused when the message has no id, no sender or no recipient, or several.

    One recipient each: a server that takes a message for one and refuses it for another would otherwise make us send it to the first again.
    """
    found = str(message["Message-ID"] or "").strip().strip("<>")
    recipients = {
        spec for _, spec in getaddresses([str(value) for name in ("To", "Cc", "Bcc") for value in message.get_all(name, [])]) if spec
    }
    for what, value in (("Message-ID", found), ("From", message["From"]), ("recipient", recipients)):
        if not value:
            text = f"a message without a {what} cannot be sent; it was not sent"
            raise Refused(text)
    if len(recipients) > 1:
        text = "a message for several recipients cannot be sent: each gets one of their own; it was not sent"
        raise Refused(text)
    return found
