"""Training the tagger on a small folder of made-up text, and the model file it writes."""
# ruff: noqa: RUF001 - names have letters of their own

import csv
import hashlib
import json
from datetime import date
from pathlib import Path

import pytest

from moderator.domain.errors import BadInput
from moderator.domain.score import PersonKind
from moderator.learn.people import train as training
from moderator.learn.people.card import people_card
from moderator.learn.people.clusters import capital_bands
from moderator.learn.people.gazetteer import band, read_names, word_flags
from moderator.learn.people.lexicon import Flag
from moderator.learn.people.marked import Marked, read_school, read_tagged, read_word_names
from moderator.learn.people.model import load
from moderator.learn.people.swaps import HELD_OUT, Pool, Swaps, lowered, names_lowered, pools, sparse
from moderator.learn.people.tagger import PersonTagger
from moderator.learn.people.train import DEVELOPMENT, TRAINING, train
from moderator.learn.people.words import cut

PEOPLE = ["Kayden Morris", "Aisha Khan", "Piotr Nowak", "Wei Chen", "Callum", "Zuzanna", "Mrs Patel", "J. Okafor"]
PLACES = ["Leeds", "Hull", "Oakfield", "Bristol"]
FRAMES = [
    "{} was on the bus this morning",
    "thanks to {} for the lovely cake",
    "we saw {} at the summer fair",
    "nobody asked {} about the trip",
    "I think {} won the race",
]
DAY = date(2026, 11, 22)


