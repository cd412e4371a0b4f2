"""Emoji as words: sequences, flags and keycaps, and the emoji that stand for letters; for `normalise`. Read at the first emoji seen."""
# ruff: noqa: RUF001 - pictures that pass for letters are what this file is about

import functools
import re
import unicodedata

_ONE = (
    "[\u00a9\u00ae\u203c\u2049\u2190-\u245f\u2500-\u2bff\u3030\u303d"
    "\U0001f000-\U0001f0ff\U0001f18e-\U0001f1e5\U0001f200-\U0001f3fa\U0001f400-\U0001faff]"
)
_TAIL = "[\ufe0f\U0001f3fb-\U0001f3ff]*"
SEQUENCE = re.compile(
    "[\U0001f1e6-\U0001f1ff]+|[0-9#*]\ufe0f?\u20e3|\U0001f3f4[\U000e0020-\U000e007f]+"
    f"|{_ONE}{_TAIL}(?:\u200d{_ONE}{_TAIL})+|({_ONE}{_TAIL})\\1+"
)
"""Regional letters, keycaps, flags of nations, joined emoji, and one emoji again and again."""

INSIDE = re.compile(f"(?<![A-Za-z])[A-Za-z]+(?:{_ONE}{_TAIL}[A-Za-z]+)+|{_ONE}{_TAIL}[A-Za-z]+(?:{_ONE}{_TAIL}[A-Za-z]+)*")
"""Letters with emoji between or before them."""

_LETTERS = dict(zip("⭕❗❕💲❌❎✖➕✝☪🌙⚽🏀🟠🔴⚪⚫🔵🍩🔺🐍🛑", "oiisxxxttccooooooooaso", strict=True))


def read(sequence: str) -> str:
    """Return what a match of SEQUENCE says: letters for regional letters that are no flags, a digit for a keycap, else a name."""
    if "\U0001f1e6" <= sequence[0] <= "\U0001f1ff":
        return _regional(sequence)
    if sequence[0] in "0123456789#*":
        return f" {sequence[0]} " if sequence[0].isdigit() else " "
    named = name(sequence)
    return f" {named} " if named else sequence[0]


def _regional(sequence: str) -> str:
    pairs = [name(sequence[place : place + 2]) for place in range(0, len(sequence), 2)]
    if all(pairs) and len(sequence) % 2 == 0:
        return f" {' '.join(dict.fromkeys(pairs))} "
    return "".join(chr(ord("a") + ord(letter) - 0x1F1E6) for letter in sequence)


def letters(token: str) -> str:
    """Return a match of INSIDE with pictures that pass for letters as letters."""
    return "".join(_LETTERS.get(part, part) for part in token if part != "\ufe0f")


def hidden(token: str) -> str:
    """Return a match of INSIDE with a star for each picture."""
    return "".join(part if part.isascii() else "*" for part in token if part != "\ufe0f")


def name(picture: str) -> str:
    """Return the English name of an emoji, whatever its skin tone, in plain lower-case words; "" when there is none."""
    bare = "".join(part for part in picture if part != "\ufe0f" and not "\U0001f3fb" <= part <= "\U0001f3ff")
    return _names().get(bare, "")


@functools.cache
def _names() -> dict[str, str]:
    import emoji  # noqa: PLC0415 - its table is large; plain text never needs it

    return {key.replace("\ufe0f", ""): _plain(row["en"]) for key, row in emoji.EMOJI_DATA.items()}


def _plain(named: str) -> str:
    folded = unicodedata.normalize("NFKD", named.replace("\u2019", "")).casefold()
    return " ".join("".join(part if "a" <= part <= "z" or part.isdigit() else " " for part in folded if part < "\u0300").split())
