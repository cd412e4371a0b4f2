"""The bench of the assessor judges right, runs its contenders, and pins its peers (ops/bench)."""

import re
import sys
from functools import partial
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "ops"))

from bench import accuracy, bench_assess, bench_roll, peers, texts
from bench.contest import Cost, Entrant, answers, costs
from bench.invented import invented_roll
from bench.report import Line, report
from bench.run import FIELDS, measure

from moderator.domain.person import RollEntry
from moderator.domain.score import PersonKind

ROOT = Path(__file__).resolve().parents[1]


def test_abuse_is_judged_by_source_at_each_ones_own_threshold() -> None:
    calm = [("talk", 0, 0.1, False)] * 9 + [("talk", 0, 0.8, True)]
    sharp = [("talk", 1, 0.9, True)] * 8 + [("talk", 1, 0.2, False)] * 2
    few = [("rare", 1, 0.0, False), ("rare", 0, 1.0, True)]
    found = accuracy.abuse([*calm, *sharp, *few])
    assert found.sources == 1
    assert (found.recall, found.false_flags) == (0.8, 0.1)
    assert found.f1 == pytest.approx(16 / 19)
    assert found.auc == pytest.approx((8 * 10 + 2 * 9) / 100)


def test_abuse_of_no_source_large_enough_is_refused() -> None:
    with pytest.raises(ValueError, match="enough"):
        accuracy.abuse([("rare", 1, 0.5, True)])


@pytest.mark.parametrize(
    ("text", "span", "name"),
    [
        ("ask Mrs O'Brien's class", (4, 17), "O'Brien"),
        ("ask mr. cole.", (4, 13), "cole"),
        ("@FernAshwick hi", (0, 12), "FernAshwick"),
        ("Fern Ashwick", (0, 12), "Fern Ashwick"),
        ("yes Miss", (4, 8), "Miss"),
        ("Drake is here", (0, 5), "Drake"),
    ],
)
def test_titles_and_possessives_are_taken_off(text: str, span: tuple[int, int], name: str) -> None:
    start, end = accuracy.trimmed(text, span)
    assert text[start:end] == name


def test_names_are_judged_by_both_ends() -> None:
    text = "@fern saw Fern Ashwick and Tobi"
    told, title = (10, 22), (27, 31)
    right = accuracy.people([(text, [told, title], [told, title, (1, 5)])], tags=False)
    assert (right.span_f1, right.comment_f1, right.comment_recall) == (1, 1, 1)
    tagged = accuracy.people([(text, [told, title], [told, title, (1, 5)])], tags=True)
    assert tagged.span_f1 == pytest.approx(0.8)
    short = accuracy.people([(text, [told], [(10, 14)]), ("nobody", [], [(0, 6)])], tags=False)
    assert (short.span_f1, short.comment_recall) == (0, 1)
    assert short.comment_f1 == pytest.approx(2 / 3)


def test_personal_data_is_judged_by_overlap() -> None:
    joined = accuracy.personal([([(0, 10)], [], [(0, 6), (5, 11)])])
    assert joined.span_f1 == 1
    aside = accuracy.personal([([(0, 10)], [(20, 30)], [(0, 10), (22, 28)])])
    assert aside.span_f1 == 1
    missed = accuracy.personal([([(0, 10)], [], [(8, 30)]), ([], [], [(0, 3)])])
    assert (missed.span_f1, missed.comment_recall) == (0, 1)


def test_the_lines_with_personal_data_are_as_told() -> None:
    lines = texts.private()
    assert len(lines) == 120
    assert not [one.text for one in lines if re.search(r"</?[a-z]+>", one.text)]
    assert {kind for one in lines for *_, kind in one.spans} >= bench_assess.PRESIDIO_KINDS
    assert 30 <= sum(not one.spans for one in lines) <= 60
    phone = next(one for one in lines if one.spans and one.spans[0][2] == "phone")
    assert re.fullmatch(r"[\d ]+", phone.text[phone.spans[0][0] : phone.spans[0][1]])


def test_the_peers_are_pinned_with_hashes_and_without_addresses() -> None:
    text = peers.LOCK.read_text(encoding="utf-8")
    entries = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)[1:]
    assert {"alt-profanity-check", "better-profanity", "presidio-analyzer", "spacy"} <= {entry.split("==")[0] for entry in entries}
    assert [entry for entry in entries if not re.match(r"[\w.-]+==[\w.!+]+( ;.*)? \\\n\s+--hash=sha256:[0-9a-f]{64}", entry)] == []
    assert re.findall(r"https?://|file:|^\s*--(?!hash)", text, flags=re.MULTILINE) == []


def test_the_peers_are_in_no_lock_of_ours() -> None:
    for lock in ("requirements.lock", "ops/requirements-dev.lock"):
        pinned = re.findall(r"^([\w.-]+)==", (ROOT / lock).read_text(encoding="utf-8"), flags=re.MULTILINE)
        assert not {"alt-profanity-check", "better-profanity", "presidio-analyzer", "spacy"} & set(pinned)


