"""Dates of birth: a full date after a word that says so. A birthday or an event without that word is left alone."""

import re
from collections.abc import Iterator

from moderator.domain.score import PiiSpan

_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}"
_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
_YEAR = r"(?:(?:19|20)\d{2}|\d{2})"
_DATE = (
    rf"(?:{_DAY} ?[/.\-] ?(?:0?[1-9]|1[0-2]) ?[/.\-] ?{_YEAR}"
    rf"|(?:19|20)\d{{2}}-\d{{2}}-\d{{2}}"
    rf"|{_DAY} ?(?:st|nd|rd|th)?(?: of)?[ \-]{_MONTH},?[ \-](?:19|20)\d{{2}}"
    rf"|{_MONTH} {_DAY}(?:st|nd|rd|th)?,? (?:19|20)\d{{2}})(?![\d/])"
)
_CUE = r"(?:\bd\.?o\.?b\b\.?|\bdate of birth\b|\bbirth ?date\b|\bborn\b|\bbirthday\b(?= {0,2}(?:is|was|:|=)))"
_BORN = re.compile(rf"{_CUE}[ :=\-]{{0,4}}(?:(?:is|was|on|the|in)[ :]{{1,2}}){{0,3}}(?P<date>{_DATE})", re.IGNORECASE)
_HINTS = ("birth", "born", "dob", "d.o.b")


def find(text: str, lower: str) -> Iterator[PiiSpan]:
    """Yield dates of birth, without the words before them."""
    if any(hint in lower for hint in _HINTS):
        for match in _BORN.finditer(text):
            yield PiiSpan(*match.span("date"), "date_of_birth")
