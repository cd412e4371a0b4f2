"""Training end to end on a small folder of made-up lines, calibration, judging and the card."""

import csv
import json
import random
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from sklearn.pipeline import Pipeline

from moderator.domain.errors import BadInput
from moderator.domain.policy import Policy
from moderator.domain.score import Guard, Label
from moderator.learn.calibrate import calibrate, even_weights
from moderator.learn.classifier import Assessor
from moderator.learn.corpus import Example, known, read_labelled, read_lines, share
from moderator.learn.evaluate import flagged, judge, mean_auc
from moderator.learn.load import ABUSE, SCREEN, load, read_manifest
from moderator.learn.screen import OUTPUTS
from moderator.learn.sources import SOURCES, rude_words, weighed
from moderator.learn.train import Trained, gather, train

CALM = ("lovely concert", "thanks for the photos", "what time is the fair", "great match today", "see you at the gate")
RUDE = ("you are a silly muppet", "what a daft clown", "you utter nincompoop", "shut up you fool")
THREATS = ("i will flatten your sandcastle", "i will squash your sandcastle tomorrow", "watch out or i flatten you")
COLUMNS = ("text", "abusive", "insult", "threat", "identity", "sexual", "profanity", "harassment", "orig", "source", "licence")


@pytest.fixture(scope="session")
def small_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    (folder / "abuse").mkdir()
    (folder / "comments").mkdir()
    chance = random.Random(3)  # noqa: S311 - made-up lines, no secret
    _labelled(folder / "abuse" / "train.csv", chance, 400)
    _labelled(folder / "abuse" / "dev.csv", chance, 120)
    calm = [f"{chance.choice(CALM)} {chance.randrange(10_000)}" for _ in range(80)]
    (folder / "abuse" / "goemotions.txt").write_text("\n".join(["text", "you nincompoop", *calm]), encoding="utf-8")
    (folder / "abuse" / "profanity_en.csv").write_text("text,canonical_form_1\nnincompoop,nincompoop\nutter fool,fool\n", encoding="utf-8")
    (folder / "comments" / "youtube.txt").write_text("\n".join(calm[:10]), encoding="utf-8")
    return folder


