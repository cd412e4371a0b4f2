"""What the tagger and the encoder make of a name together."""

import numpy as np

from moderator.learn.encoder import Reading
from moderator.learn.people.tagger import Mention
from moderator.learn.second import second_opinion
from moderator.text.normalise import align

TEXT = "Ask Priya Nair, will you?"
ALIGNED = align(TEXT)
PLAIN, BEGINS, GOES_ON = (0.98, 0.01, 0.01), (0.02, 0.95, 0.03), (0.02, 0.03, 0.95)


def _reading(*tags: tuple[float, float, float]) -> Reading:
    """Return a reading of TEXT with one token for each word of its normalised form."""
    spans: list[tuple[int, int]] = []
    for word in ALIGNED.text.split(" "):
        start = spans[-1][1] + 1 if spans else 0
        spans.append((start, start + len(word)))
    return Reading(np.zeros(13, np.float32), tuple(spans), np.array(tags, np.float32))


def test_tokens_of_one_name_are_one_mention_in_the_text_as_given() -> None:
    (found,) = second_opinion(TEXT, [], _reading(PLAIN, BEGINS, GOES_ON, PLAIN, PLAIN, PLAIN), ALIGNED)
    assert TEXT[found.start : found.end] == "Priya Nair"
    assert found.whole


def test_two_names_side_by_side_stay_two() -> None:
    assert len(second_opinion(TEXT, [], _reading(PLAIN, BEGINS, BEGINS, PLAIN, PLAIN, PLAIN), ALIGNED)) == 2


def test_a_name_only_the_encoder_sees_comes_in() -> None:
    found = second_opinion(TEXT, [], _reading(PLAIN, BEGINS, GOES_ON, PLAIN, PLAIN, PLAIN), ALIGNED)
    assert [TEXT[one.start : one.end] for one in found] == ["Priya Nair"]


def test_an_unsure_mention_the_encoder_does_not_see_is_dropped_and_a_sure_one_stays() -> None:
    nobody = _reading(*[PLAIN] * 6)
    will = Mention(16, 20, 0.6)
    assert second_opinion(TEXT, [will], nobody, ALIGNED) == []
    some = _reading(PLAIN, (0.7, 0.2, 0.1), PLAIN, PLAIN, PLAIN, PLAIN)
    sure = Mention(4, 14, 0.95, whole=True)
    assert second_opinion(TEXT, [sure], some, ALIGNED) == [sure]


def test_a_name_in_a_hashtag_stays() -> None:
    text = "#ThankYouMrsBhogal"
    inside = Mention(9, 18, 0.9)
    aligned = align(text)
    words = len(aligned.text.split(" "))
    spans = tuple((place, place + 1) for place in range(words))
    reading = Reading(np.zeros(13, np.float32), spans, np.array([PLAIN] * words, np.float32))
    assert second_opinion(text, [inside], reading, aligned) == [inside]
