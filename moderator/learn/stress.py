"""What must hold under strain: disguised words, swapped groups, and school comments by another hand.

Called by training for the model card and the guarded figures, and by the tests. Every call takes `flags`, which says of texts whether they
are flagged, so that the linear tier, both tiers or the whole assessor can be put under the same strain.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
from numpy.typing import NDArray

from moderator.domain.decision import Outcome
from moderator.domain.policy import Policy, decide
from moderator.domain.score import Label
from moderator.learn.corpus import Example, share
from moderator.learn.evaluate import flagged
from moderator.learn.identity import GroupRate, rates, spread, swapped
from moderator.learn.obfuscate import OBFUSCATIONS
from moderator.learn.screen import LABELS
from moderator.learn.tiers import Tiers
from moderator.ports import Classifier
from moderator.text.normalise import normalise

Flags = Callable[[Sequence[str]], NDArray[np.bool_]]
Obfuscation = Callable[[str, Random], str]

MOST = 750
"""Abusive and harmless comments put in disguise, each kind: more would tell the same at more cost."""


@dataclass(frozen=True, slots=True)
class Disguise:
    """One disguise: shares (0 to 1) of abusive comments found and of harmless ones flagged, as given and in disguise."""

    name: str
    abusive: int
    found_plain: float
    found: float
    harmless: int
    flagged_plain: float
    flagged: float

    @property
    def drop(self) -> float:
        """By how much less abuse is found in disguise: 0.05 is five points."""
        return self.found_plain - self.found

    @property
    def rise(self) -> float:
        """By how much more often harmless comments are flagged in disguise."""
        return self.flagged - self.flagged_plain


@dataclass(frozen=True, slots=True)
class SchoolFigures:
    """On school comments: of `abusive` ones the share found, of `harmless` ones the share flagged (0 to 1; 0 where there are none)."""

    abusive: int
    found: float
    harmless: int
    flagged: float


@dataclass(frozen=True, slots=True)
class Strain:
    """All of it, for one model and policy."""

    disguises: tuple[Disguise, ...]
    groups: tuple[GroupRate, ...]
    school: SchoolFigures

    @property
    def worst_drop(self) -> float:
        """The largest loss of recall under any disguise."""
        return max((disguise.drop for disguise in self.disguises), default=0.0)

    @property
    def worst_rise(self) -> float:
        """The largest rise of false flags under any disguise."""
        return max((disguise.rise for disguise in self.disguises), default=0.0)

    @property
    def identity_spread(self) -> float:
        """How far the group furthest from the mean false-flag rate is from it (R34)."""
        return spread(self.groups)


def flags(tiers: Tiers, policy: Policy) -> Flags:
    """Return which texts reach a threshold of the policy for abuse."""

    def flag(texts: Sequence[str]) -> NDArray[np.bool_]:
        return flagged(tiers.read([normalise(text) for text in texts]).probabilities, policy)

    return flag


def hides(classifier: Classifier, policy: Policy) -> Flags:
    """Return which texts the whole assessor and the policy would hide."""

    def hide(texts: Sequence[str]) -> NDArray[np.bool_]:
        scored = zip(texts, classifier.score(texts), strict=True)
        return np.array([decide(score, policy, text=text).outcome is Outcome.HIDE for text, score in scored], np.bool_)

    return hide


def strain(flag: Flags, development: Sequence[Example], school: Sequence[Example]) -> Strain:
    """Return everything that must hold: disguises on `development`, groups on our own sentences, and the figures of `school`."""
    return Strain(tuple(disguises(flag, development)), tuple(groups(flag)), school_figures(flag, school))


def groups(flag: Flags) -> list[GroupRate]:
    """Return how often harmless sentences are flagged, by the group they name."""
    return rates(flag(swapped()))


def disguises(
    flag: Flags, examples: Sequence[Example], *, most: int = MOST, ways: Mapping[str, Obfuscation] = OBFUSCATIONS
) -> list[Disguise]:
    """Return what each disguise does to comments known to be abusive and known to be harmless; at most `most` of each kind.

    The choice of comments and the disguise of each depend on its text alone, so that two models are judged on the same texts.
    """
    abusive = _chosen(examples, 1, most)
    harmless = _chosen(examples, 0, most)
    if not abusive or not harmless:
        return []
    plain = _share(flag(abusive)), _share(flag(harmless))
    return [
        Disguise(
            name,
            len(abusive),
            plain[0],
            _share(flag([_disguised(way, name, text) for text in abusive])),
            len(harmless),
            plain[1],
            _share(flag([_disguised(way, name, text) for text in harmless])),
        )
        for name, way in ways.items()
    ]


def school_figures(flag: Flags, examples: Sequence[Example]) -> SchoolFigures:
    """Return what is found and what is falsely flagged; a comment with any abuse label counts as abusive, whichever label finds it."""
    abusive = [example.text for example in examples if any(example.labels.get(label) for label in LABELS)]
    harmless = [
        example.text
        for example in examples
        if example.labels.get(Label.ABUSIVE) == 0 and not any(example.labels.get(label) for label in LABELS)
    ]
    return SchoolFigures(len(abusive), _share(flag(abusive)), len(harmless), _share(flag(harmless)))


def _chosen(examples: Sequence[Example], value: int, most: int) -> list[str]:
    texts = dict.fromkeys(example.text for example in examples if example.labels.get(Label.ABUSIVE) == value)
    return sorted(texts, key=lambda text: share("disguise" + text))[:most]


def _disguised(way: Obfuscation, name: str, text: str) -> str:
    return way(text, Random(f"{name} {text}"))  # noqa: S311 - repeatable disguises for judging, not a secret


def _share(verdicts: NDArray[np.bool_]) -> float:
    return float(verdicts.mean()) if verdicts.size else 0.0
