"""The policy: versioned thresholds, and the pure function from a score to a decision (R6, R15 to R17, R19, R32)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib import resources

from moderator.domain import thresholds, wording
from moderator.domain.contact import official
from moderator.domain.decision import Decision, Outcome, Severity
from moderator.domain.errors import BadInput
from moderator.domain.retention import YEARS, years_by_class
from moderator.domain.score import Guard, GuardHit, Label, PersonKind, PersonSpan, PiiSpan, Reason, Score

NEVER = 2.0
"""A threshold no probability reaches, for a label the policy does not use."""

PROTECTED = frozenset({PersonKind.PUPIL, PersonKind.STAFF, PersonKind.PARENT, PersonKind.GOVERNOR, PersonKind.OTHER})
"""Kinds of people a school protects (R20); `public` and `unknown` are not on anyone's roll."""

GUARD_DEFAULTS: Mapping[str, float] = {
    Guard.DISCLOSURE.value: 0.2,
    Guard.CRISIS.value: 0.15,
    Guard.WHISTLEBLOWING.value: 0.3,
    Guard.COMPLAINT.value: 0.3,
    Guard.INDECENT_IMAGE.value: 0.25,
    Guard.ACCUSED_TEACHER.value: 0.2,
}
"""The chance from which a guard is in force where the policy's [guard] does not say, as in files from before it had one."""

_TABLES = ("policy", "flag", "severe", "guard", "sections", "retention", "accounts")
_TEXTS = ("version", "author", "dated", "why")
_SWITCHES = ("hide_names", "hide_pii")
_LABELS = tuple(label.value for label in Label)
_GUARDS = tuple(guard.value for guard in Guard)


@dataclass(frozen=True, slots=True)
class Policy:
    """One version of the trust's rules for the machine, for all accounts or, from `for_account`, for one.

    `flag` and `severe` give, by label, the probability (0 to 1) from which a comment is flagged or severe; `guard`, by guard, the chance
    from which a guard is in force. `hide_names` makes a protected person's name a ground, `hide_pii` a private person's details (off in
    files that do not say). `sections` gives the section of the trust's policy cited for each ground: `abuse`, `name`, `pii` (as `name`
    when missing), `guard`, `indecent_image`. `accounts` holds the policies of accounts that differ, by `platform:handle`.
    `retention` gives, by class of record, the whole years until people look at it again (R30).
    """

    version: str
    author: str
    dated: str
    why: str
    flag: Mapping[str, float]
    severe: Mapping[str, float]
    guard: Mapping[str, float]
    hide_names: bool
    hide_pii: bool
    sections: Mapping[str, str]
    clear: Decision
    """The decision on a comment in which nothing was found: one object, since nearly every comment gets it."""
    accounts: Mapping[str, "Policy"] = field(default_factory=dict)
    retention: Mapping[str, int] = field(default_factory=lambda: YEARS)

    @classmethod
    def from_toml(cls, text: str, *, where: str = "policy") -> "Policy":
        """Read a policy. Raises BadInput that says which key of `where` is wrong and how to mend it."""
        parts = thresholds.document(text, where)
        head = thresholds.table(parts, "policy", where)
        sections = {key: str(value) for key, value in thresholds.table(parts, "sections", where).items()}
        missing = sorted({"abuse", "name", "guard", "indecent_image"} - sections.keys())
        if missing:
            message = f"{where}: [sections] lacks {', '.join(missing)}: give the policy section that each ground cites"
            raise BadInput(message)
        sections.setdefault("pii", sections["name"])
        empty = sorted(key for key in _TEXTS if not str(head.get(key, "")))
        if empty:
            message = f"{where}: [policy] lacks {', '.join(empty)}: a policy version needs its author, date and why"
            raise BadInput(message)
        version, author, dated, why = (str(head[key]) for key in _TEXTS)
        flag, severe = (_by_label(parts, name, where) for name in ("flag", "severe"))
        named = thresholds.table(parts, "guard", where, optional=True)
        guard = {**GUARD_DEFAULTS, **thresholds.probabilities(named, "guard", where, known=_GUARDS, noun="guard")}
        thresholds.only(parts, _TABLES, where)
        thresholds.only(head, (*_TEXTS, *_SWITCHES), f"{where}: [policy]")
        names = thresholds.switch(head, "hide_names", where, default=True)
        details = thresholds.switch(head, "hide_pii", where, default=False)
        clear = Decision(Outcome.CLEAR, Severity.NONE, (), version, sections["abuse"], {})
        years = years_by_class(thresholds.table(parts, "retention", where, optional=True), where)
        trust = cls(version, author, dated, why, flag, severe, guard, names, details, sections, clear, retention=years)
        return replace(_told(trust), accounts=_accounts(thresholds.table(parts, "accounts", where, optional=True), trust, where))

    @classmethod
    def bundled(cls) -> "Policy":
        """Return the policy that ships with the product."""
        text = resources.files("moderator.domain").joinpath("policy.toml").read_text(encoding="utf-8")
        return cls.from_toml(text, where="policy.toml")

    def for_account(self, key: str) -> "Policy":
        """Return the policy of the account `platform:handle`: its own where the file has one, else the trust's."""
        return self.accounts.get(_account_key(key), self) if self.accounts else self


