"""The eight disguises that people use, as seeded pure functions: for training on disguised copies and for judging under attack.

Each changes about a third to two thirds of the words, long content words first, as somebody would who wants to be read by people and not by
a filter: unevenly, with mistakes, and sometimes only in part. They are written from what is seen in the wild, not from what the normaliser
undoes. The same text and the same state of the generator give the same outcome.
"""
# ruff: noqa: RUF001 - look-alike letters are what this file is about

import re
from collections.abc import Callable, Mapping
from random import Random
from types import MappingProxyType

from moderator.text.lexicon import word_set

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_LEAST, _MOST = 0.3, 0.6
_SMALL = word_set("a i an the to of and in is it on be at as for or but if so my me you he she we they was are do not no")
_ACCENTED = {
    kinds[0]: kinds[1:]
    for kinds in (
        "aàáâäãå",
        "cçć",
        "eèéêë",
        "iìíîï",
        "nñń",
        "oòóôöõø",
        "sśš",
        "uùúûü",
        "yýÿ",
        "zźž",
        "dď",
        "gğ",
        "lĺł",
        "rř",
        "tť",
        "wŵ",
        "hĥ",
        "kķ",
    )
}
_MARKS = "\u0300\u0301\u0302\u0303\u0308\u030a\u0323\u0327\u0331\u0334\u0336\u0338"
_CYRILLIC = dict(zip("aceopxyisjhkmtb", "асеорхуіѕјһкмтЬ", strict=True))
_GREEK = dict(zip("aeioukntvpxyw", "αειουκητνρχγω", strict=True))
_ZERO_WIDTH = "\u200b\u200c\u200d\u2060\ufeff\u00ad"
_LEET = {kinds[0]: kinds[1:] for kinds in ("a4@", "e3", "i1!", "o0", "s5$", "t7", "b8", "g9", "l1|")}
_EASY = "aeios"
_BREAKS = ("*", "*", "*", "-", ".", "_", "'", "#", "^", "~")
_MASKS = ("*", "*", "*", "#", "@", "%", "_")


def _some(text: str, chance: Random, change: Callable[[str, Random], str], least: int) -> str:
    """Return the text with a share of its words changed: those of at least `least` letters, longer content words first; one if any can."""
    words = [match for match in _WORD.finditer(text) if len(match[0]) >= least]
    if not words:
        return text
    share = chance.uniform(_LEAST, _MOST)
    count = max(1, round(share * len(words)))
    ranked = sorted(words, key=lambda match: -(min(len(match[0]), 8) + chance.uniform(0, 4) - 6 * (match[0].lower() in _SMALL)))
    chosen = {match.start() for match in ranked[:count]}
    return _WORD.sub(lambda match: change(match[0], chance) if match.start() in chosen else match[0], text)


def case(text: str, chance: Random) -> str:
    """Return the text with words in capitals, alternating or random case."""

    def change(word: str, chance: Random) -> str:
        style = chance.randrange(3)
        if style == 0:
            return word.upper()
        if style == 1:
            return "".join(letter.upper() if place % 2 else letter.lower() for place, letter in enumerate(word))
        return "".join(letter.upper() if chance.random() < 0.5 else letter.lower() for letter in word)  # noqa: PLR2004 - a coin

    return _some(text, chance, change, 2)


def accents(text: str, chance: Random) -> str:
    """Return the text with accented letters, and now and then combining marks, heaped or struck through."""

    def change(word: str, chance: Random) -> str:
        heaped = chance.random() < 0.2  # noqa: PLR2004 - the rarer style
        share = chance.uniform(0.3, 1.0)
        out = []
        for letter in word:
            if chance.random() >= share:
                out.append(letter)
            elif heaped:
                out.append(letter + "".join(chance.choices(_MARKS, k=chance.randint(1, 4))))
            else:
                picked = chance.choice(_ACCENTED.get(letter.lower(), letter))
                out.append(picked.upper() if letter.isupper() else picked)
        return "".join(out)

    return _some(text, chance, change, 3)


def homoglyphs(text: str, chance: Random) -> str:
    """Return the text with letters of other alphabets, full-width or mathematical ones, in part of a word or all of it."""

    def change(word: str, chance: Random) -> str:
        style = chance.choices((_cyrillic, _greek, _wide, _mathematical), weights=(5, 2, 2, 1))[0]
        share = 1.0 if style in {_wide, _mathematical} else chance.uniform(0.4, 1.0)
        return "".join(style(letter) if chance.random() < share else letter for letter in word)

    return _some(text, chance, change, 3)


