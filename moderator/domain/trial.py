"""Trying a policy on comments of the last weeks: what would have been decided otherwise. Called by the Policy page. Pure."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from moderator.domain.decision import Decision, Outcome, Severity
from moderator.domain.policy import Policy, decide
from moderator.domain.review import Verdict
from moderator.domain.score import Label, Score

MOST_CHANGES = 100
"""Changed comments told by number at most, of each sort of change (our choice)."""


@dataclass(frozen=True, slots=True)
class Tried:
    """One comment as the service remembers it. `whole` is False when its words were forgotten and only the labels' chances are left.

    `account` is `platform:handle`; `verdict` what a person decided last, or None.
    """

    item_id: int
    score: Score
    account: str
    text: str = ""
    whole: bool = True
    verdict: Verdict | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """Comments that one policy decides on one way and the other another way: how many, and the first of those that are still kept."""

    was: Outcome
    becomes: Outcome
    comments: int
    kept: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Effect:
    """How many comments count under each policy: those with an outcome, a severity or a label as their ground."""

    name: str
    now: int
    then: int


@dataclass(frozen=True, slots=True)
class Trial:
    """What would have been otherwise.

    `shown_again` counts comments that a person let show again: of how many, hidden under each policy. `upheld` those that a person upheld:
    of how many, flagged under each.
    """

    comments: int
    labels_only: int
    outcomes: tuple[Effect, ...]
    labels: tuple[Effect, ...]
    changes: tuple[Change, ...]
    shown_again: Effect
    of_shown_again: int
    upheld: Effect
    of_upheld: int

    @property
    def changed(self) -> int:
        """How many comments have another outcome."""
        return sum(each.comments for each in self.changes)


@dataclass(slots=True)
class _Count:
    comments: int = 0
    labels_only: int = 0
    seen: Counter[tuple[str, str, bool]] = field(default_factory=Counter)
    moved: Counter[tuple[Outcome, Outcome]] = field(default_factory=Counter)
    kept: dict[tuple[Outcome, Outcome], list[int]] = field(default_factory=dict)
    reviewed: Counter[Verdict] = field(default_factory=Counter)

    def add(self, tried: Tried, now: Decision, then: Decision) -> None:
        self.comments += 1
        self.labels_only += not tried.whole
        for decision, after in ((now, False), (then, True)):
            self.seen.update((by, name, after) for by, name in _kinds(tried, decision))
        if tried.verdict is not None:
            self.reviewed[tried.verdict] += 1
        if now.outcome is not then.outcome:
            pair = now.outcome, then.outcome
            self.moved[pair] += 1
            if tried.whole and len(self.kept.setdefault(pair, [])) < MOST_CHANGES:
                self.kept[pair].append(tried.item_id)

    def effect(self, by: str, name: str) -> Effect:
        return Effect(name, self.seen[by, name, False], self.seen[by, name, True])


def trial(tried: Iterable[Tried], now: Policy, then: Policy) -> Trial:
    """Return what `then` would have decided otherwise than `now`, on the same comments. Same comments, same answer; may be repeated.

    A comment whose words are forgotten is decided on by its labels' chances alone: no names, no personal details, no guards.
    """
    count = _Count()
    for each in tried:
        score = each.score if each.whole else _labels_alone(each.score)
        decisions = [decide(score, policy, account=each.account, text=each.text) for policy in (now, then)]
        count.add(each, decisions[0], decisions[1])
    pairs = sorted(count.moved, key=lambda pair: (tuple(Outcome).index(pair[1]), tuple(Outcome).index(pair[0])))
    return Trial(
        count.comments,
        count.labels_only,
        (*(count.effect("outcome", outcome.value) for outcome in Outcome), count.effect("severity", Severity.SEVERE.value)),
        tuple(count.effect("label", label.value) for label in Label if label.value in {**now.flag, **then.flag}),
        tuple(Change(*pair, count.moved[pair], tuple(count.kept.get(pair, ()))) for pair in pairs),
        count.effect("verdict", Verdict.RESTORE.value),
        count.reviewed[Verdict.RESTORE],
        count.effect("verdict", Verdict.UPHOLD.value),
        count.reviewed[Verdict.UPHOLD],
    )


def _labels_alone(score: Score) -> Score:
    return replace(score, people=(), pii=(), guards=(), reasons=(), normalised="")


def _kinds(tried: Tried, decision: Decision) -> set[tuple[str, str]]:
    found = {("outcome", decision.outcome.value), ("severity", decision.severity.value)}
    found |= {("label", reason.label) for reason in decision.reasons}
    if tried.verdict is Verdict.RESTORE and decision.outcome is Outcome.HIDE:
        found.add(("verdict", Verdict.RESTORE.value))
    if tried.verdict is Verdict.UPHOLD and decision.outcome is not Outcome.CLEAR:
        found.add(("verdict", Verdict.UPHOLD.value))
    return found