def _by_label(parts: Mapping[str, object], name: str, where: str) -> Mapping[str, float]:
    found = thresholds.probabilities(thresholds.table(parts, name, where), name, where, known=_LABELS, noun="label")
    if not found:
        message = f"{where}: [{name}] is empty: give at least one threshold"
        raise BadInput(message)
    return found


def _told(policy: Policy) -> Policy:
    """Return a policy whose decisions record the thresholds and switches in force (R32); a switch is 1 for on, 0 for off."""
    in_force = {f"{name}.{key}": value for name in ("flag", "severe", "guard") for key, value in getattr(policy, name).items()}
    in_force |= {name: float(getattr(policy, name)) for name in _SWITCHES}
    return replace(policy, clear=replace(policy.clear, thresholds=in_force))


def _account_key(key: str) -> str:
    platform, _, handle = key.strip().casefold().partition(":")
    return f"{platform}:{handle.removeprefix('@')}"


def _accounts(parts: Mapping[str, object], trust: Policy, where: str) -> Mapping[str, Policy]:
    """Return the policies of accounts with tables of their own: the trust's, with what the table changes, and why (R24)."""
    found: dict[str, Policy] = {}
    for key in parts:
        platform, _, handle = key.partition(":")
        if not platform or not handle:
            message = f'{where}: [accounts."{key}"]: name an account by platform and handle, as in [accounts."x:oakfieldprimary"]'
            raise BadInput(message)
        found[_account_key(key)] = _account(thresholds.table(parts, key, f"{where}: [accounts]"), trust, f'{where}: [accounts."{key}"]')
    return found


def _account(parts: Mapping[str, object], trust: Policy, where: str) -> Policy:
    thresholds.only(parts, ("why", "flag", "severe", "guard", *_SWITCHES), where)
    if not str(parts.get("why", "")).strip():
        message = f"{where} lacks why: an account that differs from the trust's policy needs a reason"
        raise BadInput(message)
    changed = {
        name: thresholds.probabilities(
            thresholds.table(parts, name, where, optional=True), name, where, known=known, noun="guard" if name == "guard" else "label"
        )
        for name, known in (("flag", _LABELS), ("severe", _LABELS), ("guard", _GUARDS))
    }
    for guard, value in changed["guard"].items():
        if value > trust.guard[guard]:
            message = (
                f"{where} guard.{guard} = {value}: an account may only be more cautious than the trust's {trust.guard[guard]}; "
                f"give {trust.guard[guard]} or less"
            )
            raise BadInput(message)
    return _told(
        replace(
            trust,
            why=f"{trust.why} For this account: {str(parts['why']).strip()}",
            flag={**trust.flag, **changed["flag"]},
            severe={**trust.severe, **changed["severe"]},
            guard={**trust.guard, **changed["guard"]},
            hide_names=thresholds.switch(parts, "hide_names", where, default=trust.hide_names),
            hide_pii=thresholds.switch(parts, "hide_pii", where, default=trust.hide_pii),
        )
    )


