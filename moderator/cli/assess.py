"""`moderator assess`: scores texts from a file or standard input and prints what the policy makes of each; nothing is stored."""

import csv
import io
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from moderator.domain.decision import Decision, Outcome
from moderator.domain.errors import BadInput
from moderator.domain.policy import Policy, decide
from moderator.domain.score import Score

if TYPE_CHECKING:
    from moderator.learn.roll import RollMatcher

BATCH = 500


class AssessFormat(StrEnum):
    """How the answers are printed."""

    JSONL = "jsonl"
    TABLE = "table"


@dataclass(frozen=True, slots=True)
class Comment:
    """One text to assess, with the id it is answered under (the line number where none was given) and the post it answers, if given."""

    id: str | int
    text: str
    parent: str = ""


def assess(  # noqa: PLR0913 - each is an option of the command
    file: Annotated[
        str,
        typer.Argument(
            help="JSONL with id and text, CSV with a text column, or plain text; parent is the post answered; - is standard input."
        ),
    ] = "-",
    *,
    roll: Annotated[
        Path | None, typer.Option(help="CSV of people to protect: reference, kind, first_name, last_name, title, known_as.")
    ] = None,
    policy: Annotated[Path | None, typer.Option(help="Policy TOML in place of the bundled one.")] = None,
    output: Annotated[AssessFormat, typer.Option("--format", help="One JSON object a line, or a table for people.")] = AssessFormat.JSONL,
    models: Annotated[Path | None, typer.Option(help="Folder of models in place of the bundled ones.")] = None,
    encoder: Annotated[bool, typer.Option(help="Use the second, slower and better tier where the first is in doubt.")] = True,
) -> None:
    """Score comments and say what would be done with each. Nothing is stored, and nothing leaves this machine."""
    comments = read_comments(file)
    rules = read_policy(policy)
    matcher = read_matcher(roll)
    from moderator.learn.classifier import Assessor  # noqa: PLC0415 - scikit-learn loads slowly; keeps `moderator --help` quick
    from moderator.learn.load import bundled  # noqa: PLC0415 - the same

    classifier = Assessor(models or bundled(), matcher, encoder=encoder)
    line = _json_line if output is AssessFormat.JSONL else _table_line
    for begin in range(0, len(comments), BATCH):
        batch = comments[begin : begin + BATCH]
        scores = classifier.score([comment.text for comment in batch], parents=[comment.parent for comment in batch])
        lines = (line(comment, score, decide(score, rules, text=comment.text)) for comment, score in zip(batch, scores, strict=True))
        sys.stdout.buffer.write("".join(lines).encode("utf-8", "backslashreplace"))
    sys.stdout.buffer.flush()


def read_policy(path: Path | None) -> Policy:
    """Return the policy of a file, or the bundled one. Raises BadInput that says what is wrong with it."""
    return Policy.bundled() if path is None else Policy.from_toml(_decoded(_bytes_of(str(path)), path.name), where=path.name)


def read_matcher(path: Path | None) -> "RollMatcher | None":
    """Return a matcher for the people of a CSV, keyed for this run only. Raises BadInput with the first wrong line."""
    if path is None:
        return None
    import secrets  # noqa: PLC0415 - only with --roll

    from moderator.learn.roll import RollMatcher, roll_tokens  # noqa: PLC0415 - only with --roll
    from moderator.learn.rollfile import read_roll  # noqa: PLC0415 - only with --roll

    entries, wrong = read_roll(path)
    if wrong:
        line, why = min(wrong.items())
        message = f"{path.name} line {line}: {why} ({len(wrong)} lines cannot be used)"
        raise BadInput(message)
    key = secrets.token_bytes(32)
    return RollMatcher((token for entry in entries for token in roll_tokens(entry, key)), key)


def read_comments(file: str) -> list[Comment]:
    """Return every comment of a file (- for standard input), checked, in order.

    JSONL when the name ends so or the first line is a JSON object; CSV when the name ends so or the first line has a column `text`; else
    plain text, one comment a line. Raises BadInput that names the first line that cannot be used.
    """
    name = "standard input" if file == "-" else Path(file).name
    text = _decoded(_bytes_of(file), name)
    return list(_reader(name, text)(text, name))


