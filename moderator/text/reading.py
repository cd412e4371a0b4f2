"""The edits that make up reading, in order: those within a chunk (what stands between spaces), and those across chunks; for `normalise`.

1. Pictures, invisible characters, flipped words and letters of other alphabets among Latin ones, while the text is as given.
2. Hashtags become their words. Then every character is folded: case, accents, full-width, emoji.
3. Web addresses, hearts and handles become a word each; apostrophes join.
4. Spelt-out letters are joined; then each word is mended.
5. What is left of punctuation becomes a gap.
"""

import html
import re
import unicodedata

from moderator.text import pictures
from moderator.text.confusables import MARKS, all_alike, fold, turned, unflip, unmask, unmix
from moderator.text.edits import WIDE, Edit, Table
from moderator.text.lexicon import lexicon, segment
from moderator.text.mend import mend, mend_signs
from moderator.text.tags import tag_words

LINK = "weblink"
HANDLE = "userhandle"
"""What a web or e-mail address, and a handle, are read as."""

_JOINED = frozenset("'’‘`´ʼ")  # noqa: RUF001 - apostrophes of every make
_READABLE = frozenset("!?*\ufffd")


def _folded(character: str) -> str:
    return "'" if character in _JOINED else fold(character)


def _unpunctuated(character: str) -> str:
    kept = character.isalnum() or character in _READABLE or unicodedata.category(character).startswith("M")
    return character if kept else " "


FOLD = Table(_folded)
PUNCTUATION = Table(_unpunctuated)

_marks = "".join(f"{chr(first)}-{chr(last)}" for first, last in MARKS)
_INVISIBLE = re.compile(f"[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e0fff{_marks}]+")


def _pictures(match: re.Match[str]) -> str:
    return pictures.read(match[0])


def _inner_pictures(match: re.Match[str]) -> str:
    spelt = pictures.letters(match[0])
    if spelt.isascii() and mend(spelt.lower()) in (lexicon().cost if match[0][0].isascii() else lexicon().rude):
        return spelt
    hidden = pictures.hidden(match[0])
    return hidden if mend_signs(hidden.lower()) in lexicon().rude else match[0]


def _token(match: re.Match[str]) -> str:
    """Return a token the right way up when that is a word, else with look-alikes among its Latin letters undone."""
    if match[0].isascii():
        return match[0]
    upright = unflip(match[0]) if turned(match[0]) else ""
    return upright if upright in lexicon().cost else unmix(match[0])


def _tag(match: re.Match[str]) -> str:
    return f" {' '.join(word for _, _, word in tag_words(match[1]))} "


def _handle(match: re.Match[str]) -> str:
    """Return the handle's place-holder, but an insult that begins with @ for a."""
    spelt = mend_signs(match[0])
    if spelt.isalnum() and spelt in lexicon().rude:
        return spelt
    known = lexicon()
    if len(spelt) > 4 and spelt.isalpha() and known.common(spelt) and match[0][1:] not in known.cost:  # noqa: PLR2004 - @nyone, not @bout
        return spelt
    return f" {HANDLE} "


def _spelt(match: re.Match[str]) -> str:
    """Return letters held apart one by one as one word; with digits or signs among them only when that gives a word."""
    joined = re.sub(r"[^a-z0-9@$!]", "", match[0])
    if joined.isalpha():
        return joined
    found = mend_signs(joined) if not joined.isalnum() else mend(joined)
    return found if found in lexicon().cost else match[0]


def _spaced(match: re.Match[str]) -> str:
    """Return single letters with spaces between as the word or words they spell; as they stand when they spell none."""
    joined = match[0].replace(" ", "")
    read = mend(joined)
    if all(word in lexicon().cost for word in read.split()) and not read.isdigit():
        return read
    if not joined.isalpha() or len(joined) <= 4:  # noqa: PLR2004 - "u r a n" is talk, not a word
        return match[0]
    return " ".join(segment(joined)) or joined


def _alike(match: re.Match[str]) -> str:
    """Return a word of look-alikes in Latin letters, when the whole text holds no true foreign letter or the word is rude."""
    read = unmask(match[0])
    return read if read in lexicon().rude or _no_stranger(match.string) else match[0]


