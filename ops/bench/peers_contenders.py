"""The peers, each in a process of its own: `python peers_contenders.py NAME CORE [ENGINE or NAMES.json]`. Started by `contest`.

Runs in the peers' own environment (see `peers`), where nothing of ours is installed, and they are not in ours: hence the late imports.
alt-profanity-check, better-profanity: as their own pages say to call them. presidio: with the name finder that `peers_engine` trained, and
its own recognisers for what a British comment may hold. presidio-names: its list recogniser with a whole roll of names.
"""

import importlib
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.worker import Contender, serve

RECOGNISERS = (
    *("EmailRecognizer", "NhsRecognizer", "UkNinoRecognizer", "UkPostcodeRecognizer", "UkVehicleRegistrationRecognizer"),
    *("IbanRecognizer", "CreditCardRecognizer", "IpRecognizer"),
)
"""presidio's own, beside the one for phone numbers, which is told the region."""

PERSON = "PERSON"
BATCH = 64
"""Texts that presidio passes to spaCy at once: larger ones were no quicker."""

Answers = list[dict[str, object]]


class AltProfanityCheck:
    """alt-profanity-check: a linear model of words, in batch, flagged at its own 0.5."""

    def __init__(self, _: Sequence[str]) -> None:
        """Load the model, which importing does."""
        self._library = importlib.import_module("profanity_check")

    def work(self, texts: Sequence[str]) -> Any:  # noqa: ANN401 - an array of a library of theirs
        """Return the probabilities."""
        return self._library.predict_prob(list(texts))

    def answers(self, texts: Sequence[str]) -> Answers:
        """Return chance and flag of each text."""
        flags = self._library.predict(list(texts))
        return [{"abuse": [float(chance), bool(flag)]} for chance, flag in zip(self.work(texts), flags, strict=True)]


class BetterProfanity:
    """better-profanity: a list of words in every spelling it knows. It has no probability: flagged counts as 1."""

    def __init__(self, _: Sequence[str]) -> None:
        """Load the list of words."""
        self._profanity = importlib.import_module("better_profanity").profanity
        self._profanity.load_censor_words()

    def work(self, texts: Sequence[str]) -> list[bool]:
        """Return whether each text holds a word of the list."""
        return [bool(self._profanity.contains_profanity(text)) for text in texts]

    def answers(self, texts: Sequence[str]) -> Answers:
        """Return flag as chance, and flag, of each text."""
        return [{"abuse": [float(flag), flag]} for flag in self.work(texts)]


class Presidio:
    """presidio-analyzer over the pipeline in the folder named."""

    def __init__(self, arguments: Sequence[str]) -> None:
        """Load the pipeline and the recognisers."""
        analyzer, nlp = importlib.import_module("presidio_analyzer"), importlib.import_module("presidio_analyzer.nlp_engine")
        known = importlib.import_module("presidio_analyzer.predefined_recognizers")
        finder = nlp.NerModelConfiguration(model_to_presidio_entity_mapping={PERSON: PERSON})
        engine = nlp.SpacyNlpEngine(models=[{"lang_code": "en", "model_name": arguments[0]}], ner_model_configuration=finder)
        recognisers = [getattr(known, name)() for name in RECOGNISERS]
        recognisers += [known.SpacyRecognizer(supported_entities=[PERSON]), known.PhoneRecognizer(supported_regions=("GB",))]
        registry = analyzer.RecognizerRegistry(recognizers=recognisers)
        self._batches = analyzer.BatchAnalyzerEngine(analyzer.AnalyzerEngine(registry=registry, nlp_engine=engine))

    def work(self, texts: Sequence[str]) -> Any:  # noqa: ANN401 - lists of a class of theirs
        """Find people and personal data in the texts."""
        return self._batches.analyze_iterator(list(texts), language="en", batch_size=BATCH)

    def answers(self, texts: Sequence[str]) -> Answers:
        """Return the spans found in each text."""
        return [
            {
                "people": [[one.start, one.end] for one in found if one.entity_type == PERSON],
                "pii": [[one.start, one.end] for one in found if one.entity_type != PERSON],
            }
            for found in self.work(texts)
        ]


class PresidioNames:
    """presidio's list recogniser with every first and last name of a roll: no pipeline is needed for that."""

    def __init__(self, arguments: Sequence[str]) -> None:
        """Load the names of the file and let it build its pattern."""
        names = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))
        analyzer = importlib.import_module("presidio_analyzer")
        self._recogniser = analyzer.PatternRecognizer(supported_entity=PERSON, deny_list=names)

    def work(self, texts: Sequence[str]) -> list[Any]:
        """Find the names in the texts."""
        return [self._recogniser.analyze(text, [PERSON]) for text in texts]

    def answers(self, texts: Sequence[str]) -> Answers:
        """Return the spans found in each text."""
        return [{"people": [[one.start, one.end] for one in found]} for found in self.work(texts)]


CONTENDERS: dict[str, Callable[[Sequence[str]], Contender]] = {
    "alt-profanity-check": AltProfanityCheck,
    "better-profanity": BetterProfanity,
    "presidio": Presidio,
    "presidio-names": PresidioNames,
}

if __name__ == "__main__":
    sys.exit(serve(CONTENDERS, sys.argv[1:]))
