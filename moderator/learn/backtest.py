"""Backtest: what a policy would have done to past comments, and what another policy would have done otherwise.

Called by `moderator backtest`. Nothing is stored. The Policy page tries thresholds on what the service has scored already (`domain.trial`).
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from moderator.domain.decision import Decision, Outcome, Severity
from moderator.domain.policy import Policy, decide
from moderator.domain.score import Guard, Label, Score
from moderator.ports import Classifier

BATCH = 500

Id = str | int


@dataclass(frozen=True, slots=True)
class Past:
    """One past comment. What is not known is empty or None.

    `account` is `platform:handle`, `day` an ISO date. `abusive` and `outcome` say what a person found: is it abuse, what should be done.
    """

    id: Id
    text: str
    parent: str = ""
    account: str = ""
    school: str = ""
    day: str = ""
    abusive: bool | None = None
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True)
class Count:
    """How many comments of one kind have each outcome. `by` is `all`, `severity`, `ground`, `label`, `account`, `school` or `day`."""

    by: str
    name: str
    comments: int
    clear: int
    hide: int
    route: int
    withhold: int


@dataclass(frozen=True, slots=True)
class Group:
    """Comments that belong together, by id; `name` says what they have in common."""

    name: str
    ids: tuple[Id, ...]


@dataclass(frozen=True, slots=True)
class Truth:
    """How it compares with what people said.

    `abusive`, `harmless` and `decided` count the comments of which anybody said that they are abusive, are not, or what is to be done.
    `found` and `missed` are ids of abusive comments acted on and not, `falsely_hidden` of comments hidden that should not be, `otherwise`
    of comments with another outcome than the one given.
    """

    abusive: int
    harmless: int
    decided: int
    found: tuple[Id, ...]
    missed: tuple[Id, ...]
    falsely_hidden: tuple[Id, ...]
    otherwise: tuple[Id, ...]


@dataclass(frozen=True, slots=True)
class Backtest:
    """What a policy would have done.

    `outcomes` holds the ids by outcome. `changes` is what differs from the policy `against`, in both directions; empty without one. `truth`
    is None when no comment says what it should have been. `against` is that policy's version or "".
    """

    policy: str
    against: str
    model: str
    comments: int
    counts: tuple[Count, ...]
    outcomes: tuple[Group, ...]
    changes: tuple[Group, ...]
    truth: Truth | None

    def texts(self, group: Group, comments: Iterable[Past], *, most: int) -> list[tuple[Id, str]]:
        """Return the texts of a group's first comments, at most `most`: for whoever asks to see them."""
        wanted = set(group.ids[:most])
        return [(past.id, past.text) for past in comments if past.id in wanted][:most]


def backtest(comments: Sequence[Past], classifier: Classifier, policy: Policy, *, against: Policy | None = None) -> Backtest:
    """Return what the policy would have done to the comments and, with `against`, what it would have done otherwise than that one.

    Each comment is scored once, with the post it answers, and decided under its account's policy. Same comments, same answer.
    """
    scores = [score for begin in range(0, len(comments), BATCH) for score in _scored(comments[begin : begin + BATCH], classifier)]
    decisions = _decided(comments, scores, policy)
    before = _decided(comments, scores, against) if against is not None else []
    ids = {outcome: _ids(comments, decisions, outcome) for outcome in Outcome}
    return Backtest(
        policy.version,
        against.version if against is not None else "",
        classifier.version,
        len(comments),
        tuple(_counts(comments, decisions)),
        tuple(Group(outcome.value, found) for outcome, found in ids.items()),
        tuple(_changes(comments, decisions, before)) if against is not None else (),
        _truth(comments, decisions),
    )


def _scored(batch: Sequence[Past], classifier: Classifier) -> list[Score]:
    return classifier.score([past.text for past in batch], parents=[past.parent for past in batch])