def test_without_the_public_text_a_bench_says_so_in_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(texts, "SHARED", ROOT / "no such folder")
    bench_assess.measured.cache_clear()
    for row in [measure(name, bench=bench) for name, bench in bench_assess.BENCHES.items()] + [measure("roll", bench=bench_roll.roll)]:
        assert (row["ours"], row["ratio"]) == (None, None)
        assert "not measured" in str(row["against"])
    said = capsys.readouterr().out.splitlines()
    assert [line.split(" not measured")[0] for line in said] == ["bench: assess", "bench: roll"]


def test_every_figure_of_the_assessor_is_a_row() -> None:
    whole, peer = accuracy.Abuse(0.9, 0.8, 0.7, 0.1, 3), accuracy.Abuse(0.6, 0.4, 0.3, 0.1, 3)
    mine, theirs = accuracy.Found(0.8, 0.9, 0.9), accuracy.Found(0.4, 0.5, 0.5)
    cost = Cost([1.0, 2.0, 9.0], [600.0, 700.0, 10.0], 300.0, 350.0)
    assert (cost.rate, cost.start) == (600.0, 2.0)
    everybody = ("whole", "plain", "both-finders", "presidio", *bench_assess.ABUSE_PEERS)
    found = bench_assess.Measured(
        dict.fromkeys(everybody, cost),
        dict.fromkeys(everybody, 30_000_000),
        {(who, name): whole if who == "whole" else peer for who in everybody for name in ("public", "school")},
        {(who, name): mine if who == "whole" else theirs for who in ("whole", "presidio") for name in ("btc_dev", "school")},
        {(who, "kinds presidio knows"): mine if who == "whole" else theirs for who in ("whole", "presidio")},
    )
    rows = {name: measure(name, bench=partial(figure, found)) for name, figure in bench_assess.FIGURES.items()}
    assert all(list(row) == list(FIELDS) for row in rows.values())
    assert rows["assess"]["ratio"] == pytest.approx(1.2)
    assert rows["assess_finders"]["ratio"] == pytest.approx(1)
    assert rows["assess_memory"]["ratio"] == pytest.approx(0.75)
    assert rows["assess_files"]["ratio"] == pytest.approx(0.75)
    assert rows["assess_abuse_f1"]["ratio"] == rows["assess_names_f1"]["ratio"] == rows["assess_pii_f1"]["ratio"] == pytest.approx(2)
    page = report(
        {name: Line(600, 300, 350, 2, 30, 10, 700) for name in (*everybody, "roll")}, abuse=found.abuse, names=found.names, pii=found.pii
    )
    assert page.count("ours: whole assessor") == 3
    assert page.count("ours: roll of 50,000") == 1


def test_a_contender_is_started_timed_and_asked(tmp_path: Path) -> None:
    entrant = Entrant("pii", Path(sys.executable), texts.HERE / "ours_pii.py", starts=1)
    turn = texts.written(["ring 020 7946 0123", "ring me"] * 30, tmp_path / "turn.json")
    found = costs([entrant], [turn, turn, turn])["pii"]
    assert (len(found.starts), len(found.rates)) == (1, 2)
    assert found.rate > 0
    assert 0 < found.resident <= found.height
    said = answers({entrant: [turn]}, tmp_path)["pii", "turn"]
    assert said[:2] == [{"pii": [[5, 18]]}, {"pii": []}]


def test_a_contender_that_cannot_start_is_named(tmp_path: Path) -> None:
    entrant = Entrant("nobody", Path(sys.executable), texts.HERE / "ours_pii.py")
    with pytest.raises(SystemExit, match=r"nobody did not answer.*KeyError"):
        answers({entrant: [texts.written(["x"], tmp_path / "x.json")]}, tmp_path)


def test_every_form_of_a_name_differs_from_the_roll() -> None:
    person = RollEntry("R1", PersonKind.PUPIL, "Fern", "Ashwick")
    written = dict(bench_roll.forms([person]))
    assert len(set(written.values())) == len(bench_roll.FORMS)
    assert written["letters swapped"] == "saw Fern Ahswick today"
    assert written["handle"] == "ask @fernashwick07"


@pytest.mark.skipif(not texts.at_hand(), reason=texts.ABSENT)
def test_the_invented_roll_is_the_same_each_time() -> None:
    lists = texts.SHARED / "names" / "lists"
    roll = invented_roll(lists)
    assert len(roll) == 50_000
    assert roll == invented_roll(lists)


@pytest.mark.skipif(not texts.at_hand(), reason=texts.ABSENT)
def test_no_comment_is_read_twice(tmp_path: Path) -> None:
    assert len(texts.turns(tmp_path)) == texts.TURNS
    rows = texts.public_abuse()
    kinds = [(row.source, row.abusive) for row in rows]
    assert max(kinds.count(kind) for kind in set(kinds)) == texts.MOST_OF_A_KIND
