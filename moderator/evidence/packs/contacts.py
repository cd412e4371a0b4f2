"""What leads to a person without being a name: addresses, links, numbers, postcodes. Called by the redactor."""

import re
from collections.abc import Iterator

from moderator.evidence.packs.skeleton import invisible

_FORMS = (
    re.compile(r"\S+\s?@\s?\S+\.\S+"),
    re.compile(r"\S+\s*[(\[]\s*at\s*[)\]]\s*\S+", re.IGNORECASE),
    re.compile(r"[\w.+-]+\s+at\s+[\w-]+\s+dot\s+\w+(?:\s+dot\s+\w+)?", re.IGNORECASE),
    re.compile(r"(?:https?|ftp)\s?:\s?//\s?\S+|\bwww\.\S+", re.IGNORECASE),
    re.compile(
        r"(?<![\w.])[\w-]+(?:\.[\w-]+)*\.(?:com|org|net|uk|me|io|ly|gg|tv|info|social|xyz|app|link|be|eu|ie|page|site|online)\b(?:/\S*)?",
        re.IGNORECASE,
    ),
    re.compile(r"\+?\(?\d(?:[\s().-]{0,2}\d){6,}"),
    re.compile(r"\b[A-Z]{1,2}\d[A-Z\d]?\s*\d[A-Z]{2}\b", re.IGNORECASE),
)
"""E-mail addresses, plain and spelt out; links; numbers of seven digits and more; UK postcodes."""


def contacts(text: str) -> Iterator[tuple[int, int]]:
    """Yield the spans, in code points of the text as given; characters drawn as nothing hide none of them."""
    kept = [(at, character) for at, character in enumerate(text) if not invisible(character)]
    clean = "".join("@" if character == "＠" else character for _, character in kept)  # noqa: RUF001 - the full-width sign
    for form in _FORMS:
        for match in form.finditer(clean):
            yield kept[match.start()][0], kept[match.end() - 1][0] + 1
