"""UK postal addresses (a house number and a street) and postcodes."""
# ruff: noqa: RUF001 - street names carry curly apostrophes

import re
from bisect import bisect_left
from collections.abc import Iterator

from moderator.domain.score import PiiSpan
from moderator.learn.pii.lists import WORDS, any_of

_INWARD = r"\d[ABD-HJLNP-UW-Z]{2}"
_POSTCODE = re.compile(
    rf"(?<![\w/.#-])(?:GIR ?0AA|(?:{any_of(WORDS['areas'])})(?:\d[A-HJKPSTUW]|\d{{1,2}}|\d[ABEHMNPRVWXY]) ?{_INWARD})(?![\w/])",
    re.IGNORECASE,
)
_POSTCODE_END = re.compile(r"\d[A-Za-z]{2}(?!\w)")
_HOUSE = re.compile(r"\d[A-Za-z]?,? {1,2}[^\W\d_]")
_STREETS = WORDS["sure_streets"] | WORDS["doubtful_streets"]
_STREET = re.compile(
    r"(?<![\w.,:£$€/#&-])(?<!\d )(?:(?:flat|apartment|apt|unit) ?\d{1,3}[a-z]?,? )?(?!(?:19|20)\d\d\b)\d{1,4}[a-z]?,? {1,2}"
    r"(?P<name>[^\W\d_][\w'’-]{1,20}(?: [^\W\d_][\w'’-]{1,20}){0,2}) "
    rf"(?:(?P<sure>{any_of(WORDS['sure_streets'])})|{any_of(WORDS['doubtful_streets'])})(?![\w'’])",
    re.IGNORECASE,
)
_NOT_BEFORE = re.compile(rf"(?<!\w)(?:{any_of(WORDS['not_house'])}) ?$")
_CUE = re.compile(r"\b(?:live|lives|living|lived|address|house|home|stays?|staying|moved|round|deliver|post|flat|knock|outside|at|to)\b")
_BEFORE, _AFTER = 40, 60
_PARTED = str.maketrans(",.!?;:", "      ")


def find(text: str, lower: str) -> Iterator[PiiSpan]:
    """Yield postcodes and addresses."""
    postcodes: list[PiiSpan] = []
    if _POSTCODE_END.search(text):
        postcodes += [PiiSpan(*match.span(), "postcode") for match in _POSTCODE.finditer(text) if _is_postcode(match[0])]
    yield from postcodes
    starts = [postcode.start for postcode in postcodes]
    if _HOUSE.search(text) and not _STREETS.isdisjoint(lower.translate(_PARTED).split()):
        for match in _STREET.finditer(text):
            following = bisect_left(starts, match.end())
            with_postcode = following < len(starts) and starts[following] - match.end() <= _AFTER
            if _is_address(match, lower, with_postcode=with_postcode):
                yield PiiSpan(*match.span(), "address")


def _is_postcode(written: str) -> bool:
    """Return whether a match is no ordinal or measure after a letter and digit ("E10 5th")."""
    return written.isupper() or written[-2:].lower() not in WORDS["measures"]


def _is_address(match: re.Match[str], lower: str, *, with_postcode: bool) -> bool:
    before = lower[max(0, match.start() - _BEFORE) : match.start()]
    if not WORDS["no_street"].isdisjoint(match["name"].lower().split()) or _NOT_BEFORE.search(before):
        return False
    return bool(match["sure"]) or with_postcode or (_CUE.search(before) is not None and match["name"][0].isupper())
