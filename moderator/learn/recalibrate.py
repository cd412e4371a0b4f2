"""Thresholds fitted to what a school's people decided, inside limits that keep the guarded figures. Called by `moderator train --local`.

Only the thresholds from which a comment is flagged move. Guards, severities, names and everything else of the policy stay as they are:
people's verdicts on hidden comments say nothing about disclosures, which are never hidden and never learnt from.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from moderator.domain.policy import Policy
from moderator.domain.score import Label
from moderator.learn.corpus import Example, known, share
from moderator.learn.evaluate import flagged
from moderator.learn.screen import LABELS, Floats
from moderator.learn.train import HELD_CALIBRATION

LEAST = 10
"""A label's threshold moves only with at least so many reviewed comments that have the label, and so many that do not."""

FOUND_FLOOR, HARMLESS_CEILING = 0.95, 0.05
"""On the bundled school comments: at least this share of abusive ones is flagged, and at most that share of harmless ones. Where the
bundled policy is itself on the wrong side of one of them, its own figure is the limit."""

PRIOR = 50
"""So many reviewed comments weigh as much as the bundled ones; fewer weigh less, in proportion."""

MOST_MOVED = 0.2
"""A threshold moves at most so far in one version, so that people can see what it does before it moves on."""

ROUNDING = 1e-9
STEPS = tuple(round(step / 100, 2) for step in range(5, 96))


@dataclass(frozen=True, slots=True)
class Shift:
    """What becomes of one label's threshold, and why in plain English.

    `upheld` and `restored` count the reviewed comments that were upheld for it, and those that were restored.
    """

    label: str
    old: float
    new: float
    upheld: int
    restored: int
    why: str


@dataclass(frozen=True, slots=True)
class Effect:
    """How many comments of one set reach a threshold, before and after."""

    name: str
    comments: int
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Recalibration:
    """The new thresholds by label, what moved and why, and what they would have done. `moved` is False when they are the old ones."""

    flag: Mapping[str, float]
    shifts: tuple[Shift, ...]
    effects: tuple[Effect, ...]

    @property
    def moved(self) -> bool:
        """Whether any threshold moved."""
        return any(shift.old != shift.new for shift in self.shifts)


@dataclass(frozen=True, slots=True)
class Judged:
    """Examples with the chances a model gives them: float32 of shape (examples, outputs)."""

    examples: Sequence[Example]
    chances: Floats

    def sides(self, label: Label) -> "Sides":
        """Return the chances of a label where somebody said that it is there, and where somebody said that it is not."""
        column = LABELS.index(label)
        truth, chances = known(self.examples)[:, column], self.chances[:, column]
        return Sides(np.asarray(chances[truth == 1], np.float32), np.asarray(chances[truth == 0], np.float32))

    def of(self, *, abusive: bool) -> Floats:
        """Return the chances of examples with any label, or of those known to be harmless."""
        truth = known(self.examples)[:, : len(LABELS)]
        any_label = (truth == 1).any(axis=1)
        return np.asarray(self.chances[any_label if abusive else ~any_label & (truth[:, 0] == 0)], np.float32)


@dataclass(frozen=True, slots=True)
class Sides:
    """The chances of one label: of comments that have it, and of comments that do not."""

    has: Floats
    lacks: Floats

    def wrong(self, threshold: float) -> float:
        """Return the shares on the wrong side of a threshold, added up: from 0 to 2."""
        missed = float((self.has < threshold).mean()) if self.has.size else 0.0
        return missed + (float((self.lacks >= threshold).mean()) if self.lacks.size else 0.0)


