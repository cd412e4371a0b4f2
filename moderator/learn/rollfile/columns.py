"""Which column of an export holds what: header names of SIMS, Arbor and Bromcom reports, and those schools make up; used by `reading`."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from moderator.domain.errors import BadInput

FIELDS = {
    "reference": (
        *("reference", "ref", "upn", "uniquepupilnumber", "staffcode", "teachercode", "code", "admissionnumber", "admissionno", "adno"),
        *(
            "arborstudentid",
            "arborstaffid",
            "arborid",
            "studentid",
            "pupilid",
            "staffid",
            "personid",
            "contactid",
            "externalid",
            "misid",
            "id",
        ),
        *("payrollnumber", "employeenumber", "initials"),
    ),
    "kind": ("kind", "type", "persontype", "role", "group"),
    "first_name": (
        *("firstname", "forename", "forenames", "givenname", "first", "legalforename", "legalfirstname", "legalforenames"),
        *("contactforename", "contactfirstname", "guardianfirstname", "parentforename", "parentfirstname", "fname"),
    ),
    "last_name": (
        *("lastname", "surname", "familyname", "last", "legalsurname", "legallastname", "legalfamilyname"),
        *("contactsurname", "contactlastname", "guardianlastname", "parentsurname", "parentlastname", "sname"),
    ),
    "title": ("title", "salutation", "prefix", "contacttitle", "parenttitle", "guardiantitle"),
    "known_as": (
        *("knownas", "preferredname", "preferredforename", "preferredfirstname", "preferredgivenname", "nickname", "chosenname"),
        *("chosenforename", "chosenfirstname", "knownasfirstname", "knownasforename"),
    ),
    "other_last_name": (
        *("preferredsurname", "preferredlastname", "preferredfamilyname", "chosensurname", "chosenlastname", "knownaslastname"),
        *("knownassurname", "formersurname", "formerlastname", "maidenname", "previoussurname"),
    ),
    "name": (
        *(
            "name",
            "fullname",
            "displayname",
            "student",
            "studentname",
            "pupil",
            "pupilname",
            "staff",
            "staffname",
            "staffmember",
            "teacher",
        ),
        *("contactname", "contact", "guardian", "guardianname", "parentname", "parent", "carer", "legalfullname", "surnameforename"),
        *("forenamesurname", "lastnamefirstname", "firstnamelastname", "forenamesurnamepreferred", "preferredfullname", "legalname"),
    ),
    "left_on": (
        "lefton",
        "leftdate",
        "dateleft",
        "leavingdate",
        "dateofleaving",
        "dol",
        "leaver",
        "leavedate",
        "enddate",
        "employmentenddate",
    ),
}
"""Our field, and the headers it goes by, in small letters without punctuation; of several in one file the first that is filled counts."""

_STAFF = frozenset(
    ("staffcode", "teachercode", "staffid", "arborstaffid", "payrollnumber", "employeenumber", "staff", "staffname", "staffmember")
)
_PARENT = frozenset(
    (
        *("relationship", "relationshiptostudent", "relationshiptopupil", "contactpriority", "parentalresponsibility", "contactid"),
        *("contactforename", "contactfirstname", "contactname", "contact", "guardian", "guardianname", "guardianfirstname"),
        *("parent", "parentname", "parentforename", "parentfirstname", "carer"),
    )
)
_RELATED = frozenset(("relationship", "relationshiptostudent", "relationshiptopupil"))
_PUPIL = frozenset(
    (
        *("upn", "uniquepupilnumber", "yeargroup", "year", "ncyear", "reg", "reggroup", "registrationgroup", "registrationform"),
        *("tutorgroup", "form", "adno"),
    )
)
_OWN_NAME = frozenset(("forename", "firstname", "surname", "name", "legalforename", "legalfirstname", "student", "pupil", "studentname"))

_CONTACT = re.compile(
    r"(?P<whose>(?:priority|primary|contact|parentcarer|parent|guardian|carer|mother|father)(?:contact|guardian|carer)?(?P<number>\d?)"
    r"(?:contact|guardian|carer)?)(?P<what>fullname|name|title|salutation|forename|firstname|surname|lastname)?"
)
"""A pupil's row may carry the pupil's contacts: "Contact 1 Forename", "Priority 1 Contact Name", "Mother Surname"."""

_OTHERS = ("contact", "guardian", "parent", "carer")
_WHAT = {
    "title": "title",
    "salutation": "title",
    "forename": "first_name",
    "firstname": "first_name",
    "surname": "last_name",
    "lastname": "last_name",
}


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a file: our field to column numbers in order of preference; each contact's fields to a column; headers not used.

    `kind` is what a row is taken for that does not say: `staff`, `parent` or `pupil` by the columns, or "" when they do not tell.
    """

    fields: dict[str, tuple[int, ...]]
    contacts: dict[str, dict[str, int]]
    recognised: dict[str, str]
    ignored: tuple[str, ...]
    kind: str

    @property
    def usable(self) -> bool:
        """Whether a name can be read."""
        return "name" in self.fields or {"first_name", "last_name"} <= self.fields.keys() or {"known_as", "last_name"} <= self.fields.keys()


