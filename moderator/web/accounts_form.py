"""What people type about an account, checked. Called by the pages that ask for, approve, withdraw and attest."""

from datetime import date

from moderator.domain.errors import BadInput
from moderator.domain.review import MIN_JUSTIFICATION

MOST_WORDS = 1000
"""Characters of a purpose or a reason at most (our choice)."""
MOST_LINE = 200
"""Characters of an address, a handle or a reference at most."""
MOST_READS = 10_000_000
_DAY = len("2026-11-30")


def line_of(text: str, *, what: str) -> str:
    """Return one line, stripped. Raises BadInput when it is empty or too long."""
    found = " ".join(text.split())
    if not found:
        message = f"Fill in {what}."
        raise BadInput(message)
    if len(found) > MOST_LINE:
        message = f"Keep {what} under {MOST_LINE} characters."
        raise BadInput(message)
    return found


def words_of(text: str, *, what: str) -> str:
    """Return a few sentences. Raises BadInput when they are too short to be a reason, or too long."""
    found = text.replace("\r\n", "\n").strip()
    if len(found) < MIN_JUSTIFICATION:
        message = f"Write {what} in at least {MIN_JUSTIFICATION} characters."
        raise BadInput(message)
    if len(found) > MOST_WORDS:
        message = f"Keep {what} under {MOST_WORDS} characters."
        raise BadInput(message)
    return found


def day_of(text: str, *, what: str) -> date:
    """Return a day typed as `2026-11-30`, the way a browser sends it. Raises BadInput for anything else."""
    try:
        if len(text.strip()) != _DAY:
            raise ValueError  # noqa: TRY301 - told in the same words as a day that does not exist
        return date.fromisoformat(text.strip())
    except ValueError:
        message = f"Give {what} as year, month and day, such as 2026-11-30."
        raise BadInput(message) from None


def reads_of(text: str) -> int:
    """Return a month's reads. Raises BadInput for anything but a whole number from 1 to MOST_READS."""
    bare = text.replace(",", "").strip()
    if not (bare.isascii() and bare.isdigit() and len(bare) <= len(str(MOST_READS)) and 1 <= int(bare) <= MOST_READS):
        message = f"Give the posts to read a month as a number from 1 to {MOST_READS:,}."
        raise BadInput(message)
    return int(bare)


def as_sentence(error: Exception) -> str:
    """Return an error's text as a sentence."""
    text = str(error)
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")
