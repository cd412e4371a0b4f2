"""The filters of Today: from the address to what is wanted, and back, with a count beside each choice. Called by Today and its forms."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar
from urllib.parse import urlencode

from moderator.domain.decision import Severity
from moderator.domain.score import Guard, Label, PersonKind
from moderator.store.queue import WAITING_SINCE, Place, Situation, Tallies, Wanted

_GROUNDS = {
    Label.THREAT.value: "A threat",
    Label.IDENTITY_ATTACK.value: "An attack on who people are",
    Label.SEXUAL.value: "Sexual",
    Label.HARASSMENT.value: "Harassment",
    Label.INSULT.value: "An insult",
    Label.ABUSIVE.value: "Abuse",
    Label.PROFANITY.value: "Swearing",
    "name": "Names somebody",
    "pii": "Personal details",
    Guard.ACCUSED_TEACHER.value: "Accuses a member of staff",
    Guard.DISCLOSURE.value: "Tells of harm",
    Guard.CRISIS.value: "Somebody in danger",
    Guard.WHISTLEBLOWING.value: "Reports wrongdoing",
    Guard.COMPLAINT.value: "A complaint",
    Guard.INDECENT_IMAGE.value: "For the police",
}
_SEVERITY = {Severity.SEVERE: "Serious", Severity.ORDINARY: "Ordinary", Severity.NONE: "Not judged"}
_SITUATION = {
    Situation.STOPPED: "The service could not finish",
    Situation.HR: "Waits for HR",
    Situation.HIDDEN: "Hidden",
    Situation.SHOWING: "Still showing",
    Situation.POLICE: "For the police",
}
_DAYS = {days: "More than a day" if days == 1 else f"More than {days} days" for days in WAITING_SINCE}
_ABOUT = {
    PersonKind.STAFF: "Staff",
    PersonKind.PUPIL: "A pupil",
    PersonKind.PARENT: "A parent",
    PersonKind.GOVERNOR: "A governor",
    PersonKind.OTHER: "Somebody else of the school",
}
Code = TypeVar("Code", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Choice:
    """One choice of a filter: what the form sends, and what it reads."""

    value: str
    words: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Filter:
    """One filter of the form."""

    name: str
    words: str
    choices: tuple[Choice, ...]


def wanted_from(asked: Mapping[str, str]) -> Wanted:
    """Return what an address or a form asks for; what it holds beside that, or that is no choice, is passed over."""
    account, days, ground = asked.get("account", ""), asked.get("since", ""), asked.get("grounds", "")
    return Wanted(
        severity=_code(Severity, asked.get("severity", "")),
        ground=ground if ground in _GROUNDS else "",
        situation=_code(Situation, asked.get("state", "")),
        account=int(account) if account.isascii() and account.isdigit() and len(account) < 10 else 0,  # noqa: PLR2004 - a 32-bit number
        days=next((each for each in WAITING_SINCE if str(each) == days), 0),
        about=next((kind for kind in _ABOUT if kind.value == asked.get("about", "")), None),
    )


def place_from(text: str) -> Place | None:
    """Return the place that `address` wrote; None for the beginning, or for what is no place."""
    rank, _, number = text.partition("-")
    whole = all(part.isascii() and part.isdigit() and len(part) < 10 for part in (rank, number))  # noqa: PLR2004 - as above
    return Place(int(rank), int(number)) if whole else None


def asked_by(wanted: Wanted) -> dict[str, str]:
    """Return the fields that ask for this: those of the form that are not empty."""
    fields = {
        "severity": wanted.severity.value if wanted.severity else "",
        "grounds": wanted.ground,
        "about": wanted.about.value if wanted.about else "",
        "state": wanted.situation.value if wanted.situation else "",
        "account": str(wanted.account or ""),
        "since": str(wanted.days or ""),
    }
    return {name: value for name, value in fields.items() if value}


def address(school: str, wanted: Wanted, *, after: Place | None = None, **more: str | int) -> str:
    """Return the address of Today at a school, narrowed to what is wanted."""
    fields: dict[str, str | int] = {**asked_by(wanted), **more}
    if after is not None:
        fields["after"] = f"{after.rank}-{after.id}"
    return f"/schools/{school}/today" + (f"?{urlencode(fields)}" if fields else "")


def filters(wanted: Wanted, tallies: Tallies, accounts: Mapping[int, str]) -> tuple[Filter, ...]:
    """Return the filters with how many each choice would leave; a choice that leaves none is not offered, unless it is chosen."""
    made = (
        _filter("severity", "How serious", [(each.value, said, tallies.severity[each]) for each, said in _SEVERITY.items()], wanted),
        _filter("grounds", "Why", [(code, said, tallies.ground[code]) for code, said in _GROUNDS.items()], wanted),
        _filter("about", "About", [(each.value, said, tallies.about[each]) for each, said in _ABOUT.items()], wanted),
        _filter("state", "How it stands", [(each.value, said, tallies.situation[each]) for each, said in _SITUATION.items()], wanted),
        _filter("account", "Account", [(str(number), said, tallies.account[number]) for number, said in accounts.items()], wanted),
        _filter("since", "Waiting", [(str(days), said, tallies.days[days]) for days, said in _DAYS.items()], wanted),
    )
    return tuple(each for each in made if each.choices)


def _filter(name: str, words: str, found: list[tuple[str, str, int]], wanted: Wanted) -> Filter:
    chosen = asked_by(wanted).get(name, "")
    kept = [(value, said, count) for value, said, count in found if count or value == chosen]
    return Filter(name, words, tuple(Choice(value, f"{said} ({count:,})", value == chosen) for value, said, count in kept))


def _code(kind: type[Code], text: str) -> Code | None:
    try:
        return kind(text)
    except ValueError:
        return None
