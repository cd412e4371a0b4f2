"""The texts that contenders read, for speed and for judging. Called by bench_assess and bench_roll.

Public text lies beside the checkout (MODERATOR_SHARED, or ../shared) and is read from there; nothing of it is kept.
"""

import csv
import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from moderator.learn.people.marked import Marked, read_school, read_tagged

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SHARED = Path(os.environ.get("MODERATOR_SHARED") or ROOT.parent / "shared") / "data"
SCHOOL = ROOT / "tests" / "learn" / "school_comments.jsonl"
TRAINING = ROOT / "models" / "data" / "school.jsonl"
ABSENT = "not measured: the public text (../shared/data, or MODERATOR_SHARED) is not on this machine"

TURNS = 6
"""One to warm up and five that count; no text is read twice by a contender."""

EACH = 500
"""Comments of each of the two sources in a turn."""

MOST_OF_A_KIND = 250
"""Abusive texts of a source that are judged, and as many that are not: spread evenly. The slow peers are why."""

NAME_SETS = ("wnut17_train_nh", "btc_train", "tweebank_train", "wikigold")
"""The public name sets that our tagger is trained on, and presidio's name finder with it."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A text with its source and whether it is abusive (0 or 1)."""

    text: str
    source: str
    abusive: int


@dataclass(frozen=True, slots=True)
class Private:
    """A text with its personal data: (start, end, kind)."""

    text: str
    spans: tuple[tuple[int, int, str], ...]


def at_hand() -> bool:
    """Return whether the public text is on this machine."""
    return SHARED.is_dir()


def turns(folder: Path, count: int = TURNS) -> list[Path]:
    """Write the texts of each turn and return the files: comments of real.csv and youtube.txt in turns, all different."""
    with (SHARED / "comments" / "real.csv").open(encoding="utf-8", newline="") as file:
        real = [row["text"] for row in csv.DictReader(file)]
    tube = [line for line in (SHARED / "comments" / "youtube.txt").read_text(encoding="utf-8").split("\n") if line.strip()]
    real, tube = spread(real, EACH * TURNS), spread(tube, EACH * TURNS)
    found = []
    for turn in range(count):
        pairs = zip(real[turn::TURNS], tube[turn::TURNS], strict=False)
        found.append(written([text for pair in pairs for text in pair], folder / f"turn{turn}.json"))
    return found


def spread(rows: Sequence[str], most: int) -> list[str]:
    """Return at most `most` of the rows, evenly spread over them."""
    return list(rows) if len(rows) <= most else [rows[place * len(rows) // most] for place in range(most)]


def written(texts: Sequence[str], path: Path) -> Path:
    """Write texts as JSON and return the path."""
    path.write_text(json.dumps(list(texts)), encoding="ascii")
    return path


def public_abuse() -> list[Labelled]:
    """Return the judged part of the development set of abuse: at most MOST_OF_A_KIND a source and kind."""
    kinds: dict[tuple[str, str], list[str]] = {}
    with (SHARED / "abuse" / "dev.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["abusive"] in {"0", "1"}:
                kinds.setdefault((row["source"], row["abusive"]), []).append(row["text"])
    return [Labelled(text, source, int(kind)) for (source, kind), texts in kinds.items() for text in spread(texts, MOST_OF_A_KIND)]


def school_abuse() -> list[Labelled]:
    """Return our school comments with their label; empty when the file is not there."""
    if not SCHOOL.is_file():
        return []
    rows = [json.loads(line) for line in SCHOOL.read_text(encoding="utf-8").splitlines() if line.strip()]
    return [Labelled(row["text"], "school", row["abusive"]) for row in rows if row.get("abusive") in {0, 1}]


def names() -> dict[str, list[Marked]]:
    """Return the marked texts that are judged, by name of the set."""
    tweets = {name: read_tagged(SHARED / "names" / f"{name}.jsonl") for name in ("tweebank_dev", "btc_dev")}
    lowered = [one for one in tweets["btc_dev"] if len(one.text.lower()) == len(one.text)]
    sets = {**tweets, "btc_dev_lowercase": [Marked(one.text.lower(), one.spans, one.source, whole=False) for one in lowered]}
    return {**sets, "school": read_school(SCHOOL)} if SCHOOL.is_file() else sets


def for_engine() -> Iterator[tuple[str, tuple[tuple[int, int], ...]]]:
    """Yield the marked text that our tagger learns from: the public sets and our school comments for training."""
    for name in NAME_SETS:
        yield from ((one.text, one.spans) for one in read_tagged(SHARED / "names" / f"{name}.jsonl"))
    yield from ((one.text, one.spans) for one in read_school(TRAINING))


_MARK = re.compile(r"<(?P<kind>[a-z]+)>(?P<text>.*?)</(?P=kind)>")


def private(path: Path = HERE / "pii.txt") -> list[Private]:
    """Return the lines of a file in which personal data is marked as `<phone>…</phone>`, without the marks."""
    return [_private(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


def _private(line: str) -> Private:
    text, last = "", 0
    spans = []
    for match in _MARK.finditer(line):
        text += line[last : match.start()]
        spans.append((len(text), len(text) + len(match["text"]), match["kind"]))
        text += match["text"]
        last = match.end()
    return Private(text + line[last:], tuple(spans))
