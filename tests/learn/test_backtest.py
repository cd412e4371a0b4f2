"""What a policy would have done to past comments, and what another would have done otherwise."""

from dataclasses import replace

from moderator.domain.decision import Outcome
from moderator.domain.policy import Policy
from moderator.domain.score import Label, PersonKind, PersonSpan, Reason, Score
from moderator.learn.backtest import BATCH, Backtest, Count, Past, backtest, grounds
from moderator.learn.classifier import ConstantClassifier
from moderator.ports import Classifier

MARKS = {
    "nincompoop": {Label.ABUSIVE: 0.7, Label.INSULT: 0.4},
    "flatten you": {Label.ABUSIVE: 0.9, Label.THREAT: 0.9},
}
POLICY = replace(Policy.bundled(), version="now")
STRICT = replace(POLICY, version="strict", flag={**POLICY.flag, "insult": 0.3, "abusive": 0.65})
LAX = replace(POLICY, version="lax", flag={**POLICY.flag, "abusive": 0.8})

COMMENTS = (
    Past("a", "Lovely assembly", account="x:oakfield", school="oakfield", day="2026-11-20", abusive=False),
    Past("b", "You nincompoop", account="x:oakfield", school="oakfield", day="2026-11-21", abusive=True),
    Past("c", "I will flatten you", account="x:elm", school="elm", day="2026-11-21", abusive=True, outcome=Outcome.HIDE),
    Past("d", "Nobody answers us, you nincompoop [complaint]", outcome=Outcome.ROUTE),
    Past("e", "[disclosure]", outcome=Outcome.HIDE),
    Past("f", "[indecent_image]"),
    Past("g", "My nincompoop of a dog ate it, sorry", abusive=False),
    Past("h", "You are all awful, we know where you sit", abusive=True),
)


def run(*, policy: Policy = POLICY, against: Policy | None = None) -> Backtest:
    return backtest(COMMENTS, ConstantClassifier(marks=MARKS), policy, against=against)


def outcome(made: Backtest, name: str) -> tuple[object, ...]:
    return next(group.ids for group in made.outcomes if group.name == name)


def change(made: Backtest, name: str) -> tuple[object, ...]:
    return next(group.ids for group in made.changes if group.name == name)


def test_every_comment_has_one_outcome() -> None:
    made = run()
    assert outcome(made, "hide") == ("b", "c", "g")
    assert outcome(made, "route") == ("d", "e")
    assert outcome(made, "withhold") == ("f",)
    assert outcome(made, "clear") == ("a", "h")
    assert (made.comments, made.policy, made.against, made.model, made.changes) == (8, "now", "", "constant-1", ())


def test_comments_are_counted_by_what_is_known_of_them() -> None:
    counts = {(count.by, count.name): count for count in run().counts}
    assert counts["all", "comments"] == Count("all", "comments", 8, clear=2, hide=3, route=2, withhold=1)
    assert counts["account", "x:oakfield"] == Count("account", "x:oakfield", 2, clear=1, hide=1, route=0, withhold=0)
    assert counts["school", "elm"].hide == 1
    assert counts["day", "2026-11-21"].comments == 2
    assert counts["severity", "severe"].comments == 3
    assert counts["ground", "guard"].route == 2
    assert counts["ground", "abuse"] == Count("ground", "abuse", 4, clear=0, hide=3, route=1, withhold=0)
    assert counts["label", "threat"].hide == 1
    assert [count.by for count in run().counts] == sorted((count.by for count in run().counts), key=list(dict.fromkeys(order)).index)


order = ("all", "severity", "ground", "label", "account", "school", "day")


def test_another_policy_shows_what_would_be_otherwise_both_ways() -> None:
    lax = run(policy=LAX, against=POLICY)
    assert change(lax, "newly cleared") == ("b", "d", "g")
    assert change(lax, "newly hidden") == ()
    back = run(policy=POLICY, against=LAX)
    assert (change(back, "newly hidden"), change(back, "newly routed to a person")) == (("b", "g"), ("d",))
    assert (back.policy, back.against) == ("now", "lax")
    assert change(run(policy=STRICT, against=POLICY), "newly hidden") == ()
    assert change(run(policy=POLICY, against=POLICY), "newly withheld") == ()


def test_what_people_said_gives_found_missed_and_falsely_hidden() -> None:
    truth = run().truth
    assert truth is not None
    assert (truth.found, truth.missed) == (("b", "c"), ("h",))
    assert truth.falsely_hidden == ("g",)
    assert truth.otherwise == ("e",)
    assert (truth.abusive, truth.harmless, truth.decided) == (3, 2, 3)
    assert backtest([Past("x", "hello")], ConstantClassifier(), POLICY).truth is None


def test_r16_a_hidden_complaint_counts_as_falsely_hidden_though_it_is_rude() -> None:
    said = Past("k", "You nincompoop", abusive=True, outcome=Outcome.ROUTE)
    truth = backtest([said], ConstantClassifier(marks=MARKS), POLICY).truth
    assert truth is not None
    assert truth.falsely_hidden == ("k",)


def test_texts_are_shown_only_when_asked_for_and_no_more_than_asked() -> None:
    made = run()
    hidden = next(group for group in made.outcomes if group.name == "hide")
    assert made.texts(hidden, COMMENTS, most=2) == [("b", "You nincompoop"), ("c", "I will flatten you")]
    assert "nincompoop" not in repr(made)


class Remembering:
    """A constant classifier that remembers the sizes of its batches and the parents; implements ports.Classifier."""

    version = "remembering-1"

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.parents: list[str] = []

    def score(self, texts: list[str], *, parents: list[str]) -> list[Score]:
        self.batches.append(len(texts))
        self.parents += parents
        return ConstantClassifier().score(texts)


def test_comments_are_scored_once_in_batches_with_the_post_they_answer() -> None:
    classifier = Remembering()
    many = [Past(number, "hi", parent=f"post {number}") for number in range(BATCH + 3)]
    backtest(many, _port(classifier), POLICY, against=LAX)
    assert classifier.batches == [BATCH, 3]
    assert classifier.parents[-1] == f"post {BATCH + 2}"


def _port(classifier: object) -> Classifier:
    return classifier  # type: ignore[return-value] # takes lists where the port takes any sequence


def test_r20_a_name_and_an_account_policy_of_its_own_count() -> None:
    class Naming(ConstantClassifier):
        def _one(self, text: str) -> Score:
            return replace(super()._one(text), people=(PersonSpan(0, 5, "Tilly", PersonKind.PUPIL, "roll", "P-1"),))

    open_account = replace(POLICY, hide_names=False)
    policy = replace(POLICY, accounts={"x:club": open_account})
    made = backtest([Past(1, "Tilly", account="x:club"), Past(2, "Tilly", account="x:oakfield")], Naming(), policy)
    assert outcome(made, "hide") == (2,)
    assert ("ground", "name") in {(count.by, count.name) for count in made.counts}


def test_grounds_of_a_decision_are_told_apart() -> None:
    clear = POLICY.clear
    assert grounds(clear) == set()
    reasons = tuple(Reason(label, 0, 1, "") for label in ("insult", "name", "pii", "complaint"))
    assert grounds(replace(clear, reasons=reasons)) == {"abuse", "name", "pii", "guard"}