def columns_of(header: Sequence[str]) -> Columns:
    """Return what the columns under a header line hold."""
    plain = ["".join(part for part in name.lower() if part.isalnum()) for name in header]
    fields = {ours: tuple(plain.index(theirs) for theirs in known if theirs in plain) for ours, known in FIELDS.items()}
    fields = {ours: places for ours, places in fields.items() if places}
    if "first_name" not in fields and "last_name" not in fields and "known_as" in fields and "other_last_name" in fields:
        fields["last_name"] = fields.pop("other_last_name")
    kind = _kind(set(plain))
    if kind == "pupil":
        fields = {ours: tuple(place for place in places if not plain[place].startswith(_OTHERS)) for ours, places in fields.items()}
        fields = {ours: places for ours, places in fields.items() if places}
    taken = {place: ours for ours, places in fields.items() for place in places}
    contacts = _contacts(plain, taken) if kind == "pupil" else {}
    named = {place: f"{whose} {what}" for whose, cells in contacts.items() for what, place in cells.items()}
    recognised = {header[place]: ours for place, ours in sorted((taken | named).items())}
    ignored = tuple(name for place, name in enumerate(header) if name.strip() and place not in taken and place not in named)
    return Columns(fields, contacts, recognised, ignored, kind)


def columns_as(header: Sequence[str], mapping: Sequence[str]) -> Columns:
    """Return the columns as a person says they are: one field of FIELDS a column, in order, or "" for one that is not used.

    Raises BadInput for a field that is none.
    """
    fields: dict[str, tuple[int, ...]] = {}
    for place, ours in enumerate(mapping[: len(header)]):
        if ours and ours not in FIELDS:
            message = f"{ours!r} is not one of {', '.join(FIELDS)}"
            raise BadInput(message)
        if ours:
            fields[ours] = (*fields.get(ours, ()), place)
    taken = {place: ours for ours, places in fields.items() for place in places}
    ignored = tuple(name for place, name in enumerate(header) if name.strip() and place not in taken)
    return Columns(fields, {}, {header[place]: ours for place, ours in sorted(taken.items())}, ignored, "")


def fields_of(header: Sequence[str]) -> tuple[str, ...]:
    """Return what each column is by its heading: a field of FIELDS, or "" for one that is not known or belongs to a contact."""
    found = columns_of(header).fields
    taken = {place: ours for ours, places in found.items() for place in places}
    return tuple(taken.get(place, "") for place in range(len(header)))


def _kind(plain: set[str]) -> str:
    if plain & _STAFF and not plain & _PUPIL:
        return "staff"
    if plain & _PUPIL and plain & {
        "forename",
        "firstname",
        "surname",
        "name",
        "legalforename",
        "legalfirstname",
        "student",
        "pupil",
        "studentname",
    }:
        return "parent" if plain & _RELATED else "pupil"
    if plain & _PARENT:
        return "parent"
    return "pupil" if plain & _PUPIL else ""


def _contacts(plain: list[str], taken: dict[int, str]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for place, name in enumerate(plain):
        match = _CONTACT.fullmatch(name)
        if match and place not in taken:
            found.setdefault(match["whose"], {})[_WHAT.get(match["what"] or "", "name")] = place
    return {whose: cells for whose, cells in found.items() if "name" in cells or {"first_name", "last_name"} <= cells.keys()}
