"""Look-alike letters and emoji, one code point or one token at a time: what `normalise` folds characters to.

Full-width, mathematical, circled and accented letters are undone by Unicode's own compatibility forms. Phonetic and small-capital Latin
letters are always folded. Letters of other alphabets that pass for Latin ones (confusables.txt, UTS #39) are folded only in a token that
holds Latin letters too, or in a text whose every foreign letter is a look-alike: a Russian or Greek text stays what it is.
"""
# ruff: noqa: RUF001 - look-alike letters are what this file is about

import re
import unicodedata
from importlib import resources

_LATIN = (
    "ᴀa ʙb ᴄc ᴅd ᴇe ꜰf ɢg ʜh ɪi ᴊj ᴋk ʟl ᴍm ɴn ᴏo ᴘp ʀr ꜱs ᴛt ᴜu ᴠv ᴡw ʏy ᴢz ıi ɩi łl øo đd ðd ħh ŧt ƒf ɑa ɡg ɯw ƅb "
    "ɐa ǝe ɹr ʇt ʌv ʍw ʎy ɥh ɔc ɟf ƃg ɾj ʞk"
)
_MORE = (
    # What Unicode's table lacks or takes for a capital, and passes for Latin between Latin letters.
    "аa еe зe иn йn кk мm нh пn рp тt уy фf цu ьb бb гr дd шw щw эe яr ёe џu ӏl һh "
    "αa βb γy εe ηn ιi κk μu νv πn ρp σo ςs τt υu χx ωw ζz ξe ΑA ΒB ΕE ΖZ ΗH ΙI ΚK ΛA ΜM ΝN ΟO ΡP ΣE ΤT ΥY ΧX ΩO ΔA ΘO ΞE "
    "НH РP СC ВB УY ХX"
)
_WIDER = {"æ": "ae", "œ": "oe", "þ": "th", "ĳ": "ij"}

MARKS = ((0x0300, 0x036F), (0x115F, 0x1160), (0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF), (0x20D0, 0x20FF), (0xFE00, 0xFE2F), (0xE0100, 0xE01EF))
"""Blocks of combining marks, variation selectors and blank fillers: decoration, never a letter of its own."""

_SQUARED = ((0x1F110, 0x1F129), (0x1F130, 0x1F149), (0x1F150, 0x1F169), (0x1F170, 0x1F189), (0x1F1E6, 0x1F1FF))
"""Parenthesised, squared, negative circled, negative squared and regional-indicator letters A–Z."""

_SKIN_TONES = range(0x1F3FB, 0x1F400)
_SPACES = frozenset({"Cc", "Zs", "Zl", "Zp"})


def _pinned() -> dict[str, str]:
    lines = resources.files("moderator.text").joinpath("confusables.txt").read_text(encoding="utf-8").splitlines()
    return {character: line[0] for line in lines if not line.startswith("#") for character in line[2:]}


def _pairs(listed: str) -> dict[str, str]:
    return {pair[0]: pair[1].lower() for pair in listed.split()}


_TABLE = _pinned()
LATIN = {k: v for k, v in _TABLE.items() if unicodedata.name(k).startswith("LATIN")} | _pairs(_LATIN) | _WIDER
"""Latin letters, phonetic and small capital, that pass for a plain one: always folded."""

BETWEEN = {k: v for k, v in _TABLE.items() if k not in LATIN} | _pairs(_MORE)
"""Letters of other alphabets and what they pass for among Latin letters; a capital may pass for another letter than its small form."""

ALONE = {k: v for k, v in BETWEEN.items() if k == k.casefold() and k not in set("зийпфцбгдшщэяёπσςξ")}
"""The small letters of them that pass for Latin ones in a word of their own."""

_FLIPPED = dict(zip("ɐɔǝɟƃɥᴉıɾʞןɯɹʇʌʍʎbqdpnu", "acefghiijklmrtvwyqbpdun", strict=True))
_TURNED = frozenset("ɐɔǝɟƃɥɾʞɯɹʇʌʍʎ")
_LATIN_LETTER = re.compile("[A-Za-zÀ-ʯ]")
FOREIGN = re.compile(r"[^\W\d_a-z]")


def unflip(token: str) -> str:
    """Return a token written upside down the right way up: read from its end, each letter turned."""
    return "".join(_FLIPPED.get(character, character) for character in reversed(token.casefold()))


def turned(token: str) -> bool:
    """Return whether a token holds letters turned upside down."""
    return not _TURNED.isdisjoint(token)


def unmix(token: str) -> str:
    """Return a token with the look-alikes of other alphabets as Latin letters, if it holds Latin letters too."""
    if token.isascii() or _LATIN_LETTER.search(token) is None:
        return token
    return "".join(BETWEEN.get(character, character) for character in token)


def unmask(token: str) -> str:
    """Return a token of small letters with every look-alike as a Latin letter; others stay."""
    return "".join(ALONE.get(character, character) for character in token)


def all_alike(text: str) -> bool:
    """Return whether every foreign letter of a folded text passes for a Latin one."""
    return all(match[0] in ALONE for match in FOREIGN.finditer(text))


def fold(character: str) -> str:
    """Return what one code point is read as: lower case, without accents, Latin variants plain, emoji as words; often one letter.

    Folding the result again changes nothing. Zero-width characters and combining marks give "", a lone surrogate U+FFFD, an emoji its
    English name between spaces.
    """
    folded = _fold_once(character)
    while folded != character:
        character, folded = folded, "".join(map(_fold_once, folded))
    return folded


def _fold_once(character: str) -> str:
    code = ord(character)
    if _mark(character) or code in _SKIN_TONES:
        return ""
    for first, last in _SQUARED:
        if first <= code <= last:
            return chr(ord("a") + code - first)
    lower = "".join(part for part in unicodedata.normalize("NFKD", character).casefold() if not _mark(part))
    looks = "".join(LATIN.get(part, part) for part in unicodedata.normalize("NFC", lower))
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
        from moderator.text.pictures import name  # noqa: PLC0415 - its table is large; plain text never needs it

        return f" {named} " if (named := name(character)) else character
    return character
