"""Mail: what is to be told becomes a message, and the message leaves. The alert, digest and outbox steps call it through the ports."""
