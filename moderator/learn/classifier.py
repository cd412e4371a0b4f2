"""The Classifier port's shipped versions: the linear one that the service runs, and a constant one for rehearsals and tests."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from moderator.domain.score import Guard, GuardHit, Label, PersonSpan, PiiSpan, Reason, Score
from moderator.learn.abuse import LABELS, Screen, Screened
from moderator.learn.explain import reasons
from moderator.learn.guards import guards
from moderator.learn.load import load
from moderator.learn.names import WORTH_A_LOOK, titled
from moderator.learn.pii import personal_data
from moderator.learn.roll import RollMatcher
from moderator.text.normalise import align, normalise

NEAR = 0.3
"""Reasons are worked out for labels from this probability, which is below every threshold of the bundled policy."""

BATCH = 500


class LinearClassifier:
    """Scores with the linear abuse model, titles, the roll and the guards. Loads its model once; holds it in memory (about 10 MB)."""

    def __init__(self, models: Path, roll: RollMatcher | None = None) -> None:
        """Load the model of the folder `models`. Raises BadInput when it is missing, damaged or not trusted."""
        pipeline, manifest = load(models)
        self._screen = Screen(pipeline)
        self._version = manifest.version
        self._roll = roll

    @property
    def version(self) -> str:
        """The model version, with the model's hash."""
        return self._version

    def score(self, texts: Sequence[str], *, parents: Sequence[str] = ()) -> list[Score]:
        """Return one score a text, in order. Parents are not read by this version. Never fails on any Unicode; same text, same score."""
        del parents
        found: list[Score] = []
        for begin in range(0, len(texts), BATCH):
            batch = texts[begin : begin + BATCH]
            normalised = [normalise(text) for text in batch]
            screened = self._screen.screen(normalised)
            rows = screened.probabilities.tolist()
            found += [self._one(batch[place], normalised[place], row, screened, place) for place, row in enumerate(rows)]
        return found

    def _one(self, text: str, normalised: str, row: list[float], screened: Screened, place: int) -> Score:
        words = normalised.split(" ")
        people = self._people(text, words)
        hits = guards(normalised, people)
        near = [label for label, chance in zip(LABELS, row, strict=True) if chance >= NEAR]
        told: tuple[Reason, ...] = ()
        if hits or near:
            aligned = align(text)
            hits = tuple(replace(hit, start=start, end=end) for hit in hits for start, end in [aligned.original(hit.start, hit.end)])
            told = tuple(reason for label in near for reason in reasons(screened.word_weights(place, label), aligned, label))
        return Score(dict(zip(LABELS, row, strict=True)), self._version, people, personal_data(text), hits, told, normalised)

    def _people(self, text: str, words: list[str]) -> tuple[PersonSpan, ...]:
        """Return the people named: a match on the roll wins over a title on the same words."""
        on_roll = self._roll.find(text) if self._roll is not None and self._roll.worth_a_look(words) else ()
        with_title = titled(text) if not WORTH_A_LOOK.isdisjoint(words) else ()
        if not (on_roll and with_title):
            return on_roll or with_title
        strong = [person for person in on_roll if person.strong]
        free = [person for person in with_title if not any(_overlap(person, other) for other in strong)]
        weak = [person for person in on_roll if not person.strong and not any(_overlap(person, other) for other in free)]
        return tuple(sorted([*strong, *free, *weak], key=lambda person: person.start))


def _overlap(one: PersonSpan, other: PersonSpan) -> bool:
    return one.start < other.end and other.start < one.end


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
