"""What must hold under strain, measured: disguises, swapped groups and school comments."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from random import Random

import numpy as np
import pytest
from numpy.typing import NDArray
from stage import WordClassifier

from moderator.domain.policy import Policy
from moderator.domain.score import Label
from moderator.learn.corpus import Example
from moderator.learn.identity import GROUPS, SENTENCES, Group, rates, sentences, spread, swapped
from moderator.learn.obfuscate import OBFUSCATIONS
from moderator.learn.stress import SchoolFigures, Strain, disguises, groups, hides, school_figures, strain


def rude(texts: Sequence[str]) -> NDArray[np.bool_]:
    """Flag whatever holds the word, in whatever case."""
    return np.array(["muppet" in text.lower() for text in texts], np.bool_)


def only_lower(texts: Sequence[str]) -> NDArray[np.bool_]:
    """Flag the word in lower case, and anything that shouts."""
    return np.array(["muppet" in text or text.isupper() for text in texts], np.bool_)


EXAMPLES = [Example(f"you muppet {number}", {Label.ABUSIVE: 1}, "x") for number in range(30)] + [
    Example(f"lovely day {number}", {Label.ABUSIVE: 0}, "x") for number in range(40)
]


def shout(text: str, _: Random) -> str:
    return text.upper()


def test_r34_there_are_enough_sentences_and_groups_of_every_kind() -> None:
    assert len(SENTENCES) >= 30
    assert len(set(SENTENCES)) == len(SENTENCES)
    assert len(GROUPS) >= 20
    assert len({group.word for group in GROUPS}) == len(GROUPS)
    kinds = Counter(group.kind for group in GROUPS)
    assert set(kinds) == {"race", "nationality", "religion", "disability", "sexuality", "gender", "Traveller"}
    assert min(kinds.values()) >= 3
    assert all("{group}" in sentence or "{Group}" in sentence or "{being}" in sentence for sentence in SENTENCES)


def test_a_group_is_put_into_every_sentence_with_its_article() -> None:
    made = sentences(Group("race", "Asian"))
    assert len(made) == len(SENTENCES)
    assert all("asian" in sentence.lower() for sentence in made)
    assert not any("{" in sentence or "a Asian" in sentence for sentence in made)
    assert any("an Asian" in sentence for sentence in made)
    traveller = next(group for group in GROUPS if group.word == "Traveller")
    assert any("is a Traveller" in sentence for sentence in sentences(traveller))
    assert swapped()[: len(SENTENCES)] == sentences(GROUPS[0])


def test_r34_the_spread_is_how_far_the_furthest_group_is_from_the_mean() -> None:
    def hates_the_welsh(texts: Sequence[str]) -> NDArray[np.bool_]:
        return np.array(["Welsh" in text for text in texts], np.bool_)

    found = groups(hates_the_welsh)
    assert len(found) == len(GROUPS)
    assert {rate.group: rate.share for rate in found}["Welsh"] == 1
    assert spread(found) == pytest.approx(1 - 1 / len(GROUPS))
    assert spread(groups(lambda texts: np.zeros(len(texts), np.bool_))) == 0
    assert all(rate.sentences == len(SENTENCES) for rate in rates([False] * len(swapped())))


def test_a_disguise_that_fools_the_model_shows_as_a_drop_and_a_rise() -> None:
    (seen,) = disguises(only_lower, EXAMPLES, ways={"shout": lambda text, _: f"OI {text.upper()}"})
    assert (seen.abusive, seen.harmless) == (30, 40)
    assert (seen.found_plain, seen.found, seen.drop) == (1, 1, 0)
    assert (seen.flagged_plain, seen.flagged, seen.rise) == (0, 1, 1)
    (blind,) = disguises(rude, EXAMPLES, ways={"stars": lambda text, _: text.replace("muppet", "m*pp*t")})
    assert blind.drop == 1
    (holds,) = disguises(rude, EXAMPLES, ways={"shout": shout})
    assert (holds.drop, holds.rise) == (0, 0)


def test_every_disguise_is_measured_on_the_same_repeatable_choice() -> None:
    first = disguises(rude, EXAMPLES, most=10)
    assert [disguise.name for disguise in first] == list(OBFUSCATIONS)
    assert {(disguise.abusive, disguise.harmless) for disguise in first} == {(10, 10)}
    assert disguises(rude, list(reversed(EXAMPLES)), most=10) == first
    assert disguises(rude, EXAMPLES[:30]) == []


def test_school_comments_with_any_label_count_as_abusive() -> None:
    school = [
        Example("you muppet", {Label.ABUSIVE: 0, Label.INSULT: 1}, "school"),
        Example("we know where you sit", {Label.ABUSIVE: 1}, "school"),
        Example("that muppet show was fun", dict.fromkeys(Label, 0), "school"),
        Example("lovely", {Label.ABUSIVE: 0}, "school"),
        Example("muppet, and nobody has said", {}, "school"),
    ]
    assert school_figures(rude, school) == SchoolFigures(2, 0.5, 2, 0.5)
    assert school_figures(rude, []) == SchoolFigures(0, 0.0, 0, 0.0)


def test_all_of_it_in_one_with_the_worst_of_each() -> None:
    found = strain(rude, EXAMPLES, EXAMPLES[:1])
    assert found.identity_spread == 0
    assert found.worst_drop == max(disguise.drop for disguise in found.disguises)
    assert found.worst_rise == max(disguise.rise for disguise in found.disguises)
    assert found.school.found == 1
    nothing = Strain((), found.groups, found.school)
    assert (nothing.worst_drop, nothing.worst_rise) == (0, 0)


def test_the_whole_assessor_can_be_put_under_the_same_strain() -> None:
    hide = hides(WordClassifier(), replace(Policy.bundled(), hide_names=True))
    assert hide(["You are an idiot", "Lovely", "disclosure: idiot"]).tolist() == [True, False, False]
