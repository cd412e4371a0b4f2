"""The classifier as a finder of people and of what leads to them. Used by the subject-access pack."""

from collections.abc import Sequence

from moderator.evidence.packs.redact import FindPeople, Found
from moderator.ports import Classifier


def finder(classifier: Classifier) -> FindPeople:
    """Return a finder that takes every person the classifier sees, weak evidence too, and every piece of personal data."""

    def find(texts: Sequence[str]) -> list[list[Found]]:
        scores = classifier.score(texts) if texts else []
        return [
            [
                *(Found(span.start, span.end, is_name=True) for span in score.people),
                *(Found(s.start, s.end, is_name=False) for s in score.pii),
            ]
            for score in scores
        ]

    return find
