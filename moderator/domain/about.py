"""What a flagged comment is flagged on and whom it names, as plain codes: what lists are filtered by. Called by the store's queue."""

from collections.abc import Iterable

from moderator.domain.decision import Decision, Outcome
from moderator.domain.policy import PROTECTED
from moderator.domain.score import Guard, PersonKind, Score

_AT_RISK = frozenset({Guard.DISCLOSURE.value, Guard.CRISIS.value})


def grounds_of(decision: Decision) -> tuple[str, ...]:
    """Return the labels of a decision's reasons, each once, in order: Label, Guard, `name` or `pii`."""
    return tuple(dict.fromkeys(reason.label for reason in decision.reasons))


def named_kinds(score: Score | None, decision: Decision) -> tuple[str, ...]:
    """Return the kinds of protected people a comment names (R20), each once and sorted.

    An allegation against a teacher names one, also when nobody's name was found (R19). Of a withheld comment nothing is told (R17).
    """
    if score is None or decision.outcome is Outcome.WITHHOLD:
        return ()
    found = {person.kind for person in score.people if person.strong and person.kind in PROTECTED}
    if Guard.ACCUSED_TEACHER.value in grounds_of(decision):
        found.add(PersonKind.STAFF)
    return tuple(sorted(kind.value for kind in found))


def is_safeguarding(decision: Decision) -> bool:
    """Return whether somebody may be at risk: a disclosure or a crisis, for the safeguarding leads alone (R15)."""
    return not _AT_RISK.isdisjoint(grounds_of(decision))


def references(score: Score | None) -> tuple[str, ...]:
    """Return the roll's references of everybody a comment names or may name, on weak evidence too, each once and sorted (R21).

    Where several people share a name it may mean each of them: a Headteacher who is on the roll as a parent too, or as a leaver.
    """
    people = score.people if score is not None else ()
    return tuple(sorted({reference for person in people for reference in (person.reference, *person.shared) if reference}))


def packed(codes: Iterable[str]) -> str:
    """Return codes as one text that can be searched for `,code,`; empty for none."""
    text = ",".join(codes)
    return f",{text}," if text else ""


def unpacked(text: str) -> tuple[str, ...]:
    """Return the codes that `packed` put in a text."""
    return tuple(code for code in text.split(",") if code)
