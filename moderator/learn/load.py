"""Saving and loading the models: skops files with a list of trusted types, checked against the SHA-256 in their manifest; never pickle."""

import hashlib
import io
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from zipfile import ZIP_DEFLATED, BadZipFile

import numpy as np

from moderator.domain.errors import BadInput
from moderator.learn.screen import Weights

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

Model = TypeVar("Model", bound="BaseEstimator")

TRUSTED = [
    "moderator.learn.abuse.MaskedLogistic",
    "moderator.learn.blend.Blend",
    "moderator.learn.features.HashedNgrams",
]
"""The only types of ours that a model file may hold; skops itself allows numpy's, scipy's and scikit-learn's."""

ABUSE = "abuse"
BLEND = "blend"
ENCODER = "encoder"
PEOPLE = "people"
SCREEN = "screen"
"""What the service runs on: the weights of abuse and blend once more, as plain arrays."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a model file is: `models/<name>.json`.

    `sha256` is of the file's bytes, `date` the day it was trained (YYYY-MM-DD), `made_for` the SHA-256 by name of other models it was
    fitted to and must be used with.
    """

    name: str
    file: str
    sha256: str
    date: str
    made_for: Mapping[str, str] = field(default_factory=dict)

    @property
    def version(self) -> str:
        """Return the version of this one model: its date and the first digits of its hash."""
        return f"{self.date}-{self.sha256[:12]}"


def bundled() -> Path:
    """Return the folder of models that ships with the product: inside the installed package, else beside it in a checkout."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "assets" / "models"
    return inside if inside.is_dir() else package.parent / "models"


def save(model: "BaseEstimator", folder: Path, *, name: str, date: str, facts: Mapping[str, object]) -> Manifest:
    """Write `<name>.skops` and its manifest into `folder`, each swapped in whole; `facts` go into the manifest as they are."""
    from skops import io as skops  # noqa: PLC0415 - slow to import; only training and loading need it

    return save_bytes(skops.dumps(model, compression=ZIP_DEFLATED, compresslevel=9), folder, f"{name}.skops", date=date, facts=facts)


def save_bytes(body: bytes, folder: Path, file: str, *, date: str, facts: Mapping[str, object]) -> Manifest:
    """Write a model file and the manifest that names it into `folder`, each swapped in whole. May be repeated."""
    folder.mkdir(parents=True, exist_ok=True)
    manifest = Manifest(Path(file).stem, file, hashlib.sha256(body).hexdigest(), date)
    head = {"name": manifest.name, "file": file, "sha256": manifest.sha256, "date": date, "bytes": len(body)}
    _swap(folder / file, body)
    _swap(folder / f"{manifest.name}.json", (json.dumps({**head, **facts}, indent=2, ensure_ascii=False) + "\n").encode())
    return manifest


def _swap(path: Path, body: bytes) -> None:
    part = path.with_name(f"{path.name}.part")
    part.write_bytes(body)
    os.replace(part, path)  # noqa: PTH105 - Path.replace is the same call; this reads as what it is


def load(folder: Path, name: str, kind: type[Model]) -> tuple[Model, Manifest]:
    """Return the scikit-learn model of a name and its manifest.

    Raises BadInput when a file is missing, is not what the manifest says, holds a type that is not trusted or is not of `kind`.
    """
    from skops import io as skops  # noqa: PLC0415 - slow to import; only training and loading need it
    from skops.io.exceptions import UntrustedTypesFoundException  # noqa: PLC0415 - as above

    body, manifest = load_bytes(folder, name)
    path = folder / manifest.file
    try:
        model = skops.loads(body, trusted=TRUSTED)
    except (UntrustedTypesFoundException, BadZipFile, KeyError, ValueError, TypeError) as error:
        message = f"{path}: is not a model this service trusts: {error}"
        raise BadInput(message) from error
    if not isinstance(model, kind):
        message = f"{path}: is not a model this service trusts: it holds no {kind.__name__}"
        raise BadInput(message)
    return model, manifest


def load_bytes(folder: Path, name: str) -> tuple[bytes, Manifest]:
    """Return a model file's bytes, checked against its manifest. Raises BadInput when it is missing or another file."""
    manifest = read_manifest(folder, name)
    path = folder / manifest.file
    try:
        body = path.read_bytes()
    except OSError as error:
        message = f"{path}: the model file cannot be read: {error.strerror}; install the product again or run moderator train"
        raise BadInput(message) from error
    if hashlib.sha256(body).hexdigest() != manifest.sha256:
        message = f"{path}: is not the file its manifest names (SHA-256 differs); it was changed or damaged: put the released file back"
        raise BadInput(message)
    return body, manifest


def has(folder: Path, name: str) -> bool:
    """Return whether a folder of models has one of this name."""
    return (folder / f"{name}.json").is_file()


def read_manifest(folder: Path, name: str = ABUSE) -> Manifest:
    """Return what `<name>.json` says. Raises BadInput when it is missing or lacks a key."""
    path = folder / f"{name}.json"
    try:
        row = json.loads(path.read_text(encoding="utf-8"))
        found = Manifest(str(row["name"]), str(row["file"]), str(row["sha256"]), str(row["date"]), dict(row.get("made_for", {})))
    except (OSError, ValueError, KeyError, TypeError) as error:
        message = f"{path}: the model's manifest is missing or unreadable ({error}); install the product again or run moderator train"
        raise BadInput(message) from error
    if Path(found.file).name != found.file:
        message = f"{path}: names a model outside its folder ({found.file}): put the released manifest back"
        raise BadInput(message)
    return found


def save_weights(weights: Weights, folder: Path, *, date: str) -> Manifest:
    """Write `screen.npz`, what the service runs on, made for the abuse, encoder and blend models that lie in `folder`."""
    used = np.flatnonzero(weights.coef.any(axis=0))
    body = io.BytesIO()
    np.savez_compressed(body, used=used.astype(np.int32), coef=weights.coef[:, used], **{name: getattr(weights, name) for name in _REST})
    made_for = {name: read_manifest(folder, name).sha256 for name in (ABUSE, ENCODER, BLEND) if has(folder, name)}
    return save_bytes(body.getvalue(), folder, f"{SCREEN}.npz", date=date, facts={"made_for": made_for})


_REST = ("idf", "slope", "base", "blend")


def load_weights(folder: Path) -> tuple[Weights, Manifest]:
    """Return what the service runs on. Raises BadInput when it is missing, damaged, or made for other models than those in `folder`."""
    body, manifest = load_bytes(folder, SCREEN)
    path = folder / manifest.file
    for name in (ABUSE, ENCODER, BLEND):
        if has(folder, name) and manifest.made_for.get(name) != read_manifest(folder, name).sha256:
            message = f"{path}: was made for another {name}: put the released files back, or run moderator train"
            raise BadInput(message)
    try:
        with np.load(io.BytesIO(body), allow_pickle=False) as arrays:
            coef = np.zeros((len(arrays["coef"]), len(arrays["idf"])), np.float16)
            coef[:, arrays["used"]] = arrays["coef"]
            return Weights(coef, *(arrays[name] for name in _REST)), manifest
    except (BadZipFile, KeyError, ValueError, IndexError, EOFError, TypeError) as error:
        message = f"{path}: does not hold the weights this service runs on: {error}"
        raise BadInput(message) from error
