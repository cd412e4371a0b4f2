"""Personal data in a comment: contact details, addresses, dates of birth, numbers that identify somebody. Called by the classifier.

Precision first: scores, prices, times, event dates, exam codes, links and helplines are left alone. What a plain pattern cannot tell is
checked by phonenumbers and python-stdnum, which are loaded at the first text that needs them.
"""

import re

from moderator.domain.score import PiiSpan
from moderator.learn.pii import births, emails, handles, numbers, phones, places, plates

_DIGITS = re.compile(r"\d[ ().\-/\u20e3\ufe0f]{0,3}\d|\d ?[A-Za-z]{2}|\d[a-z]?,? [A-Za-z]")
"""Two digits near one another, or a digit before letters: less is no number of anybody's."""

_CUES = (
    "snap",
    "insta",
    "tiktok",
    "discord",
    "telegram",
    "whatsapp",
    " kik",
    " psn",
    " ig ",
    " dot ",
    "(dot)",
    "[dot]",
    "double ",
    "seven ",
)
"""Without a digit or an @, a text needs one of these."""

_LINK = re.compile(r"(?:https?://|www\.)\S{1,2000}", re.IGNORECASE)

_FINDERS = (
    emails.find,
    numbers.find,
    births.find,
    phones.find,
    places.find,
    plates.find,
    handles.find,
)
"""In order of right: what an earlier one found, a later one does not find again."""


def personal_data(text: str) -> tuple[PiiSpan, ...]:
    """Return the personal data in a text as given, in order, not overlapping. Never fails; takes linear time. Same text, same spans."""
    lower = text.lower()
    if "@" not in text and _DIGITS.search(text) is None and not any(cue in lower for cue in _CUES):
        return ()
    taken = bytearray(len(text))
    if "//" in text or "www." in lower:
        for link in _LINK.finditer(text):
            taken[link.start() : link.end()] = b"\1" * len(link[0])
    found: list[PiiSpan] = []
    for find in _FINDERS:
        for span in find(text, lower):
            if taken.find(1, span.start, span.end) < 0:
                found.append(span)
                taken[span.start : span.end] = b"\1" * (span.end - span.start)
    return tuple(sorted(found, key=lambda span: span.start))
