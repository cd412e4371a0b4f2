"""Reads a file of comments to rehearse with; called by the seed. Plain text, CSV or JSONL, by the file's ending."""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from moderator.domain.errors import BadInput
from moderator.platforms.base import storable

KINDS = ("reply", "nested", "mention", "quote")


@dataclass(frozen=True, slots=True)
class Comment:
    """One comment to put on the network. An empty `kind` lets the network choose; `media` are `photo` or `video`."""

    text: str
    kind: str = ""
    media: tuple[str, ...] = ()


def read_comments(path: Path) -> list[Comment]:
    """Return the file's comments in order, empty ones left out.

    `.csv` needs a `text` column; `.jsonl` an object with `text` on each line; anything else is plain text, one comment a line.
    Raises BadInput saying what is wrong and where.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            reader = {".csv": _from_csv, ".jsonl": _from_jsonl}.get(path.suffix.lower(), _from_text)
            found = [comment for comment in reader(lines, path.name) if comment.text.strip()]
    except OSError as error:
        message = f"{path}: cannot be read ({error.strerror})"
        raise BadInput(message) from None
    except UnicodeDecodeError as error:
        message = f"{path}: is not UTF-8 text (byte {error.start}); save it as UTF-8"
        raise BadInput(message) from None
    if not found:
        message = f"{path}: holds no comments"
        raise BadInput(message)
    return found


def _from_text(lines: Iterator[str], where: str) -> Iterator[Comment]:
    del where
    for line in lines:
        yield Comment(storable(line.rstrip("\r\n")))


def _from_csv(lines: Iterator[str], where: str) -> Iterator[Comment]:
    rows = csv.DictReader(lines)
    try:
        if "text" not in (rows.fieldnames or ()):
            message = f"{where}: the first line must name a column text"
            raise BadInput(message)
        for row in rows:
            yield Comment(storable(row["text"] or ""))
    except csv.Error as error:
        message = f"{where}, line {rows.line_num + 1}: is not CSV ({error})"
        raise BadInput(message) from None


def _from_jsonl(lines: Iterator[str], where: str) -> Iterator[Comment]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            table = json.loads(line)
        except (ValueError, RecursionError):
            table = None
        if not isinstance(table, dict) or not isinstance(table.get("text"), str):
            message = f"{where}, line {number}: must be a JSON object with a text"
            raise BadInput(message)
        media = tuple(kind for kind in table.get("media") or () if kind in {"photo", "video"})
        yield Comment(storable(table["text"]), table["kind"] if table.get("kind") in KINDS else "", media)
