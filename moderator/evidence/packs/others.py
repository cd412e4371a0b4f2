"""Everybody but the requester: the names that must not leave, and where a text holds one. Called by the redactor."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from moderator.evidence.packs.requester import Requester, handle_parts, name_parts
from moderator.evidence.packs.skeleton import Word, drawn_in, opens_compound
from moderator.text.lexicon import word_set

LONG = 5
"""Letters from which a name is looked for inside words too; a shorter one only where words stand together, or as a word of its own."""
_TINY = 2
_TYPO = 6
"""Letters from which a word one slip away from a name is taken for it."""
_GAP = 3
"""Characters that may stand between the pieces of a name that was pulled apart."""
_EVERYDAY = word_set(
    "a an and are as at be but by can did do for from had has have he her his i if in is it its may me my no not of on or our out she so "
    "than that the their them they this to up us was we were who will with you your"
)
"""In small letters these are ordinary words even where somebody's name is spelt so (`may`, `will`)."""


@dataclass(slots=True)
class Others:
    """Names of other people, as letters without disguise: parts, and whole names of several parts. Grows while a pack is read."""

    requester: Requester
    parts: set[str] = field(default_factory=set)
    wholes: set[str] = field(default_factory=set)

    def add_name(self, name: str) -> None:
        """Take in a person's name; what is also the requester's own name stays readable alone, not in the other's whole name."""
        if self.requester.is_named(name):
            return
        parts = name_parts(name)
        self.parts.update(part for part in parts if part not in self.requester.parts and len(part) > 1)
        if len(parts) > 1:
            self.wholes.add("".join(parts))

    def add_handle(self, handle: str) -> None:
        """Take in a handle, whole and in its parts."""
        if handle.strip() and not self.requester.has_handle(handle):
            self.parts.update(part for part in handle_parts(handle) if part not in self.requester.parts and len(part) > 1)

    def found(self, text: str, among: Sequence[Word]) -> Iterator[tuple[int, int]]:
        """Yield the spans of the words of `text` that hold one of the names."""
        for at, word in enumerate(among):
            if self._in_word(text, word):
                yield word.start, word.end
            yield from self._pulled_apart(among, at)

    def _in_word(self, text: str, word: Word) -> bool:
        letters = word.letters
        if any(drawn_in(whole) in drawn_in(letters) for whole in self.wholes):
            return True
        own = self.requester.parts
        if letters in own or letters.removesuffix("s") in own:
            return False
        written = text[word.start : word.end]
        return any(_is_in(part, letters, written) for part in self.parts)

    def _pulled_apart(self, among: Sequence[Word], first: int) -> Iterator[tuple[int, int]]:
        letters, single = "", True
        for at in range(first, len(among)):
            word = among[at]
            if at > first and word.start - among[at - 1].end > _GAP:
                return
            letters += word.letters
            single = single and len(word.letters) == 1
            if len(letters) > self._longest:
                return
            if at > first and self._whole_again(letters, single=single):
                yield among[first].start, word.end

    @property
    def _longest(self) -> int:
        return 2 * max((len(name) for name in self.parts | self.wholes), default=0)

    def _whole_again(self, letters: str, *, single: bool) -> bool:
        drawn = drawn_in(letters)
        forms = {letters, letters.removesuffix("s"), drawn, drawn.removesuffix("s")}
        if any(drawn_in(whole) in forms or whole in forms for whole in self.wholes):
            return True
        return any(part in forms or drawn_in(part) in forms for part in self.parts if len(part) >= LONG or (single and len(part) > _TINY))


def _is_in(part: str, letters: str, written: str) -> bool:
    """Return whether a word holds a part of a name: `letters` without disguise, `written` as it stands."""
    same = drawn_in(letters) in {drawn_in(part), drawn_in(part + "s")}
    if len(part) <= _TINY:
        return letters == part and not (written.islower() and written in _EVERYDAY)
    if same:
        return written not in _EVERYDAY
    if len(part) >= LONG:
        return drawn_in(part) in drawn_in(letters) or (len(part) >= _TYPO and one_slip(part, letters.removesuffix("s")))
    return part in letters and _stands_together(written)


def _stands_together(written: str) -> bool:
    """Return whether several words may stand in one: a hashtag, a handle, `underscored`, with digits, or `CamelCase`."""
    if opens_compound(written[0]) or "_" in written or any(character.isdigit() for character in written):
        return True
    return not written.isupper() and any(character.isupper() for character in written[1:])


def one_slip(name: str, letters: str) -> bool:
    """Return whether one letter added, dropped, changed, or two swapped, make one of the other."""
    if abs(len(name) - len(letters)) > 1 or name == letters:
        return name == letters
    head = next((at for at, (ours, theirs) in enumerate(zip(name, letters, strict=False)) if ours != theirs), min(len(name), len(letters)))
    ours, theirs = name[head:], letters[head:]
    swapped = ours[1:2] + ours[:1] + ours[2:]
    return ours[1:] == theirs[1:] or ours[1:] == theirs or ours == theirs[1:] or swapped == theirs
