"""A comment that a person has decided about: what the service learns from. Read by the store, turned into examples by `learn.feedback`."""

from dataclasses import dataclass
from datetime import datetime

from moderator.domain.decision import Decision
from moderator.domain.review import Verdict
from moderator.domain.score import Score


@dataclass(frozen=True, slots=True)
class Reviewed:
    """One comment version with the machine's score and decision, and the last verdict of a person, `uphold` or `restore`.

    `parent` is the text of the post it answers, "" where it is not known. It names nobody but whom the text itself names.
    """

    item_id: int
    school: str
    text: str
    parent: str
    score: Score
    decision: Decision
    verdict: Verdict
    at: datetime
