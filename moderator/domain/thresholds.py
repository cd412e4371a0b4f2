"""Reads the tables of a policy file: thresholds, switches and texts, with errors that say what to mend. Called by domain.policy."""

import tomllib
from collections.abc import Iterable, Mapping

from moderator.domain.errors import BadInput


def document(text: str, where: str) -> Mapping[str, object]:
    """Return a TOML text as tables. Raises BadInput when it is not TOML."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = f"{where}: not valid TOML: {error}"
        raise BadInput(message) from error


def table(parts: Mapping[str, object], name: str, where: str, *, optional: bool = False) -> Mapping[str, object]:
    """Return one table. Raises BadInput when it is missing, unless `optional`, or is no table."""
    value = parts.get(name, {} if optional else None)
    if not isinstance(value, dict):
        message = f"{where}: the table [{name}] is missing"
        raise BadInput(message)
    return value


def only(parts: Mapping[str, object], known: Iterable[str], where: str) -> None:
    """Raise BadInput when there is a key that nothing reads: a misspelt threshold must not be silently without effect."""
    unknown = sorted(set(parts) - set(known))
    if unknown:
        message = f"{where}: {unknown[0]} is not known here; use one of {', '.join(known)}"
        raise BadInput(message)


def probabilities(parts: Mapping[str, object], name: str, where: str, *, known: Iterable[str], noun: str) -> Mapping[str, float]:
    """Return the thresholds of the table `name`: numbers above 0 and at most 1. Raises BadInput on any other key or value."""
    names = tuple(known)
    found: dict[str, float] = {}
    for key, value in parts.items():
        if key not in names:
            message = f"{where}: [{name}] {key} is not a {noun}; use one of {', '.join(names)}"
            raise BadInput(message)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= 1:
            message = f"{where}: [{name}] {key} = {value!r}: a threshold is a number above 0 and at most 1"
            raise BadInput(message)
        found[key] = float(value)
    return found


def switch(parts: Mapping[str, object], key: str, where: str, *, default: bool) -> bool:
    """Return a switch of the policy. Raises BadInput when it is neither true nor false."""
    value = parts.get(key, default)
    if not isinstance(value, bool):
        message = f"{where}: {key} = {value!r}: a switch is true or false, without quotes"
        raise BadInput(message)
    return value
