"""Reading a roll: a CSV as SIMS, Arbor or Bromcom export it, or one of the school's own, with errors by row.

Used by `moderator roll import` and `moderator assess --roll`. Nothing is written, and no name is logged.
"""

from pathlib import Path

from moderator.domain.person import RollEntry
from moderator.domain.score import PersonKind
from moderator.learn.rollfile.reading import RollFile, read_roll_file

__all__ = ["RollFile", "read_roll", "read_roll_file"]


def read_roll(source: Path | str, *, kind: PersonKind | None = None) -> tuple[list[RollEntry], dict[int, str]]:
    """Return (entries, errors by line number) of a roll: a path, or the CSV text itself. Lines with an error are left out.

    `kind` is taken for rows that do not say theirs. Raises BadInput when the file cannot be read or has no usable header.
    """
    read = read_roll_file(source, kind=kind)
    return list(read.entries), dict(read.errors)
