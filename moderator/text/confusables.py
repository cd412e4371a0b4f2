"""Look-alike letters, one code point at a time: what `normalise` folds each character to.

A compact table of our own for the look-alikes that abusers of school accounts use (Cyrillic, Greek, small capitals, squared letters),
after Unicode NFKD has taken care of full-width, mathematical, circled and accented letters.
"""
# ruff: noqa: RUF001 - look-alike letters are what this file is about

import functools
import unicodedata

_PAIRS = (
    # Cyrillic
    "аa вb еe ѕs іi јj оo рp сc уy хx кk мm нh тt гr пn ԁd ԛq ԝw ѵv һh ӏl ьb зe "
    # Greek
    "αa βb γy εe ηn ιi κk μu νv οo ρp σo τt υu χx ωw ζz "
    # Armenian, Hebrew and Cherokee that pass for Latin
    "օo ոn սu հh ցg ըn ⲟo ոn "
    # Small capitals, IPA and other Latin forms without a decomposition
    "ᴀa ʙb ᴄc ᴅd ᴇe ꜰf ɢg ʜh ɪi ᴊj ᴋk ʟl ᴍm ɴn ᴏo ᴘp ʀr ꜱs ᴛt ᴜu ᴠv ᴡw ʏy ᴢz "
    "ıi ɩi łl øo đd ħh ŧt ƒf ɑa ɡg ɯw ƅb ɐa ǝe ɹr ʇt ʌv ʍw ʎy ɥh ɔc "
    # Symbols that pass for letters
    "€e £l ¢c ¥y §s ∂d ∩n ∪u ×x ¡i †t"
)
LOOKALIKES = {pair[0]: pair[1] for pair in _PAIRS.split()}
"""Single characters that pass for a Latin letter, lower case."""

MARKS = ((0x0300, 0x036F), (0x115F, 0x1160), (0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF), (0x20D0, 0x20FF), (0xFE00, 0xFE2F), (0xE0100, 0xE01EF))
"""Blocks of combining marks, variation selectors and blank fillers: decoration, never a letter of its own."""

_SQUARED = ((0x1F110, 0x1F129), (0x1F130, 0x1F149), (0x1F150, 0x1F169), (0x1F170, 0x1F189), (0x1F1E6, 0x1F1FF))
"""Parenthesised, squared, negative circled, negative squared and regional-indicator letters A–Z."""

_SKIN_TONES = range(0x1F3FB, 0x1F400)
_SPACES = frozenset({"Cc", "Zs", "Zl", "Zp"})


def fold(character: str) -> str:
    """Return what one code point is read as: lower case, without accents, look-alikes resolved, emoji as words; often one letter.

    Folding the result again changes nothing. Zero-width characters and combining marks give "", a lone surrogate U+FFFD, an emoji its
    English name between spaces.
    """
    folded = _fold_once(character)
    while folded != character:
        character, folded = folded, "".join(map(_fold_once, folded))
    return folded


def _fold_once(character: str) -> str:
    code = ord(character)
    if any(first <= code <= last for first, last in MARKS) or code in _SKIN_TONES:
        return ""
    for first, last in _SQUARED:
        if first <= code <= last:
            return chr(ord("a") + code - first)
    lower = "".join(part for part in unicodedata.normalize("NFKD", character).casefold() if not _mark(part))
    looks = "".join(LOOKALIKES.get(part, part) for part in lower)
    if looks != character:
        return looks
    return _by_category(character)


def _mark(character: str) -> bool:
    return any(first <= ord(character) <= last for first, last in MARKS)


def _by_category(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Cs":
        return "\ufffd"
    if category == "Cf":
        return ""
    if category in _SPACES:
        return " "
    if category == "So":
        return _emoji_words(character)
    return character


def _emoji_words(character: str) -> str:
    name = _emoji_names().get(character)
    return f" {name} " if name else character


@functools.cache
def _emoji_names() -> dict[str, str]:
    """Return emoji of one code point and their English names in plain lower-case words. Read once, at the first emoji seen."""
    import emoji  # noqa: PLC0415 - its table is large; plain text never needs it

    return {key: _plain(row["en"]) for key, row in emoji.EMOJI_DATA.items() if len(key) == 1}


def _plain(name: str) -> str:
    folded = unicodedata.normalize("NFKD", name).casefold()
    return " ".join("".join(part if "a" <= part <= "z" else " " for part in folded if not _mark(part)).split())
