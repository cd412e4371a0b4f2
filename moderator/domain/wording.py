"""What decisions say, in the words a Headteacher reads: what, about whom, how sure. Called by domain.policy."""

from moderator.domain.score import Guard, GuardHit, Label, PersonKind, PersonSpan

_VERY = 0.9
_LIKELY = 0.7

LABEL = {
    Label.ABUSIVE: "abuse, by its wording as a whole",
    Label.INSULT: "an insult",
    Label.THREAT: "a threat",
    Label.IDENTITY_ATTACK: "an attack on people for who they are",
    Label.SEXUAL: "a sexual remark",
    Label.PROFANITY: "swearing",
    Label.HARASSMENT: "hounding or humiliating somebody",
}

KIND = {
    PersonKind.PUPIL: "a pupil",
    PersonKind.STAFF: "a member of staff",
    PersonKind.PARENT: "a parent",
    PersonKind.GOVERNOR: "a governor",
    PersonKind.OTHER: "somebody connected with the school",
}

GUARD = {
    Guard.DISCLOSURE: "telling of harm to a child or adult",
    Guard.CRISIS: "from or about somebody in danger",
    Guard.WHISTLEBLOWING: "a report of wrongdoing",
    Guard.COMPLAINT: "a complaint or criticism",
    Guard.INDECENT_IMAGE: "about an indecent picture of a child",
    Guard.ACCUSED_TEACHER: "an allegation against a member of staff",
}

PII = {
    "phone": "a phone number",
    "email": "an e-mail address",
    "address": "a postal address",
    "date_of_birth": "a date of birth",
    "bank_account": "a bank account number",
    "iban": "a bank account number (IBAN)",
    "card_number": "a payment card number",
    "ni_number": "a National Insurance number",
    "nhs_number": "an NHS number",
    "upn": "a unique pupil number",
    "car_plate": "a car's number plate",
    "ip_address": "an internet address of a computer",
    "passport": "a passport number",
}
"""Personal details that point at one person on their own, in words."""

WEAK_PII = {"postcode": "a postcode", "handle": "a social media handle"}
"""Personal details that alone are too weak to be a ground."""


def sure(chance: float) -> str:
    """Return how sure the machine is, as the beginning of a sentence: `Very likely`, `Likely` or `This may be`."""
    return "Very likely" if chance >= _VERY else "Likely" if chance >= _LIKELY else "This may be"


def abuse(label: Label, chance: float, whom: str) -> str:
    """Return why a label is a ground; `whom` from `named`."""
    return f"{sure(chance)} {LABEL[label]}{whom}."


def named(people: tuple[PersonSpan, ...]) -> str:
    """Return whom a comment names, to follow what it does to them; empty when it names nobody the school protects."""
    kinds = list(dict.fromkeys(KIND[person.kind] for person in people))
    return f", in a comment that names {_listed(kinds)}" if kinds else ""


def name(person: PersonSpan) -> str:
    """Return why a name is a ground: who it is, and how the machine knows."""
    if person.source == "roll":
        return f"It names {KIND[person.kind]}. The name is on the school's roll."
    if person.source == "honorific":
        return f"It names {KIND[person.kind]}, with a title."
    return f"It names a person, likely {KIND[person.kind]}."


def passed_over(hit: GuardHit, least: float) -> str:
    """Return what is said of a guard whose chance is below the policy's threshold."""
    return f"This might be {GUARD[hit.guard]} ({round(hit.chance * 100)} in 100), but the policy acts from {round(least * 100)} in 100."


def _listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
