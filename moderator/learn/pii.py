"""Personal data by plain patterns: e-mail addresses, UK phone numbers and postcodes. The issue on the assessor brings more kinds."""

import re

from moderator.domain.score import PiiSpan

_KINDS = (
    ("email", re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,6}")),
    ("phone", re.compile(r"(?<![\w+])(?:\+44[ .-]?(?:\(0\)[ .-]?)?|0)[1237]\d(?:[ .-]?\d){8}(?!\d)")),
    (
        "postcode",
        re.compile(
            r"(?<!\w)(?:GIR ?0AA|[A-PR-UWYZ](?:\d{1,2}|[A-HK-Y]\d{1,2}|\d[A-HJKPSTUW]|[A-HK-Y]\d[ABEHMNPRVWXY])"
            r" ?\d[ABD-HJLNP-UW-Z]{2})(?!\w)",
            re.IGNORECASE,
        ),
    ),
)
_WORTH_A_LOOK = re.compile(r"@|\d(?:[ .-]?\d){4}|\d[A-Za-z]{2}")
"""An at sign, five digits together, or a digit before two letters: without one of them no pattern above can match."""


def personal_data(text: str) -> tuple[PiiSpan, ...]:
    """Return the personal data in a text as given, in order, not overlapping. Never fails."""
    if _WORTH_A_LOOK.search(text) is None:
        return ()
    found = [PiiSpan(*match.span(), kind) for kind, pattern in _KINDS for match in pattern.finditer(text)]
    found.sort(key=lambda span: (span.start, -span.end))
    return tuple(span for place, span in enumerate(found) if all(span.start >= before.end for before in found[:place]))
