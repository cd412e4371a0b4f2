"""The peers' own environment: made on first use under .cache/peers, apart from ours and its locks. Called by bench_assess and bench_roll.

Their packages are pinned by hash in peers.lock (`uv pip compile --universal --generate-hashes`, of the names on its first line).
"""

import hashlib
import json
import shutil
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from setup.say import work

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PLACE = ROOT / ".cache" / "peers"
LOCK = HERE / "peers.lock"
TRAINER = HERE / "peers_engine.py"
CONTENDERS = HERE / "peers_contenders.py"

Marked = tuple[str, Sequence[tuple[int, int]]]


def python() -> Path:
    """Return the Python of the peers' environment, made now if there is none for this lock. Raises SetupFailedError."""
    folder, stamp = PLACE / "env", PLACE / "env.stamp"
    program = folder / "bin" / "python"
    wanted = _hash(LOCK.read_bytes(), sys.version.encode(), str(folder).encode())
    if program.exists() and _read(stamp) == wanted:
        return program
    shutil.rmtree(folder, ignore_errors=True)
    PLACE.mkdir(parents=True, exist_ok=True)
    mend = "Check that this machine reaches a Python package index, then run make bench again."
    work([sys.executable, "-m", "venv", "--without-pip", folder], what="making an environment for the peers in .cache/peers", mend=mend)
    pip: list[str | Path] = [sys.executable, "-m", "pip", "--python", program, "install", "--disable-pip-version-check", "--no-input"]
    locked: list[str | Path] = ["--progress-bar", "off", "--require-hashes", "--no-deps", "--only-binary", ":all:", "-r", LOCK]
    work([*pip, *locked], what="installing the peers, once (about a minute, 600 MB)", mend=mend)
    stamp.write_text(wanted, encoding="ascii")
    return program


def engine(marked: Iterable[Marked]) -> Path:
    """Return the folder of presidio's name finder, trained now if there is none for this text. Raises SetupFailedError."""
    lines = [json.dumps({"text": text, "spans": list(spans)}) for text, spans in marked]
    body = "\n".join(lines).encode("ascii")
    program = python()
    folder, stamp = PLACE / "engine", PLACE / "engine.stamp"
    wanted = _hash(LOCK.read_bytes(), TRAINER.read_bytes(), body)
    if folder.is_dir() and _read(stamp) == wanted:
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    text = PLACE / "marked.jsonl"
    text.write_bytes(body)
    mend = "Run make bench again; the lines above say what went wrong."
    what = f"training the name finder that presidio runs on, once (about 5 minutes, {len(lines):,} texts)"
    work([program, "-W", "ignore", TRAINER, text, folder], what=what, mend=mend, progress=lambda line: line.strip()[:60] or None)
    stamp.write_text(wanted, encoding="ascii")
    return folder


def package(name: str) -> Path:
    """Return the folder of an installed package of the peers."""
    return next((PLACE / "env" / "lib").glob(f"python*/site-packages/{name}"))


def size(places: Iterable[Path]) -> int:
    """Return the bytes of files, and of folders with what is in them, byte code left out."""
    files = [path for place in places for path in (place.rglob("*") if place.is_dir() else [place])]
    return sum(path.stat().st_size for path in files if path.is_file() and path.suffix != ".pyc")


def _read(stamp: Path) -> str:
    return stamp.read_text(encoding="ascii") if stamp.is_file() else ""


def _hash(*parts: bytes) -> str:
    return hashlib.sha256(b"\0".join(parts)).hexdigest()
