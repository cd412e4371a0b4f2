"""What the law says about a flagged comment, as a hint: fixed sentences with their Act. Called by the alert mail and the item page.

Sources: the Acts named, and Keeping Children Safe in Education, part one. Threats are section 181 of the Online Safety Act 2023 since
31 January 2024, when section 189 of that Act took them out of section 1 of the Malicious Communications Act 1988. All of it is the law of
England (most of it of Wales as well). A trust's solicitor reads these sentences once before the service is used.
"""

from collections.abc import Iterable, Mapping

from moderator.domain.score import Guard, Label

BESIDE = "The law is for people to apply: this is a hint, not advice."
"""Stands beside the hints wherever they are shown."""

_TELL_DSL = "Keeping Children Safe in Education: whoever is worried about a child tells the Designated Safeguarding Lead at once."
_PROTECTION_OF_DATA = (
    "UK GDPR and Data Protection Act 2018: personal details of a pupil, parent or member of staff. Ask your Data Protection Officer."
)
_OFFENSIVE = "Malicious Communications Act 1988, section 1: a grossly offensive message that is meant to cause distress."

_HINTS: Mapping[str, str] = {
    Guard.INDECENT_IMAGE.value: (
        "Protection of Children Act 1978, section 1: copying or passing on an indecent image of a child is an offence. Leave it to "
        "the police."
    ),
    Guard.DISCLOSURE.value: _TELL_DSL,
    Guard.CRISIS.value: _TELL_DSL,
    Guard.ACCUSED_TEACHER.value: (
        "Education Act 2002, section 141F: a teacher whom a pupil of the school accuses of a crime against a pupil is not to be identified "
        "in public before a charge."
    ),
    Label.THREAT.value: "Online Safety Act 2023, section 181: a message that threatens death, serious injury or rape is an offence.",
    Label.HARASSMENT.value: (
        "Protection from Harassment Act 1997: harassment is a course of conduct, so more than one occasion. Keep every record."
    ),
    Label.IDENTITY_ATTACK.value: (
        "Public Order Act 1986, Parts III and 3A: stirring up hatred for race, religion or sexual orientation. Equality Act 2010: the "
        "school's own duty. Police take reports of hate crime."
    ),
    Label.SEXUAL.value: (
        "Sexual Offences Act 2003, sections 66A and 66B: only if a picture of genitals was sent, or an intimate picture shared or "
        "threatened with."
    ),
    Label.ABUSIVE.value: _OFFENSIVE,
    Label.INSULT.value: _OFFENSIVE,
    "name": _PROTECTION_OF_DATA,
    "pii": _PROTECTION_OF_DATA,
    Guard.WHISTLEBLOWING.value: (
        "Employment Rights Act 1996, Part IVA: a worker who tells of wrongdoing in the public interest is protected. Use the trust's "
        "whistleblowing policy."
    ),
}
"""The hint of each ground (Label, Guard, `name`, `pii`), the gravest first. Swearing and complaints have none."""

GRAVE = frozenset(each.value for each in (Guard.INDECENT_IMAGE, Guard.DISCLOSURE, Guard.CRISIS))
"""Grounds beside which no other hint is given: there is one thing to do."""

MOST = 3
"""Hints of one comment at most (our choice): an alert is read in a minute."""


def hints(grounds: Iterable[str]) -> tuple[str, ...]:
    """Return the hints for what a comment is flagged on, the gravest first, each once, at most MOST. Pure; unknown grounds give none."""
    found = set(grounds)
    told = found & GRAVE or found
    return tuple(dict.fromkeys(hint for ground, hint in _HINTS.items() if ground in told))[:MOST]


def together(comments: Iterable[Iterable[str]]) -> tuple[str, ...]:
    """Return the hints for several comments, the first one's first, each once, no more than one comment can have. Pure."""
    return tuple(dict.fromkeys(hint for grounds in comments for hint in hints(grounds)))[:MOST]
