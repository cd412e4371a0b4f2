"""The guarded figures: what a new model may not do worse. Made by training, kept in `figures.json`, compared by `champion`."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

from moderator.domain.errors import BadInput
from moderator.domain.score import Guard, Label
from moderator.learn.corpus import Example
from moderator.learn.evaluate import FEWEST, Figure, mean_auc
from moderator.learn.stress import Strain

FILE = "figures.json"

PEOPLE, BY_ORIGIN = "people.json", "names: "
"""Where the tagger's own training leaves its figures, and how the sources of those by origin of the name begin."""


class Better(StrEnum):
    """Which way a figure improves."""

    HIGHER = "higher"
    LOWER = "lower"


@dataclass(frozen=True, slots=True)
class Guarded:
    """One guarded figure. A new model may be worse by at most `tolerance`, in the figure's own unit."""

    name: str
    value: float
    better: Better
    tolerance: float

    def worse_than(self, other: "Guarded") -> bool:
        """Return whether this figure is worse than the other by more than its tolerance."""
        lost = other.value - self.value if self.better is Better.HIGHER else self.value - other.value
        return lost > self.tolerance + ROUNDING


@dataclass(frozen=True, slots=True)
class Kept:
    """The guarded figures of a folder of models, and the fingerprint of the text they were measured on."""

    figures: tuple[Guarded, ...]
    measured_on: str


ROUNDING = 1e-9
MEAN_AUC, SOURCE_AUC, SHARE, SPREAD, GUARD = 0.003, 0.01, 0.02, 0.01, 0.05
"""How much worse is not worse, by kind of figure: chance in the judging sets alone moves a share of a few hundred comments that far.
A guard is judged on some twenty comments by its trained part alone, so one more missed is within it: the rules beside it find most."""


def guarded(figures: Mapping[str, Sequence[Figure]], held: Strain, by_origin: Mapping[str, float]) -> list[Guarded]:
    """Return the guarded figures.

    `figures` are those of `judge`, by tier, the tier that decides last; `by_origin` is the share of names found by their origin.
    """
    best = list(figures.values())[-1]
    kept = [Guarded(f"mean AUC, {tier}", mean_auc(found), Better.HIGHER, MEAN_AUC) for tier, found in figures.items()]
    kept += [
        Guarded(f"AUC on {figure.source}", figure.auc, Better.HIGHER, SOURCE_AUC)
        for figure in best
        if figure.label == Label.ABUSIVE.value and figure.auc is not None
    ]
    kept += [
        Guarded(f"{figure.label} found on {figure.source}", figure.recall, Better.HIGHER, GUARD)
        for figure in best
        if figure.label in set(Guard) and figure.recall is not None and figure.positives >= FEWEST
    ]
    if held.school.abusive:
        kept.append(Guarded("school comments, abuse found", held.school.found, Better.HIGHER, SHARE))
    if held.school.harmless:
        kept.append(Guarded("school comments, harmless flagged", held.school.flagged, Better.LOWER, SPREAD))
    kept.append(Guarded("identity, furthest from the mean", held.identity_spread, Better.LOWER, SPREAD))
    kept += [Guarded(f"abuse found, disguise {disguise.name}", disguise.found, Better.HIGHER, SHARE) for disguise in held.disguises]
    kept += [Guarded(f"names found, {origin}", value, Better.HIGHER, SHARE) for origin, value in sorted(by_origin.items())]
    return kept


def name_figures(folder: Path) -> list[Mapping[str, object]]:
    """Return the tagger's figures as its manifest in a folder of models gives them: rows with `source`, `names`, `recall` and more.

    Empty where there is no tagger, or one without figures.
    """
    try:
        row = json.loads((folder / PEOPLE).read_text(encoding="utf-8"))
        return [figure for figure in row.get("figures", ()) if {"source", "names", "recall"} <= figure.keys()]
    except (OSError, ValueError, AttributeError):
        return []


def names_by_origin(folder: Path) -> dict[str, float]:
    """Return the share of names found, 0 to 1, by their origin, as the tagger's manifest in a folder of models says."""
    rows = ((str(row["source"]), row["recall"]) for row in name_figures(folder))
    return {source.removeprefix(BY_ORIGIN): float(str(value)) for source, value in rows if source.startswith(BY_ORIGIN)}


def fingerprint(*sets: Sequence[Example]) -> str:
    """Return SHA-256 over texts and labels, in order: figures can be compared only where this is the same."""
    digest = hashlib.sha256()
    for example in (example for examples in sets for example in examples):
        labels = sorted((label.value, value) for label, value in example.labels.items())
        digest.update(json.dumps([example.text, example.parent, example.source, labels]).encode())
    return digest.hexdigest()


def write_kept(folder: Path, kept: Kept) -> None:
    """Write `figures.json` into a folder of models. May be repeated."""
    rows = [{**asdict(figure), "value": round(figure.value, 6)} for figure in kept.figures]
    body = json.dumps({"measured_on": kept.measured_on, "figures": rows}, indent=2) + "\n"
    (folder / FILE).write_text(body, encoding="utf-8")


def read_kept(folder: Path) -> Kept | None:
    """Return what `figures.json` says, or None where there is none. Raises BadInput when it cannot be read."""
    path = folder / FILE
    if not path.is_file():
        return None
    try:
        row = json.loads(path.read_text(encoding="utf-8"))
        figures = tuple(Guarded(str(f["name"]), float(f["value"]), Better(f["better"]), float(f["tolerance"])) for f in row["figures"])
        return Kept(figures, str(row["measured_on"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        message = f"{path}: the figures of the model in place cannot be read ({error}); put the released file back"
        raise BadInput(message) from error
