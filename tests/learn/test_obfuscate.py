"""The eight disguises: pure, seeded, moderate; and what the normaliser wins back from each."""
# ruff: noqa: S311 - disguises are no secrets

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moderator.learn.obfuscate import OBFUSCATIONS
from moderator.text.normalise import normalise

SENTENCES = """
you are a complete clown and everyone knows it
what an absolute muppet of a teacher
this school is run by idiots and liars
nobody likes you so just leave
shut up you stupid little freak
that headteacher is a pathetic coward
your kid is a thick ugly bully
go away and never come back loser
the whole governing board are useless wasters
I hope your house burns down tonight
she is the worst mother I have ever seen
somebody should punch that smug man
""".strip().splitlines()
WORDS = "idiot stupid moron loser clown wanker bastard bitch muppet plonker coward liar bully freak ugly pathetic useless rubbish hate kill"
NAMES = ["case", "accents", "homoglyphs", "zero_width", "leetspeak", "spaced", "repeats", "inserted"]


def test_there_are_exactly_eight_in_a_fixed_order() -> None:
    assert list(OBFUSCATIONS) == NAMES


@settings(deadline=None, max_examples=60)
@given(st.text(alphabet=st.characters()), st.integers(0, 2**32), st.sampled_from(NAMES))
def test_any_text_and_the_same_seed_give_the_same_outcome(text: str, seed: int, name: str) -> None:
    assert OBFUSCATIONS[name](text, Random(seed)) == OBFUSCATIONS[name](text, Random(seed))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("text", ["", "!?", "7 9", "a I"])
def test_a_text_with_nothing_to_change_stays(name: str, text: str) -> None:
    assert OBFUSCATIONS[name](text, Random(1)).lower() == text.lower()


@pytest.mark.parametrize("name", NAMES)
def test_about_a_third_to_two_thirds_of_the_words_change_and_long_ones_first(name: str) -> None:
    chance = Random(7)
    changed, long_changed, words, long_words = 0, 0, 0, 0
    for _ in range(10):
        for text in SENTENCES:
            kept = set(OBFUSCATIONS[name](text, chance).split())
            for word in text.split():
                words += 1
                long_words += len(word) > 4
                changed += word not in kept
                long_changed += len(word) > 4 and word not in kept
    assert 0.2 < changed / words < 0.65
    assert long_changed / long_words > changed / words


@pytest.mark.parametrize("name", NAMES)
def test_a_third_of_the_disguises_or_more_differ_with_the_seed(name: str) -> None:
    assert len({OBFUSCATIONS[name](SENTENCES[0], Random(seed)) for seed in range(30)}) > 10


@pytest.mark.parametrize("name", NAMES)
def test_nine_words_in_ten_are_won_back(name: str) -> None:
    chance = Random(11)
    found = total = 0
    for _ in range(12):
        for text in [*SENTENCES, *WORDS.split()]:
            meant = normalise(text).split()
            read = normalise(OBFUSCATIONS[name](text, chance)).split()
            total += len(meant)
            found += sum(word in read for word in meant)
    assert found / total >= 0.9
