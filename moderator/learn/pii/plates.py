"""Car plates: the current format by itself; older ones, and any in lower case, only beside a word about cars."""

import re
from collections.abc import Iterator

from moderator.domain.score import PiiSpan
from moderator.learn.pii.lists import WORDS

_CURRENT = re.compile(r"(?<![\w/#.@-])[A-HJ-PR-Y]{2}(?:0[2-9]|[12]\d|5[1-9]|[67]\d) ?[A-HJ-PR-Z]{3}(?![\w/])", re.IGNORECASE)
_OLDER = re.compile(
    r"(?<![\w/#.@-])(?:[A-HJ-NPR-TV-Y]\d{1,3} ?(?P<after>[A-HJ-PR-Z]{3})|(?P<before>[A-HJ-PR-Z]{3}) ?\d{1,3} ?[A-HJ-NPR-TV-Y])(?![\w/])",
    re.IGNORECASE,
)
_HINT = re.compile(
    r"\d(?<=[A-Za-z]\d)\d{0,2} ?[A-Za-z]{3}(?!\w)|\d(?<=[A-Za-z]{3}\d)\d{0,2} ?[A-Za-z](?!\w)|\d(?<=[A-Za-z]{3} \d)\d{0,2} ?[A-Za-z](?!\w)"
)
"""Digits between letters in the shape of a plate; it begins with a digit, so that the search is quick."""

_PLATE_CUE = re.compile(r"\b(?:reg|registration|number ?plates?|plates?)\b")
_CAR_CUE = re.compile(r"\b(?:car|van|vehicle|drives|driving|parked|bmw|audi|mercedes|range rover|lorry|taxi)\b")
_NEAR = 40


def find(text: str, lower: str) -> Iterator[PiiSpan]:
    """Yield car plates."""
    if _HINT.search(text) is None:
        return
    for match in _CURRENT.finditer(text):
        if match[0].isupper() or _near(_PLATE_CUE, lower, match) or _near(_CAR_CUE, lower, match):
            yield PiiSpan(*match.span(), "car_plate")
    for match in _OLDER.finditer(text):
        if (match["after"] or match["before"]).lower() in WORDS["everyday"]:
            continue
        if _near(_PLATE_CUE, lower, match) or (match[0].isupper() and _near(_CAR_CUE, lower, match)):
            yield PiiSpan(*match.span(), "car_plate")


def _near(cue: re.Pattern[str], lower: str, match: re.Match[str]) -> bool:
    return cue.search(lower, max(0, match.start() - _NEAR), match.end() + _NEAR) is not None
