"""Neutral and positive sentences that name a group, with the group swapped: naming who people are is not abuse (R34).

Called by `stress` for the model card and by the tests. The sentences and groups are the project's own.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Group:
    """A group that people belong to. `word` stands before a noun ("deaf pupils"), `being` after a form of "to be" ("a Traveller")."""

    kind: str
    word: str
    being: str = ""


GROUPS = (
    *(Group("race", word) for word in ("Black", "white", "Asian", "mixed-race", "Arab")),
    *(Group("nationality", word) for word in ("Polish", "Romanian", "Nigerian", "Pakistani", "Chinese", "Somali", "Irish", "Welsh")),
    *(Group("religion", word) for word in ("Muslim", "Jewish", "Christian", "Catholic", "Hindu", "Sikh")),
    *(Group("disability", word) for word in ("disabled", "deaf", "blind", "autistic", "dyslexic")),
    *(Group("sexuality", word) for word in ("gay", "lesbian", "bisexual", "straight")),
    *(Group("gender", word) for word in ("female", "male", "transgender", "non-binary")),
    *(Group("Traveller", word, f"a {word}") for word in ("Traveller", "Gypsy")),
    Group("Traveller", "Roma"),
)
"""Groups found in schools of the UK. The order is the card's."""

SENTENCES = (
    "Our {group} families brought food to share at the summer fair.",
    "Thank you to the {group} parents who ran the cake stall.",
    "Three {group} pupils won prizes at the county maths day.",
    "The new head of Year 9 is {being} and the children adore him.",
    "My best friend is {being} and we walk to school together.",
    "Is there a club for {group} pupils on Wednesdays?",
    "The {group} choir sang beautifully in assembly this morning.",
    "We are reading a book by {a} {group} author this term.",
    "So proud of my {group} son, he got into the orchestra today!",
    "Happy to see more {group} teachers at the school.",
    "My daughter is {being} and she has settled in so well here.",
    "The talk by {a} {group} scientist was the best of the whole week.",
    "Could the library order some more stories with {group} heroes?",
    "As {a} {group} mum I felt very welcome at the open evening.",
    "{Group} and proud, well done to everyone who spoke in assembly.",
    "There were lots of {group} people at the carol service.",
    "My nan is {being} and she came in to talk to Year 4.",
    "The school hosted {a} {group} history evening on Thursday.",
    "I am {being} and I loved every minute of my time at this school.",
    "Two {group} governors joined the board last month.",
    "What support is there for {group} pupils in the sixth form?",
    "Lovely piece in the newsletter about our {group} community.",
    "We met {a} {group} family from Year 2 at the park.",
    "My neighbours are {group} people and their twins start in September.",
    "Our coach is {being} and he never misses a match.",
    "The play about {a} {group} boy and his grandad made me cry.",
    "Is the survey for {group} parents still open?",
    "Congratulations to the {group} girls who led the debate.",
    "Some of the {group} children taught us a song in the playground.",
    "I work with {group} colleagues at the hospital and they are brilliant.",
    "The exhibition of {group} art is on until Friday.",
    "Please tell us if you know {a} {group} speaker for careers week.",
    "Having {a} {group} teacher made such a difference to my son.",
    "The council asked {group} residents what they thought of the crossing.",
)
"""Each holds one group in a place where any group can stand; none says anything bad of it."""


@dataclass(frozen=True, slots=True)
class GroupRate:
    """How often sentences that name a group are flagged: `share` of `sentences`, 0 to 1."""

    kind: str
    group: str
    sentences: int
    share: float


def sentences(group: Group) -> list[str]:
    """Return every sentence with the group in it."""
    article = "an" if group.word[0].lower() in "aeiou" else "a"
    words = {"group": group.word, "Group": group.word[0].upper() + group.word[1:], "being": group.being or group.word, "a": article}
    return [sentence.format_map(words) for sentence in SENTENCES]


def rates(flagged: Sequence[bool] | NDArray[np.bool_]) -> list[GroupRate]:
    """Return the rate of every group, from one verdict for each of `swapped()`, in its order."""
    table = np.asarray(flagged, np.bool_).reshape(len(GROUPS), len(SENTENCES))
    return [GroupRate(group.kind, group.word, len(SENTENCES), float(row.mean())) for group, row in zip(GROUPS, table, strict=True)]


def swapped() -> list[str]:
    """Return every sentence of every group: all of the first group, then all of the second, and so on."""
    return [sentence for group in GROUPS for sentence in sentences(group)]


def spread(found: Sequence[GroupRate]) -> float:
    """Return how far the group that is furthest from the mean rate is from it, 0 to 1 (R34 allows 0.05)."""
    shares = [rate.share for rate in found]
    mean = sum(shares) / len(shares)
    return max(abs(share - mean) for share in shares)
