"""How an item's record is kept, in words: class, review date, legal holds, disposal (R30). Called by the item page."""

from dataclasses import dataclass
from datetime import date

from moderator.domain.disposal import GROUND_WORDS, Kept, disposed_words, references
from moderator.domain.record import SealedRecord
from moderator.domain.times import london_date
from moderator.web.site import Site


@dataclass(frozen=True, slots=True)
class Keeping:
    """Sentences about how a record is kept. `disposed` is empty while it is kept; `proposed` while nobody has proposed its disposal."""

    kept: str
    held: str = ""
    proposed: str = ""
    disposed: str = ""


def keeping_of(site: Site, record: SealedRecord | None) -> Keeping | None:
    """Return how a record is kept; None for an item without one."""
    if record is None:
        return None
    found = site.database.kept(record.record_id)
    if found.disposal is not None and found.disposal.approved_at is not None:
        return Keeping("", disposed=disposed_words(found.disposal, _day(london_date(found.disposal.approved_at))))
    return Keeping(_kept(found), _held(found), _proposed(found))


def _kept(found: Kept) -> str:
    if found.retention is None:
        return "Its review date is not set yet. Nothing is ever removed by date."
    class_words = found.retention.record_class.value.replace("_", " ")
    return f"As {class_words}. People look at it again on {_day(found.retention.review_on)}. Nothing is ever removed by date."


def _held(found: Kept) -> str:
    holds = found.standing_holds
    return f"Under legal hold ({references(holds)}): it cannot be disposed of." if holds else ""


def _proposed(found: Kept) -> str:
    if found.asked is None:
        return ""
    asked = found.asked
    return (
        f"Proposed for disposal on {_day(london_date(asked.asked_at))} by {asked.asked_by}, because {GROUND_WORDS[asked.ground]}. "
        "A second person must decide; nothing is removed before that."
    )


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
