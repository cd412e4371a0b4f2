"""Champion and challenger: a new model takes the old one's place only if no guarded figure is worse. Called by `moderator train`."""

import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from moderator.domain.errors import BadInput, Transient
from moderator.learn.card import CARD, forced
from moderator.learn.guarded import Guarded, Kept, read_kept
from moderator.learn.load import ABUSE, has

NOT_CARRIED = frozenset({CARD})
"""Files of the old model's folder that a challenger does not begin with."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One guarded figure, old and new. `old` is None for a figure the old model was not measured by, `new` for one that is gone."""

    name: str
    old: float | None
    new: float | None
    tolerance: float
    worse: bool

    def row(self) -> dict[str, str | float | None]:
        """Return it as a plain row for printing."""
        old, new = (None if value is None else round(value, 4) for value in (self.old, self.new))
        return {"figure": self.name, "old": old, "new": new, "may lose": self.tolerance, "verdict": "worse" if self.worse else "holds"}


@dataclass(frozen=True, slots=True)
class Contest:
    """How it ended: `won` when the new model is in place; `why` says in plain English why, or why not."""

    won: bool
    why: str
    comparisons: tuple[Comparison, ...]


def compare(old: Sequence[Guarded], new: Sequence[Guarded]) -> list[Comparison]:
    """Return every guarded figure, old beside new. A figure that the new model lacks counts as worse: it would be guarded no more."""
    later = {figure.name: figure for figure in new}
    earlier = {figure.name for figure in old}
    rows = []
    for was in old:
        now = later.get(was.name)
        worse = now is None or now.worse_than(was)
        rows.append(Comparison(was.name, was.value, None if now is None else now.value, was.tolerance, worse))
    added = [Comparison(now.name, None, now.value, now.tolerance, worse=False) for now in new if now.name not in earlier]
    return rows + added


def challenge(out: Path, *, make: Callable[[Path], None], measure: Callable[[Path], Sequence[Guarded]], reason: str = "") -> Contest:
    """Make a new model beside the folder `out`, and put it in place if it may.

    1. `make` trains into a temporary folder beside `out`, which begins with copies of the models already there.
    2. The guarded figures of both are compared. Where the old ones were measured on other text, `measure` measures the old model anew.
    3. If none is worse, or a `reason` for going on is given, all files are swapped in together; else nothing in `out` changes.

    A `reason` is written to the card with what is worse. Raises what `make` raises, and Transient, with the old files back in place, when
    the new ones cannot be written.
    """
    stage = _beside(out)
    try:
        for path in sorted(out.iterdir()):
            if path.is_file() and path.name not in NOT_CARRIED:
                shutil.copyfile(path, stage / path.name)
        make(stage)
        contest = _judged(out, stage, measure, reason)
        if contest.won:
            swap(stage, out)
        return contest
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _beside(out: Path) -> Path:
    try:
        out.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix=f".{out.name}-challenger-", dir=out.resolve().parent))
    except OSError as error:
        message = f"{out}: no folder can be made beside it to train in ({error.strerror}); give --out a place that can be written"
        raise BadInput(message) from error


def _judged(out: Path, stage: Path, measure: Callable[[Path], Sequence[Guarded]], reason: str) -> Contest:
    new = read_kept(stage)
    if new is None:
        message = f"{stage.name}: training left no figures to compare"
        raise BadInput(message)
    if not has(out, ABUSE):
        return Contest(won=True, why="There was no model before.", comparisons=tuple(compare([], new.figures)))
    try:
        old = _of_champion(out, new, measure)
    except (BadInput, ValueError) as error:
        if reason:
            _write_reason(stage, [], reason)
        why = f"The model in place cannot be measured to compare with ({error})."
        return Contest(bool(reason), _told(why, reason), tuple(compare([], new.figures)))
    comparisons = tuple(compare(old, new.figures))
    worse = [comparison for comparison in comparisons if comparison.worse]
    if not worse:
        return Contest(won=True, why="No guarded figure is worse.", comparisons=comparisons)
    if reason:
        _write_reason(stage, worse, reason)
    count = "1 guarded figure is" if len(worse) == 1 else f"{len(worse)} guarded figures are"
    return Contest(bool(reason), _told(f"{count} worse: {', '.join(each.name for each in worse)}.", reason), comparisons)


def _told(why: str, reason: str) -> str:
    return f"{why} Put in place all the same: {reason}" if reason else f"{why} The model in place stays."


def _of_champion(out: Path, new: Kept, measure: Callable[[Path], Sequence[Guarded]]) -> Sequence[Guarded]:
    kept = read_kept(out)
    return kept.figures if kept is not None and kept.measured_on == new.measured_on else measure(out)


def _write_reason(stage: Path, worse: Sequence[Comparison], reason: str) -> None:
    card = stage / CARD
    text = card.read_text(encoding="utf-8") if card.is_file() else ""
    card.write_text(text + forced([comparison.row() for comparison in worse], reason), encoding="utf-8")


def swap(stage: Path, out: Path) -> None:
    """Put every file of `stage` in place of the one of that name in `out`; on any error the old ones are put back first.

    Each file is swapped whole. Were the machine to die between two of them, the manifests' hashes would not fit, the models would refuse to
    load, and training again would mend it: a mixture is never used. Raises Transient.
    """
    before = stage / "before"
    before.mkdir()
    names = sorted(path.name for path in stage.iterdir() if path.is_file())
    for name in names:
        if (out / name).exists():
            shutil.copyfile(out / name, before / name)
    done: list[str] = []
    try:
        for name in names:
            _durable(stage / name)
            done.append(name)
            os.replace(stage / name, out / name)  # noqa: PTH105 - Path.replace is the same call; this reads as what it is
    except OSError as error:
        for name in done:
            _put_back(before / name, out / name)
        message = f"{out}: the new models could not be written ({error.strerror}); the old ones are in place."
        raise Transient(message) from error


def _durable(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _put_back(old: Path, place: Path) -> None:
    if old.exists():
        os.replace(old, place)  # noqa: PTH105 - as above
    else:
        place.unlink(missing_ok=True)
