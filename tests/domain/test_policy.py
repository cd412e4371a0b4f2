import itertools
from dataclasses import replace
from importlib import resources

import pytest

from moderator.domain.decision import Decision, Outcome, Severity
from moderator.domain.errors import BadInput
from moderator.domain.policy import BEYOND_CRITICISM, GUARD_DEFAULTS, Policy, decide
from moderator.domain.score import Guard, GuardHit, Label, PersonKind, PersonSpan, PiiSpan, Reason, Score

POLICY = Policy.bundled()
SEVERE_ONES = (Guard.DISCLOSURE, Guard.CRISIS, Guard.ACCUSED_TEACHER)
CRITICISM = (Guard.COMPLAINT, Guard.WHISTLEBLOWING)
PROTECTED = [PersonKind.PUPIL, PersonKind.STAFF, PersonKind.PARENT, PersonKind.GOVERNOR, PersonKind.OTHER]


def score(
    *guards: Guard | GuardHit,
    people: tuple[PersonSpan, ...] = (),
    reasons: tuple[Reason, ...] = (),
    pii: tuple[PiiSpan, ...] = (),
    **labels: float,
) -> Score:
    given = {label: labels.get(label.value, 0.0) for label in Label}
    hits = tuple(guard if isinstance(guard, GuardHit) else GuardHit(guard, 0, 3, f"{guard}.") for guard in guards)
    return Score(labels=given, model="m", people=people, pii=pii, reasons=reasons, guards=hits)


def person(kind: PersonKind, *, strong: bool = True, source: str = "roll") -> PersonSpan:
    return PersonSpan(0, 5, "Tilly", kind, source, "P-1", strong)


def bundled_toml() -> str:
    return resources.files("moderator.domain").joinpath("policy.toml").read_text(encoding="utf-8")


def with_tables(more: str) -> str:
    return f"{bundled_toml()}\n{more}"


def labels_of(decision: Decision) -> list[str]:
    return [reason.label for reason in decision.reasons]


# The table: what is found besides the guard, down; the guard, across. "severe" marks an alert at once.
GROUNDS: dict[str, Score] = {
    "nothing": score(),
    "swearing": score(profanity=0.99),
    "an insult": score(abusive=0.9, insult=0.95),
    "hounding": score(harassment=0.9),
    "a threat in doubt": score(threat=0.45),
    "a severe threat": score(threat=0.95),
    "an identity attack in doubt": score(identity_attack=0.6),
    "a severe identity attack": score(identity_attack=0.95),
    "a name": score(people=(person(PersonKind.STAFF),)),
    "a phone number": score(pii=(PiiSpan(0, 11, "phone"),)),
}
TABLE = """
                             none          complaint     whistleblowing  disclosure    crisis        accused_teacher  indecent_image
nothing                      clear         clear         clear           route/severe  route/severe  route/severe     withhold/severe
swearing                     clear         clear         clear           route/severe  route/severe  route/severe     withhold/severe
an insult                    hide          route         route           route/severe  route/severe  route/severe     withhold/severe
hounding                     hide          route         route           route/severe  route/severe  route/severe     withhold/severe
a threat in doubt            hide          route         route           route/severe  route/severe  route/severe     withhold/severe
a severe threat              hide/severe   hide/severe   hide/severe     route/severe  route/severe  route/severe     withhold/severe
an identity attack in doubt  hide          route         route           route/severe  route/severe  route/severe     withhold/severe
a severe identity attack     hide/severe   hide/severe   hide/severe     route/severe  route/severe  route/severe     withhold/severe
a name                       hide          route         route           route/severe  route/severe  route/severe     withhold/severe
a phone number               hide          route         route           route/severe  route/severe  route/severe     withhold/severe
"""


def cells() -> list[tuple[str, str, str]]:
    head, *rows = TABLE.strip("\n").split("\n")
    found = []
    for row in rows:
        ground = row[:29].strip()
        found += [(ground, guard, said) for guard, said in zip(head.split(), row[29:].split(), strict=True)]
    return found


