"""Numbers that identify somebody: bank, card, National Insurance, NHS, UPN, passport, IP. Checked by check digit or by a word nearby."""

import ipaddress
import re
from collections.abc import Iterator

from moderator.domain.score import PiiSpan

_ENOUGH = re.compile(r"\d(?:\W{0,2}\d){3}")
_IBAN = re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?!\w)")
_CARD = re.compile(r"(?<![\w.,+\-])[3-6]\d{3}(?:[ \-]?\d){9,15}(?!\w|[.,\-]\d)")
_INSURANCE = re.compile(
    r"(?<!\w)(?!BG|GB|NK|KN|TN|NT|ZZ)[ABCEGHJ-PRSTW-Z][ABCEGHJ-NPRSTW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D](?!\w)", re.IGNORECASE
)
_NHS = re.compile(r"(?<![\w.+\-])\d{3}[ \-]?\d{3}[ \-]?\d{4}(?![\w]|[.,\-]\d)")
_UPN = re.compile(r"(?<!\w)[A-HJ-NP-RT-Z]\d{11}[\dA-HJ-NP-RT-Z](?!\w)", re.IGNORECASE)
_SORT = r"\d{2}(?:[ \-\u2010-\u2013]\d{2}[ \-\u2010-\u2013]\d{2}|\d{4})"
_ACCOUNT = r"(?:bank account|account|acct|acc|a/c)(?: ?(?:no|num|number))?"
_BANK = (
    re.compile(rf"\bsort ?code\b[^\w\n]{{0,4}}(?:is )?(?P<all>{_SORT}(?:\D{{1,30}}\d{{8}})?)(?!\w)", re.IGNORECASE),
    re.compile(rf"\b{_ACCOUNT}\b[^\w\n]{{0,4}}(?:is )?(?P<all>\d{{8}}|\d{{4}} \d{{4}})(?![\w/]|[.,\-]\d)", re.IGNORECASE),
    re.compile(r"(?<![\w/\-])(?P<all>\d{2}-\d{2}-\d{2}[^\w\n]{1,3}(?:(?:account|acc|a/c)\W{1,3})?\d{8})(?!\w)", re.IGNORECASE),
)
_PASSPORT = re.compile(r"\bpassport\b\D{0,24}?(?P<all>\d{9}|\b[A-Z]\d{8}|\b[A-Z]{2}\d{7})(?!\w)", re.IGNORECASE)
_IP4 = re.compile(r"(?<![\w.])(?<!v)\d{1,3}(?:\.\d{1,3}){3}(?!\w|\.\d)")
_IP6 = re.compile(r"(?<![\w:.])(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}(?![\w:])", re.IGNORECASE)
_NOT_IP = re.compile(r"(?:version|ver|v|build|release|section|paragraph|para)\W{0,2}$")
_COLONS = 7
_CARD_LENGTHS = frozenset(range(13, 20))


def find(text: str, lower: str) -> Iterator[PiiSpan]:
    """Yield identifying numbers."""
    if text.count(":") >= _COLONS:
        yield from (PiiSpan(*match.span(), "ip_address") for match in _IP6.finditer(text))
    if _ENOUGH.search(text) is None:
        return
    for pattern in _BANK:
        if any(cue in lower for cue in ("sort", "acc", "a/c", "-")):
            yield from (PiiSpan(*match.span("all"), "bank_account") for match in pattern.finditer(text))
    yield from (PiiSpan(*match.span(), "iban") for match in _IBAN.finditer(text) if _is_iban(match[0]))
    yield from (PiiSpan(*match.span(), "card_number") for match in _CARD.finditer(text) if _is_card(match[0]))
    yield from (PiiSpan(*match.span(), "ni_number") for match in _INSURANCE.finditer(text))
    yield from (PiiSpan(*match.span(), "upn") for match in _UPN.finditer(text) if _is_upn(match[0]))
    if "nhs" in lower:
        yield from (PiiSpan(*match.span(), "nhs_number") for match in _NHS.finditer(text) if _is_nhs(match[0]))
    if "passport" in lower:
        yield from (PiiSpan(*match.span("all"), "passport") for match in _PASSPORT.finditer(text))
    yield from (
        PiiSpan(*match.span(), "ip_address")
        for match in _IP4.finditer(text)
        if _is_ip(match[0], lower[max(0, match.start() - 12) : match.start()])
    )


def _is_iban(written: str) -> bool:
    from stdnum import iban  # noqa: PLC0415 - most texts never need it

    return bool(iban.is_valid(written))


def _is_card(written: str) -> bool:
    from stdnum import luhn  # noqa: PLC0415 - the same

    digits = "".join(letter for letter in written if letter.isdigit())
    return digits.isascii() and len(digits) in _CARD_LENGTHS and len(set(digits)) > 1 and bool(luhn.is_valid(digits))


def _is_upn(written: str) -> bool:
    from stdnum.gb import upn  # noqa: PLC0415 - the same

    return bool(upn.is_valid(written))


def _is_nhs(written: str) -> bool:
    from stdnum.gb import nhs  # noqa: PLC0415 - the same

    return bool(nhs.is_valid(written))


def _is_ip(written: str, before: str) -> bool:
    try:
        address = ipaddress.IPv4Address(written)
    except ValueError:
        return False
    return _NOT_IP.search(before) is None and not (address.is_loopback or address.is_unspecified or address.is_multicast)
