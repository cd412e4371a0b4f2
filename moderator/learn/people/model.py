"""The tagger's file: saved by training, loaded and checked against the SHA-256 in its manifest; plain arrays, never pickle."""

import hashlib
import io
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from moderator.domain.errors import BadInput
from moderator.learn.people.features import BITS
from moderator.learn.people.labels import LABELS
from moderator.learn.people.lexicon import Lexicon

PEOPLE = "people"

STEP = 64
"""Weights are whole numbers of this part of one: log-odds of 1 are 64."""

_COLUMNS = LABELS - 1
"""Labels that have weights of their own; outside is the one they are measured from."""


@dataclass(frozen=True, slots=True)
class Model:
    """Weights: `table`, shape (2 ** BITS, 4), `moves`, shape (LABELS, LABELS), in parts of STEP; the lexicon; `known`, sorted
    hashes of whole names that public text speaks of; `version`, for scores."""  # noqa: D205, D209 - one sentence

    table: NDArray[np.int16]
    moves: NDArray[np.int32]
    lexicon: Lexicon
    known: NDArray[np.uint32]
    version: str


def save(model: Model, folder: Path, *, date: str, facts: Mapping[str, object]) -> dict[str, object]:
    """Write `people.npz` and `people.json` into `folder`, each swapped in whole, and return the manifest; `facts` go into it."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = np.flatnonzero(model.table.any(axis=1))
    lexicon = model.lexicon
    body = io.BytesIO()
    np.savez_compressed(
        body,
        rows=np.diff(rows, prepend=0).astype(np.uint16 if len(rows) and np.diff(rows, prepend=0).max() < 1 << 16 else np.uint32),
        weights=np.ascontiguousarray(model.table[rows].T),
        moves=model.moves,
        hashes=np.diff(lexicon.hashes, prepend=np.uint32(0)),
        first=lexicon.first,
        last=lexicon.last,
        use=lexicon.use,
        flags=lexicon.flags,
        fine=lexicon.fine,
        coarser=lexicon.coarser,
        known=np.diff(model.known, prepend=np.uint32(0)),
    )
    data = body.getvalue()
    head = {"name": PEOPLE, "file": f"{PEOPLE}.npz", "sha256": hashlib.sha256(data).hexdigest(), "date": date, "bytes": len(data)}
    manifest = head | dict(facts)
    _swap(folder / f"{PEOPLE}.npz", data)
    _swap(folder / f"{PEOPLE}.json", (json.dumps(manifest, indent=2, ensure_ascii=False) + "\n").encode())
    return manifest


def _swap(path: Path, body: bytes) -> None:
    part = path.with_name(f"{path.name}.part")
    part.write_bytes(body)
    os.replace(part, path)  # noqa: PTH105 - Path.replace is the same call; this reads as what it is


def load(folder: Path) -> Model:
    """Return the tagger's model. Raises BadInput when a file is missing, is not what the manifest says, or is no such model."""
    row = _manifest(folder)
    path = folder / row["file"]
    try:
        body = path.read_bytes()
    except OSError as error:
        message = f"{path}: the model file cannot be read: {error.strerror}; install the product again or run moderator train"
        raise BadInput(message) from error
    if hashlib.sha256(body).hexdigest() != row["sha256"]:
        message = f"{path}: is not the file its manifest names (SHA-256 differs); it was changed or damaged: put the released file back"
        raise BadInput(message)
    try:
        with np.load(io.BytesIO(body), allow_pickle=False) as arrays:
            return _unpacked({name: arrays[name] for name in arrays.files}, f"people-{row['date']}-{row['sha256'][:12]}")
    except (BadZipFile, KeyError, ValueError, IndexError, EOFError, TypeError) as error:
        message = f"{path}: is not a person tagger this service knows: {error}"
        raise BadInput(message) from error


def _manifest(folder: Path) -> dict[str, str]:
    path = folder / f"{PEOPLE}.json"
    try:
        row = json.loads(path.read_text(encoding="utf-8"))
        found = {key: str(row[key]) for key in ("file", "sha256", "date")}
    except (OSError, ValueError, KeyError, TypeError) as error:
        message = f"{path}: the tagger's manifest is missing or unreadable ({error}); install the product again or run moderator train"
        raise BadInput(message) from error
    if Path(found["file"]).name != found["file"]:
        message = f"{path}: names a model outside its folder ({found['file']}): put the released manifest back"
        raise BadInput(message)
    return found


def _unpacked(arrays: Mapping[str, NDArray[np.generic]], version: str) -> Model:
    rows = np.cumsum(arrays["rows"].astype(np.int64))
    table = np.zeros((1 << BITS, _COLUMNS), np.int16)
    table[rows] = arrays["weights"].T
    hashes, known = (np.cumsum(arrays[name].astype(np.uint64)).astype(np.uint32) for name in ("hashes", "known"))
    first, last, use, flags = (arrays[name].astype(np.uint8) for name in ("first", "last", "use", "flags"))
    lexicon = Lexicon(hashes, first, last, use, flags, arrays["fine"].astype(np.uint16), arrays["coarser"].astype(np.uint16))
    return Model(table, arrays["moves"].astype(np.int32).reshape(LABELS, LABELS), lexicon, known, version)
