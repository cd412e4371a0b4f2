"""Which passwords are refused, and why in words for the person (NCSC: length, no rules of composition, none that is guessed first)."""

import re
import unicodedata
from collections.abc import Iterable

SHORTEST = 12
LONGEST = 256
"""Characters. NCSC's three random words are longer than the first; the second only keeps a form from being a load."""
_ADVICE = "Three words that have nothing to do with each other are good."
_FEWEST_LEFT = 6
"""Characters that must be left of a password without words about the person and words that come first to everybody (our choice)."""
_FEWEST_KINDS = 5
"""Different characters at least (our choice)."""

_ROWS = ("abcdefghijklmnopqrstuvwxyz", "01234567890123456789", "qwertyuiop", "asdfghjkl", "zxcvbnm", "1qaz2wsx3edc4rfv5tgb6yhn7ujm")
_RUN = 4
"""A stretch of a keyboard row or the alphabet this long counts as one character."""

_FIRST_GUESSES = (
    "password", "passwort", "passphrase", "passcode", "letmein", "welcome", "hello", "admin", "administrator", "moderator", "headteacher",
    "headmaster", "teacher", "school", "primary", "academy", "secret", "changeme", "trustno", "iloveyou", "football", "liverpool",
    "arsenal", "chelsea", "everton", "rangers", "celtic", "england", "scotland", "london", "sunshine", "princess", "monkey", "dragon",
    "superman", "batman", "spring", "summer", "autumn", "winter", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday",
    "sunday", "january", "february", "march", "april", "june", "july", "august", "september", "october", "november", "december",
    "christmas", "easter", "qwerty", "azerty", "login", "temp", "test", "guest", "user", "default", "computer", "internet",
)  # fmt: skip
"""Words that guessers try first; ours, from what every published list begins with and what a school would choose."""

_LOOKS_LIKE = str.maketrans("013457i", "oleastl")
"""What stands for what: a figure may be an L or an I, so those two are one."""
_SIGNS = str.maketrans("@$", "as")


def normal(password: str) -> str:
    """Return the password as it is hashed: one form for letters that keyboards make in two ways (NFKC; NIST SP 800-63B, 3.1.1.2)."""
    return unicodedata.normalize("NFKC", password)


def refusal(password: str, *, about: Iterable[str]) -> str:
    """Return why a password cannot be taken, as a sentence for the person; an empty text when it can.

    `about` are names and words that belong to the person: their name, e-mail address, school and trust.
    """
    password = normal(password)
    bare = "".join(letter for letter in password.casefold().translate(_SIGNS) if letter.isalnum())
    faults = (
        (len(password) < SHORTEST, f"Use at least {SHORTEST} characters. {_ADVICE}"),
        (len(password) > LONGEST, f"Use at most {LONGEST} characters."),
        (len(set(bare)) < _FEWEST_KINDS or _repeated(bare), f"This repeats the same few characters. {_ADVICE}"),
        (len(_without_runs(bare)) < _FEWEST_LEFT, f"This is a row of the keyboard, the alphabet or numbers. {_ADVICE}"),
        (_made_of(bare, _words(about)), "This is made of your name, your address or your school. Others would guess it."),
        (_made_of(bare, _FIRST_GUESSES), f"This is made of words that are guessed first, like “password” or a month. {_ADVICE}"),
    )
    return next((why for bad, why in faults if bad), "")


def _made_of(text: str, words: Iterable[str]) -> bool:
    """Return whether next to nothing is left of a text without words."""
    left = _without(text, words)
    return left != text and sum(not letter.isdigit() for letter in left) < _FEWEST_LEFT


def _repeated(text: str) -> bool:
    """Return whether the text is one short piece again and again: then it is found again inside itself written twice."""
    return (text + text).find(text, 1) <= len(text) // 2


def _without_runs(text: str) -> str:
    """Return the text with each stretch of a row, forwards or backwards, as one character."""
    for row in _ROWS:
        for line in (row, row[::-1]):
            for length in range(len(line), _RUN - 1, -1):
                for start in range(len(line) - length + 1):
                    text = text.replace(line[start : start + length], line[start])
    return text


def _words(about: Iterable[str]) -> list[str]:
    return [word for text in about for word in re.split(r"[\W_]+", normal(text).casefold()) if len(word) > 2]  # noqa: PLR2004 - "of", "st"


def _without(text: str, words: Iterable[str]) -> str:
    """Return what is left of a text without words, also where figures stand for letters."""
    plain = text.translate(_LOOKS_LIKE)
    for word in sorted(words, key=len, reverse=True):
        written = word.translate(_LOOKS_LIKE)
        while written in plain:
            at = plain.index(written)
            plain, text = plain[:at] + plain[at + len(written) :], text[:at] + text[at + len(written) :]
    return text
