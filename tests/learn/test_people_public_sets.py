"""The tagger that ships on public text it was not fitted on: floors it must not fall under. The text lies beside the checkout."""

import os
import random
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from moderator.learn.classifier import UNSURE
from moderator.learn.load import bundled
from moderator.learn.people.gazetteer import read_names
from moderator.learn.people.judge import NameFigure, judge_names
from moderator.learn.people.marked import Marked, read_tagged
from moderator.learn.people.swaps import HELD_OUT, ORIGINS, Swaps, british, lowered, pools
from moderator.learn.people.tagger import Mention, PersonTagger
from moderator.learn.second import second_opinion
from moderator.learn.tiers import Tiers
from moderator.text.normalise import align, normalise

SHARED = Path(os.environ.get("MODERATOR_SHARED") or Path(__file__).resolve().parents[3] / "shared") / "data"

pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason="the public text sets are not on this machine; see models/MODEL_CARD.md")

NAMES = SHARED / "names"
TWEETS = ("btc_dev", "tweebank_dev")


class Together(PersonTagger):
    """The tagger with the encoder's second opinion, as the assessor asks for it."""

    def find(self, texts: Sequence[str]) -> list[list[Mention]]:
        looked = self.look(texts)
        readings = TIERS.read(
            [normalise(text) for text in texts], also=[at for at, one in enumerate(looked) if one.doubt >= UNSURE]
        ).readings
        return [
            second_opinion(text, one.mentions, readings[at], align(text)) if at in readings else list(one.mentions)
            for at, (text, one) in enumerate(zip(texts, looked, strict=True))
        ]


TIERS = Tiers.load(bundled())


@pytest.fixture(scope="module")
def tagger() -> PersonTagger:
    return PersonTagger.load(bundled())


@pytest.fixture(scope="module")
def together() -> PersonTagger:
    return Together.load(bundled())


def figures(tagger: PersonTagger, *names: str, lower: bool = False) -> dict[str, NameFigure]:
    sets = {name: read_tagged(NAMES / f"{name}.jsonl") for name in names}
    return {name: judge_names(tagger, [lowered(one) for one in texts] if lower else texts, name) for name, texts in sets.items()}


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


def test_people_in_tweets_are_found_as_written(together: PersonTagger) -> None:
    by_set = figures(together, "wnut17_dev_nh", *TWEETS, "uner_ewt_dev")
    assert mean([by_set[name].f1 for name in TWEETS]) >= 0.72
    assert mean([by_set[name].text_f1 for name in TWEETS]) >= 0.815  # the issue aims at 0.82
    assert by_set["wnut17_dev_nh"].f1 >= 0.72
    assert by_set["uner_ewt_dev"].f1 >= 0.72


def test_people_in_tweets_are_found_in_lower_case(together: PersonTagger) -> None:
    assert mean([figure.f1 for figure in figures(together, *TWEETS, lower=True).values()]) >= 0.7


def test_the_tagger_alone_tells_whether_a_tweet_names_anybody(tagger: PersonTagger) -> None:
    assert mean([figure.text_f1 for figure in figures(tagger, *TWEETS).values()]) >= 0.77


def test_r34_names_of_every_origin_are_found_alike_even_of_those_held_out_of_training(together: PersonTagger) -> None:
    first, last = read_names(NAMES / "lists", without=frozenset(country for held in HELD_OUT.values() for country in held))
    swaps = Swaps(pools(NAMES / "lists", origins={**ORIGINS, **HELD_OUT}), british(first, last), first, last)
    texts: list[Marked] = [one for name in (*TWEETS, "uner_ewt_dev") for one in read_tagged(NAMES / f"{name}.jsonl") if one.spans]

    def touched(pool_name: str) -> float:
        rng = random.Random(5)  # noqa: S311 - seeded on purpose
        pool = swaps.british if pool_name == "british" else swaps.by_origin[pool_name]
        return judge_names(together, [swaps.swapped(one, pool, rng) for one in texts], pool_name).touched

    home = touched("british")
    asked = (*HELD_OUT, "irish", "welsh", "scottish", "polish", "romanian", "indian", "pakistani", "bangladeshi", "nigerian", "somali")
    for origin in (*asked, "caribbean", "chinese", "arabic", "turkish", "traveller"):
        assert home - touched(origin) <= 0.1, origin


def test_calm_talk_hardly_ever_names_anybody_of_a_school(tagger: PersonTagger) -> None:
    lines = (SHARED / "comments" / "youtube.txt").read_text(encoding="utf-8").splitlines()[:4000]
    assert sum(map(bool, tagger.find(lines))) <= 0.2 * len(lines)


def test_it_is_fast_enough_for_every_comment(tagger: PersonTagger) -> None:
    lines = (SHARED / "comments" / "youtube.txt").read_text(encoding="utf-8").splitlines()[:4000]
    tagger.find(lines)
    began = time.process_time()
    tagger.find(lines)
    assert len(lines) / (time.process_time() - began) >= 2_500