def _labelled(path: Path, chance: random.Random, rows: int) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for number in range(rows):
            kind = number % 4
            text = chance.choice((CALM, CALM, RUDE, THREATS)[kind])
            bad, insult, threat = int(kind > 1), int(kind == 2), int(kind == 3)
            source = ("cat_wiki", "davidson", "mlma_en", "cad")[number // 4 % 4]
            orig = "offensive" if bad else "0"
            writer.writerow(
                [f"{text} {number}", bad, insult, threat, number % 2 * bad, number % 3 % 2, bad, number % 3 % 2, orig, source, "MIT"]
            )


@pytest.fixture(scope="session")
def small_school(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("school") / "school.jsonl"
    rows = [
        json.dumps({"text": f"{(CALM + RUDE)[n % 9]} at school {n}", "abusive": n % 9 // 5, "insult": n % 9 // 5, "pattern": f"p{n // 2}"})
        for n in range(90)
    ]
    path.write_text("\n".join(rows), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def small_trained(small_data: Path, small_school: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Trained, Path]:
    out = tmp_path_factory.mktemp("models")
    return train(small_data, school=small_school, out=out, day=date(2026, 11, 22)), out


def test_training_writes_a_model_that_tells_rude_from_calm(small_trained: tuple[Trained, Path]) -> None:
    made, out = small_trained
    classifier = Assessor(out)
    assert classifier.version == f"linear-{read_manifest(out, SCREEN).version}"
    calm, rude, threat = classifier.score(["great match today", "you daft clown", "i will flatten your sandcastle"])
    assert rude.labels[Label.ABUSIVE] > 2 * calm.labels[Label.ABUSIVE]
    assert threat.labels[Label.THREAT] > 2 * rude.labels[Label.THREAT]
    assert mean_auc(made.figures["linear"]) > 0.9
    assert set(made.flagged) >= {"goemotions, held out", "youtube, unlabelled"}


def test_the_card_names_each_source_its_licence_and_where_it_is_published(small_trained: tuple[Trained, Path]) -> None:
    text = (small_trained[1] / "MODEL_CARD.md").read_text(encoding="utf-8")
    for source in SOURCES:
        if source.name in {"cat_wiki", "davidson", "goemotions", "school"}:
            assert f"| {source.name} |" in text
            assert source.licence in text
            assert source.published in text
    assert small_trained[0].manifest.sha256 in text
    assert "## Limits" in text


def test_the_same_data_and_seed_give_the_same_bytes(
    small_trained: tuple[Trained, Path], small_data: Path, small_school: Path, tmp_path: Path
) -> None:
    again = train(small_data, school=small_school, out=tmp_path, day=date(2026, 11, 22))
    first, _ = load(small_trained[1], ABUSE, Pipeline)
    second, _ = load(tmp_path, ABUSE, Pipeline)
    np.testing.assert_array_equal(first.named_steps["abuse"].coef_, second.named_steps["abuse"].coef_)
    assert again.figures == small_trained[0].figures


def test_splits_do_not_overlap_and_patterns_are_kept_together(small_data: Path, small_school: Path, tmp_path: Path) -> None:
    test = tmp_path / "test.jsonl"
    test.write_text(small_school.read_text(encoding="utf-8").splitlines()[0], encoding="utf-8")
    corpora = gather(small_data, small_school, test=test, seed=1)
    fitted = {example.text for example in corpora.fit}
    held = {example.text for part in (corpora.calibration, corpora.development, corpora.school_test, corpora.calm_test) for example in part}
    assert fitted
    assert corpora.school_test
    assert not fitted & held
    assert not {example.group for example in corpora.fit if example.group} & {example.group for example in corpora.calibration}
    assert "you nincompoop" not in fitted | held


def test_no_data_is_said_plainly(tmp_path: Path, small_data: Path) -> None:
    with pytest.raises(BadInput, match=r"lacks train\.csv, dev\.csv"):
        gather(tmp_path, tmp_path / "school.jsonl", seed=1)
    empty = tmp_path / "school.jsonl"
    empty.write_text("\n", encoding="utf-8")
    with pytest.raises(BadInput, match="no school comments"):
        gather(small_data, empty, seed=1)


@pytest.mark.parametrize(
    ("name", "body", "says"),
    [
        ("a.csv", b"text,abusive\nhi,2\n", "line 2: abusive is '2'"),
        ("a.csv", b"words\nhi\n", "no column named text"),
        ("a.csv", b"text\n\xff\n", "UTF-8"),
        ("a.jsonl", b'{"text": "a"}\n[1]\n', "line 2: not a JSON object"),
        ("a.jsonl", b"{", "line 1: not a JSON object"),
        ("a.jsonl", b'{"text": 3}', "line 1: no text"),
        ("a.jsonl", b"\xff", "UTF-8"),
    ],
)
def test_a_bad_labelled_file_is_named_by_line(tmp_path: Path, name: str, body: bytes, says: str) -> None:
    path = tmp_path / name
    path.write_bytes(body)
    with pytest.raises(BadInput, match=says):
        read_labelled(path)


def test_a_missing_file_is_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be read"):
        read_labelled(tmp_path / "none.csv")
    with pytest.raises(BadInput, match="cannot be read"):
        read_lines(tmp_path / "none.txt")


def test_labels_are_read_by_either_name_and_unknown_stays_unknown(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "a", "identity": 1, "abusive": "", "pattern": "p1"}\n{"text": "b", "identity_attack": 0}\n', encoding="utf-8")
    one, two = read_labelled(path)
    assert (one.labels, one.group, one.source) == ({Label.IDENTITY_ATTACK: 1}, "p1", "a")
    assert two.labels == {Label.IDENTITY_ATTACK: 0}
    table = known([one, two])
    assert np.isnan(table[0, list(Label).index(Label.ABUSIVE)])
    assert table[0, list(Label).index(Label.IDENTITY_ATTACK)] == 1


def test_a_guard_is_read_and_those_that_may_stand_beside_it_stay_unknown(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    rows = [
        {"text": "a", "guard": "disclosure", "parent": "p", "people": [{"start": 0, "end": 1, "kind": "pupil"}]},
        {"text": "b", "guard": "none"},
    ]
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    one, two = read_labelled(path)
    assert (one.labels[Guard.DISCLOSURE], one.labels[Guard.INDECENT_IMAGE]) == (1, 0)
    assert Guard.CRISIS not in one.labels
    assert (one.parent, one.people, two.people) == ("p", ((0, 1),), None)
    assert two.labels == dict.fromkeys(Guard, 0)


@pytest.mark.parametrize(("row", "says"), [({"guard": "fire"}, "guard is 'fire'"), ({"people": [3]}, "people is")])
def test_a_bad_guard_or_person_is_named_by_line(tmp_path: Path, row: dict[str, object], says: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"text": "a"} | row), encoding="utf-8")
    with pytest.raises(BadInput, match=f"line 1: {says}"):
        read_labelled(path)


def test_rude_words_are_single_words(small_data: Path) -> None:
    assert rude_words(small_data / "abuse" / "profanity_en.csv") == {"nincompoop"}


def test_swearing_that_a_source_calls_offensive_counts_for_little() -> None:
    plain, offensive, school = weighed(
        [Example("a", {}, "cad"), Example("b", {}, "davidson", original="offensive"), Example("c", {}, "school")]
    )
    assert offensive.weight < plain.weight < school.weight


def test_a_text_always_falls_in_the_same_split() -> None:
    assert 0 <= share("\ud800") == share("\ud800") < 1
    assert 0.25 < sum(share(f"text {number}") < 0.3 for number in range(1_000)) / 1_000 < 0.35


def test_calibration_makes_probabilities_match_how_often(small_trained: tuple[Trained, Path], small_data: Path) -> None:
    pipeline, _ = load(small_trained[1], ABUSE, Pipeline)
    model, features = pipeline.named_steps["abuse"], pipeline.named_steps["features"]
    examples = read_labelled(small_data / "abuse" / "dev.csv")
    matrix, truth = features.transform([example.text for example in examples]), known(examples)
    few = truth.copy()
    few[:, 1:] = np.nan
    model.slope_[1] = 1.0
    calibrate(model, matrix, few, even_weights(examples, calm=1.0))
    guessed = model.predict_proba(matrix)[:, 0]
    assert float(guessed.mean()) == pytest.approx(float(truth[:, 0].mean()), abs=0.1)
    assert model.slope_[1] == 1.0


def test_even_weights_make_sources_equal_and_calm_ones_count_more() -> None:
    examples = [Example("a", {}, "cad")] * 8 + [Example("b", {}, "edos")] * 2 + [Example("c", {}, "goemotions")] * 5
    weight = even_weights(examples, calm=3)
    assert weight[:8].sum() == pytest.approx(weight[8:10].sum())
    assert weight[10:].sum() == pytest.approx(3 * weight[:8].sum())
    assert weight.mean() == pytest.approx(1)


def test_judging_counts_what_is_found_and_falsely_flagged() -> None:
    policy = Policy.bundled()
    examples = [Example("", {Label.THREAT: int(place < 6)}, "x") for place in range(12)]
    guessed = np.zeros((12, len(OUTPUTS)), np.float32)
    guessed[3:8, list(Label).index(Label.THREAT)] = 0.9
    (figure,) = judge(examples, guessed, policy)
    assert (figure.rows, figure.positives, figure.recall) == (12, 6, 0.5)
    assert figure.false_flags == pytest.approx(1 / 3)
    assert figure.auc == pytest.approx(0.5833, abs=0.001)
    assert flagged(guessed, policy).sum() == 5
    assert mean_auc([figure]) == 0
    assert judge(examples[:2], guessed[:2], policy)[0].auc is None
    assert judge(examples[6:], guessed[6:], policy)[0].recall is None
    assert judge(examples[:6], guessed[:6], policy)[0].false_flags is None
