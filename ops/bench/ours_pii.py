"""Personal data alone: `python ours_pii.py pii CORE`. Started by `contest`."""

import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.worker import serve
from moderator.learn.pii import personal_data


class Pii:
    """Personal data by rules."""

    def __init__(self, _: Sequence[str]) -> None:
        """Load nothing: importing did."""

    def work(self, texts: Sequence[str]) -> object:
        """Find the personal data in the texts."""
        return [personal_data(text) for text in texts]

    def answers(self, texts: Sequence[str]) -> list[dict[str, object]]:
        """Return the spans found in each text."""
        return [{"pii": [[one.start, one.end] for one in personal_data(text)]} for text in texts]


if __name__ == "__main__":
    sys.exit(serve({"pii": Pii}, sys.argv[1:]))
