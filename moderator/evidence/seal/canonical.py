"""JSON as it stands in a record: the same facts always give the same bytes. Called by the bag and by the check."""

import json
import re

LONE_SURROGATE = re.compile("[\ud800-\udfff]")
"""Half of a UTF-16 pair. Platforms do send them; UTF-8 cannot carry them."""


def json_bytes(value: object) -> bytes:
    """Return canonical JSON: UTF-8, sorted keys, two spaces, one newline at the end. Half pairs are kept as escapes, so nothing is lost."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, indent=2)
    return (LONE_SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n").encode()


def showable(text: str) -> str:
    """Return the text with half pairs as U+FFFD, as a browser shows them. For pictures and pages only, never for `text` in a record."""
    return LONE_SURROGATE.sub("\ufffd", text)
