import pytest

from moderator.domain.decision import Outcome, Severity
from moderator.domain.errors import BadInput
from moderator.domain.policy import Policy, decide
from moderator.domain.score import Guard, GuardHit, Label, PersonKind, PersonSpan, Reason, Score

POLICY = Policy.bundled()
SEVERE_ONES = (Guard.DISCLOSURE, Guard.CRISIS, Guard.ACCUSED_TEACHER)


def score(*guards: Guard, people: tuple[PersonSpan, ...] = (), reasons: tuple[Reason, ...] = (), **labels: float) -> Score:
    given = {label: labels.get(label.value, 0.0) for label in Label}
    return Score(
        labels=given, model="m", people=people, reasons=reasons, guards=tuple(GuardHit(guard, 0, 3, f"{guard}.") for guard in guards)
    )


def person(kind: PersonKind, *, strong: bool = True) -> PersonSpan:
    return PersonSpan(0, 5, "Tilly", kind, "roll", "P-1", strong)


def test_nothing_found_is_clear() -> None:
    decision = decide(score(), POLICY)
    assert (decision.outcome, decision.severity, decision.reasons) == (Outcome.CLEAR, Severity.NONE, ())
    assert decision.policy == POLICY.version


def test_r6_abuse_is_hidden_and_cites_the_policy() -> None:
    decision = decide(score(abusive=0.99), POLICY)
    assert decision.outcome is Outcome.HIDE
    assert decision.section == POLICY.sections["abuse"]
    assert decision.reasons[0].why == "The wording as a whole reads as abuse."


def test_the_classifiers_own_reasons_are_kept() -> None:
    told = Reason("abusive", 4, 9, "These words.")
    other = Reason("sexual", 0, 1, "Under its threshold.")
    assert decide(score(abusive=0.99, reasons=(told, other)), POLICY).reasons == (told,)


@pytest.mark.parametrize("kind", [PersonKind.PUPIL, PersonKind.STAFF, PersonKind.PARENT, PersonKind.GOVERNOR, PersonKind.OTHER])
def test_r6_r20_naming_somebody_the_school_protects_is_a_ground(kind: PersonKind) -> None:
    decision = decide(score(people=(person(kind),)), POLICY)
    assert decision.outcome is Outcome.HIDE
    assert decision.section == POLICY.sections["name"]


def test_public_figures_strangers_and_lone_first_names_are_no_ground_but_are_noted() -> None:
    found = (person(PersonKind.PUBLIC), person(PersonKind.UNKNOWN), person(PersonKind.PUPIL, strong=False))
    decision = decide(score(people=found), POLICY)
    assert decision.outcome is Outcome.CLEAR
    assert len(decision.considered) == 3


def test_a_policy_can_leave_names_alone() -> None:
    decision = decide(
        score(people=(person(PersonKind.PUPIL),)), Policy.from_toml(_toml().replace("hide_names = true", "hide_names = false"))
    )
    assert decision.outcome is Outcome.CLEAR
    assert "does not flag names alone" in decision.considered[-1]


@pytest.mark.parametrize("guard", SEVERE_ONES)
def test_r15_r19_disclosure_crisis_and_allegations_are_routed_severe_never_hidden(guard: Guard) -> None:
    for abusive in (0.0, 1.0):
        decision = decide(score(guard, abusive=abusive), POLICY)
        assert (decision.outcome, decision.severity) == (Outcome.ROUTE, Severity.SEVERE)


@pytest.mark.parametrize("guard", [Guard.WHISTLEBLOWING, Guard.COMPLAINT])
def test_r16_a_complaint_alone_is_clear_and_with_a_ground_is_routed(guard: Guard) -> None:
    alone = decide(score(guard), POLICY)
    assert alone.outcome is Outcome.CLEAR
    assert "not hidden for that" in alone.considered[-1]
    both = decide(score(guard, people=(person(PersonKind.STAFF),)), POLICY)
    assert (both.outcome, both.severity) == (Outcome.ROUTE, Severity.ORDINARY)


def test_r17_a_suspected_indecent_image_is_withheld_whatever_else_is_found() -> None:
    decision = decide(score(Guard.INDECENT_IMAGE, Guard.DISCLOSURE, abusive=1.0), POLICY)
    assert (decision.outcome, decision.severity) == (Outcome.WITHHOLD, Severity.SEVERE)
    assert decision.section == POLICY.sections["indecent_image"]


def test_r7_a_threat_is_severe_and_an_insult_is_not() -> None:
    assert decide(score(abusive=0.99, threat=0.99), POLICY).severity is Severity.SEVERE
    assert decide(score(abusive=0.99), POLICY).severity is Severity.ORDINARY


def _toml() -> str:
    from importlib import resources  # noqa: PLC0415 - the bundled file, for one helper

    return resources.files("moderator.domain").joinpath("policy.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[policy]", "[policy", "not valid TOML"),
        ("[policy]", "[polite]", r"\[policy\] is missing"),
        ("[flag]", "[flags]", r"\[flag\] is missing"),
        ('author = "', 'writer = "', "lacks author"),
        ("indecent_image = ", "other = ", "lacks indecent_image"),
        ("abusive = 0", "rude = 0", "rude is not a label"),
    ],
)
def test_a_policy_that_cannot_be_used_says_what_to_mend(old: str, new: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        Policy.from_toml(_toml().replace(old, new), where="p.toml")


@pytest.mark.parametrize("value", ["0", "1.5", "true", '"high"'])
def test_a_threshold_is_a_number_above_0_and_at_most_1(value: str) -> None:
    text = _toml().split("[flag]")[0] + f"[flag]\nabusive = {value}\n[severe]\nthreat = 0.5\n[sections]" + _toml().split("[sections]")[1]
    with pytest.raises(BadInput, match="above 0 and at most 1"):
        Policy.from_toml(text)


def test_a_policy_without_thresholds_is_refused() -> None:
    text = _toml().split("[flag]")[0] + "[flag]\n[severe]\nthreat = 0.5\n[sections]" + _toml().split("[sections]")[1]
    with pytest.raises(BadInput, match="is empty"):
        Policy.from_toml(text)
