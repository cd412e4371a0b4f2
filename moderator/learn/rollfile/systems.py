"""Which system a roll was exported from, by its headings: SIMS, Arbor, Bromcom or our own layout. Told on the Roll page, nothing more."""

from collections.abc import Sequence

OWN = "this service's own layout"

_SIGNS: dict[str, frozenset[str]] = {
    "SIMS": frozenset(
        (
            *("adno", "admissionnumber", "legalsurname", "legalforename", "preferredsurname", "preferredforename", "chosenname", "reg"),
            *("reggroup", "yeartaughtin", "ncyear", "forename", "surname", "dateofleaving", "dol", "salutation", "payrollnumber"),
        )
    ),
    "Arbor": frozenset(
        (
            *("arborstudentid", "arborstaffid", "arborid", "legalfirstname", "legallastname", "preferredfirstname", "preferredlastname"),
            *("registrationform", "primaryguardian", "guardian", "yeargroup", "fullname", "staffmember", "student", "leavingdate"),
        )
    ),
    "Bromcom": frozenset(
        (
            *("studentid", "staffid", "misid", "externalid", "preferredforename", "preferredsurname", "legalsurname", "tutorgroup"),
            *("tutor", "prefix", "firstname", "lastname", "staffcode", "contactid", "yeargroup", "leftdate"),
        )
    ),
}
"""Headings each system's usual reports have, in small letters without punctuation: from their makers' guides and schools' own templates."""

_TELLING: dict[str, frozenset[str]] = {
    "SIMS": frozenset(("adno", "reg", "yeartaughtin", "chosenname", "legalforename")),
    "Arbor": frozenset(("arborstudentid", "arborstaffid", "arborid", "legalfirstname", "legallastname", "registrationform")),
    "Bromcom": frozenset(("misid", "tutorgroup", "prefix")),
}
"""Of those, the ones that the others do not have: each counts for three."""

_LEAST = 3
_WEIGHT = 2


def system_of(header: Sequence[str]) -> str:
    """Return the name of the system that headings look like, or "" when they look like none, or like two alike."""
    if "first_name" in {cell.strip().lower() for cell in header}:
        return OWN
    plain = {"".join(part for part in cell.lower() if part.isalnum()) for cell in header}
    points = {name: len(plain & signs) + _WEIGHT * len(plain & _TELLING[name]) for name, signs in _SIGNS.items()}
    best = max(points.values())
    found = [name for name, count in points.items() if count == best]
    return found[0] if best >= _LEAST and len(found) == 1 else ""