def _decided(comments: Sequence[Past], scores: Sequence[Score], policy: Policy) -> list[Decision]:
    return [decide(score, policy, account=past.account, text=past.text) for past, score in zip(comments, scores, strict=True)]


def _ids(comments: Sequence[Past], decisions: Sequence[Decision], outcome: Outcome) -> tuple[Id, ...]:
    return tuple(past.id for past, decision in zip(comments, decisions, strict=True) if decision.outcome is outcome)


def grounds(decision: Decision) -> set[str]:
    """Return the grounds of a decision: `abuse`, `name`, `pii` or `guard`; empty for a clear one."""
    labels = {reason.label for reason in decision.reasons}
    found = labels & {"name", "pii"}
    if labels & set(Label):
        found.add("abuse")
    if labels & set(Guard):
        found.add("guard")
    return found


def _counts(comments: Sequence[Past], decisions: Sequence[Decision]) -> list[Count]:
    kinds: Counter[tuple[str, str, Outcome]] = Counter()
    for past, decision in zip(comments, decisions, strict=True):
        kinds.update((by, name, decision.outcome) for by, name in _kinds(past, decision))
    order = {by: place for place, by in enumerate(("all", "severity", "ground", "label", "account", "school", "day"))}
    names = sorted({(by, name) for by, name, _ in kinds}, key=lambda pair: (order[pair[0]], pair[1]))
    return [_count(by, name, kinds) for by, name in names]


def _kinds(past: Past, decision: Decision) -> set[tuple[str, str]]:
    found = {("all", "comments")}
    if decision.severity is not Severity.NONE:
        found.add(("severity", decision.severity.value))
    found |= {("ground", ground) for ground in grounds(decision)}
    found |= {("label", reason.label) for reason in decision.reasons}
    return found | {(by, name) for by, name in (("account", past.account), ("school", past.school), ("day", past.day)) if name}


def _count(by: str, name: str, kinds: Mapping[tuple[str, str, Outcome], int]) -> Count:
    each = {outcome.value: kinds.get((by, name, outcome), 0) for outcome in Outcome}
    return Count(by, name, sum(each.values()), **each)


_NEWLY = {
    Outcome.HIDE: "newly hidden",
    Outcome.CLEAR: "newly cleared",
    Outcome.ROUTE: "newly routed to a person",
    Outcome.WITHHOLD: "newly withheld",
}


def _changes(comments: Sequence[Past], decisions: Sequence[Decision], before: Sequence[Decision]) -> list[Group]:
    moved: dict[Outcome, list[Id]] = {outcome: [] for outcome in _NEWLY}
    for past, now, was in zip(comments, decisions, before, strict=True):
        if now.outcome is not was.outcome:
            moved[now.outcome].append(past.id)
    return [Group(_NEWLY[outcome], tuple(ids)) for outcome, ids in moved.items()]


def _truth(comments: Sequence[Past], decisions: Sequence[Decision]) -> Truth | None:
    pairs = list(zip(comments, decisions, strict=True))
    abusive = [(past, decision) for past, decision in pairs if past.abusive]
    harmless = [(past, decision) for past, decision in pairs if past.abusive is False]
    told = [(past, decision) for past, decision in pairs if past.outcome is not None]
    if not (abusive or harmless or told):
        return None
    return Truth(
        len(abusive),
        len(harmless),
        len(told),
        tuple(past.id for past, decision in abusive if decision.outcome is not Outcome.CLEAR),
        tuple(past.id for past, decision in abusive if decision.outcome is Outcome.CLEAR),
        tuple(past.id for past, decision in pairs if decision.outcome is Outcome.HIDE and _should_show(past)),
        tuple(past.id for past, decision in told if decision.outcome is not past.outcome),
    )


def _should_show(past: Past) -> bool:
    """Return whether somebody said that this comment is not to be hidden: by its outcome, or else by its being harmless."""
    return past.outcome is not Outcome.HIDE if past.outcome is not None else past.abusive is False