@pytest.mark.parametrize(("ground", "guard", "said"), cells(), ids=lambda value: value.replace(" ", "_"))
def test_r6_r15_r16_r17_r19_every_cell_of_the_decision_table(ground: str, guard: str, said: str) -> None:
    found = GROUNDS[ground]
    hits = () if guard == "none" else (GuardHit(Guard(guard), 0, 3, f"{guard}."),)
    decision = decide(Score(found.labels, "m", found.people, found.pii, hits), POLICY)
    outcome, _, severe = said.partition("/")
    expected = Severity.SEVERE if severe else Severity.NONE if outcome == "clear" else Severity.ORDINARY
    assert (decision.outcome, decision.severity) == (Outcome(outcome), expected)


def test_the_table_covers_every_guard_and_ground() -> None:
    assert {guard for _, guard, _ in cells()} == {"none"} | {guard.value for guard in Guard}
    assert {ground for ground, _, _ in cells()} == set(GROUNDS)


def test_nothing_found_is_clear() -> None:
    decision = decide(score(), POLICY)
    assert (decision.outcome, decision.severity, decision.reasons) == (Outcome.CLEAR, Severity.NONE, ())
    assert decision.policy == POLICY.version
    assert decision is POLICY.clear


def test_r6_abuse_is_hidden_cites_the_policy_and_says_how_sure() -> None:
    decision = decide(score(abusive=0.99), POLICY)
    assert decision.outcome is Outcome.HIDE
    assert decision.section == POLICY.sections["abuse"]
    assert decision.reasons[0].why == "Very likely abuse, by its wording as a whole."


@pytest.mark.parametrize(("chance", "said"), [(0.95, "Very likely a threat."), (0.8, "Likely a threat."), (0.5, "This may be a threat.")])
def test_a_reason_says_how_sure_the_machine_is(chance: float, said: str) -> None:
    assert decide(score(threat=chance), POLICY).reasons[0].why == said


def test_the_words_that_weigh_most_keep_their_place_and_say_what_they_are() -> None:
    told = Reason("abusive", 4, 9, "These words.")
    other = Reason("sexual", 0, 1, "Under its threshold.")
    (reason,) = decide(score(abusive=0.99, reasons=(told, other)), POLICY).reasons
    assert (reason.label, reason.start, reason.end) == ("abusive", 4, 9)
    assert reason.why == "Very likely abuse, by its wording as a whole. These words."


def test_a_reason_says_about_whom_when_somebody_is_named() -> None:
    named = (person(PersonKind.PUPIL), person(PersonKind.STAFF, source="honorific"), person(PersonKind.PARENT, source="tagger"))
    decision = decide(score(insult=0.95, people=named), POLICY)
    assert [reason.why for reason in decision.reasons] == [
        "Very likely an insult, in a comment that names a pupil, a member of staff and a parent.",
        "It names a pupil. The name is on the school's roll.",
        "It names a member of staff, with a title.",
        "It names a person, likely a parent.",
    ]
    assert decision.section == f"{POLICY.sections['abuse']}; {POLICY.sections['name']}"


@pytest.mark.parametrize("kind", PROTECTED)
def test_r6_r20_naming_somebody_the_school_protects_is_a_ground(kind: PersonKind) -> None:
    decision = decide(score(people=(person(kind),)), POLICY)
    assert decision.outcome is Outcome.HIDE
    assert decision.section == POLICY.sections["name"]


def test_public_figures_strangers_and_lone_first_names_are_no_ground_but_are_noted() -> None:
    found = (person(PersonKind.PUBLIC), person(PersonKind.UNKNOWN), person(PersonKind.PUPIL, strong=False))
    decision = decide(score(people=found), POLICY)
    assert decision.outcome is Outcome.CLEAR
    assert len(decision.considered) == 3


