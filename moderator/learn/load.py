"""Saving and loading the models: skops files with a list of trusted types, checked against the SHA-256 in their manifest; never pickle."""

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZIP_DEFLATED, BadZipFile

from sklearn.pipeline import Pipeline

from moderator.domain.errors import BadInput

TRUSTED = ["moderator.learn.abuse.MaskedLogistic", "moderator.learn.features.HashedNgrams"]
"""The only types of ours that a model file may hold; skops itself allows numpy's, scipy's and scikit-learn's."""

ABUSE = "abuse"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a model file is: `models/<name>.json`. `sha256` is of the file's bytes, `date` the day it was trained (YYYY-MM-DD)."""

    name: str
    file: str
    sha256: str
    date: str

    @property
    def version(self) -> str:
        """Return the version that each score carries."""
        return f"linear-{self.date}-{self.sha256[:12]}"


def bundled() -> Path:
    """Return the folder of models that ships with the product: inside the installed package, else beside it in a checkout."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "assets" / "models"
    return inside if inside.is_dir() else package.parent / "models"


def save(pipeline: Pipeline, folder: Path, *, date: str, facts: dict[str, object]) -> Manifest:
    """Write the model file and its manifest into `folder`, each swapped in whole; `facts` go into the manifest as they are."""
    from skops import io  # noqa: PLC0415 - slow to import; only training and loading need it

    folder.mkdir(parents=True, exist_ok=True)
    body = io.dumps(pipeline, compression=ZIP_DEFLATED, compresslevel=9)
    manifest = Manifest(ABUSE, f"{ABUSE}.skops", hashlib.sha256(body).hexdigest(), date)
    head = {"name": manifest.name, "file": manifest.file, "sha256": manifest.sha256, "date": date, "bytes": len(body)}
    _swap(folder / manifest.file, body)
    _swap(folder / f"{ABUSE}.json", (json.dumps(head | facts, indent=2, ensure_ascii=False) + "\n").encode())
    return manifest


def _swap(path: Path, body: bytes) -> None:
    part = path.with_name(f"{path.name}.part")
    part.write_bytes(body)
    os.replace(part, path)  # noqa: PTH105 - Path.replace is the same call; this reads as what it is


def load(folder: Path) -> tuple[Pipeline, Manifest]:
    """Return the abuse pipeline and its manifest.

    Raises BadInput when a file is missing, is not what the manifest says, or holds a type that is not trusted.
    """
    from skops import io  # noqa: PLC0415 - slow to import; only training and loading need it
    from skops.io.exceptions import UntrustedTypesFoundException  # noqa: PLC0415 - as above

    manifest = read_manifest(folder)
    path = folder / manifest.file
    try:
        body = path.read_bytes()
    except OSError as error:
        message = f"{path}: the model file cannot be read: {error.strerror}; install the product again or run moderator train"
        raise BadInput(message) from error
    if hashlib.sha256(body).hexdigest() != manifest.sha256:
        message = f"{path}: is not the file its manifest names (SHA-256 differs); it was changed or damaged: put the released file back"
        raise BadInput(message)
    try:
        pipeline = io.loads(body, trusted=TRUSTED)
    except (UntrustedTypesFoundException, BadZipFile, KeyError, ValueError, TypeError) as error:
        message = f"{path}: is not a model this service trusts: {error}"
        raise BadInput(message) from error
    if not isinstance(pipeline, Pipeline):
        message = f"{path}: is not a model this service trusts: it holds no pipeline"
        raise BadInput(message)
    return pipeline, manifest


def read_manifest(folder: Path) -> Manifest:
    """Return what `models/abuse.json` says. Raises BadInput when it is missing or lacks a key."""
    path = folder / f"{ABUSE}.json"
    try:
        row = json.loads(path.read_text(encoding="utf-8"))
        found = Manifest(*(str(row[key]) for key in ("name", "file", "sha256", "date")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        message = f"{path}: the model's manifest is missing or unreadable ({error}); install the product again or run moderator train"
        raise BadInput(message) from error
    if Path(found.file).name != found.file:
        message = f"{path}: names a model outside its folder ({found.file}): put the released manifest back"
        raise BadInput(message)
    return found