def _cyrillic(letter: str) -> str:
    return _CYRILLIC.get(letter.lower(), letter)


def _greek(letter: str) -> str:
    return _GREEK.get(letter.lower(), letter)


def _wide(letter: str) -> str:
    return chr(ord(letter) + 0xFEE0) if "!" <= letter <= "~" else letter


def _mathematical(letter: str) -> str:
    return chr(0x1D41A + ord(letter.lower()) - ord("a")) if "a" <= letter.lower() <= "z" else letter


def zero_width(text: str, chance: Random) -> str:
    """Return the text with invisible characters inside words."""

    def change(word: str, chance: Random) -> str:
        share = chance.uniform(0.2, 0.9)
        kept = [letter + (chance.choice(_ZERO_WIDTH) if chance.random() < share else "") for letter in word[:-1]]
        return "".join([*kept, word[-1]])

    return _some(text, chance, change, 2)


def leetspeak(text: str, chance: Random) -> str:
    """Return the text with digits and signs for letters: mostly vowels, one or two a word, now and then every one that can be."""

    def change(word: str, chance: Random) -> str:
        able = [place for place, letter in enumerate(word) if letter.lower() in _LEET]
        if not able:
            return word
        easy = [place for place in able if word[place].lower() in _EASY] or able
        heavy = chance.random() < 0.15  # noqa: PLR2004 - the rarer style
        chosen = set(able if heavy else chance.sample(easy, min(len(easy), chance.randint(1, 2))))
        return "".join(chance.choice(_LEET[letter.lower()]) if place in chosen else letter for place, letter in enumerate(word))

    return _some(text, chance, change, 3)


def spaced(text: str, chance: Random) -> str:
    """Return the text with the letters of some words spaced, dotted or dashed apart."""

    def change(word: str, chance: Random) -> str:
        gap = chance.choices((" ", ".", "-", "_", " . ", "*"), weights=(8, 5, 3, 2, 1, 1))[0]
        parted = gap.join(word)
        return parted + "." if gap == "." and chance.random() < 0.3 else parted  # noqa: PLR2004 - some end in a dot too

    return _some(text, chance, change, 3)


def repeats(text: str, chance: Random) -> str:
    """Return the text with letters drawn out: mostly one place a word, mostly a vowel or the last letter."""

    def change(word: str, chance: Random) -> str:
        vowels = [place for place, letter in enumerate(word) if letter.lower() in "aeiouy"] or [len(word) - 1]
        places = {chance.choice(vowels)} | ({len(word) - 1} if chance.random() < 0.3 else set())  # noqa: PLR2004 - both
        return "".join(letter * (chance.randint(3, 6) if place in places else 1) for place, letter in enumerate(word))

    return _some(text, chance, change, 3)


def inserted(text: str, chance: Random) -> str:
    """Return the text with a sign put into words, a letter masked by one, or two neighbours swapped as in haste."""

    def change(word: str, chance: Random) -> str:
        at = chance.randint(1, len(word) - 2)
        style = chance.choices(("break", "mask", "swap", "stars"), weights=(4, 4, 2, 1))[0]
        if style == "break":
            return word[:at] + chance.choice(_BREAKS) + word[at:]
        if style == "mask":
            vowels = [place for place in range(1, len(word) - 1) if word[place].lower() in "aeiou"]
            at = chance.choice(vowels or [at])
            return word[:at] + chance.choice(_MASKS) + word[at + 1 :]
        if style == "swap":
            return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        return word[0] + "*" * (len(word) - 2) + word[-1]

    return _some(text, chance, change, 4)


OBFUSCATIONS: Mapping[str, Callable[[str, Random], str]] = MappingProxyType(
    {
        "case": case,
        "accents": accents,
        "homoglyphs": homoglyphs,
        "zero_width": zero_width,
        "leetspeak": leetspeak,
        "spaced": spaced,
        "repeats": repeats,
        "inserted": inserted,
    }
)
"""The eight by name, in a fixed order: `OBFUSCATIONS[name](text, random.Random(seed))`."""
