"""Reasons: which words of a comment weigh most for a label, pointing at the text as given. Only for comments near a threshold."""

from moderator.domain.score import Label, Reason
from moderator.text.normalise import Aligned

MOST = 3
SHARE = 0.2
"""A word is named when it carries at least this share of all that speaks for the label; the heaviest always is."""

_WHY = {
    Label.ABUSIVE: "This wording weighs most towards abuse.",
    Label.INSULT: "This wording reads as an insult.",
    Label.THREAT: "This wording reads as a threat.",
    Label.IDENTITY_ATTACK: "This wording reads as an attack on people for who they are.",
    Label.SEXUAL: "This wording reads as sexual.",
    Label.PROFANITY: "This wording is swearing.",
    Label.HARASSMENT: "This wording reads as hounding somebody.",
}


def reasons(weights: list[float], aligned: Aligned, label: Label) -> tuple[Reason, ...]:
    """Return up to MOST reasons for one label, in the order of the text, from the weight of each word; neighbouring words are one."""
    total = sum(weight for weight in weights if weight > 0)
    least = min(SHARE * total, max(weights, default=0.0))
    strong = sorted((place for place, weight in enumerate(weights) if weight > 0 and weight >= least), key=lambda place: -weights[place])
    places = _places(aligned.text)
    spans: list[tuple[int, int]] = []
    for place in sorted(strong[:MOST]):
        start, end = places[place]
        if spans and start <= spans[-1][1] + 1:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
    return tuple(Reason(label.value, *aligned.original(start, end), _WHY[label]) for start, end in spans)


def _places(normalised: str) -> list[tuple[int, int]]:
    places: list[tuple[int, int]] = []
    start = 0
    for word in normalised.split(" "):
        places.append((start, start + len(word)))
        start += len(word) + 1
    return places
