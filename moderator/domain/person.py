"""People who use the service, and the roll of people a school protects (R3, R20)."""

from dataclasses import dataclass

from moderator.domain.score import PersonKind


@dataclass(frozen=True, slots=True)
class RollEntry:
    """One person on the roll as read from a CSV; held only while it is turned into keyed tokens (R29).

    `reference` is the school's own reference (UPN, staff code, …); `known_as` a preferred first name or empty.
    """

    reference: str
    kind: PersonKind
    first_name: str
    last_name: str
    title: str = ""
    known_as: str = ""


@dataclass(frozen=True, slots=True)
class RollToken:
    """One keyed token of a name variant: BLAKE2b digest (hex), how many words it spans, and whether it is strong evidence alone."""

    digest: str
    words: int
    kind: PersonKind
    reference: str
    strong: bool