def write_rows(path: Path, header: list[str], rows: list[list[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])


@pytest.fixture
def data(tmp_path: Path) -> Path:
    names = tmp_path / "data" / "names"
    lists = names / "lists"
    lists.mkdir(parents=True)
    texts = [(frame.format(who), who, True) for frame in FRAMES for who in PEOPLE] + [
        (f.format(p), p, False) for f in FRAMES for p in PLACES
    ]
    rows = [
        json.dumps({"id": str(n), "tokens": text.split(), "tags": tags(text, who, is_person=person)})
        for n, (text, who, person) in enumerate(texts)
    ]
    for name in (*TRAINING, *DEVELOPMENT):
        (names / f"{name}.jsonl").write_text("\n".join(rows) + "\n\n", encoding="utf-8")
    write_rows(
        lists / "uk_first_names.csv",
        ["name", "sex", "n"],
        [["kayden", "M", 9000], ["aisha", "F", 9000], ["callum", "M", 9000], ["a", "M", 5]],
    )
    write_rows(lists / "uk_rankings_1904_1994.csv", ["name", "year"], [["Doris", 1904]])
    write_rows(lists / "us_ssa_states.csv", ["name", "sex", "n"], [["jessica", "F", 9000]])
    write_rows(lists / "nicknames.csv", ["name1", "relationship", "name2"], [["jessica", "has_nickname", "jess"]])
    write_rows(lists / "uk_surnames.csv", ["surname", "freq"], [["morris", 0.001], ["khan", 0.001], ["chen", 0.0001]])
    write_rows(lists / "us_surnames_1990.csv", ["surname", "pct", "rank"], [["morris", 0.1, 50]])
    world: list[list[object]] = [[f"{c.lower()}_{c}", kind, name] for c, kind, name in WORLD]
    write_rows(lists / "faker_names.csv", ["locale", "kind", "name"], world)
    forenames = ["Country", "Localized Name", "Romanized Name"]
    write_rows(lists / "world_forenames.csv", forenames, [["GH", "Elif", "Elif"], ["RU", "Анна", "Anna"], ["FR", "Jean Luc", ""]])
    write_rows(lists / "world_surnames.csv", forenames, [["GH", "Yılmaz", "Yilmaz"]])
    comments = tmp_path / "data" / "comments"
    comments.mkdir()
    (comments / "youtube.txt").write_text(
        "\n".join(f"{text} and then number {n} came" for n, (text, *_) in enumerate(texts * 2)), encoding="utf-8"
    )
    abuse = tmp_path / "data" / "abuse"
    abuse.mkdir()
    write_rows(abuse / "train.csv", ["text", "abusive"], [[f"{text} honestly", 0] for text, *_ in texts])
    return tmp_path / "data"


WORLD = [
    ("PL", "first", "Zuzanna"), ("PL", "last", "Nowak"), ("CN", "first", "Wei"), ("CN", "last", "Chen"),
    ("GH", "first", "Defne"), ("GH", "last", "Aksoy"), ("PL", "last", "Nowak Kowal"),
]  # fmt: skip


def tags(text: str, who: str, *, is_person: bool) -> list[str]:
    name = who.split()
    tokens = text.split()
    found = ["O"] * len(tokens)
    if is_person:
        first = tokens.index(name[0])
        found[first : first + len(name)] = ["B-PER", *["I-PER"] * (len(name) - 1)]
    return found


@pytest.fixture
def school(tmp_path: Path) -> Path:
    path = tmp_path / "school.jsonl"
    rows: list[dict[str, object]] = [
        {"text": "Zuzanna in year 9 is lovely", "people": [{"start": 0, "end": 7, "kind": "pupil"}], "source": "school"},
        {"text": "#Justice4Kayden now", "people": [{"start": 9, "end": 15, "kind": "pupil"}]},
        {"text": "Lunch was late again", "people": []},
        {"text": "Nobody has said who is in this"},
    ]
    path.write_text("\n".join(json.dumps(row) for row in rows) + "\n", encoding="utf-8")
    return path


def test_training_writes_a_tagger_that_finds_names_and_says_what_it_was_made_of(data: Path, school: Path, tmp_path: Path) -> None:
    said: list[str] = []
    out = tmp_path / "out"
    manifest = train(data, school=school, out=out, day=DAY, say=said.append)
    body = (out / "people.npz").read_bytes()
    assert manifest == json.loads((out / "people.json").read_text(encoding="utf-8"))
    assert (manifest["sha256"], manifest["bytes"]) == (hashlib.sha256(body).hexdigest(), len(body))
    assert {"btc_dev.jsonl", "uk_surnames.csv", "school.jsonl"} <= set(manifest["data"])  # type: ignore[call-overload]  # JSON of our own
    sources = [row["source"] for row in manifest["figures"]]  # type: ignore[attr-defined]  # JSON of our own
    assert {"btc_dev", "btc_dev, lower case", "names: polish", "names: ghanaian (held out)", "names: british"} <= set(sources)
    assert said[0] == "people: reading"
    card = people_card(manifest)
    assert str(manifest["sha256"]) in card
    assert "| btc_dev, lower case | " in card
    assert "ghanaian" in card
    tagger = PersonTagger.load(out)
    assert tagger.version == f"people-2026-11-22-{manifest['sha256'][:12]}"  # type: ignore[index]  # JSON of our own
    (found,) = tagger.find(["we saw Aisha Khan at the summer fair"])
    assert [(one.start, one.end, one.whole, one.known) for one in found] == [(7, 17, True, True)]
    assert tagger.find(["we saw Leeds at the summer fair"]) == [[]]


def test_the_same_data_and_seed_give_the_same_bytes_and_public_comments_are_not_needed(data: Path, school: Path, tmp_path: Path) -> None:
    (data / "comments" / "youtube.txt").unlink()
    (data / "abuse" / "train.csv").unlink()
    made = [train(data, school=school, out=tmp_path / name, day=DAY, seed=3)["sha256"] for name in ("one", "two")]
    assert made[0] == made[1]


def test_a_model_without_any_weight_can_be_saved_and_finds_nobody(
    data: Path, school: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "_LEAST", 1e9)
    train(data, school=school, out=tmp_path / "out", day=DAY)
    assert not load(tmp_path / "out").table.any()


def test_a_missing_set_or_list_is_named(data: Path, school: Path, tmp_path: Path) -> None:
    (data / "names" / "lists" / "uk_surnames.csv").unlink()
    with pytest.raises(BadInput, match=r"uk_surnames\.csv"):
        train(data, school=school, out=tmp_path / "out", day=DAY)
    (data / "names" / "btc_dev.jsonl").unlink()
    with pytest.raises(BadInput, match=r"btc_dev\.jsonl"):
        train(data, school=school, out=tmp_path / "out", day=DAY)
    assert not (tmp_path / "out").exists()


def test_a_table_of_comments_without_text_is_refused(data: Path, school: Path, tmp_path: Path) -> None:
    write_rows(data / "abuse" / "train.csv", ["words"], [["hello"]])
    with pytest.raises(BadInput, match="column named text"):
        train(data, school=school, out=tmp_path / "out", day=DAY)


def test_held_out_origins_are_in_no_list_the_tagger_learns_from(data: Path) -> None:
    lists = data / "names" / "lists"
    first, last = read_names(lists, without=frozenset({"GH"}))
    assert not {"defne", "elif"} & set(first)
    assert not {"aksoy", "yilmaz"} & set(last)
    assert {"wei", "anna", "jess", "doris"} <= set(first)
    assert "jean luc" not in first
    everybody, _ = read_names(lists)
    assert {"defne", "elif"} <= set(everybody)


def test_our_own_lists_hold_communities_that_the_public_ones_lack(data: Path) -> None:
    found = pools(data / "names" / "lists")
    assert {"arabic", "somali", "bangladeshi", "welsh", "scottish", "traveller", "caribbean", "polish", "chinese"} <= set(found)
    assert not set(HELD_OUT) & set(found)


def test_words_that_are_also_names_are_learnt_in_both_uses() -> None:
    rows = read_word_names()
    named = [row.text[start:end].lower() for row in rows for start, end in row.spans]
    assert {"will", "grace", "mark", "may", "rose", "hope"} <= set(named)
    assert sum(not row.spans for row in rows) > len(named)
    assert not any("[" in row.text or "]" in row.text for row in rows)


def test_bands_and_flags() -> None:
    assert [band(weight) for weight in (0, 1, 100, 1_000, 10_000, 100_000)] == [0, 1, 2, 3, 4, 5]
    assert band(200, last=True) == 5
    flags = word_flags()
    assert flags["may"] & Flag.AMBIGUOUS
    assert flags["may"] & Flag.TIME
    assert flags["mrs"] & Flag.TITLE


def test_capitals_are_counted_only_inside_sentences_that_use_them() -> None:
    inside = ["We saw Callum and the dog", "They met Callum by the bus", "Nobody told Callum what the dog did"]
    elsewhere = ["we saw callum", "Callum ran. Dog ran", "A Dog And A Cat", "Please see CALLUM run to the shop"]
    cuts = [cut(text) for text in [*inside, *elsewhere]]
    assert capital_bands(cuts)["callum"] == 5
    assert "dog" not in capital_bands(cuts)


SAID = Marked("Mr Khan and Aisha Khan-Ali met J. PATEL, aisha and @AishaK", ((3, 7), (12, 26), (31, 39), (41, 46), (51, 58)), "test")


def one_name(name: str) -> Pool:
    return Pool([name], [1.0], [f"{name}son"], [1.0])


def test_names_are_swapped_in_kind_and_spans_follow() -> None:
    import random  # noqa: PLC0415 - only here

    swaps = Swaps({}, one_name("Ünal"), {"aisha": 9000.0}, {"khan": 90.0})
    swapped = swaps.swapped(SAID, swaps.british, random.Random(1))  # noqa: S311 - seeded on purpose
    names = [swapped.text[start:end] for start, end in swapped.spans]
    plain = [name.replace("Ü", "U").replace("ü", "u") for name in names]
    assert plain == ["Unalson", "Unal Unalson", "J. UNALSON", "unal", "@AishaK"]


def test_copies_use_capitals_otherwise_and_keep_their_spans() -> None:
    assert lowered(SAID).text == SAID.text.lower()
    assert names_lowered(SAID).text == "Mr khan and aisha khan-ali met j. patel, aisha and @aishak"
    assert sparse(SAID).text.startswith("Mr khan and")
    assert lowered(Marked("İ Kayden", ((2, 8),), "test")).text == "İ kayden"
    assert sparse(Marked("ßeta", (), "test")).text == "ßeta"


def test_tagged_rows_become_running_text(tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl"
    row = {"tokens": ["It", "is", "n't", "Kay", "Morris", "'s", ",", "J."], "tags": ["O", "O", "O", "B-PER", "I-PER", "O", "O", "I-PER"]}
    path.write_text(json.dumps(row) + "\n" + json.dumps({"tokens": ["Kay"], "tags": ["I-PER"]}), encoding="utf-8")
    first, second = read_tagged(path)
    assert first.text == "It isn't Kay Morris's, J."
    assert [first.text[start:end] for start, end in first.spans] == ["Kay Morris's, J."]
    assert second.spans == ((0, 3),)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("{", "not a JSON object"),
        ("[1]", "not a JSON object"),
        ('{"tokens": ["a"], "tags": []}', "equal length"),
        ('{"tokens": ["a"], "tags": ["B-LOC"]}', "equal length"),
        ('{"tokens": 1, "tags": ["O"]}', "equal length"),
    ],
)
def test_a_tagged_line_that_cannot_be_used_is_named(tmp_path: Path, line: str, why: str) -> None:
    path = tmp_path / "set.jsonl"
    path.write_text(f'{{"tokens": [], "tags": []}}\n{line}\n', encoding="utf-8")
    with pytest.raises(BadInput, match=f"set.jsonl line 2: .*{why}"):
        read_tagged(path)


@pytest.mark.parametrize(
    "people",
    ['"Kay"', '[{"start": 0}]', '[{"start": 0, "end": 3, "kind": "cat"}]', '[{"start": 0, "end": 99, "kind": "pupil"}]', '["Kay"]'],
)
def test_a_school_line_that_cannot_be_used_is_named(tmp_path: Path, people: str) -> None:
    path = tmp_path / "school.jsonl"
    path.write_text(f'{{"text": "Kay ran", "people": {people}}}', encoding="utf-8")
    with pytest.raises(BadInput, match=r"school\.jsonl line 1"):
        read_school(path)


def test_school_rows_whose_people_nobody_marked_are_passed_over(school: Path) -> None:
    rows = read_school(school)
    assert [row.kinds for row in rows] == [(PersonKind.PUPIL,), (PersonKind.PUPIL,), ()]
    assert {row.source for row in rows} == {"school"}
    with pytest.raises(BadInput, match="cannot be read"):
        read_school(school.with_name("none.jsonl"))
