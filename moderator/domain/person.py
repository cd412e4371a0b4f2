"""People who use the service, and the roll of people a school protects (R3, R20)."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from moderator.domain.score import PersonKind


@dataclass(frozen=True, slots=True)
class RollEntry:
    """One person on the roll as read from a CSV; held only while it is turned into keyed tokens (R29).

    `reference` is the school's own reference (UPN, staff code, …); `known_as` a preferred first name and `other_last_name` a preferred or
    former last name, or empty; `left_on` the day a leaver left, or None.
    """

    reference: str
    kind: PersonKind
    first_name: str
    last_name: str
    title: str = ""
    known_as: str = ""
    other_last_name: str = ""
    left_on: date | None = None


class Evidence(StrEnum):
    """What a roll token holds. `whole` and `lone` belong to a person; the rest say which words are worth a look, and belong to nobody."""

    WHOLE = "whole"
    """Forms that name a person: first and last name, initial or title and last name, both as one word."""
    LONE = "lone"
    """A first or last name alone: weak evidence."""
    FIRST = "first"
    LAST = "last"
    OPENER = "opener"
    """First words of names of several words (`O` of O'Brien, `de` of de Souza)."""
    TYPO = "typo"
    """Pairs of a one-edit pattern and the name it is of."""
    TRIPLE = "triple"
    """Pairs of a letter triple and the long name it is of."""


@dataclass(frozen=True, slots=True)
class RollToken:
    """Keyed tokens of one sort: 64-bit keyed BLAKE2b digests, 8 bytes each (16 for the sorts that are pairs), ascending.

    A person's own (`whole`, `lone`) are masked as well, so that equal names at rest do not look equal.
    """

    evidence: Evidence
    digests: bytes
    kind: PersonKind = PersonKind.UNKNOWN
    reference: str = ""