class Limits:
    """What every candidate must keep on the bundled school comments."""

    def __init__(self, held: Judged, guarded_by: Policy, now: Policy) -> None:
        """Take the limits from the policy they are guarded by, the bundled one, and from the policy in force where that is further out."""
        self._abusive, self._harmless = held.of(abusive=True), held.of(abusive=False)
        found, harmless = self._figures(guarded_by)
        found_now, harmless_now = self._figures(now)
        self._least_found = min(FOUND_FLOOR, found, found_now)
        self._most_harmless = max(HARMLESS_CEILING, harmless, harmless_now)

    def keep(self, candidate: Policy) -> bool:
        """Return whether a candidate is within the limits."""
        found, harmless = self._figures(candidate)
        return found >= self._least_found and harmless <= self._most_harmless

    def _figures(self, policy: Policy) -> tuple[float, float]:
        """Return the shares flagged of abusive and of harmless comments; 1 and 0 where there are none."""
        abusive, harmless = flagged(self._abusive, policy), flagged(self._harmless, policy)
        return float(abusive.mean()) if abusive.size else 1.0, float(harmless.mean()) if harmless.size else 0.0


def held_back(examples: Sequence[Example]) -> list[Example]:
    """Return those school comments that training holds back from every fit, as `train.gather` chooses them."""
    return [example for example in examples if share("calibrate" + (example.group or example.text)) < HELD_CALIBRATION]


def recalibrate(reviewed: Judged, held: Judged, policy: Policy, *, guarded_by: Policy | None = None) -> Recalibration:
    """Return the thresholds that fit both best, label by label.

    `reviewed` are people's decisions, `held` the bundled school comments no fit has seen. For each label the loss is the share of reviewed
    comments on the wrong side of the threshold, plus the same on the bundled ones, each kind by itself so that neither drowns the other.
    The least loss within the limits that `guarded_by` (the bundled policy) sets wins; of equals, the one nearest the present threshold.
    Same input, same thresholds.
    """
    limits = Limits(held, guarded_by or Policy.bundled(), policy)
    now = policy
    shifts = []
    for label in LABELS:
        if label.value in policy.flag:
            shift = _shift(label, reviewed.sides(label), held.sides(label), limits, now)
            shifts.append(shift)
            now = _with(now, label, shift.new)
    return Recalibration(now.flag, tuple(shifts), tuple(_effects(reviewed, held, policy, now)))


def _shift(label: Label, local: Sides, bundled: Sides, limits: Limits, now: Policy) -> Shift:
    old = now.flag[label.value]
    upheld, restored = local.has.size, local.lacks.size
    if min(upheld, restored) < LEAST:
        return Shift(label.value, old, old, upheld, restored, f"Stays: needs {LEAST} upheld for it and {LEAST} restored.")
    weight = (upheld + restored) / (upheld + restored + PRIOR)
    near = sorted((step for step in STEPS if abs(step - old) <= MOST_MOVED + ROUNDING), key=lambda step: (abs(step - old), step))
    best, least, stopped = old, weight * local.wrong(old) + bundled.wrong(old), False
    for step in near:
        loss = weight * local.wrong(step) + bundled.wrong(step)
        if loss < least - ROUNDING and limits.keep(_with(now, label, step)):
            best, least, stopped = step, loss, False
        elif loss < least - ROUNDING:
            stopped = True
    return Shift(label.value, old, best, upheld, restored, _why(old, best, stopped=stopped))


def _why(old: float, new: float, *, stopped: bool) -> str:
    guard = " Further would break a guarded figure." if stopped else ""
    if new == old:
        return f"Stays: nothing fits better.{guard}"
    return f"{'Higher: fewer' if new > old else 'Lower: more'} comments are flagged for it.{guard}"


def _with(policy: Policy, label: Label, threshold: float) -> Policy:
    return replace(policy, flag={**policy.flag, label.value: threshold})


def _effects(reviewed: Judged, held: Judged, old: Policy, new: Policy) -> list[Effect]:
    sets = (
        ("reviewed here, upheld", reviewed, True),
        ("reviewed here, restored", reviewed, False),
        ("bundled school comments, abusive", held, True),
        ("bundled school comments, harmless", held, False),
    )
    return [_effect(name, judged.of(abusive=abusive), old, new) for name, judged, abusive in sets]


def _effect(name: str, chances: Floats, old: Policy, new: Policy) -> Effect:
    return Effect(name, len(chances), int(flagged(chances, old).sum()), int(flagged(chances, new).sum()))
