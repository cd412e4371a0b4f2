"""Reading a roll: a CSV as SIMS, Arbor or Bromcom export it, or one of the school's own, with errors by row.

Used by `moderator roll import`, `moderator assess --roll` and the Roll page. Nothing is written, and no name is logged.
"""

from pathlib import Path

from moderator.domain.person import RollEntry
from moderator.domain.score import PersonKind
from moderator.learn.rollfile.columns import FIELDS, fields_of
from moderator.learn.rollfile.doubts import Doubt, doubts
from moderator.learn.rollfile.reading import Headings, NoHeaderError, RollFile, headings_of, read_roll_bytes, read_roll_file
from moderator.learn.rollfile.systems import system_of

__all__ = [
    "FIELDS", "Doubt", "Headings", "NoHeaderError", "RollFile", "doubts", "fields_of", "headings_of", "read_roll", "read_roll_bytes",
    "read_roll_file", "system_of",
]  # fmt: skip


def read_roll(source: Path | str, *, kind: PersonKind | None = None) -> tuple[list[RollEntry], dict[int, str]]:
    """Return (entries, errors by line number) of a roll: a path, or the CSV text itself. Lines with an error are left out.

    `kind` is taken for rows that do not say theirs. Raises BadInput when the file cannot be read or has no usable header.
    """
    read = read_roll_file(source, kind=kind)
    return list(read.entries), dict(read.errors)
