"""The tables that name forms come from: nicknames and spelling variants, common words, titles. Small ones are read at import."""

import functools
import tomllib
from importlib import resources


def _read(name: str) -> str:
    return resources.files("moderator.learn.roll").joinpath(name).read_text(encoding="utf-8")


_WORDS = {key: frozenset(value.split()) for key, value in tomllib.loads(_read("words.toml")).items()}

TITLES = _WORDS["titles"]
"""Words before a last name that make it a person's."""

WORD_TITLES = _WORDS["word_titles"]
"""Titles that are everyday words too, or rare on a school's page."""

PARTICLES = _WORDS["particles"]
"""Words that are part of a last name and never one."""

AFTER_I = _WORDS["after_i"]
"""Everyday words that, even with a capital, follow the word I far more often than the initial I."""

BEFORE_VERB_MISS = _WORDS["before_verb_miss"]
"""Words after which "miss" is a verb."""

NEVER_LAST = _WORDS["never_last"]
"""Words that, in lower case, are no last name after a title or an initial."""


@functools.cache
def common_words() -> frozenset[str]:
    """Return words of ordinary comments, in lower case: such a word is not taken for a mistyped name."""
    return frozenset(_read("common.txt").split()) | _WORDS["more_common"]


@functools.cache
def variants() -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[str, ...]]]:
    """Return the other forms of (first names, last names), by name."""
    tables: tuple[dict[str, tuple[str, ...]], dict[str, tuple[str, ...]]] = ({}, {})
    table = tables[0]
    for line in _read("variants.txt").splitlines():
        if line == "[last]":
            table = tables[1]
        elif not line.startswith(("#", "[")):
            name, *others = line.split()
            table[name] = tuple(others)
    return tables
