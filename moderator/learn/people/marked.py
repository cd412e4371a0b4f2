"""Texts in which people are marked, for training and judging the tagger: read from tagged tokens, and from the school comments."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from moderator.domain.errors import BadInput
from moderator.domain.score import PersonKind

_GLUED = frozenset({"n't", "'s", "'m", "'re", "'ve", "'ll", "'d", "’s", "’m", "’re", "’ve", "’ll", "’d", ",", ".", "!", "?", ";", ":", ")"})  # noqa: RUF001 - curly apostrophes


@dataclass(frozen=True, slots=True)
class Marked:
    """A text and the people in it: `spans` are (start, end) in code points, in order; `kinds` beside them where somebody has said.

    `whole` is False where nobody marked handles and hashtags, so that what is found in them counts neither way.
    `strange` asks training to learn its names as if no list held them.
    """

    text: str
    spans: tuple[tuple[int, int], ...]
    source: str
    kinds: tuple[PersonKind, ...] = ()
    whole: bool = True
    strange: bool = False


def read_tagged(path: Path) -> list[Marked]:
    """Read a JSONL of `tokens` and `tags` (O, B-PER, I-PER) as running text. Raises BadInput naming the line that cannot be used."""
    return [_running(row, path.stem, f"{path.name} line {number}") for number, row in _rows(path)]


def read_school(path: Path) -> list[Marked]:
    """Read the rows of a JSONL that say who is named: `text` and `people`, a list of start, end, kind. Other rows are passed over.

    Raises BadInput naming the line whose people cannot be read.
    """
    return [_told(row, f"{path.name} line {number}") for number, row in _rows(path) if "people" in row]


def read_word_names() -> list[Marked]:
    """Read our own lines of words that are also names, in both uses; a name stands in double square brackets."""
    lines = resources.files("moderator.learn.people").joinpath("word_names.txt").read_text(encoding="utf-8").splitlines()
    return [_bracketed(line) for line in lines]


def _bracketed(line: str) -> Marked:
    text = ""
    spans: list[tuple[int, int]] = []
    for number, part in enumerate(re.split(r"\[\[|\]\]", line)):
        if number % 2:
            spans.append((len(text), len(text) + len(part)))
        text += part
    return Marked(text, tuple(spans), "word names")


def _rows(path: Path) -> Iterator[tuple[int, Mapping[str, object]]]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path}: cannot be read as UTF-8 text: {error}"
        raise BadInput(message) from error
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            message = f"{path.name} line {number}: not a JSON object: {error}"
            raise BadInput(message) from error
        if not isinstance(row, dict):
            message = f"{path.name} line {number}: not a JSON object"
            raise BadInput(message)
        yield number, row


def _running(row: Mapping[str, object], source: str, where: str) -> Marked:
    tokens, tags = row.get("tokens"), row.get("tags")
    if not isinstance(tokens, list) or not isinstance(tags, list) or len(tokens) != len(tags) or not set(tags) <= {"O", "B-PER", "I-PER"}:
        message = f"{where}: give tokens and tags of equal length, tags O, B-PER or I-PER"
        raise BadInput(message)
    text = ""
    spans: list[tuple[int, int]] = []
    for token, tag in zip(map(str, tokens), tags, strict=True):
        if text and not (token in _GLUED and text[-1].isalnum()):
            text += " "
        start = len(text)
        text += token
        if tag == "B-PER" or (tag == "I-PER" and not spans):
            spans.append((start, len(text)))
        elif tag == "I-PER":
            spans[-1] = (spans[-1][0], len(text))
    return Marked(text, tuple(spans), source, whole=False)


def _told(row: Mapping[str, object], where: str) -> Marked:
    text, people = row.get("text"), row.get("people")
    try:
        if not isinstance(text, str) or not isinstance(people, list):
            raise TypeError  # noqa: TRY301 - one message for all that can be wrong
        found = sorted((int(one["start"]), int(one["end"]), PersonKind(one["kind"])) for one in people)
    except (KeyError, TypeError, ValueError) as error:
        message = f"{where}: give text, and people as a list of start, end and kind ({', '.join(PersonKind)})"
        raise BadInput(message) from error
    if any(not 0 <= start < end <= len(text) for start, end, _ in found):
        message = f"{where}: a person's start and end must lie in the text, start first"
        raise BadInput(message)
    return Marked(
        text, tuple((start, end) for start, end, _ in found), str(row.get("source") or "school"), tuple(kind for *_, kind in found)
    )
