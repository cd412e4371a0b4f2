"""The person tagger alone, or with personal data, which is presidio's job: `python ours_names.py names|both-finders CORE`.

Started by `contest`.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.worker import serve
from moderator.learn.load import bundled
from moderator.learn.people.tagger import PersonTagger
from moderator.learn.pii import personal_data


class Names:
    """The person tagger."""

    def __init__(self, _: Sequence[str]) -> None:
        """Load the model."""
        self._tagger = PersonTagger.load(bundled())

    def work(self, texts: Sequence[str]) -> object:
        """Find the people in the texts."""
        return self._tagger.find(texts)

    def answers(self, texts: Sequence[str]) -> list[dict[str, object]]:
        """Return the spans found in each text."""
        return [{"people": [[one.start, one.end] for one in found]} for found in self._tagger.find(texts)]


class BothFinders:
    """The person tagger and personal data: like for like with presidio."""

    def __init__(self, _: Sequence[str]) -> None:
        """Load the model."""
        self._tagger = PersonTagger.load(bundled())

    def work(self, texts: Sequence[str]) -> object:
        """Find the people and the personal data in the texts."""
        return self._tagger.find(texts), [personal_data(text) for text in texts]

    def answers(self, texts: Sequence[str]) -> list[dict[str, object]]:
        """Return the spans found in each text."""
        return [
            {"people": [[one.start, one.end] for one in named], "pii": [[one.start, one.end] for one in personal_data(text)]}
            for text, named in zip(texts, self._tagger.find(texts), strict=True)
        ]


if __name__ == "__main__":
    sys.exit(serve({"names": Names, "both-finders": BothFinders}, sys.argv[1:]))
