"""What is looked for on the Records page: read from the address or the form, and written back to it. Called by `records_list`."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from urllib.parse import urlencode

from fastapi import HTTPException

from moderator.domain.decision import Outcome, Severity
from moderator.domain.record import RECORD_ID
from moderator.domain.retention import RecordClass
from moderator.domain.times import from_utc_text, utc_text
from moderator.store.finding import HANDED_IN, Found, Keeping, Position, Search, Verified

OUTCOMES = {Outcome.HIDE.value: "To be hidden", Outcome.ROUTE.value: "For a person, never hidden", HANDED_IN: "Handed in by staff"}
SEVERITIES = {Severity.SEVERE.value: "Serious", Severity.ORDINARY.value: "Ordinary"}
CLASSES = {
    RecordClass.ORDINARY.value: "Ordinary",
    RecordClass.SEVERE.value: "Severe",
    RecordClass.SAFEGUARDING.value: "Safeguarding",
    RecordClass.STAFF_ALLEGATION.value: "Allegation against staff",
    RecordClass.COMPLAINT.value: "Complaint",
    RecordClass.SUBMITTED.value: "Handed in by staff",
}
KEEPINGS = {Keeping.KEPT.value: "Kept", Keeping.HELD.value: "Under legal hold", Keeping.DISPOSED.value: "Disposed of"}
VERIFIED = {
    Verified.SOUND.value: "Nothing wrong at the last check",
    Verified.PENDING.value: "No outside time stamp yet",
    Verified.FAULT.value: "A fault was found",
}
CHOICES: Mapping[str, Mapping[str, str]] = {
    "outcome": OUTCOMES,
    "severity": SEVERITIES,
    "record_class": CLASSES,
    "keeping": KEEPINGS,
    "verified": VERIFIED,
}
"""The choices of each list on the form, by the name of its field."""

FIELDS = ("number", "since", "until", "account", *CHOICES)


@dataclass(frozen=True, slots=True)
class Typed:
    """What was typed, field by field, and what is wrong with it; `search` is what could be understood."""

    fields: Mapping[str, str]
    search: Search
    problems: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        """Return the query that asks for the same again; "" when nothing was asked for."""
        return urlencode({name: value for name, value in self.fields.items() if value})


def typed(given: Mapping[str, str], blank: Search) -> Typed:
    """Return what was asked for. A field that cannot be understood is told of, and asks for nothing."""
    fields = {name: given.get(name, "").strip()[:64] for name in FIELDS}
    problems: list[str] = []
    number = fields["number"].upper()
    if number and not RECORD_ID.fullmatch(number):
        problems.append("A record number is R- and 16 letters and digits, as the mails show it.")
    account = fields["account"]
    known = {name: fields[name] if fields[name] in choices else "" for name, choices in CHOICES.items()}
    search = replace(
        blank,
        number=number if RECORD_ID.fullmatch(number) else "",
        since=day(fields["since"], problems),
        until=day(fields["until"], problems),
        account=int(account) if account.isascii() and account.isdigit() and len(account) < len("2147483647") else 0,
        outcome=known["outcome"],
        severity=known["severity"],
        record_class=known["record_class"],
        keeping=Keeping(known["keeping"]) if known["keeping"] else None,
        verified=Verified(known["verified"]) if known["verified"] else None,
    )
    if search.since is not None and search.until is not None and search.until < search.since:
        problems.append("The last day is before the first day.")
    return Typed(fields, search, tuple(problems))


def day(text: str, problems: list[str]) -> date | None:
    """Return the day a field names, or None; a text that is no day is told of."""
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        problems.append("Give a day like 2026-11-18.")
        return None


def position_text(found: Found) -> str:
    """Return where the next page goes on, for its address."""
    return f"{utc_text(found.sealed_at)}_{found.record_id}"


def position_from(text: str) -> Position | None:
    """Return what `position_text` wrote; None for "". Raises HTTPException 404 for anything else."""
    if not text:
        return None
    at, _, number = text.partition("_")
    try:
        moment: datetime = from_utc_text(at)
    except ValueError:
        raise HTTPException(status_code=404) from None
    return (moment, number)
