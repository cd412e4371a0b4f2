"""Handles given as a way to reach somebody: "add me on snap ellie_x07". A school's own ("follow us on …") are left alone."""

import re
from collections.abc import Iterator

from moderator.domain.score import PiiSpan
from moderator.learn.roll.tables import common_words

_NETWORK = r"(?:snap(?:chat)?|sc|insta(?:gram)?|ig|tik ?tok|discord|telegram|kik|whats ?app|xbox|psn|twitter|facebook|fb)"
_WHO = r"(?:me|him|her|them|my [a-z]{2,10}|his|hers|it)"
_GAP = r"[ :,=\-@]{1,4}"
_HANDLE = r"(?P<handle>[\w.\-]{3,30})"
_NAMED = r"(?:(?:is|its|it's|name|user|username|under|at)[ :@]{1,3}){0,2}"
_ASKED = re.compile(
    rf"\b(?:add|follow|message|msg|dm|hmu|find|text|snap|contact|inbox|pm)[ ,]{{1,2}}(?:{_WHO}[ ,]{{1,2}})?(?:on|at|via|over)[ :]{{1,2}}"
    rf"(?:(?:my|his|her) )?{_NETWORK}\b{_GAP}{_NAMED}{_HANDLE}",
    re.IGNORECASE,
)
_TOLD = re.compile(
    rf"\b(?:my|his|her|their|'s) {_NETWORK}(?: (?:name|user|username|handle|account|is|its|it's)){{0,2}}{_GAP}{_HANDLE}", re.IGNORECASE
)
_HINTS = (
    "snap",
    "insta",
    "tiktok",
    "tik tok",
    "discord",
    "telegram",
    " kik",
    "whatsapp",
    "xbox",
    " psn",
    " ig ",
    " sc ",
    "twitter",
    "facebook",
)
_MARKS = frozenset("0123456789_.")


def find(text: str, lower: str) -> Iterator[PiiSpan]:
    """Yield handles given as contact."""
    if not any(hint in lower for hint in _HINTS):
        return
    for pattern in (_ASKED, _TOLD):
        for match in pattern.finditer(text):
            handle = match["handle"].rstrip(".-")
            start = match.start("handle")
            if _is_handle(handle, after_at=text[start - 1] == "@"):
                yield PiiSpan(start, start + len(handle), "handle")


def _is_handle(handle: str, *, after_at: bool) -> bool:
    """Return whether a word is a handle: after an @, with a digit, dot or underscore inside, or no everyday word."""
    return bool(handle) and (after_at or not _MARKS.isdisjoint(handle) or handle.lower() not in common_words())
