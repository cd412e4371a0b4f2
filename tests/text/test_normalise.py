"""The normaliser: what it undoes, what it leaves, and that no Unicode breaks it."""
# ruff: noqa: RUF001 - look-alike letters are what this file is about

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moderator.text.confusables import fold
from moderator.text.normalise import HANDLE, LINK, align, normalise

ANY_TEXT = st.text(alphabet=st.characters())
TRICKY = st.text(alphabet="aAbsty0134578@$!|*?._-~/'’: #&\u200b\u0301\u202e😡🇬🇧ｆаοжﬁ½ʇ⭕<3();\ud800\n", max_size=40)
PIECES = st.lists(
    st.sampled_from([*("fool", "you", "cl0wn", "#tag", "@ss", "d*mn", "m8", "www.", "уо", "жа", "ɹ"), *"24iaur*!?x", "**"]),
    max_size=8,
)
JOINS = st.sampled_from(["", " ", ".", "-", "*", "'"])


@pytest.mark.parametrize(
    ("given_text", "meant"),
    [
        ("I DON'T like it", "i dont like it"),
        ("It’s great—really; well-done", "its great really well done"),
        ("ｆｕｎｎｙ Ｂｕｎｎｙ", "funny bunny"),
        ("сһеаtеr", "cheater"),
        ("τrοll", "troll"),
        ("ᴍᴜᴘᴘᴇᴛ", "muppet"),
        ("ⓜⓤⓟⓟⓔⓣ", "muppet"),
        ("🅼🆄🅿🅿🅴🆃", "muppet"),
        ("𝓶𝓾𝓹𝓹𝓮𝓽", "muppet"),
        ("z\u200be\u200dr\u2060o", "zero"),
        ("Zo\u0308e, Zoë", "zoe zoe"),
        ("cl0wn cr3tin id1ot $illy y0u", "clown cretin idiot silly you"),
        ("p4the7ic", "pathetic"),
        ("b.r.a.t and b r a t and b-r-a-t", "brat and brat and brat"),
        ("sooooo loooong", "so long"),
        ("fooooool", "fool"),
        ("killlll", "kill"),
        ("d*mn **bold** c**p", "damn bold crap"),
        ("What?! No!!!", "what ? no !"),
        ("write to @jo_bloggs or me@school.example", f"write to {HANDLE} or {LINK}"),
        ("see https://school.example/a?b=c or www.school.example now", f"see {LINK} or {LINK} now"),
        ("so angry 😡", "so angry enraged face"),
        ("yes/no, and/or", "yes no and or"),
        ("", ""),
        ("  \t\n ", ""),
    ],
)
def test_disguises_are_undone(given_text: str, meant: str) -> None:
    assert normalise(given_text) == meant


@pytest.mark.parametrize("kept", ["y7 won 9 1 at ks2", "y7s", "year 11 p6 s4", "2nd", "1000 pounds", "covid19", "10k run"])
def test_school_shorthand_and_numbers_are_no_leetspeak(kept: str) -> None:
    assert normalise(kept.upper()) == kept


def test_an_at_sign_can_begin_an_insult_or_a_handle() -> None:
    assert normalise("@sshat") == "asshat"
    assert normalise("@assembly") == HANDLE


@settings(deadline=None)
@given(ANY_TEXT)
def test_any_unicode_is_normalised_once_and_for_all(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once
    assert once == once.strip()
    assert "  " not in once


@settings(deadline=None)
@given(TRICKY)
def test_tricky_text_is_normalised_once_and_for_all(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once


@settings(deadline=None)
@given(PIECES, JOINS)
def test_disguises_run_together_are_normalised_once_and_for_all(pieces: list[str], join: str) -> None:
    text = join.join(pieces)
    once = normalise(text)
    assert normalise(once) == once
    assert align(text).text == once


@settings(deadline=None)
@given(st.one_of(ANY_TEXT, TRICKY))
def test_the_map_gives_the_same_text_and_stays_inside_the_original(text: str) -> None:
    aligned = align(text)
    assert aligned.text == normalise(text)
    assert len(aligned.starts) == len(aligned.ends) == len(aligned.text)
    assert all(0 <= start < end <= len(text) for start, end in zip(aligned.starts, aligned.ends, strict=True))


@settings(deadline=None)
@given(st.characters())
def test_folding_one_character_is_final(character: str) -> None:
    folded = fold(character)
    assert "".join(map(fold, folded)) == folded


@pytest.mark.parametrize(
    ("text", "word", "original"),
    [
        ("You are a c.l.o.w.n mate", "clown", "c.l.o.w.n"),
        ("Such a cl0wn!", "clown", "cl0wn"),
        ("😡😡 cｌown", "clown", "cｌown"),
        ("don't", "dont", "don't"),
        ("loooong day", "long", "loooong"),
        ("ask @jo_bloggs please", HANDLE, "@jo_bloggs"),
        ("a   b\n\n cd", "cd", "cd"),
    ],
)
def test_words_point_back_at_the_text_as_given(text: str, word: str, original: str) -> None:
    aligned = align(text)
    place = aligned.text.index(word)
    start, end = aligned.original(place, place + len(word))
    assert text[start:end].strip() == original


def test_an_empty_span_or_one_past_the_end_points_nowhere() -> None:
    aligned = align("good day")
    assert aligned.original(3, 3) == (0, 0)
    assert aligned.original(99, 120) == (0, 0)
    assert aligned.original(5, 99) == (5, 8)


def test_what_is_remembered_is_bounded_and_changes_no_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "the cl0wn and the m8 went home"
    meant = normalise(text)
    monkeypatch.setattr("moderator.text.normalise._AT_MOST", 2)
    assert [normalise(f"{text} {number}") for number in range(7_003, 7_006)] == [f"{meant} {number}" for number in range(7_003, 7_006)]


@settings(deadline=None)
@given(st.one_of(ANY_TEXT, TRICKY))
def test_places_never_run_backwards_by_more_than_one_replacement(text: str) -> None:
    aligned = align(text)
    if "\u202e" not in text:
        assert list(aligned.starts) == sorted(aligned.starts)


LONG = [
    "aa",
    "a ",
    "a.",
    "#a",
    "\u0430b",
    "\U0001f1ec",
    "1a",
    "f*",
    "ab!",
    "&#1;",
    "<3",
    "\u0279",
    "a\U0001f621",
    "@",
    "0a",
    "*",
    "!",
    "a@b.",
    "www.",
    "'a",
    "\U0001f621",
    "\u0301",
    "//",
    "$a",
    "\u0431",
    "a\xe9",
]


@pytest.mark.parametrize("piece", LONG)
def test_time_grows_with_length_only(piece: str) -> None:
    def seconds(times: int) -> float:
        text = piece * times
        began = time.process_time()
        normalise(text)
        return time.process_time() - began

    seconds(1_000)
    short = min(seconds(2_000) for _ in range(3))
    assert min(seconds(16_000) for _ in range(2)) < 40 * short + 0.05