ROUTING_GUARDS = (Guard.CRISIS, Guard.DISCLOSURE, Guard.ACCUSED_TEACHER, Guard.WHISTLEBLOWING, Guard.COMPLAINT)
SEVERE_GUARDS = frozenset({Guard.CRISIS, Guard.DISCLOSURE, Guard.ACCUSED_TEACHER})

BEYOND_CRITICISM = frozenset({Label.THREAT, Label.IDENTITY_ATTACK, Label.SEXUAL})
"""What no complaint covers. R16 protects criticism of a public body, in sharp and even rude words (Article 10), so an insult in a
complaint goes to a person. But a threat of violence, an attack on people for their race or faith, or a sexual remark is no criticism:
left showing because its author also complains, it does its harm (R6) to the person it is aimed at until somebody wakes up. It is hidden
only over the *severe* threshold, can be undone, and the complaint is told to the Headteacher with it. Disclosures, crises and allegations
against staff know no such exception: those are never hidden (R15, R19)."""

SWEARS = 0.5
"""From this probability the decision notes that a comment swears. Swearing alone is never a ground: people swear in delight and pain."""


def decide(score: Score, policy: Policy, *, account: str = "", text: str = "") -> Decision:
    """Return what the policy makes of a score of a comment on the account `platform:handle` (the trust's policy when empty).

    `text` is the comment as given; with it, contact details of public bodies are told from those of private people.

    1. A guard whose chance is below its threshold is passed over, and noted.
    2. A suspected indecent image is withheld, whatever else is found: people and police only (R17).
    3. Grounds (R6) are abuse at or over a threshold, a protected person's name, a private person's details. Swearing alone, public
       figures, lone first names, and a postcode or handle alone are none.
    4. A disclosure, crisis or accused teacher is routed, severe, with or without a ground (R15, R19).
    5. Whistleblowing or a complaint with a ground is routed, and alone is clear (R16), unless what it is with is BEYOND_CRITICISM.
    6. Any other ground is a hide; what is over the severe threshold is severe (R7).
    7. Nothing found is clear.
    """
    policy = policy.for_account(account)
    if not (score.guards or score.people or score.pii or score.labels[Label.PROFANITY] >= SWEARS or _over(score, policy)):
        return policy.clear
    guards, considered = _in_force(score, policy)
    if Guard.INDECENT_IMAGE in guards:
        considered += [guards[guard].why for guard in ROUTING_GUARDS if guard in guards]
        image = _guard_reason(guards[Guard.INDECENT_IMAGE])
        return _decision(Outcome.WITHHOLD, Severity.SEVERE, (image,), policy, ("indecent_image",), considered)

    grounds = _grounds(score, policy, text, considered)
    found = tuple(reason for reasons in grounds.values() for reason in reasons)
    severe = _over(score, policy, severe=True)
    routing = [guard for guard in ROUTING_GUARDS if guard in guards and (guard in SEVERE_GUARDS or found)]
    beyond = severe & BEYOND_CRITICISM & _over(score, policy)
    if routing and (SEVERE_GUARDS & set(routing) or not beyond):
        severity = Severity.SEVERE if severe or SEVERE_GUARDS & set(routing) else Severity.ORDINARY
        reasons = tuple(_guard_reason(guards[guard]) for guard in routing) + found
        return _decision(Outcome.ROUTE, severity, reasons, policy, ("guard",), considered)
    if not found:
        considered += [f"{hit.why} It is not hidden for that." for hit in guards.values()]
        return _decision(Outcome.CLEAR, Severity.NONE, (), policy, ("abuse",), considered)
    considered += [f"{guards[guard].why} That is not why it is hidden, and it still needs an answer." for guard in routing]
    severity = Severity.SEVERE if severe else Severity.ORDINARY
    return _decision(Outcome.HIDE, severity, found, policy, tuple(grounds), considered)


def _in_force(score: Score, policy: Policy) -> tuple[dict[Guard, GuardHit], list[str]]:
    """Return the surest hit of each guard that reaches its threshold, and what is said of those that do not."""
    surest: dict[Guard, GuardHit] = {}
    for hit in score.guards:
        if hit.guard not in surest or hit.chance > surest[hit.guard].chance:
            surest[hit.guard] = hit
    least = policy.guard
    inside = {guard: surest[guard] for guard in Guard if guard in surest and surest[guard].chance >= least[guard.value]}
    return inside, [wording.passed_over(surest[guard], least[guard.value]) for guard in Guard if guard in surest and guard not in inside]


