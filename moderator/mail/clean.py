"""One-line text: no value given to a mail can start a new line, a new header or a turned reading order. The composer calls it."""

import unicodedata
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from typing import Any, TypeVar

Value = TypeVar("Value")

_BREAKS = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Unicode categories that end a line, steer a terminal, or cannot be encoded: each becomes a space."""

_TURNS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
"""Marks that turn the reading order, so that a line could read as something else: dropped."""


def one_line(text: str) -> str:
    """Return the text as one line: breaks and control characters become spaces, runs of spaces one space. Repeatable."""
    kept = (" " if unicodedata.category(mark) in _BREAKS else mark for mark in text if mark not in _TURNS)
    return " ".join("".join(kept).split())


def cleaned(value: Value) -> Value:
    """Return a copy of a dataclass, tuple or string with `one_line` applied to every text in it; other values come back as they are."""
    return _cleaned(value)  # type: ignore[no-any-return] # the walk below keeps each value's type


def _cleaned(value: Any) -> Any:  # noqa: ANN401 - walks values of every type
    if isinstance(value, Enum):
        return value
    if isinstance(value, str):
        return one_line(value)
    if isinstance(value, tuple):
        return tuple(_cleaned(part) for part in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{part.name: _cleaned(getattr(value, part.name)) for part in fields(value)})
    return value
