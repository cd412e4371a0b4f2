"""Whose contact details: a public body's, which may stay, or perhaps a private person's. Called by domain.policy."""

import re

_PUBLIC_DOMAINS = (
    *(".sch.uk", ".gov.uk", ".nhs.uk", ".police.uk", ".ac.uk", ".parliament.uk", ".gov.scot", ".gov.wales"),
    *(".nhs.net", ".nspcc.org.uk", ".childline.org.uk", ".samaritans.org", ".papyrus-uk.org", ".iwf.org.uk", ".kooth.com"),
    *(".youngminds.org.uk", ".themix.org.uk", ".refuge.org.uk", ".barnardos.org.uk", ".crimestoppers-uk.org", ".acas.org.uk"),
)
_ROLES = re.compile(
    r"admin|admissions|attendance|bursar|clerk|complaints|contact|enquir(?:y|ies)|events|finance|governors|hello|help|helpdesk|info|"
    r"lettings|mail|newsletter|office|parents|post|ptf?a|reception|safeguarding|school|schooloffice|secretary|sen|send|senco|support|"
    r"team|tickets|uniform"
)
"""Mailboxes of an office rather than of a person, whoever runs the domain."""

_SHORT = frozenset({"999", "101", "111", "112", "105", "119", "116000", "116006", "116111", "116117", "116123", "18000", "18001", "85258"})
_BUSINESS = ("0800", "0808", "0500", "03", "0843", "0844", "0845", "0870", "0871", "0872", "09", "118", "116")
"""How numbers begin that no private person has: freephone, public bodies (03), and business rates (Ofcom's numbering plan)."""

_LANDLINE = ("01", "02")
_OFFICE = re.compile(
    r"\b(?:school|office|reception|academy|college|nursery|switchboard|helpline|hotline|council|surgery|clinic|hospital|police|station|"
    r"box office|tickets?|bookings?|head ?office|trust|company|shop|taxis?)\b",
    re.IGNORECASE,
)
_BEFORE = 40
"""How many code points before a number are looked at for whose it is."""


def official(kind: str, text: str, start: int, end: int) -> bool:
    """Return whether `text[start:end]`, personal data of a kind, is plainly a public body's: an office mailbox, a freephone number, ….

    A mobile number never is. A landline is when an office is named just before it: "ring the school office on 01204 …". Never fails.
    """
    if kind == "email":
        return _official_mailbox(text[start:end].lower())
    if kind == "phone":
        return _official_number(re.sub(r"[^\d+]", "", text[start:end]), text[max(0, start - _BEFORE) : start])
    return False


def _official_mailbox(address: str) -> bool:
    name, _, domain = address.rpartition("@")
    return f".{domain}".endswith(_PUBLIC_DOMAINS) or _ROLES.fullmatch(re.sub(r"[^a-z]", "", name)) is not None


def _official_number(digits: str, before: str) -> bool:
    number = re.sub(r"^(?:\+44|0044)0?", "0", digits).lstrip("+")
    if number in _SHORT or number.startswith(_BUSINESS):
        return True
    return number.startswith(_LANDLINE) and _OFFICE.search(before) is not None