def test_swearing_alone_is_no_ground_even_where_a_policy_gives_it_a_threshold() -> None:
    for policy in (POLICY, Policy.from_toml(bundled_toml().replace("[flag]", "[flag]\nprofanity = 0.5"))):
        decision = decide(score(profanity=0.99), policy)
        assert decision.outcome is Outcome.CLEAR
        assert decision.considered == ("It swears; swearing alone is not a ground.",)
    sworn = decide(score(profanity=0.99, insult=0.99), policy)
    assert labels_of(sworn) == ["insult", "profanity"]


def test_a_policy_can_leave_names_and_details_alone() -> None:
    text = bundled_toml().replace("hide_names = true", "hide_names = false").replace("hide_pii = true", "hide_pii = false")
    decision = decide(score(people=(person(PersonKind.PUPIL),), pii=(PiiSpan(0, 3, "phone"),)), Policy.from_toml(text))
    assert decision.outcome is Outcome.CLEAR
    assert "does not flag names alone" in decision.considered[0]
    assert "does not flag those" in decision.considered[1]


# Guards.


@pytest.mark.parametrize("guard", SEVERE_ONES)
def test_r15_r19_disclosure_crisis_and_allegations_are_never_hidden_whatever_else_is_found(guard: Guard) -> None:
    found = score(guard, *CRITICISM, people=(person(PersonKind.PUPIL),), pii=(PiiSpan(0, 3, "phone"),))
    decision = decide(replace(found, labels=dict.fromkeys(Label, 1.0)), POLICY)
    assert (decision.outcome, decision.severity) == (Outcome.ROUTE, Severity.SEVERE)
    assert decision.section == POLICY.sections["guard"]
    assert labels_of(decision)[0] == guard.value
    assert {"name", "pii", "threat"} <= set(labels_of(decision))


@pytest.mark.parametrize("guard", CRITICISM)
def test_r16_a_complaint_alone_is_clear_and_says_that_it_was_seen(guard: Guard) -> None:
    assert decide(score(guard), POLICY).considered == (f"{guard}. It is not hidden for that.",)


@pytest.mark.parametrize(("guard", "label"), list(itertools.product(CRITICISM, sorted(set(Label) - BEYOND_CRITICISM))))
def test_r16_rude_criticism_is_never_hidden(guard: Guard, label: Label) -> None:
    rude = replace(score(guard), labels=dict.fromkeys(Label, 0.0) | {label: 1.0})
    assert decide(rude, POLICY).outcome in {Outcome.ROUTE, Outcome.CLEAR}


@pytest.mark.parametrize("guard", CRITICISM)
def test_r6_r16_a_threat_is_no_criticism_so_it_is_hidden_and_the_complaint_still_told(guard: Guard) -> None:
    decision = decide(score(guard, threat=0.95, insult=0.95), POLICY)
    assert (decision.outcome, decision.severity) == (Outcome.HIDE, Severity.SEVERE)
    assert labels_of(decision) == ["insult", "threat"]
    assert "still needs an answer" in decision.considered[-1]


def test_r16_a_threat_that_the_account_does_not_flag_hides_no_complaint() -> None:
    policy = Policy.from_toml(bundled_toml().replace("threat = 0.4", "threat = 0.9"))
    assert decide(score(Guard.COMPLAINT, threat=0.6, insult=0.9), policy).outcome is Outcome.ROUTE


def test_r17_a_suspected_indecent_image_is_withheld_whatever_else_is_found() -> None:
    decision = decide(score(Guard.INDECENT_IMAGE, Guard.DISCLOSURE, abusive=1.0, people=(person(PersonKind.PUPIL),)), POLICY)
    assert (decision.outcome, decision.severity) == (Outcome.WITHHOLD, Severity.SEVERE)
    assert decision.section == POLICY.sections["indecent_image"]
    assert labels_of(decision) == ["indecent_image"]
    assert decision.considered == ("disclosure.",)


