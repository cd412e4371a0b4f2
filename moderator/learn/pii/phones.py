"""Telephone numbers of people: British ones, foreign ones with +, digits spaced or said as words. Helplines are left alone."""

import re
from collections.abc import Iterator

from moderator.domain.score import PiiSpan

_APART = r"[ ().\-\u2010-\u2013\ufe0f\u20e3]{0,3}"
_BRITISH = re.compile(rf"(?<![\w+])(?<!\d[.,/\-])\(?[0oO](?:{_APART}[\doO]){{9,10}}(?![\w/]|[.,\-]\d)")
_ABROAD = re.compile(rf"(?<!\w)(?:\+[1-9]|00[2-9])\d{{0,2}}(?:{_APART}\d){{6,13}}(?!\w)")
_NUMBER_WORDS = {
    **{word: str(number) for number, word in enumerate(["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"])},
    **dict.fromkeys(("oh", "o", "nought", "naught", "nil"), "0"),
}
_WORD = rf"(?:double[ -]|triple[ -]|treble[ -])?(?:\d{{1,11}}|{'|'.join(sorted(_NUMBER_WORDS, key=len, reverse=True))})"
_SPOKEN = re.compile(rf"\b(?:0|o|oh|zero|nought)\d{{0,10}}(?:[ ,.\-]{{0,3}}\b{_WORD}\b){{2,12}}", re.IGNORECASE)
_SPOKEN_PIECE = re.compile(rf"(?:(double|triple|treble)[ -])?(\d+|{'|'.join(sorted(_NUMBER_WORDS, key=len, reverse=True))})", re.IGNORECASE)
_SPOKEN_CUES = ("seven", "double", " one ", " two ", "zero")
_TIMES = {"": 1, "double": 2, "triple": 3, "treble": 3}
_MOBILE = re.compile(r"(?:0|44)7[1-9]\d{8}")
"""Every British mobile, those that Ofcom keeps for drama and examples among them."""

_ENOUGH = re.compile(r"\d(?:[^\dA-NP-Za-np-z]{0,3}[\doO]){5}")
_SPELLED = frozenset("oO")
_MOST_SPELLED = 6
_BRITISH_LENGTHS = frozenset({10, 11})
_NOT_BEFORE = re.compile(r"(?:isbn|ext|extension|code|ref|order|invoice|urn|score)\W{0,4}$")
_LOOK_BACK = 16
_COUNTED = "012345678910111213"


def find(text: str, lower: str) -> Iterator[PiiSpan]:
    """Yield telephone numbers."""
    written = _ENOUGH.search(text) is not None
    if written and ("+" in text or "00" in text):
        for match in _ABROAD.finditer(text):
            if _is_persons(re.sub(r"\D", "", match[0]).removeprefix("00"), abroad=True):
                yield PiiSpan(*match.span(), "phone")
    if written:
        for match in _BRITISH.finditer(text):
            if _is_written(match[0]) and not _NOT_BEFORE.search(lower, max(0, match.start() - _LOOK_BACK), match.start()):
                yield PiiSpan(*match.span(), "phone")
    if any(word in lower for word in _SPOKEN_CUES):
        for match in _SPOKEN.finditer(text):
            digits = _said(match[0])
            if len(digits) in _BRITISH_LENGTHS and not match[0].replace(" ", "").isdigit() and _is_persons(digits):
                yield PiiSpan(*match.span(), "phone")


def _is_written(number: str) -> bool:
    digits = "".join("0" if letter in _SPELLED else letter for letter in number if letter.isalnum())
    spelled = sum(letter in _SPELLED for letter in number)
    if spelled > _MOST_SPELLED or not digits.isascii() or len(set(digits)) <= 1 or digits == _COUNTED[: len(digits)]:
        return False
    spaced = number.count(" ") >= len(digits) - 1
    return (digits.startswith("07") or not (spaced or spelled)) and _is_persons(digits)


def _said(number: str) -> str:
    """Return the digits of a number partly said in words."""
    said = (
        _TIMES[match[1].lower() if match[1] else ""] * _NUMBER_WORDS.get(match[2].lower(), match[2])
        for match in _SPOKEN_PIECE.finditer(number)
    )
    return "".join(said)


def _is_persons(digits: str, *, abroad: bool = False) -> bool:
    """Return whether digits are a number that may be a person's: a mobile, a landline, a pager; not a helpline or a company's."""
    if _MOBILE.fullmatch(digits):
        return True
    import phonenumbers  # noqa: PLC0415 - 7 MB, and most texts never need it

    try:
        number = phonenumbers.parse(f"+{digits}" if abroad else digits, None if abroad else "GB")
    except phonenumbers.NumberParseException:
        return False
    kind = phonenumbers.PhoneNumberType
    persons = {kind.MOBILE, kind.FIXED_LINE, kind.FIXED_LINE_OR_MOBILE, kind.PAGER, kind.PERSONAL_NUMBER, kind.VOIP}
    return phonenumbers.is_valid_number(number) and phonenumbers.number_type(number) in persons
