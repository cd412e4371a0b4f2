"""The word lists of the finders, read once from `words.toml`."""

import re
import tomllib
from collections.abc import Iterable
from importlib import resources

WORDS = {
    name: frozenset(words.split())
    for name, words in tomllib.loads(resources.files("moderator.learn.pii").joinpath("words.toml").read_text(encoding="utf-8")).items()
}
"""The lists by name."""


def any_of(words: Iterable[str]) -> str:
    """Return a pattern for any of the words, the longest first."""
    return "|".join(sorted(map(re.escape, words), key=lambda word: (-len(word), word)))
