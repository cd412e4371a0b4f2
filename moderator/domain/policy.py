"""The policy: versioned thresholds, and the pure function from a score to a decision (R6, R15 to R17, R19, R32)."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

from moderator.domain.decision import Decision, Outcome, Severity
from moderator.domain.errors import BadInput
from moderator.domain.score import Guard, Label, PersonKind, PersonSpan, Reason, Score

NEVER = 2.0
"""A threshold no probability reaches, for a label the policy does not use."""

PROTECTED = frozenset({PersonKind.PUPIL, PersonKind.STAFF, PersonKind.PARENT, PersonKind.GOVERNOR, PersonKind.OTHER})
"""Kinds of people a school protects (R20); `public` and `unknown` are not on anyone's roll."""


@dataclass(frozen=True, slots=True)
class Policy:
    """One version of the trust's rules for the machine.

    `flag` and `severe` give, by label, the probability (0 to 1) from which a comment is flagged or severe. `sections` gives the section
    of the trust's policy cited for each ground: `abuse`, `name`, `guard`, `indecent_image`.
    """

    version: str
    author: str
    dated: str
    why: str
    flag: Mapping[str, float]
    severe: Mapping[str, float]
    hide_names: bool
    sections: Mapping[str, str]
    clear: Decision
    """The decision on a comment in which nothing was found: one object, since nearly every comment gets it."""

    @classmethod
    def from_toml(cls, text: str, *, where: str = "policy") -> "Policy":
        """Read a policy. Raises BadInput that says which key of `where` is wrong and how to mend it."""
        try:
            table = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            message = f"{where}: not valid TOML: {error}"
            raise BadInput(message) from error
        head = _table(table, "policy", where)
        sections = {key: str(value) for key, value in _table(table, "sections", where).items()}
        missing = sorted({"abuse", "name", "guard", "indecent_image"} - sections.keys())
        if missing:
            message = f"{where}: [sections] lacks {', '.join(missing)}: give the policy section that each ground cites"
            raise BadInput(message)
        texts = {key: str(head.get(key, "")) for key in ("version", "author", "dated", "why")}
        empty = sorted(key for key, value in texts.items() if not value)
        if empty:
            message = f"{where}: [policy] lacks {', '.join(empty)}: a policy version needs its author, date and why"
            raise BadInput(message)
        flag, severe = _thresholds(table, "flag", where), _thresholds(table, "severe", where)
        in_force = {f"flag.{key}": value for key, value in flag.items()} | {f"severe.{key}": value for key, value in severe.items()}
        return cls(
            **texts,
            flag=flag,
            severe=severe,
            hide_names=bool(head.get("hide_names", True)),
            sections=sections,
            clear=Decision(Outcome.CLEAR, Severity.NONE, (), texts["version"], sections["abuse"], in_force),
        )

    @classmethod
    def bundled(cls) -> "Policy":
        """Return the policy that ships with the product."""
        text = resources.files("moderator.domain").joinpath("policy.toml").read_text(encoding="utf-8")
        return cls.from_toml(text, where="policy.toml")


def _table(table: Mapping[str, object], name: str, where: str) -> Mapping[str, object]:
    value = table.get(name)
    if not isinstance(value, dict):
        message = f"{where}: the table [{name}] is missing"
        raise BadInput(message)
    return value


def _thresholds(table: Mapping[str, object], name: str, where: str) -> Mapping[str, float]:
    found: dict[str, float] = {}
    for key, value in _table(table, name, where).items():
        if key not in {label.value for label in Label}:
            message = f"{where}: [{name}] {key} is not a label; use one of {', '.join(label.value for label in Label)}"
            raise BadInput(message)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= 1:
            message = f"{where}: [{name}] {key} = {value!r}: a threshold is a number above 0 and at most 1"
            raise BadInput(message)
        found[key] = float(value)
    if not found:
        message = f"{where}: [{name}] is empty: give at least one threshold"
        raise BadInput(message)
    return found


ROUTING_GUARDS = (Guard.CRISIS, Guard.DISCLOSURE, Guard.ACCUSED_TEACHER, Guard.WHISTLEBLOWING, Guard.COMPLAINT)
SEVERE_GUARDS = frozenset({Guard.CRISIS, Guard.DISCLOSURE, Guard.ACCUSED_TEACHER})


