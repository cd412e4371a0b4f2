"""E-mail addresses, also written out ("name at gmail dot com")."""

import re
from collections.abc import Iterator

from moderator.domain.score import PiiSpan

_PLAIN = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,6}")
_END = r"(?:com|co|uk|org|net|ac|sch|gov|edu|me|io|eu|ie|info)"
_DOT = r" ?(?:\bdot\b|\(dot\)|\[dot\]|\{dot\}|\.) ?"
_AT = r" ?(?:\bat\b|(?P<bracketed>\(at\)|\[at\]|\{at\})|@) ?"
_SPOKEN = re.compile(
    rf"(?<![\w.+-])(?P<local>[\w+-]{{1,64}}(?:{_DOT}[\w+-]{{1,64}}){{0,3}}){_AT}(?P<domain>[\w-]{{2,63}})(?:{_DOT}{_END}){{1,3}}\b",
    re.IGNORECASE,
)
_SPOKEN_CUES = ("dot", "(at)", "[at]", "{at}", " @ ")
_PROVIDERS = frozenset(
    ("gmail", "hotmail", "outlook", "yahoo", "icloud", "live", "aol", "btinternet", "sky", "googlemail", "proton", "msn")
)
_PLAIN_LOCAL = re.compile(r"[^\W\d_]+")


def find(text: str, lower: str) -> Iterator[PiiSpan]:
    """Yield e-mail addresses."""
    if "@" in text:
        for match in _PLAIN.finditer(text):
            yield PiiSpan(*match.span(), "email")
    if any(cue in lower for cue in _SPOKEN_CUES):
        for match in _SPOKEN.finditer(text):
            if match["bracketed"] or match["domain"].lower() in _PROVIDERS or _PLAIN_LOCAL.fullmatch(match["local"]) is None:
                yield PiiSpan(*match.span(), "email")
