"""Which mails a person may leave, and who gets one then. Called by the report steps and the Mail wishes page."""

from collections.abc import Collection, Mapping, Sequence

from moderator.domain.register import Person

TRUST_DIGEST, WEEKLY, TERMLY = "trust_digest", "weekly", "termly"

MAY_LEAVE: Mapping[str, str] = {
    WEEKLY: "The week's report",
    TERMLY: "The term's report",
    TRUST_DIGEST: "The trust's daily digest",
}
"""The mails that a person may be without, and what they are called. Alerts and a school's own digest are not among them (R7)."""


def wanting(people: Sequence[Person], left: Collection[int]) -> tuple[Person, ...]:
    """Return who of its readers gets a mail: those who have not left it; all of them when nobody would be left. Pure."""
    return tuple(person for person in people if person.id not in left) or tuple(people)


def may_leave(person_id: int, people: Sequence[Person], left: Collection[int]) -> bool:
    """Return whether a person may leave a mail: somebody else reads it who has not left it. Pure."""
    return any(person.id != person_id and person.id not in left for person in people)
