"""Legal holds and disposals of records: what they are, and what must be true before a record may go (R30). Called by steps and store."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from moderator.domain.errors import BadInput, NotAllowed
from moderator.domain.record import CaptureKind, Stamp
from moderator.domain.retention import Retention
from moderator.domain.review import MIN_JUSTIFICATION

MAX_REASON = 4000
"""Characters of a reason at most (our choice; as on the review page)."""

_DESIGNATION = re.compile(r"[A-Z0-9][A-Z0-9._/-]{0,39}")
_REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,63}")


class Ground(StrEnum):
    """Why a record may be disposed of. All but the first may be used before its review date."""

    REVIEW_DATE_REACHED = "review_date_reached"
    ERASURE_REQUEST_ACCEPTED = "erasure_request_accepted"
    CAPTURED_IN_ERROR = "captured_in_error"
    COURT_ORDER = "court_order"
    POLICE_DIRECTION = "police_direction"


GROUND_WORDS = {
    Ground.REVIEW_DATE_REACHED: "its review date has come, and it is not needed any more",
    Ground.ERASURE_REQUEST_ACCEPTED: "the trust accepted a request to erase it",
    Ground.CAPTURED_IN_ERROR: "it should not have been recorded",
    Ground.COURT_ORDER: "a court ordered it",
    Ground.POLICE_DIRECTION: "the police directed it, as with an unlawful picture",
}
"""Each ground as the end of a sentence that begins "It was disposed of because"."""


@dataclass(frozen=True, slots=True)
class LegalHold:
    """One legal hold. It stands until `released_at`; while any stands, the record is not disposed of.

    `reference` is a case or letter number, never a name: it goes into the ledger. `why` stays in the database.
    """

    record_id: str
    school: str
    reference: str
    why: str
    by: str
    at: datetime
    released_by: str = ""
    released_why: str = ""
    released_at: datetime | None = None

    @property
    def stands(self) -> bool:
        """Return whether it is not released."""
        return self.released_at is None


@dataclass(frozen=True, slots=True)
class Disposal:
    """A disposal: asked for by one person, then approved by another, or refused, or taken back by the asker.

    `id` is 0 before it is stored. `approved_at` is the intent that the service carries out; `done_at` says that it has.
    """

    record_id: str
    school: str
    ground: Ground
    why: str
    asked_by: str
    asked_at: datetime
    approved_by: str = ""
    approved_why: str = ""
    approved_at: datetime | None = None
    refused_by: str = ""
    refused_why: str = ""
    refused_at: datetime | None = None
    done_at: datetime | None = None
    id: int = 0

    @property
    def waits(self) -> bool:
        """Return whether a second person has yet to decide."""
        return self.approved_at is None and self.refused_at is None


@dataclass(frozen=True, slots=True)
class Kept:
    """How one record is kept: where, since when, until when it is looked at again, what holds it, and whether it was disposed of.

    `item_id` is None for a record that a person handed in. `working` says that a step has work with its comment, `undecided` that a
    person has yet to review it. `stamps`, `holds` and `disposals` are oldest first.
    """

    record_id: str
    school: str
    path: str
    capture_kind: CaptureKind
    sealed_at: datetime
    stamp_pending: bool
    item_id: int | None
    working: bool
    undecided: bool
    hidden: bool
    stamps: tuple[Stamp, ...]
    retention: Retention | None
    holds: tuple[LegalHold, ...]
    disposals: tuple[Disposal, ...]

    @property
    def standing_holds(self) -> tuple[LegalHold, ...]:
        """The holds that are not released."""
        return tuple(hold for hold in self.holds if hold.stands)

    @property
    def asked(self) -> Disposal | None:
        """The disposal that waits for a second person; None when there is none."""
        return next((disposal for disposal in self.disposals if disposal.waits), None)

    @property
    def disposal(self) -> Disposal | None:
        """The approved disposal, carried out or not; None while the record is kept."""
        return next((disposal for disposal in self.disposals if disposal.approved_at is not None), None)


def designation(text: str) -> str:
    """Return a designation reference in capitals, so that `head-1` and `HEAD-1` are one person. Raises BadInput for anything else."""
    found = text.strip().upper()
    if not _DESIGNATION.fullmatch(found):
        message = "give your designation reference, as HEAD-1: letters, digits, dots, hyphens and slashes, no spaces"
        raise BadInput(message)
    return found


def reference(text: str) -> str:
    """Return a case or letter reference. It goes into the ledger, so it must be a number or code. Raises BadInput for anything else."""
    found = text.strip()
    if not _REFERENCE.fullmatch(found):
        message = (
            "give the hold's reference as a number or code without spaces, as CAD-2291-0426; it names nobody, since it is in the ledger"
        )
        raise BadInput(message)
    return found


def reason(text: str) -> str:
    """Return a reason without spaces around it. Raises BadInput when it is too short to be one, or too long to be read."""
    found = text.strip()
    if not MIN_JUSTIFICATION <= len(found) <= MAX_REASON:
        message = f"say why in {MIN_JUSTIFICATION} to {MAX_REASON} characters, and name nobody: the reason is kept when the record is gone"
        raise BadInput(message)
    return found


def check_may_hold(kept: Kept) -> None:
    """Raise NotAllowed when the record is disposed of: there is nothing left to hold."""
    if kept.disposal is not None:
        message = f"{kept.record_id} was disposed of, so it cannot be held"
        raise NotAllowed(message)


def check_may_ask(kept: Kept, ground: Ground, *, today: date) -> None:
    """Raise NotAllowed unless a disposal may be asked for on this London day.

    Not twice; not under a legal hold; not before the review date on that ground; not while the service or a person is busy with it.
    """
    if kept.disposal is not None:
        message = f"{kept.record_id} is disposed of already"
        raise NotAllowed(message)
    if kept.asked is not None:
        message = f"{kept.record_id} is proposed for disposal already, by {kept.asked.asked_by}: a second person must approve or refuse it"
        raise NotAllowed(message)
    check_may_go(kept, ground, today=today)


def check_may_approve(kept: Kept, *, by: str, today: date) -> Disposal:
    """Return the disposal that `by` may approve on this London day. Raises NotAllowed: nothing is asked, or it is the same person's."""
    asked = kept.asked
    if asked is None:
        message = f"nobody has proposed {kept.record_id} for disposal"
        raise NotAllowed(message)
    if by == asked.asked_by:
        message = f"{by} proposed this disposal: another person must approve it. Two people decide, always"
        raise NotAllowed(message)
    check_may_go(kept, asked.ground, today=today)
    return asked


