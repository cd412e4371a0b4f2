"""A policy file with other thresholds: the old text with only those lines changed, as a new version with author, date and why (R32).

Called by `moderator train --local --apply`. Comments and everything else in the file stay as a person wrote them.
"""

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from moderator.domain.errors import BadInput
from moderator.domain.policy import Policy

_TABLE = re.compile(r"\s*\[([^\]]*)\]")
_LINE = re.compile(r"""(\s*["']?)([A-Za-z_]+)(["']?\s*=\s*)(.*)""", re.DOTALL)
_NUMBER = re.compile(r"[-+0-9._eE]+")


@dataclass(frozen=True, slots=True)
class Version:
    """What a policy version says of itself (R32): its name, who decided it, the day (ISO) and why."""

    version: str
    author: str
    dated: str
    why: str


def restated(text: str, new: Version, *, flag: Mapping[str, float]) -> str:
    """Return a policy file's text as a new version with these thresholds. Raises BadInput when its layout does not allow it."""
    head = asdict(new)
    table, lines = "", []
    for line in text.splitlines(keepends=True):
        named = _TABLE.match(line)
        table = named[1].strip() if named else table
        parts = _LINE.match(line) if not named else None
        if parts and table == "policy" and parts[2] in head:
            lines.append(f"{parts[1]}{parts[2]}{parts[3]}{json.dumps(head[parts[2]], ensure_ascii=False)}\n")
        elif parts and table == "flag" and parts[2] in flag:
            lines.append(f"{parts[1]}{parts[2]}{parts[3]}{_NUMBER.sub(f'{flag[parts[2]]:g}', parts[4], count=1)}")
        else:
            lines.append(line)
    made = "".join(lines)
    _check(text, made, head, flag)
    return made


def _check(text: str, made: str, head: Mapping[str, str], flag: Mapping[str, float]) -> None:
    """Raise BadInput unless the new text says exactly what it should, and nothing else has changed."""
    message = "this policy file is laid out in a way that cannot be changed safely: write the new thresholds into it by hand"
    try:
        before, after = tomllib.loads(text), tomllib.loads(made)
        Policy.from_toml(made)
    except (tomllib.TOMLDecodeError, BadInput) as error:
        raise BadInput(message) from error
    before["policy"] = {**before["policy"], **head}
    before["flag"] = {**before["flag"], **flag}
    if before != after:
        raise BadInput(message)


def write_new(folder: Path, text: str, *, version: str) -> Path:
    """Write a policy version into `folder` and return its path; an existing file is never changed. Raises BadInput when there is one."""
    path = folder / f"policy-{version}.toml"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        message = f"{path}: the new policy cannot be written ({error.strerror})"
        raise BadInput(message) from error
    return path


def next_version(folder: Path, dated: str) -> str:
    """Return the first version name of a day that no file in `folder` has: `2026-11-22-local-1`, and so on."""
    number = 1
    while (folder / f"policy-{dated}-local-{number}.toml").exists():
        number += 1
    return f"{dated}-local-{number}"
