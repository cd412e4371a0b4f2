"""Judging outcomes: what the assessor and the policy do with labelled comments. Called by `moderator evaluate` and tests."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from moderator.domain.decision import Outcome
from moderator.domain.policy import Policy, decide
from moderator.domain.score import Guard, Label, Score
from moderator.learn.corpus import Example
from moderator.learn.screen import LABELS


@dataclass(frozen=True, slots=True)
class OutcomeFigure:
    """What is done with one kind of comment: how many there are, and the share (0 to 1) with each outcome."""

    kind: str
    comments: int
    clear: float
    hide: float
    route: float
    withhold: float

    def row(self) -> dict[str, str | int | float | None]:
        """Return the figure as a plain row, rounded to four places."""
        plain = {name: getattr(self, name) for name in self.__slots__}
        return {name: round(value, 4) if isinstance(value, float) else value for name, value in plain.items()}


def abusive(example: Example) -> bool:
    """Return whether an example has any label of abuse."""
    return any(example.labels.get(label) for label in LABELS)


def harmless(example: Example) -> bool:
    """Return whether an example is known to be no abuse, to guard nothing, and to name nobody."""
    guarded = any(example.labels.get(guard) for guard in Guard)
    return example.labels.get(Label.ABUSIVE) == 0 and not abusive(example) and not guarded and not example.people


def naming(example: Example) -> bool:
    """Return whether somebody marked people in an example."""
    return bool(example.people)


def guarded_by(guard: Guard) -> Callable[[Example], bool]:
    """Return whether an example is known to be what a guard is for."""
    return lambda example: example.labels.get(guard) == 1


KINDS: dict[str, Callable[[Example], bool]] = {
    "abusive": abusive,
    "harmless": harmless,
    "naming people": naming,
    **{guard.value: guarded_by(guard) for guard in Guard},
}
"""Kinds of comments, in the order they are told; a comment may be of several."""


def outcomes(examples: Sequence[Example], scores: Sequence[Score], policy: Policy) -> list[OutcomeFigure]:
    """Return what is done with each kind that the examples have, one score an example."""
    decided = [decide(score, policy, text=example.text).outcome for example, score in zip(examples, scores, strict=True)]
    found = []
    for name, is_one in KINDS.items():
        of_kind = [outcome for example, outcome in zip(examples, decided, strict=True) if is_one(example)]
        if of_kind:
            found.append(OutcomeFigure(name, len(of_kind), **{outcome.value: of_kind.count(outcome) / len(of_kind) for outcome in Outcome}))
    return found
