"""Wrap the plain-text part at 72 columns. The composer calls it on what the text templates render."""

import re
import textwrap

WIDTH = 72
"""Columns of the plain-text part: the width that mail programs quote and show without breaking again."""

_START = re.compile(r"\s*(?:- )?")
_HEAD = re.compile(r"[0-9]:[0-9a-f]{64}")
"""A ledger's head: its line is copied whole, so it is never folded."""


def wrapped(text: str) -> str:
    """Return the text with each line folded at 72 columns, further lines set under the first word of their own.

    A web address or a hash is never broken, so one that is longer stands on a line of its own; a line with a ledger's head stays whole.
    Blank lines are kept, one at a time; the text ends in one newline. Repeatable.
    """
    lines = "\n".join(_fold(line) for line in text.splitlines())
    return re.sub(r"\n{3,}", "\n\n", lines).strip("\n") + "\n"


def _fold(line: str) -> str:
    if len(line) <= WIDTH:
        return line.rstrip()  # most lines: textwrap takes its time over each
    if _HEAD.search(line):
        return line
    start = _START.match(line)
    indent = " " * (start.end() if start else 0)
    return textwrap.fill(line, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