@pytest.mark.parametrize("guard", list(Guard))
def test_r15_a_guard_is_in_force_from_its_threshold_and_noted_below_it(guard: Guard) -> None:
    least = POLICY.guard[guard.value]
    below = decide(score(GuardHit(guard, 0, 9, "Perhaps.", least - 0.01), insult=0.99), POLICY)
    assert (below.outcome, labels_of(below)) == (Outcome.HIDE, ["insult"])
    assert below.considered[0].startswith("This might be ")
    assert f"acts from {round(least * 100)} in 100" in below.considered[0]
    assert decide(score(GuardHit(guard, 0, 9, "Perhaps.", least), insult=0.99), POLICY).outcome in {Outcome.ROUTE, Outcome.WITHHOLD}


def test_r15_the_surest_hit_of_a_guard_counts_and_a_rule_always_does() -> None:
    strict = Policy.from_toml(bundled_toml().replace("crisis = 0.15", "crisis = 1.0"))
    hits = (
        GuardHit(Guard.CRISIS, 0, 9, "Perhaps.", 0.2),
        GuardHit(Guard.CRISIS, 2, 5, "A rule."),
        GuardHit(Guard.CRISIS, 0, 9, "Or.", 0.9),
    )
    decision = decide(score(*hits), strict)
    assert (decision.outcome, decision.reasons[0].why) == (Outcome.ROUTE, "A rule.")


def test_r7_a_threat_is_severe_and_an_insult_is_not() -> None:
    assert decide(score(abusive=0.99, threat=0.99), POLICY).severity is Severity.SEVERE
    assert decide(score(abusive=0.99), POLICY).severity is Severity.ORDINARY


# Personal details.

DETAILS = "phone email address date_of_birth bank_account iban card_number ni_number nhs_number upn car_plate ip_address passport"


@pytest.mark.parametrize("kind", DETAILS.split())
def test_r20_a_private_persons_details_are_a_ground(kind: str) -> None:
    decision = decide(score(pii=(PiiSpan(3, 9, kind),)), POLICY)
    assert (decision.outcome, decision.severity, labels_of(decision)) == (Outcome.HIDE, Severity.ORDINARY, ["pii"])
    assert decision.section == POLICY.sections["pii"]


@pytest.mark.parametrize("kind", ["postcode", "handle", "a kind of tomorrow"])
def test_weak_details_alone_are_no_ground_but_are_noted(kind: str) -> None:
    decision = decide(score(pii=(PiiSpan(0, 7, kind),)), POLICY)
    assert (decision.outcome, len(decision.considered)) == (Outcome.CLEAR, 1)


def test_a_public_bodys_contact_details_are_no_ground_and_are_noted() -> None:
    text = "Ring Childline on 0800 1111"
    decision = decide(score(pii=(PiiSpan(18, 27, "phone"),)), POLICY, text=text)
    assert (decision.outcome, len(decision.considered)) == (Outcome.CLEAR, 1)
    assert decide(score(pii=(PiiSpan(18, 27, "phone"),)), POLICY).outcome is Outcome.HIDE


# Accounts.

ACCOUNT = """
[accounts."x:@OakfieldPrimary"]
why = "Agreed with the Head."
hide_names = false
flag = { insult = 0.9 }
severe = { insult = 0.99 }
guard = { crisis = 0.1 }
"""