def decide(score: Score, policy: Policy) -> Decision:
    """Return what the policy makes of a score.

    1. A suspected indecent image is withheld: people and police only (R17).
    2. Abuse at or over a threshold, or a protected person named, is a ground (R6); public figures and lone first names are not.
    3. A disclosure, crisis, or accused teacher is routed to a person whether or not there is a ground (R15, R19).
    4. Whistleblowing or a complaint that is also a ground is routed; alone it is clear (R16).
    5. Any other ground is a hide; a threat, or anything over the severe threshold, is severe.
    6. Nothing found is clear.
    """
    if not score.guards and not score.people and not _over(score, policy):
        return policy.clear
    guards = {hit.guard: hit for hit in score.guards}
    considered: list[str] = []
    if Guard.INDECENT_IMAGE in guards:
        return _decision(Outcome.WITHHOLD, Severity.SEVERE, (_guard_reason(score, Guard.INDECENT_IMAGE),), policy, "indecent_image")

    abuse = _abuse_reasons(score, policy)
    named = tuple(person for person in score.people if person.kind in PROTECTED and person.strong)
    considered.extend(_passed_over(score))
    names = tuple(_name_reason(person) for person in named) if policy.hide_names else ()
    if named and not policy.hide_names:
        considered.append("Names people the school protects; this policy does not flag names alone.")
    grounds = abuse + names

    routing = [guard for guard in ROUTING_GUARDS if guard in guards and (guard in SEVERE_GUARDS or grounds)]
    if routing:
        severity = Severity.SEVERE if SEVERE_GUARDS & set(routing) or _severe(score, policy) else Severity.ORDINARY
        reasons = tuple(_guard_reason(score, guard) for guard in routing) + grounds
        return _decision(Outcome.ROUTE, severity, reasons, policy, "guard", considered)
    considered.extend(f"{hit.why} It is not hidden for that." for guard, hit in guards.items() if guard not in SEVERE_GUARDS)
    if not grounds:
        return _decision(Outcome.CLEAR, Severity.NONE, (), policy, "abuse", considered)
    severity = Severity.SEVERE if _severe(score, policy) else Severity.ORDINARY
    return _decision(Outcome.HIDE, severity, grounds, policy, "abuse" if abuse else "name", considered)


def _decision(  # noqa: PLR0913, PLR0917 - one place that fills a Decision
    outcome: Outcome, severity: Severity, reasons: tuple[Reason, ...], policy: Policy, ground: str, considered: list[str] | None = None
) -> Decision:
    return Decision(outcome, severity, reasons, policy.version, policy.sections[ground], policy.clear.thresholds, tuple(considered or ()))


def _over(score: Score, policy: Policy) -> set[Label]:
    return {label for label, chance in score.labels.items() if chance >= policy.flag.get(label, NEVER)}


def _abuse_reasons(score: Score, policy: Policy) -> tuple[Reason, ...]:
    over = _over(score, policy)
    spans = tuple(reason for reason in score.reasons if reason.label in over)
    told = {reason.label for reason in spans}
    whole = tuple(Reason(label.value, 0, 0, _LABEL_WORDS[label]) for label in sorted(over) if label.value not in told)
    return spans + whole


_LABEL_WORDS = {
    Label.ABUSIVE: "The wording as a whole reads as abuse.",
    Label.INSULT: "It insults somebody.",
    Label.THREAT: "It threatens somebody.",
    Label.IDENTITY_ATTACK: "It attacks people for who they are.",
    Label.SEXUAL: "It is sexual.",
    Label.PROFANITY: "It swears.",
    Label.HARASSMENT: "It harasses somebody.",
}

_KIND_WORDS = {
    PersonKind.PUPIL: "a pupil",
    PersonKind.STAFF: "a member of staff",
    PersonKind.PARENT: "a parent",
    PersonKind.GOVERNOR: "a governor",
    PersonKind.OTHER: "somebody connected with the school",
}


def _name_reason(person: PersonSpan) -> Reason:
    return Reason("name", person.start, person.end, f"It names {_KIND_WORDS[person.kind]}.")


def _guard_reason(score: Score, guard: Guard) -> Reason:
    hit = next(hit for hit in score.guards if hit.guard is guard)
    return Reason(guard.value, hit.start, hit.end, hit.why)


def _severe(score: Score, policy: Policy) -> bool:
    return any(score.labels[label] >= policy.severe[label.value] for label in Label if label.value in policy.severe)


def _passed_over(score: Score) -> list[str]:
    said: list[str] = []
    if any(person.kind is PersonKind.PUBLIC for person in score.people):
        said.append("Names a public figure; that is not a ground.")
    if any(person.kind is PersonKind.UNKNOWN for person in score.people):
        said.append("Names somebody who is not on the school's roll; that alone is not a ground.")
    if any(person.kind in PROTECTED and not person.strong for person in score.people):
        said.append("A first name alone matches the roll; that is weak evidence and not a ground.")
    return said