def check_may_go(kept: Kept, ground: Ground, *, today: date) -> None:
    """Raise NotAllowed while the record must stay, whoever asks: held, too early for that ground, or still in work."""
    if kept.standing_holds:
        held = references(kept.standing_holds)
        message = f"{kept.record_id} is under legal hold ({held}): it cannot be disposed of until every hold is released"
        raise NotAllowed(message)
    if ground is Ground.REVIEW_DATE_REACHED and (kept.retention is None or today < kept.retention.review_on):
        day = "not set yet" if kept.retention is None else f"{kept.retention.review_on:%d %B %Y}"
        message = f"the review date of {kept.record_id} is {day}: give another ground, or wait"
        raise NotAllowed(message)
    if kept.working:
        message = f"the service is still working on the comment of {kept.record_id}: wait a minute, then try again"
        raise NotAllowed(message)
    if kept.undecided:
        message = f"the comment of {kept.record_id} still waits for a decision: uphold or restore it first"
        raise NotAllowed(message)


def references(holds: Iterable[LegalHold]) -> str:
    """Return the holds' references, as in a sentence."""
    return ", ".join(dict.fromkeys(hold.reference for hold in holds))


def disposed_words(disposal: Disposal, day: str) -> str:
    """Return what is said of a disposed record; `day` is the day of its approval in words."""
    done = "" if disposal.done_at else " The service is still removing what it held."
    return (
        f"Disposed of on {day}, asked for by {disposal.asked_by}, approved by {disposal.approved_by}, "
        f"because {GROUND_WORDS[disposal.ground]}.{done}"
    )
