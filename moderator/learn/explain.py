"""Reasons: which words of a comment weigh most for a label, pointing at the text as given. Only for comments near a threshold."""

from moderator.domain.score import Label, Reason
from moderator.text.normalise import Aligned

MOST = 3
SHARE = 0.2
"""A word is named when it carries at least this share of all that speaks for the label; the heaviest always is."""

_WHY = {
    Label.ABUSIVE: "These words weigh most towards abuse.",
    Label.INSULT: "These words read most like an insult.",
    Label.THREAT: "These words read most like a threat.",
    Label.IDENTITY_ATTACK: "These words read most like an attack on people for who they are.",
    Label.SEXUAL: "These words read most like a sexual remark.",
    Label.PROFANITY: "These words are swearing.",
    Label.HARASSMENT: "These words read most like hounding or humiliating somebody.",
}
"""What follows the policy's own sentence on how sure the machine is: "Very likely a threat. These words read most like a threat."."""


def reasons(weights: list[float], aligned: Aligned, label: Label) -> tuple[Reason, ...]:
    """Return up to MOST reasons for one label, in the order of the text; neighbouring words are one reason.

    `weights` has what each word of `aligned.text` adds to the label's log-odds; words that speak against it are below 0. None when no word
    speaks for the label. Spans point at the text as given. Same weights, same reasons.
    """
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