def _bytes_of(file: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        message = f"{file}: cannot be read: {error.strerror}"
        raise BadInput(message) from error


def _decoded(body: bytes, name: str) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        message = f"{name} line {line}: is not UTF-8 text; save the file as UTF-8"
        raise BadInput(message) from error


def _reader(name: str, text: str) -> Callable[[str, str], Iterator[Comment]]:
    suffix = Path(name).suffix.lower()
    if suffix in {".jsonl", ".ndjson"}:
        return _from_jsonl
    if suffix == ".csv":
        return _from_csv
    if suffix == ".txt":
        return _from_plain
    first = text.lstrip().split("\n", 1)[0]
    if first.lstrip().startswith("{"):
        return _from_jsonl
    return _from_csv if "text" in [cell.strip().strip('"') for cell in first.split(",")] else _from_plain


def _from_plain(text: str, _: str) -> Iterator[Comment]:
    lines = text.split("\n")
    for number, line in enumerate(lines[:-1] if not lines[-1] else lines, start=1):
        yield Comment(number, line.removesuffix("\r"))


def _from_jsonl(text: str, name: str) -> Iterator[Comment]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (json.JSONDecodeError, RecursionError) as error:
            message = f'{name} line {number}: is not JSON ({error}); give one object a line, {{"id": …, "text": …}}'
            raise BadInput(message) from error
        if not isinstance(row, dict) or not isinstance(row.get("text"), str):
            message = f'{name} line {number}: has no "text" of letters; give one object a line, {{"id": …, "text": …}}'
            raise BadInput(message)
        given = row.get("id", number)
        if isinstance(given, bool) or not isinstance(given, (str, int)):
            message = f'{name} line {number}: "id" is neither text nor a whole number'
            raise BadInput(message)
        parent = row.get("parent") or ""
        if not isinstance(parent, str):
            message = f'{name} line {number}: "parent" is not text; give the post that the comment answers, or leave it out'
            raise BadInput(message)
        yield Comment(given, row["text"], parent)


def _from_csv(text: str, name: str) -> Iterator[Comment]:
    _allow_long_cells()
    rows = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        columns = [column.strip() for column in rows.fieldnames or ()]
        if "text" not in columns:
            message = f"{name} line 1: no column named text; give a header line such as id,text"
            raise BadInput(message)
        rows.fieldnames = columns
        for number, row in enumerate(rows, start=1):
            if row["text"] is None or None in row:
                message = f"{name} line {rows.line_num}: has {'fewer' if row['text'] is None else 'more'} cells than the header line"
                raise BadInput(message)
            yield Comment(row.get("id") or number, row["text"], row.get("parent") or "")
    except csv.Error as error:
        message = f"{name} line {rows.line_num}: is not valid CSV: {error}"
        raise BadInput(message) from error


def _allow_long_cells() -> None:
    """Let a cell hold the longest post a platform allows, and more: the csv module stops at 131,072 characters otherwise."""
    csv.field_size_limit(10_000_000)


def answer(comment: Comment, score: Score, decision: Decision) -> dict[str, object]:
    """Return the answer to one comment as DESIGN §7 lays it out; offsets are code points of the text as given."""
    return {
        "id": comment.id,
        "flagged": decision.outcome is not Outcome.CLEAR,
        "outcome": decision.outcome.value,
        "labels": {label.value: round(chance, 6) for label, chance in score.labels.items()},
        "people": [
            {"start": person.start, "end": person.end, "text": person.text, "kind": person.kind.value, "source": person.source}
            for person in score.people
        ],
        "pii": [{"start": span.start, "end": span.end, "kind": span.kind} for span in score.pii],
        "reasons": [{"label": reason.label, "start": reason.start, "end": reason.end, "why": reason.why} for reason in decision.reasons],
        "model": score.model,
        "policy": decision.policy,
    }


def _json_line(comment: Comment, score: Score, decision: Decision) -> str:
    row = answer(comment, score, decision)
    line = json.dumps(row, ensure_ascii=False)
    if any("\ud800" <= character <= "\udfff" for character in line):
        line = json.dumps(row)
    return line + "\n"


def _table_line(comment: Comment, score: Score, decision: Decision) -> str:
    label, chance = max(score.labels.items(), key=lambda pair: pair[1])
    whys = _unique([reason.why for reason in decision.reasons]) or [f"Nothing found; nearest: {label.value} {chance:.0%}."]
    shown = " ".join(comment.text.split())
    short = shown if len(shown) <= 60 else shown[:59] + "…"  # noqa: PLR2004 - what fits beside the rest on a line
    return f"{comment.id!s:<8} {decision.outcome.value:<9} {short:<60}  {' '.join(whys)}\n"


def _unique(texts: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(texts))
