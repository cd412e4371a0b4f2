"""Small made-up data and models for tests of training, judging and the commands: mild, quick, and good enough to tell rude from calm."""

import json
from datetime import date
from pathlib import Path

import numpy as np

from moderator.domain.score import Guard
from moderator.learn.people import labels
from moderator.learn.people.features import BITS
from moderator.learn.people.lexicon import Lexicon
from moderator.learn.people.model import Model
from moderator.learn.people.model import save as save_tagger
from moderator.learn.train import train

CALM = ("lovely concert", "great match today", "see you at the gate", "thanks for the photos")
RUDE = ("you daft muppet", "what a silly clown", "shut up you fool", "you utter nincompoop")
HEAD = "text,abusive,insult,threat,identity,sexual,profanity,harassment,orig,source,licence\n"
DAY = date(2026, 11, 22)


def rows(count: int, *, upside_down: bool = False) -> str:
    """Return a labelled CSV of calm and rude lines in turn; `upside_down` gives each the other's labels."""
    lines = [
        f"{(RUDE if n % 2 else CALM)[n // 2 % 4]} {n},{','.join([str((n + upside_down) % 2)] * 7)},,cad,CC BY 4.0" for n in range(count)
    ]
    return HEAD + "\n".join(lines) + "\n"


def small_data(folder: Path, *, upside_down: bool = False) -> Path:
    """Write a data folder for training, with `school.jsonl` and `test.jsonl` beside it, and return it."""
    data = folder / "data"
    (data / "abuse").mkdir(parents=True)
    (data / "abuse" / "train.csv").write_text(rows(160, upside_down=upside_down), encoding="utf-8")
    (data / "abuse" / "dev.csv").write_text(rows(40), encoding="utf-8")
    (data / "abuse" / "goemotions.txt").write_text("text\n" + "\n".join(f"nice day {n}" for n in range(40)), encoding="utf-8")
    (data / "abuse" / "profanity_en.csv").write_text("text\nnincompoop\n", encoding="utf-8")
    (folder / "school.jsonl").write_text("\n".join(school_rows(120, "at school", upside_down=upside_down)), encoding="utf-8")
    (folder / "test.jsonl").write_text("\n".join(school_rows(60, "in class")), encoding="utf-8")
    return data


def school_rows(count: int, where: str, *, upside_down: bool = False) -> list[str]:
    """Return school comments as JSON lines, every eighth of them one for a guard."""
    guards = tuple(Guard)
    made = []
    for n in range(count):
        guard = guards[n // 8 % len(guards)].value if n % 8 == 0 else "none"
        text = f"{guard.replace('_', ' ')} {where} {n}" if guard != "none" else f"{(RUDE if n % 2 else CALM)[n % 4]} {where} {n}"
        made.append(json.dumps({"text": text, "abusive": (n + upside_down) % 2, "guard": guard, "pattern": f"p{n}", "people": []}))
    return made


def tagger(folder: Path) -> None:
    """Write a person tagger that has learnt nothing and finds nobody."""
    empty = np.zeros(0, np.uint8)
    lexicon = Lexicon(np.zeros(0, np.uint32), empty, empty, empty, empty, np.zeros(0, np.uint16), np.zeros((2, 1), np.uint16))
    table = np.zeros((1 << BITS, labels.LABELS - 1), np.int16)
    table[0] = -1
    moves, nobody = np.zeros((labels.LABELS, labels.LABELS), np.int32), np.zeros(0, np.uint32)
    model = Model(table=table, moves=moves, lexicon=lexicon, known=nobody, version="")
    save_tagger(model, folder, date="2026-11-22", facts={})


def small_models(folder: Path) -> Path:
    """Train small models into a folder of their own below `folder`, with a tagger beside them, and return it."""
    out = folder / "models"
    out.mkdir(parents=True)
    tagger(out)
    train(small_data(folder), school=folder / "school.jsonl", test=folder / "test.jsonl", out=out, day=DAY, seed=3)
    return out
