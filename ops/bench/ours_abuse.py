"""The abuse model alone: `python ours_abuse.py linear|both CORE`. Started by `contest`."""

import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.worker import Contender, serve
from moderator.domain.policy import Policy
from moderator.learn.load import bundled
from moderator.learn.screen import LABELS, Floats
from moderator.learn.tiers import Tiers
from moderator.text.normalise import normalise


class Abuse:
    """The abuse model: `normalise`, then one tier or both."""

    def __init__(self, *, encoder: bool) -> None:
        """Load the models. Ends the program when the encoder is asked for and there is none."""
        self._tiers = Tiers.load(bundled(), encoder=encoder)
        if encoder and not self._tiers.reads_twice:
            message = "models/ holds no encoder: nothing to measure"
            raise SystemExit(message)

    def work(self, texts: Sequence[str]) -> Floats:
        """Return the probabilities of the texts."""
        return self._tiers.read([normalise(text) for text in texts]).probabilities

    def answers(self, texts: Sequence[str]) -> list[dict[str, object]]:
        """Return the chance of abuse, and whether any label reaches its threshold in the bundled policy, of each text."""
        limits = [Policy.bundled().flag.get(label.value, 2.0) for label in LABELS]
        rows = self.work(texts).tolist()
        return [{"abuse": [row[0], any(chance >= limit for chance, limit in zip(row, limits, strict=False))]} for row in rows]


def _linear(_: Sequence[str]) -> Contender:
    return Abuse(encoder=False)


def _both(_: Sequence[str]) -> Contender:
    return Abuse(encoder=True)


if __name__ == "__main__":
    sys.exit(serve({"linear": _linear, "both": _both}, sys.argv[1:]))
