"""Labelled text for training and judging: read, checked, masked where nobody has said, and split without overlap."""

import csv
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from moderator.domain.errors import BadInput
from moderator.domain.score import Guard, Label
from moderator.learn.screen import OUTPUTS

COLUMNS = {Label.IDENTITY_ATTACK: "identity"}
"""Labels whose column in the public sets has another name."""


@dataclass(frozen=True, slots=True)
class Example:
    """One labelled text. A label or guard that is missing from `labels` is unknown, which is not 0.

    `original` is the source's own label, `group` keeps near-copies in one split, `weight` says how much it counts in training (above 0),
    `parent` is the post it answers where that is known, `people` the names in it as (start, end), code points, or None where nobody looked.
    """

    text: str
    labels: dict[Label | Guard, int]
    source: str
    licence: str = ""
    original: str = ""
    group: str = ""
    weight: float = 1.0
    parent: str = ""
    people: tuple[tuple[int, int], ...] | None = None


def read_labelled(path: Path) -> list[Example]:
    """Read a labelled CSV or JSONL: `text`, a column a label (0, 1, empty for unknown), and `source`, `licence` where known.

    Raises BadInput that names the file and line of the first row that cannot be used.
    """
    rows = _jsonl_rows(path) if path.suffix == ".jsonl" else _csv_rows(path)
    return [_example(row, where=f"{path.name} line {line}", name=path.stem) for line, row in rows]


def _csv_rows(path: Path) -> Iterator[tuple[int, dict[str, object]]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            if "text" not in (reader.fieldnames or ()):
                message = f"{path.name}: no column named text: give a CSV with a header line that has one"
                raise BadInput(message)
            for row in reader:
                yield reader.line_num, dict(row)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        message = f"{path}: cannot be read as UTF-8 CSV: {error}"
        raise BadInput(message) from error


def _jsonl_rows(path: Path) -> Iterator[tuple[int, dict[str, object]]]:
    for number, line in enumerate(read_lines(path), start=1):
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            message = f"{path.name} line {number}: not a JSON object: {error}"
            raise BadInput(message) from error
        if not isinstance(row, dict):
            message = f"{path.name} line {number}: not a JSON object"
            raise BadInput(message)
        yield number, row


def _example(row: dict[str, object], *, where: str, name: str) -> Example:
    text = row.get("text")
    if not isinstance(text, str):
        message = f"{where}: no text: each row needs one"
        raise BadInput(message)
    labels: dict[Label | Guard, int] = _guards(row.get("guard"), where=where)
    for label in Label:
        value = row.get(label.value, row.get(COLUMNS.get(label, label.value)))
        if value is None or value == "":
            continue
        if str(value) not in {"0", "1"}:
            message = f"{where}: {label.value} is {value!r}: write 0, 1, or nothing when unknown"
            raise BadInput(message)
        labels[label] = int(str(value))
    source = str(row.get("source") or name)
    licence, original, group, parent = (str(row.get(key) or "") for key in ("licence", "orig", "pattern", "parent"))
    return Example(text, labels, source, licence, original, group, parent=parent, people=_people(row.get("people"), where=where))


_TOGETHER = {
    Guard.DISCLOSURE: {Guard.CRISIS, Guard.ACCUSED_TEACHER, Guard.COMPLAINT},
    Guard.CRISIS: {Guard.DISCLOSURE},
    Guard.ACCUSED_TEACHER: {Guard.DISCLOSURE, Guard.COMPLAINT, Guard.WHISTLEBLOWING},
    Guard.WHISTLEBLOWING: {Guard.COMPLAINT, Guard.ACCUSED_TEACHER, Guard.DISCLOSURE},
    Guard.COMPLAINT: {Guard.WHISTLEBLOWING},
    Guard.INDECENT_IMAGE: {Guard.DISCLOSURE},
}
"""Guards that may be true of a text beside the one it is labelled with: left unknown, not 0."""


def _guards(value: object, *, where: str) -> dict[Label | Guard, int]:
    """Return what a row says of the guards: `guard` names one, is "none", or is absent where nobody looked."""
    if value is None or value == "":
        return {}
    if value == "none":
        return dict.fromkeys(Guard, 0)
    try:
        guard = Guard(str(value))
    except ValueError as error:
        message = f"{where}: guard is {value!r}: write none or one of {', '.join(guard.value for guard in Guard)}"
        raise BadInput(message) from error
    return {other: int(other is guard) for other in Guard if other not in _TOGETHER[guard]}


def _people(value: object, *, where: str) -> tuple[tuple[int, int], ...] | None:
    if value is None or value == "":
        return None
    try:
        rows: list[dict[str, int]] = json.loads(value) if isinstance(value, str) else value  # type: ignore[assignment]  # checked below
        return tuple((int(row["start"]), int(row["end"])) for row in rows)
    except (ValueError, TypeError, KeyError) as error:
        message = f'{where}: people is {value!r}: write a list of {{"start", "end"}} in code points'
        raise BadInput(message) from error


def read_lines(path: Path) -> list[str]:
    """Return the lines of a text file that are not blank. Raises BadInput when it cannot be read."""
    try:
        return [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path}: cannot be read as UTF-8 text: {error}"
        raise BadInput(message) from error


def share(text: str) -> float:
    """Return a number from 0 to 1 that depends on the text alone: the same text always falls in the same split."""
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def known(examples: Sequence[Example]) -> NDArray[np.float32]:
    """Return the labels as an array of shape (examples, outputs): 1, 0, or NaN where nobody has said."""
    table = np.full((len(examples), len(OUTPUTS)), np.nan, np.float32)
    for row, example in enumerate(examples):
        for column, label in enumerate(OUTPUTS):
            if label in example.labels:
                table[row, column] = example.labels[label]
    return table
