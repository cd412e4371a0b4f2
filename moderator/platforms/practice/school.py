"""The practice network's one school account and its invented people; called by the seed, the API and the demo.

Everything here is made up. The secrets open nothing but a practice network.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from moderator import ports

SCHOOL_ID: Final = 1_400_000_000_000_000_001
SCHOOL_HANDLE: Final = "oakfieldprimary"
SCHOOL_NAME: Final = "Oakfield Primary School"

ROLL: Final = Path(__file__).with_name("roll.csv")
"""The practice school's roll: the invented people some of the built-in comments name."""

CLIENT_ID: Final = "practice-client"
FIRST_REFRESH_TOKEN: Final = "practice-only-first-refresh-token"  # noqa: S105 - opens nothing but a practice network

_FIRST: Final = (
    "Alder",
    "Bryony",
    "Cass",
    "Dilys",
    "Ewan",
    "Fern",
    "Gethin",
    "Hazel",
    "Idris",
    "Juno",
    "Kit",
    "Linden",
    "Merryn",
    "Nye",
    "Orla",
    "Perrin",
    "Quill",
    "Rowan",
    "Sorrel",
    "Tamsin",
)
_LAST: Final = ("Ashwick", "Bellbrook", "Copperthwaite", "Dunnock", "Eastmere", "Fallowfield", "Greycroft", "Harrowby", "Inglewick")


@dataclass(frozen=True, slots=True)
class Commenter:
    """One invented person who comments."""

    id: int
    handle: str
    name: str


def commenter(number: int) -> Commenter:
    """Return the invented commenter of a number, the same each time; 180 in all, then they come round again."""
    number %= len(_FIRST) * len(_LAST)
    first, last = _FIRST[number % len(_FIRST)], _LAST[number // len(_FIRST)]
    return Commenter(SCHOOL_ID + 1 + number, f"{first}_{last}"[:15].lower(), f"{first} {last}")


@dataclass(frozen=True, slots=True)
class DemoCredentials:
    """What an adapter needs to act as the practice school: its client id, and a token that has run out and is renewed first."""

    client_id: str
    token: ports.Token


def demo_credentials() -> DemoCredentials:
    """Return the credentials that every practice network accepts for its school account. Not a secret: they open nothing else."""
    return DemoCredentials(CLIENT_ID, ports.Token("practice-only-expired", FIRST_REFRESH_TOKEN, datetime(2020, 1, 1, tzinfo=UTC)))
