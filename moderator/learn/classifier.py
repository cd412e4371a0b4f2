"""The Classifier port's shipped versions: the assessor that the service runs, and a constant one for rehearsals and tests."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from moderator.domain.score import Guard, GuardHit, Label, PersonSpan, PiiSpan, Reason, Score
from moderator.learn.explain import reasons
from moderator.learn.guards import guards, merged, trained
from moderator.learn.load import PEOPLE, has
from moderator.learn.names import people
from moderator.learn.people.tagger import NOBODY, Mention, PersonTagger
from moderator.learn.pii import personal_data
from moderator.learn.roll import RollMatcher
from moderator.learn.screen import GUARDS, LABELS
from moderator.learn.second import second_opinion
from moderator.learn.tiers import Chances, Tiers
from moderator.text.normalise import Aligned, align, normalise

NEAR = 0.3
"""Reasons are worked out for labels from this probability, which is below every threshold of the bundled policy."""

UNSURE = 0.2
"""The tagger's doubt (0 to 1) from which the encoder reads a text too."""

BATCH = 500


class Assessor:
    """Scores with both tiers of the abuse model, the guards, the person tagger, the roll and personal data. Loads its models once."""

    def __init__(self, models: Path, roll: RollMatcher | None = None, *, encoder: bool = True) -> None:
        """Load the models of the folder `models`; without the encoder tier when `encoder` is False or the folder has none.

        Raises BadInput when one is missing, damaged or not trusted.
        """
        self._tiers = Tiers.load(models, encoder=encoder)
        self._tagger = PersonTagger.load(models) if has(models, PEOPLE) else None
        self._roll = roll

    def use_roll(self, roll: RollMatcher | None) -> None:
        """Match this roll from the next text on; None matches nobody."""
        self._roll = roll

    @property
    def version(self) -> str:
        """The version: which tiers, with day and hash, and the tagger's."""
        return f"{self._tiers.version}+{self._tagger.version}" if self._tagger is not None else self._tiers.version

    def score(self, texts: Sequence[str], *, parents: Sequence[str] = ()) -> list[Score]:
        """Return one score a text, in order. Never fails on any Unicode; same text and parent, same score, whatever stands beside it."""
        found: list[Score] = []
        for begin in range(0, len(texts), BATCH):
            found += self._batch(texts[begin : begin + BATCH], parents[begin : begin + BATCH])
        return found

    def _batch(self, texts: Sequence[str], parents: Sequence[str]) -> list[Score]:
        normalised = [normalise(text) for text in texts]
        looked = self._tagger.look(texts) if self._tagger is not None else [NOBODY] * len(texts)
        unsure = [place for place, found in enumerate(looked) if found.doubt >= UNSURE]
        chances = self._tiers.read(normalised, [normalise(parent) for parent in parents], also=unsure)
        return [self._one(text, normalised[place], chances, place, looked[place].mentions) for place, text in enumerate(texts)]

    def _one(self, text: str, normalised: str, chances: Chances, place: int, mentions: Sequence[Mention]) -> Score:
        row = chances.rows[place]
        labels = dict(zip(LABELS, row, strict=False))
        likely = dict(zip(GUARDS, row[len(LABELS) :], strict=True))
        near = [label for label, chance in labels.items() if chance >= NEAR]
        reading = chances.readings.get(place)
        roll = self._roll
        on_roll = roll.named(text, normalised.split(" ")) if roll is not None else ()
        aligned = align(text) if reading is not None or near else None
        if reading is not None and aligned is not None:
            mentions = second_opinion(text, mentions, reading, aligned)
        named = people(text, mentions, on_roll)
        hits = _guards(text, normalised, named, likely, aligned)
        told: tuple[Reason, ...] = ()
        if aligned is not None:
            told = tuple(reason for label in near for reason in reasons(chances.word_weights(place, label), aligned, label))
        return Score(labels, self.version, named, personal_data(text), hits, told, normalised)


def _guards(
    text: str, normalised: str, named: Sequence[PersonSpan], likely: Mapping[Guard, float], aligned: Aligned | None
) -> tuple[GuardHit, ...]:
    """Return the guards that rules or the trained part find, with spans of the text as given."""
    ruled = guards(normalised, named)
    if ruled:
        back = aligned or align(text)
        ruled = tuple(replace(hit, start=start, end=end) for hit in ruled for start, end in [back.original(hit.start, hit.end)])
    return merged(ruled, trained(likely, len(text)))


class ConstantClassifier:
    """Gives every text the same score, but for marks in the text; for rehearsals and tests of other packages."""

    def __init__(self, labels: Mapping[Label, float] | None = None, *, marks: Mapping[str, Mapping[Label, float]] | None = None) -> None:
        """Take the probabilities of every text (0 where none), and those of texts that hold a mark."""
        self._labels = dict.fromkeys(Label, 0.0) | dict(labels or {})
        self._marks = dict(marks or {})

    @property
    def version(self) -> str:
        """The version; constant."""
        return "constant-1"

    def score(self, texts: Sequence[str], *, parents: Sequence[str] = ()) -> list[Score]:
        """Return one score a text, in order. A text that holds a guard's name in square brackets (`[crisis]`) has that guard."""
        del parents
        return [self._one(text) for text in texts]

    def _one(self, text: str) -> Score:
        labels = dict(self._labels)
        for mark, chances in self._marks.items():
            if mark in text:
                labels |= chances
        hits = tuple(GuardHit(guard, 0, len(text), f"Marked as {guard.value}.") for guard in Guard if f"[{guard.value}]" in text)
        none: tuple[PiiSpan, ...] = ()
        return Score(labels, self.version, pii=none, guards=hits, normalised=normalise(text))