def _grounds(score: Score, policy: Policy, text: str, considered: list[str]) -> dict[str, tuple[Reason, ...]]:
    """Return the reasons of each ground there is, under its section; what was passed over is added to `considered`."""
    people = tuple(person for person in score.people if person.kind in PROTECTED and person.strong)
    details = tuple(span for span in score.pii if span.kind in wording.PII and not official(span.kind, text, span.start, span.end))
    considered += _passed_over(score, policy, people, details)
    grounds = {
        "abuse": _abuse_reasons(score, policy, people),
        "name": tuple(Reason("name", each.start, each.end, wording.name(each)) for each in people) if policy.hide_names else (),
        "pii": tuple(_detail_reason(span) for span in details) if policy.hide_pii else (),
    }
    return {ground: reasons for ground, reasons in grounds.items() if reasons}


def _decision(  # noqa: PLR0913, PLR0917 - one place that fills a Decision
    outcome: Outcome, severity: Severity, reasons: tuple[Reason, ...], policy: Policy, grounds: tuple[str, ...], considered: list[str]
) -> Decision:
    section = "; ".join(dict.fromkeys(policy.sections[ground] for ground in grounds))
    return Decision(outcome, severity, reasons, policy.version, section, policy.clear.thresholds, tuple(dict.fromkeys(considered)))


def _over(score: Score, policy: Policy, *, severe: bool = False) -> set[Label]:
    """Return the labels at or over their threshold; none when all there is is swearing."""
    limits = policy.severe if severe else policy.flag
    over = {label for label, chance in score.labels.items() if chance >= limits.get(label.value, NEVER)}
    return set() if over == {Label.PROFANITY} else over


def _abuse_reasons(score: Score, policy: Policy, people: tuple[PersonSpan, ...]) -> tuple[Reason, ...]:
    """Return a reason for each label that is over: how sure and about whom, at the words that weigh most where the classifier says."""
    over = _over(score, policy)
    whom = wording.named(people)
    said = {label.value: wording.abuse(label, score.labels[label], whom) for label in Label if label in over}
    spans = tuple(replace(reason, why=f"{said[reason.label]} {reason.why}") for reason in score.reasons if reason.label in said)
    told = {reason.label for reason in spans}
    return spans + tuple(Reason(label, 0, 0, why) for label, why in said.items() if label not in told)


def _guard_reason(hit: GuardHit) -> Reason:
    return Reason(hit.guard.value, hit.start, hit.end, hit.why)


def _detail_reason(span: PiiSpan) -> Reason:
    return Reason("pii", span.start, span.end, f"It gives {wording.PII[span.kind]}, likely a private person's.")


def _passed_over(score: Score, policy: Policy, people: tuple[PersonSpan, ...], details: tuple[PiiSpan, ...]) -> list[str]:
    """Return what was looked at and is no ground, in plain words."""
    kinds = {person.kind for person in score.people}
    official_ones = any(span.kind in wording.PII and span not in details for span in score.pii)
    looks = (
        (score.labels[Label.PROFANITY] >= SWEARS and not _over(score, policy), "It swears; swearing alone is not a ground."),
        (PersonKind.PUBLIC in kinds, "Names a public figure; that is not a ground."),
        (PersonKind.UNKNOWN in kinds, "Names somebody who is not on the school's roll; that alone is not a ground."),
        (
            any(person.kind in PROTECTED and not person.strong for person in score.people),
            "A first name alone matches the roll; that is weak evidence and not a ground.",
        ),
        (bool(people) and not policy.hide_names, "Names people the school protects; this policy does not flag names alone."),
        (bool(details) and not policy.hide_pii, "Gives personal details; this policy does not flag those."),
        (official_ones, "Gives contact details of a school or public body; that is not a ground."),
        (any(span.kind not in wording.PII for span in score.pii), "Gives a postcode or a handle; that alone is not a ground."),
    )
    return [said for there, said in looks if there]