def test_r24_r32_an_account_may_differ_and_its_decisions_record_the_thresholds_in_force() -> None:
    policy = Policy.from_toml(with_tables(ACCOUNT))
    own = {"account": "x:oakfieldprimary"}
    rude = score(insult=0.8)
    assert decide(rude, policy).outcome is decide(rude, policy, account="x:elsewhere").outcome is Outcome.HIDE
    assert decide(rude, policy, **own).outcome is Outcome.CLEAR
    assert decide(score(people=(person(PersonKind.PUPIL),)), policy, **own).outcome is Outcome.CLEAR
    assert decide(score(insult=0.995), policy, **own).severity is Severity.SEVERE
    assert decide(score(GuardHit(Guard.CRISIS, 0, 3, "Perhaps.", 0.25)), policy, **own).outcome is Outcome.ROUTE
    recorded = decide(rude, policy, **own).thresholds
    assert {key: recorded[key] for key in ("flag.insult", "flag.threat", "severe.insult", "guard.crisis", "hide_names", "hide_pii")} == {
        "flag.insult": 0.9,
        "flag.threat": 0.4,
        "severe.insult": 0.99,
        "guard.crisis": 0.1,
        "hide_names": 0.0,
        "hide_pii": 1.0,
    }
    assert decide(rude, policy).thresholds["flag.insult"] == 0.7
    assert policy.for_account("x:oakfieldprimary").why.endswith("For this account: Agreed with the Head.")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "crisis = 0.1",
            "crisis = 0.5",
            r"guard\.crisis = 0\.5: an account may only be more cautious than the trust's 0\.15; give 0\.15 or less",
        ),
        ('why = "Agreed with the Head."', "", "lacks why"),
        ("hide_names", "hide_name", "hide_name is not known"),
        ("= false", '= "false"', "a switch is true or false"),
        ("crisis", "criticism", "criticism is not a guard"),
        ("x:@OakfieldPrimary", "oakfield", "by platform and handle"),
        ("insult = 0.9 }", "insult = 9 }", "above 0 and at most 1"),
    ],
)
def test_r24_an_account_that_may_not_differ_so_says_what_to_mend(old: str, new: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        Policy.from_toml(with_tables(ACCOUNT.replace(old, new)))


# Files.


def test_a_policy_file_from_before_guards_and_details_still_reads() -> None:
    text = (
        bundled_toml().split("# Chance from which")[0].replace("hide_pii = true", "") + "[sections]" + bundled_toml().split("[sections]")[1]
    )
    old = Policy.from_toml(text.replace("pii = ", "other = "))
    assert old.guard == GUARD_DEFAULTS
    assert not old.hide_pii
    assert old.sections["pii"] == old.sections["name"]


def test_a_guard_that_the_file_does_not_name_has_its_default() -> None:
    assert Policy.from_toml(bundled_toml().replace("crisis = 0.15", "")).guard["crisis"] == GUARD_DEFAULTS["crisis"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[policy]", "[policy", "not valid TOML"),
        ("[policy]", "[polite]", r"\[policy\] is missing"),
        ("[flag]", "[flags]", r"\[flag\] is missing"),
        ("[guard]", "[guards]", "guards is not known here"),
        ('author = "', 'writer = "', "lacks author"),
        ("hide_names = true", "hide_nmaes = true", "hide_nmaes is not known here"),
        ("hide_names = true", "hide_names = 1", "a switch is true or false"),
        ('indecent_image = "', 'other = "', "lacks indecent_image"),
        ("abusive = 0", "rude = 0", "rude is not a label"),
        ("disclosure = 0", "disclosed = 0", "disclosed is not a guard"),
    ],
)
def test_a_policy_that_cannot_be_used_says_what_to_mend(old: str, new: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        Policy.from_toml(bundled_toml().replace(old, new), where="p.toml")


@pytest.mark.parametrize("value", ["0", "1.5", "true", '"high"'])
def test_a_threshold_is_a_number_above_0_and_at_most_1(value: str) -> None:
    with pytest.raises(BadInput, match="above 0 and at most 1"):
        Policy.from_toml(bundled_toml().replace("abusive = 0.45", f"abusive = {value}"))


def test_a_policy_without_thresholds_is_refused() -> None:
    text = bundled_toml().split("[flag]")[0] + "[flag]\n[severe]\nthreat = 0.5\n[sections]" + bundled_toml().split("[sections]")[1]
    with pytest.raises(BadInput, match="is empty"):
        Policy.from_toml(text)
