"""How long a record is kept before people look at it again, by class (R30). Called by the policy, the record and retain steps.

A review date is a reminder to people. Nothing in this service disposes of a record because a date has come.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from moderator.domain.decision import Decision
from moderator.domain.errors import BadInput
from moderator.domain.score import Guard, Label


class RecordClass(StrEnum):
    """Why a record is kept, as far as its review date depends on it."""

    ORDINARY = "ordinary"
    """An insult, a name, private details: what has no reason to be kept longer."""
    SEVERE = "severe"
    """A threat, an attack on people for who they are, or a sexual remark: a claim or a prosecution may follow."""
    SAFEGUARDING = "safeguarding"
    """Somebody may be at risk: part of a child protection file."""
    STAFF_ALLEGATION = "staff_allegation"
    """An allegation against a member of staff."""
    COMPLAINT = "complaint"
    """A complaint or whistleblowing that was recorded with something else."""
    SUBMITTED = "submitted"
    """A screen print that a person handed in."""


YEARS: Mapping[str, int] = {
    RecordClass.ORDINARY.value: 1,
    RecordClass.SEVERE.value: 6,
    RecordClass.SAFEGUARDING.value: 25,
    RecordClass.STAFF_ALLEGATION.value: 10,
    RecordClass.COMPLAINT.value: 6,
    RecordClass.SUBMITTED.value: 6,
}
"""Whole years from sealing to the review, where the policy's [retention] does not say. Each is the trust's to confirm with its DPO.

`ordinary` 1: UK GDPR Article 5(1)(e), no longer than is needed (our choice; no guidance gives a figure for comments).
`severe`, `complaint`, `submitted` 6: the ordinary time limit of a civil claim, Limitation Act 1980 sections 2 and 5, which the IRMS
toolkit for schools uses for complaints and incidents as well.
`safeguarding` 25: schools keep a child protection file until the child's 25th birthday (IRMS toolkit for schools; NSPCC guidance on
child protection records). The child's age is not known here, so the whole span is taken: the youngest child is covered.
`staff_allegation` 10: Keeping Children Safe in Education, part four, asks for the accused person's normal pension age, or 10 years if
that is longer. The pension age is not known here: a person decides at the review.
"""

LEAST_YEARS, MOST_YEARS = 1, 100

_SAFEGUARDING = frozenset({Guard.DISCLOSURE.value, Guard.CRISIS.value, Guard.INDECENT_IMAGE.value})
_COMPLAINT = frozenset({Guard.COMPLAINT.value, Guard.WHISTLEBLOWING.value})
_SEVERE = frozenset({Label.THREAT.value, Label.IDENTITY_ATTACK.value, Label.SEXUAL.value})


@dataclass(frozen=True, slots=True)
class Retention:
    """When a record is looked at again, and as what class. A change is a new one: the newest counts, the older ones stay.

    `review_on` is a London day; `by` is `service` or a person's designation reference; `why` a sentence.
    """

    record_id: str
    school: str
    record_class: RecordClass
    review_on: date
    by: str
    why: str
    at: datetime


def class_of(decision: Decision) -> RecordClass:
    """Return the class of a record by its decision's reasons; of several, the one that needs a person's care most."""
    labels = {reason.label for reason in decision.reasons}
    if labels & _SAFEGUARDING:
        return RecordClass.SAFEGUARDING
    if Guard.ACCUSED_TEACHER.value in labels:
        return RecordClass.STAFF_ALLEGATION
    if labels & _SEVERE:
        return RecordClass.SEVERE
    return RecordClass.COMPLAINT if labels & _COMPLAINT else RecordClass.ORDINARY


def review_day(sealed_on: date, years: int) -> date:
    """Return the London day `years` after the one a record was sealed on; from 29 February, 1 March where there is no 29th."""
    try:
        return sealed_on.replace(year=sealed_on.year + years)
    except ValueError:
        return date(sealed_on.year + years, 3, 1)


def years_by_class(parts: Mapping[str, object], where: str) -> Mapping[str, int]:
    """Return the years by class of a policy file's [retention], the rest from YEARS. Raises BadInput on any other key or value."""
    found: dict[str, int] = dict(YEARS)
    for key, value in parts.items():
        if key not in YEARS:
            message = f"{where}: [retention] {key} is not a class of record; use one of {', '.join(YEARS)}"
            raise BadInput(message)
        if isinstance(value, bool) or not isinstance(value, int) or not LEAST_YEARS <= value <= MOST_YEARS:
            message = f"{where}: [retention] {key} = {value!r}: give whole years, {LEAST_YEARS} to {MOST_YEARS}"
            raise BadInput(message)
        found[key] = value
    return found