_SEEN: dict[str, bool] = {}


def _no_stranger(text: str) -> bool:
    """Return `all_alike`, asked once a text though a match asks it a word."""
    if text not in _SEEN:
        _SEEN.clear()
        _SEEN[text] = all_alike(text)
    return _SEEN[text]


def _word(match: re.Match[str]) -> str:
    return mend(match[0]) if match[0].isalnum() else mend_signs(match[0])


BEFORE_FOLD = (
    Edit(pictures.INSIDE, _inner_pictures, WIDE),
    Edit(pictures.SEQUENCE, _pictures, WIDE),
    Edit(re.compile("\u202e([^\u202c\\s]*)\u202c?"), lambda match: match[1][::-1], frozenset("\u202e")),
    Edit(_INVISIBLE, lambda _: "", WIDE),
    Edit(re.compile(r"[^\W_]+"), _token, WIDE),
    Edit(re.compile(r"&(?:amp|lt|gt|quot|nbsp|#\d{1,6}|#x[0-9a-fA-F]{1,5});"), lambda match: html.unescape(match[0]), frozenset("&")),
    Edit(re.compile(r"(?<![\w&/])[#\uff03]+(\w+)"), _tag, frozenset("#\uff03")),
)
"""The edits of a chunk as given."""

_END = r"(?![^\W_])"
_START = r"(?<![^\W_])"
_DOMAIN = r"(?:com|co\.uk|org|org\.uk|ac\.uk|sch\.uk|gov\.uk|nhs\.uk|net|uk|gov)"

BEFORE_PUNCTUATION = (
    Edit(re.compile(r"(?:https?://|www\.(?=[^\W_]))\S+"), lambda _: f" {LINK} ", frozenset(":.")),
    Edit(re.compile(r"[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64})+"), lambda _: f" {LINK} ", frozenset("@")),
    Edit(re.compile(rf"(?<![\w.@-])(?:[a-z0-9-]{{2,40}}\.){{1,4}}{_DOMAIN}(?:/\S*)?{_END}"), lambda _: f" {LINK} ", frozenset(".")),
    Edit(re.compile(r"</+3+"), lambda _: " broken heart ", frozenset("<")),
    Edit(re.compile(r"<3+"), lambda _: " heart ", frozenset("<")),
    Edit(re.compile(rf"{_START}@_*[^\W_][\w.]*"), _handle, frozenset("@")),
    # Apostrophes join: don't is dont. At an edge they part.
    Edit(re.compile(r"(?<=[^\W_])'+(?=[^\W_])"), lambda _: "", frozenset("'")),
    # e.g. and P.E. are one word each.
    Edit(re.compile(r"(?<![\w.])([a-z])\.([a-z])(?:\.(?!\w)|(?![\w.]))"), lambda match: match[1] + match[2], frozenset(".")),
    Edit(re.compile(rf"{_START}[a-z0-9@$](?:[._*~^|,/+=-]{{1,2}}[a-z0-9@$!]){{2,}}{_END}"), _spelt, frozenset("._*~^|,/+=-")),
    Edit(re.compile(rf"(?:{_START}[@$€£(|+!]{{1,2}}(?=[^\W_]))?[^\W_]+(?:(?:[^\w\s]|_){{1,6}}[^\W_]+)*[*$@|]*"), _word),
    # A star hides letters only after one.
    Edit(re.compile(r"(?<![^\W\d_])(?<!\*)\*+"), lambda _: " ", frozenset("*")),
    Edit(re.compile(r"[!?]+"), lambda match: f" {match[0][0]} ", frozenset("!?")),
)
"""The edits of a folded chunk."""

AFTER_PUNCTUATION = (Edit(re.compile(r"\*{2,}"), lambda _: "*", frozenset("*")), Edit(re.compile(r"\s{2,}|[^\S ]"), lambda _: " "))

ACROSS = (
    Edit(re.compile(r"[^\W\d_]+"), lambda match: match[0] if match[0].isascii() else _alike(match), WIDE),
    Edit(re.compile(r"(?<![^ ])[a-z0-9](?: [a-z0-9]){2,}(?![^ ])"), _spaced),
)
"""The edits across chunks, on text whose chunks are read."""
