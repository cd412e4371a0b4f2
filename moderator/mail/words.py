"""What each alert and account is called in plain English, and the one thing to do next. The templates call these as filters."""

from moderator.domain.account import Mode
from moderator.domain.decision import Severity
from moderator.domain.digest import AlertKind

_TITLES = {
    AlertKind.FLAGGED: "a comment was flagged",
    AlertKind.ROUTED: "a comment needs a person",
    AlertKind.WITHHELD: "call the police about a comment",
    AlertKind.HELD: "a comment is stuck",
    AlertKind.NOT_HIDDEN: "a comment is still showing",
    AlertKind.RESTORED: "a comment was restored",
    AlertKind.ACCOUNT: "an account needs attention",
    AlertKind.SYSTEM: "the service needs attention",
    AlertKind.EVIDENCE: "the evidence needs attention",
    AlertKind.SUBMITTED: "a screen print was handed in",
    AlertKind.DISPOSAL: "disposal of a record",
    AlertKind.OVERRIDE: "somebody changed what was decided",
    AlertKind.ESCALATED: "you are asked to look at a comment",
    AlertKind.REMINDER: "a date is coming",
    AlertKind.OVERDUE: "a date has passed",
    AlertKind.REHEARSAL: "this is a rehearsal",
}

_NEXT = {
    AlertKind.OVERRIDE: "Open it, and read who did it and why. If it is right, nothing more is needed.",
    AlertKind.FLAGGED: "Open the record. Then uphold the decision, or restore the comment.",
    AlertKind.ROUTED: "Open the record and decide who should act. If someone may be at risk, tell your Designated Safeguarding Lead now.",
    AlertKind.WITHHELD: (
        "Do not look at it, copy it or forward it. Call the police: 999 if a child is in danger now, 101 if not. "
        "Then tell your Designated Safeguarding Lead."
    ),
    AlertKind.HELD: "Open it and read why it is stuck. Then choose what happens to it.",
    AlertKind.NOT_HIDDEN: "Open the record. If it must go, report or block the author on the platform itself.",
    AlertKind.RESTORED: "Nothing is needed. Open the record to read why it was restored.",
    AlertKind.ACCOUNT: "Open the account's page: it says what to do. Until that is done, its comments may not be checked.",
    AlertKind.SYSTEM: "Ask your IT lead to look today. Show them this message.",
    AlertKind.SUBMITTED: (
        "Open the record and read it. If somebody may be at risk, tell your Designated Safeguarding Lead now. Going to the police about "
        "abuse of an adult is that person's choice."
    ),
    AlertKind.EVIDENCE: (
        "Change, repair and delete nothing. Keep this message and every digest. Ask your IT lead to run moderator verify today, and tell "
        "your Data Protection Officer. Ask why, before anything is put back from a backup."
    ),
    AlertKind.ESCALATED: "Open the record, read why you are asked, and decide.",
    AlertKind.REMINDER: "Open its page: it says what to do, and by when.",
    AlertKind.OVERDUE: "Open its page, and do it or ask whoever does. It stays in every digest until it is done.",
    AlertKind.REHEARSAL: "Nothing happened. Open the link, and press the button there: then the school knows that this route works.",
    AlertKind.DISPOSAL: (
        "If this is not right, tell your Data Protection Officer today. While it waits, it can be refused or put under a legal hold."
    ),
}

_BUTTONS = {
    AlertKind.OVERRIDE: "Open it",
    AlertKind.WITHHELD: "Open what to do",
    AlertKind.HELD: "Open the comment's page",
    AlertKind.ACCOUNT: "Open the account",
    AlertKind.SYSTEM: "Open the service",
    AlertKind.EVIDENCE: "Open the service",
    AlertKind.REMINDER: "Open its page",
    AlertKind.OVERDUE: "Open its page",
    AlertKind.REHEARSAL: "Open the rehearsal",
}

_HURRY = {Severity.SEVERE: "Look now", Severity.ORDINARY: "Look today", Severity.NONE: "For information"}

_SERIOUS = {
    Severity.SEVERE: "Serious. Please look now.",
    Severity.ORDINARY: "Ordinary. Please look today.",
    Severity.NONE: "For information.",
}

_MODES = {
    Mode.HIDE.value: "flagged comments are hidden",
    Mode.OBSERVE.value: "flagged comments are recorded, not hidden",
    "not approved": "not approved, so it is not checked",
}

_PLATFORMS = {"x": "X", "youtube": "YouTube"}
"""Names that are not simply the adapter's name with a capital."""


def title(kind: AlertKind) -> str:
    """Return what an alert of this kind is called, in lower case."""
    return _TITLES[kind]


def next_step(kind: AlertKind) -> str:
    """Return the one thing to do next."""
    return _NEXT[kind]


def button(kind: AlertKind) -> str:
    """Return what the link of an alert of this kind is called."""
    return _BUTTONS.get(kind, "Open the record")


def hurry(severity: Severity) -> str:
    """Return how soon to look, as a subject line begins."""
    return _HURRY[severity]


def serious(severity: Severity) -> str:
    """Return how serious it is, as a sentence."""
    return _SERIOUS[severity]


def mode_words(mode: str) -> str:
    """Return what an account's mode means; a mode we have no words for is given as it is."""
    return _MODES.get(mode, mode)


def platform_words(platform: str) -> str:
    """Return a platform's name as people write it."""
    return _PLATFORMS.get(platform, capital(platform))


def at_handle(handle: str) -> str:
    """Return a one-word handle with its `@`; a page's name of several words is given as it is."""
    return handle if handle.startswith("@") or " " in handle else f"@{handle}"


def plural(number: int, noun: str) -> str:
    """Return `1 comment`, `2 comments`, `1,200 comments`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def times(number: int) -> str:
    """Return `once`, `twice`, `3 times`."""
    return {1: "once", 2: "twice"}.get(number, f"{number:,} times")


def web_link(link: str) -> str:
    """Return a web address as it is, and anything else as an empty text: a mail links to web pages only."""
    return link if link.startswith(("https://", "http://")) and " " not in link else ""


def capital(sentence: str) -> str:
    """Return the sentence with its first letter as a capital and the rest as it is."""
    return sentence[:1].upper() + sentence[1:]


def sentence(text: str) -> str:
    """Return the text as a sentence: a capital first, a full stop last unless it ends in a mark of its own."""
    return capital(text) if text.endswith((".", "!", "?")) else f"{capital(text)}."
