"""The assessor as the service runs it: `python ours_whole.py whole|plain CORE [ROLL.db]`; plain has no encoder. Started by `contest`."""

import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.ours_roll import matcher
from bench.worker import Contender, serve
from moderator.domain.policy import Policy
from moderator.domain.score import Label, Score
from moderator.learn.classifier import Assessor
from moderator.learn.load import ENCODER, bundled, has


class Whole:
    """The assessor, with a roll where a database is named."""

    def __init__(self, arguments: Sequence[str], *, encoder: bool) -> None:
        """Load the models. Ends the program when the encoder is asked for and there is none."""
        if encoder and not has(bundled(), ENCODER):
            message = "models/ holds no encoder: nothing to measure"
            raise SystemExit(message)
        self._assessor = Assessor(bundled(), matcher(arguments[0]) if arguments else None, encoder=encoder)

    def work(self, texts: Sequence[str]) -> list[Score]:
        """Score the texts."""
        return self._assessor.score(texts)

    def answers(self, texts: Sequence[str]) -> list[dict[str, object]]:
        """Return what is found in each text: chance of abuse and whether any label is flagged, people, personal data."""
        limits = Policy.bundled().flag
        return [
            {
                "abuse": [
                    float(score.labels[Label.ABUSIVE]),
                    any(chance >= limits.get(label, 2.0) for label, chance in score.labels.items()),
                ],
                "people": [[one.start, one.end] for one in score.people],
                "pii": [[one.start, one.end] for one in score.pii],
            }
            for score in self.work(texts)
        ]


def _whole(arguments: Sequence[str]) -> Contender:
    return Whole(arguments, encoder=True)


def _plain(arguments: Sequence[str]) -> Contender:
    return Whole(arguments, encoder=False)


if __name__ == "__main__":
    sys.exit(serve({"whole": _whole, "plain": _plain}, sys.argv[1:]))
