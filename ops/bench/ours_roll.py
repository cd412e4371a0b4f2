"""The roll alone: `python ours_roll.py roll CORE ROLL.db`. Started by `contest`; `ours_whole` reads the roll in the same way."""

import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.invented import KEY
from bench.worker import serve
from moderator.domain.score import PersonSpan
from moderator.learn.roll import RollMatcher
from moderator.store.engine import open_engine
from moderator.store.roll import roll_tokens
from moderator.text.normalise import normalise


def matcher(database: str) -> RollMatcher:
    """Return the roll of a database, read as the service reads it."""
    engine = open_engine(f"sqlite:///{database}")
    with engine.connect() as connection:
        found = RollMatcher(roll_tokens(connection), KEY)
    engine.dispose()
    return found


class Roll:
    """The roll, asked as the assessor asks it."""

    def __init__(self, arguments: Sequence[str]) -> None:
        """Load the roll of the database named."""
        self._roll = matcher(arguments[0])

    def work(self, texts: Sequence[str]) -> object:
        """Find the roll's people in the texts."""
        return [self._find(text) for text in texts]

    def answers(self, texts: Sequence[str]) -> list[dict[str, object]]:
        """Return the spans of strong matches in each text."""
        return [{"people": [[one.start, one.end] for one in self._find(text) if one.strong]} for text in texts]

    def _find(self, text: str) -> tuple[PersonSpan, ...]:
        return self._roll.find(text) if self._roll.worth_a_look(normalise(text).split(" ")) else ()


if __name__ == "__main__":
    sys.exit(serve({"roll": Roll}, sys.argv[1:]))
