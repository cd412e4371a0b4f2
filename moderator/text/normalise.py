"""The one normaliser for training and serving: undoes the usual disguises and keeps a way back to the text as given.

`normalise` is for every text (a few microseconds); `align` gives the same text with a map to the original code points, and is used only
for the few texts whose reasons are shown. Both never fail on any Unicode, take linear time, and leave normalised text as it is.

A text is read chunk by chunk (what stands between spaces), each a function of itself alone and so remembered; then what runs across
chunks is read: letters with spaces between, and look-alike letters in a text that holds no others. `reading` lists the edits.
"""

import re

from moderator.text.edits import Aligned, Track
from moderator.text.lexicon import lexicon
from moderator.text.mend import mend
from moderator.text.reading import ACROSS, AFTER_PUNCTUATION, BEFORE_FOLD, BEFORE_PUNCTUATION, FOLD, HANDLE, LINK, PUNCTUATION

__all__ = ["HANDLE", "LINK", "Aligned", "align", "normalise"]

_ROUNDS = 8
_AT_MOST = 40_000
_LONGEST = 40
_SIMPLE = re.compile(r"[\"'(]*([A-Za-z]+(?:['\u2019][A-Za-z]+)*)(?:[.,;:)\"'\u2019]*|\.*([!?]+))")
"""A word of plain letters, and what may stand round it without a meaning of its own."""
_SINGLES = re.compile(r" [a-z0-9] [a-z0-9] [a-z0-9] ")


class _Chunks(dict[str, str]):
    """What chunks are read as, each with a space before every word; remembered up to a bound, so that memory is settled."""

    def __missing__(self, chunk: str) -> str:
        read = _read(chunk)
        if len(chunk) <= _LONGEST:
            if len(self) >= _AT_MOST:
                self.clear()
            self[chunk] = read
        return read


def _read(chunk: str) -> str:
    simple = _SIMPLE.fullmatch(chunk)
    if simple is not None:
        word = simple[1].replace("'", "").replace("\u2019", "").lower()
        if word in lexicon().cost or (read := mend(word)) == word:
            return f" {word} {simple[2][0]}" if simple[2] else f" {word}"
        if read in lexicon().cost:
            return f" {read} {simple[2][0]}" if simple[2] else f" {read}"
    words = _settled(chunk)
    return f" {words}" if words else ""


def _settled(text: str) -> str:
    """Return a text with every edit within chunks made, until nothing changes."""
    for _ in range(_ROUNDS):  # pragma: no branch - a bound that text never reaches: each round leaves less to undo
        before = text
        for edit in BEFORE_FOLD:
            text = edit.apply(text)
        text = text.translate(FOLD)
        for edit in BEFORE_PUNCTUATION:
            text = edit.apply(text)
        text = text.translate(PUNCTUATION)
        for edit in AFTER_PUNCTUATION:
            text = edit.apply(text)
        text = text.strip()
        if text == before or _plain(text):
            break
    return text


def _plain(text: str) -> bool:
    """Return whether a text is nothing but known words, which no edit changes; it saves the round that would show it."""
    known = lexicon().cost
    return all(word in known or word in {"!", "?"} for word in text.split())


_CHUNKS = _Chunks()


def normalise(text: str) -> str:
    """Return the text as it is meant to be read: lower-case words with single spaces; `!` and `?` stand alone.

    Same input, same output; normalising the result changes nothing.
    """
    for _ in range(_ROUNDS):  # pragma: no branch - the same bound
        read = "".join([_CHUNKS[chunk] for chunk in text.split()])
        if read.isascii() and _SINGLES.search(f"{read} ") is None:
            return read[1:]
        text = read[1:]
        for edit in ACROSS:
            text = edit.apply(text)
        if text == read[1:]:
            break
    return text


def align(text: str) -> Aligned:
    """Return the normalised text with its map to the original code points. Same text as `normalise` gives."""
    track = Track(text, list(range(len(text))), list(range(1, len(text) + 1)))
    for _ in range(_ROUNDS):  # pragma: no branch - the same bound
        track = _settled_track(track)
        before = track.text
        for edit in ACROSS:
            track = track.edited(edit)
        if track.text == before:
            break
    return Aligned(track.text, tuple(track.starts), tuple(track.ends))


def _settled_track(track: Track) -> Track:
    for _ in range(_ROUNDS):  # pragma: no branch - the same bound
        before = track.text
        for edit in BEFORE_FOLD:
            track = track.edited(edit)
        track = track.translated(FOLD)
        for edit in BEFORE_PUNCTUATION:
            track = track.edited(edit)
        track = track.translated(PUNCTUATION)
        for edit in AFTER_PUNCTUATION:
            track = track.edited(edit)
        track = track.stripped()
        if track.text == before:
            break
    return track
