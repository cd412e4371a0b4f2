"""Reading past comments for `moderator backtest`: as `assess` reads them, and with what else their rows say."""

import csv
import io
import json
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path

from moderator.cli.assess import read_comments
from moderator.domain.decision import Outcome
from moderator.domain.errors import BadInput
from moderator.domain.times import london_date
from moderator.learn.backtest import Past

DAYS = ("day", "date", "posted_at", "created_at")
"""Columns that may say when a comment was made, the first that is there wins."""

_YES = {"1": True, "true": True, "0": False, "false": False}


def read_past(file: Path) -> list[Past]:
    """Return the past comments of a JSONL, CSV or plain file, in order.

    Beside id, text and parent a row may have `account` (`platform:handle`, or a handle with `platform` in its own column), `school`, a day
    (`day`, `date`, `posted_at` or `created_at`, ISO 8601; a moment counts on its day in London), `abusive` (0 or 1) and `outcome` (clear,
    hide, route or withhold). Raises BadInput that names the first row that cannot be used.
    """
    if str(file) == "-":
        message = "backtest reads a file, not standard input: save the comments first"
        raise BadInput(message)
    comments = read_comments(str(file))
    rows = _rows(file.suffix.lower(), file.read_text(encoding="utf-8-sig"))
    rest: list[Mapping[str, object]] = rows or [{}] * len(comments)
    return [
        _past(comment.id, comment.text, comment.parent, row, f"{file.name}, comment {comment.id}")
        for comment, row in zip(comments, rest, strict=True)
    ]


def _rows(suffix: str, text: str) -> list[Mapping[str, object]]:
    """Return the rows of a file that `read_comments` has found good; none for plain text, which has only texts."""
    if suffix == ".txt":
        return []
    first = text.lstrip().split("\n", 1)[0]
    if suffix in {".jsonl", ".ndjson"} or (suffix != ".csv" and first.startswith("{")):
        return [json.loads(line) for line in text.split("\n") if line.strip()]
    if suffix == ".csv" or "text" in [cell.strip().strip('"') for cell in first.split(",")]:
        return [{key.strip(): value for key, value in row.items()} for row in csv.DictReader(io.StringIO(text, newline=""))]
    return []


def _past(given: str | int, text: str, parent: str, row: Mapping[str, object], where: str) -> Past:
    cells = {key: str(value).strip() for key, value in row.items() if value is not None and not isinstance(value, (dict, list))}
    account, platform = cells.get("account", ""), cells.get("platform", "")
    if account and platform and ":" not in account:
        account = f"{platform}:{account}"
    return Past(
        given,
        text,
        parent,
        account,
        cells.get("school", ""),
        _day(next((cells[key] for key in DAYS if cells.get(key)), ""), where),
        _yes(cells.get("abusive", ""), where),
        _outcome(cells.get("outcome", ""), where),
    )


def _day(value: str, where: str) -> str:
    if not value:
        return ""
    try:
        if len(value) == len("2026-11-22"):
            return date.fromisoformat(value).isoformat()
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        message = f"{where}: {value!r} is not a day: write it as 2026-11-22 or as an ISO 8601 moment"
        raise BadInput(message) from error
    return (moment.date() if moment.tzinfo is None else london_date(moment)).isoformat()


def _yes(value: str, where: str) -> bool | None:
    if not value:
        return None
    try:
        return _YES[value.lower()]
    except KeyError as error:
        message = f"{where}: abusive is {value!r}: write 0, 1, or nothing when unknown"
        raise BadInput(message) from error


def _outcome(value: str, where: str) -> Outcome | None:
    if not value:
        return None
    try:
        return Outcome(value.lower())
    except ValueError as error:
        message = f"{where}: outcome is {value!r}: write clear, hide, route, withhold, or nothing when unknown"
        raise BadInput(message) from error
