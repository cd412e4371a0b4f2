"""A new version of the policy from the one in force: the same but for its thresholds and switches (R32). Called by the Policy page."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from moderator.domain.errors import BadInput
from moderator.domain.policy import GUARD_DEFAULTS, Policy

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_ESCAPED = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_NUMBERED = re.compile(r"(\d{4})\.(\d{2})-(\d+)")


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What the page can change: the chances by label and guard (above 0, at most 1), and what is a ground by itself."""

    flag: Mapping[str, float]
    severe: Mapping[str, float]
    guard: Mapping[str, float]
    hide_names: bool
    hide_pii: bool


def thresholds_of(policy: Policy) -> Thresholds:
    """Return the trust's thresholds of a policy."""
    return Thresholds(dict(policy.flag), dict(policy.severe), dict(policy.guard), policy.hide_names, policy.hide_pii)


def refuse_looser_guards(now: Policy, new: Thresholds) -> None:
    """Raise BadInput when a guard would hold later than it does now and than the product's own number says.

    A guard is what keeps a disclosure, a crisis or a complaint from being hidden by the machine (R15, R16): the page makes it more
    cautious only.
    """
    for guard, chance in new.guard.items():
        most = max(GUARD_DEFAULTS[guard], now.guard[guard])
        if chance > most:
            message = (
                f"The guard for {guard.replace('_', ' ')} may be {most:g} at most: a higher number would let the machine hide more of "
                "what a person must see. Give that number or a lower one."
            )
            raise BadInput(message)


def restated(  # noqa: PLR0913 - the facts of one version (R32)
    text: str, new: Thresholds, *, version: str, author: str, dated: date, why: str
) -> str:
    """Return a policy's text as a new version with these thresholds; everything else of it stays. Raises BadInput when it is no policy.

    Comments in the text are not kept: a stored version is written by the machine. Accounts with thresholds of their own keep them.
    """
    parts = tomllib.loads(text)
    head = {**parts["policy"], "version": version, "author": author, "dated": dated.isoformat(), "why": why}
    head |= {"hide_names": new.hide_names, "hide_pii": new.hide_pii}
    parts |= {"policy": head, "flag": dict(new.flag), "severe": dict(new.severe), "guard": dict(new.guard)}
    made = "\n".join(_lines(parts, ())) + "\n"
    Policy.from_toml(made, where="the new policy")
    return made


def next_version(taken: Mapping[str, object] | frozenset[str], day: date) -> str:
    """Return the version name after those taken, of a day's month: `2026.11-4` when `2026.11-3` is the last of that month."""
    month = f"{day:%Y.%m}"
    numbers = [int(found[3]) for name in taken if (found := _NUMBERED.fullmatch(name)) and f"{found[1]}.{found[2]}" == month]
    return f"{month}-{max(numbers, default=0) + 1}"


def moved(old: Thresholds, new: Thresholds) -> tuple[tuple[str, str, str, str], ...]:
    """Return what differs, as (table, name, old, new), in the order of the policy's file; a switch is on or off."""
    found: list[tuple[str, str, str, str]] = []
    for table in ("flag", "severe", "guard"):
        before, after = getattr(old, table), getattr(new, table)
        names = dict.fromkeys((*before, *after))
        found += [(table, name, _said(before.get(name)), _said(after.get(name))) for name in names if before.get(name) != after.get(name)]
    for name in ("hide_names", "hide_pii"):
        was, now = getattr(old, name), getattr(new, name)
        if was is not now:
            found.append(("switch", name, "on" if was else "off", "on" if now else "off"))
    return tuple(found)


def _said(chance: float | None) -> str:
    return "none" if chance is None else f"{chance:g}"


def _lines(table: Mapping[str, object], path: tuple[str, ...]) -> Iterator[str]:
    """Yield a table as TOML: its values, then the tables in it."""
    plain = {key: value for key, value in table.items() if not isinstance(value, dict)}
    if path and (plain or not table):
        yield f"[{'.'.join(map(_key, path))}]"
    for key, value in plain.items():
        yield f"{_key(key)} = {_value(value)}"
    if plain:
        yield ""
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _lines(value, (*path, key))


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _text(key)


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return _text(value) if isinstance(value, str) else repr(value)


def _text(text: str) -> str:
    """Return a basic TOML string (TOML 1.0, "String"): quotes, backslashes and control characters are escaped."""
    return (
        '"'
        + "".join(_ESCAPED.get(letter, letter if letter >= " " and letter != "\x7f" else f"\\u{ord(letter):04x}") for letter in text)
        + '"'
    )
