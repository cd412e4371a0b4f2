"""What the Policy page says in words: thresholds, versions, what a try would have changed. Called by `policy_page` and `policy_change`."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from moderator.domain.access import Action
from moderator.domain.decision import Outcome, Severity
from moderator.domain.errors import BadInput
from moderator.domain.policy import GUARD_DEFAULTS, Policy
from moderator.domain.policy_text import Thresholds, moved, thresholds_of
from moderator.domain.score import Guard, Label
from moderator.domain.trial import Change, Trial
from moderator.store.policies import Saved
from moderator.web.need import Visit
from moderator.web.site import Site

LABEL_WORDS: Mapping[str, str] = {
    Label.ABUSIVE: "Abuse of any kind",
    Label.INSULT: "Insult",
    Label.THREAT: "Threat",
    Label.IDENTITY_ATTACK: "Attack on who somebody is",
    Label.SEXUAL: "Sexual remark",
    Label.PROFANITY: "Swearing",
    Label.HARASSMENT: "Harassment",
}
GUARD_WORDS: Mapping[str, str] = {
    Guard.DISCLOSURE: "Disclosure of harm",
    Guard.CRISIS: "Person in crisis",
    Guard.WHISTLEBLOWING: "Whistleblowing",
    Guard.COMPLAINT: "Complaint",
    Guard.INDECENT_IMAGE: "Indecent image of a child",
    Guard.ACCUSED_TEACHER: "Accused teacher",
}
TABLE_WORDS = {"flag": "Flagged from", "severe": "Serious from", "guard": "A person decides from"}
SWITCH_WORDS = {
    "hide_names": "The name of a protected person is a ground by itself",
    "hide_pii": "The details of a private person are a ground",
}
SECTION_WORDS = {
    "abuse": "Abuse",
    "name": "The name of a protected person",
    "pii": "The details of a private person",
    "guard": "For a person to decide",
    "indecent_image": "Indecent image of a child",
}
_WORDS = {**LABEL_WORDS, **GUARD_WORDS, **SWITCH_WORDS}
_OUTCOMES = {
    Outcome.CLEAR: "Cleared",
    Outcome.HIDE: "Hidden",
    Outcome.ROUTE: "Routed to a person",
    Outcome.WITHHOLD: "Withheld for the police",
}
_OUTCOME_OR_SEVERE = {**{each.value: words for each, words in _OUTCOMES.items()}, Severity.SEVERE.value: "Serious: told at once"}
LISTED = 20
"""Versions listed at most (our choice); one more is read, to say what the last of them changed."""
_PREFIX = {"flag": "f_", "severe": "s_", "guard": "g_"}


@dataclass(frozen=True, slots=True)
class Field:
    """One number of the form: its name, its words, its value as typed, and the most it may be."""

    name: str
    words: str
    value: str
    most: float = 1.0


@dataclass(frozen=True, slots=True)
class Version:
    """One saved version, in words: when, by whom, why, and what it changed from the one before."""

    saved: Saved
    by: str
    changed: tuple[str, ...]
    in_force: bool


@dataclass(frozen=True, slots=True)
class Told:
    """Comments that would be decided otherwise: what would become of how many, and those of them that can be opened."""

    was: str
    becomes: str
    comments: int
    items: tuple[int, ...]


def may_change(site: Site, visit: Visit) -> bool:
    """Return whether a person may change the policy: it is the whole trust's, so at every school."""
    return all(visit.acting.may(Action.CHANGE_POLICY, school.slug) for school in site.database.schools())


def form_rows(found: Thresholds, typed: Mapping[str, str] | None = None, now: Policy | None = None) -> dict[str, list[Field]]:
    """Return the numbers of the form by table: those given, or what was typed instead."""
    typed = typed or {}
    rows: dict[str, list[Field]] = {}
    for table, words in (("flag", LABEL_WORDS), ("severe", LABEL_WORDS), ("guard", GUARD_WORDS)):
        values: Mapping[str, float] = getattr(found, table)
        rows[table] = [
            Field(
                f"{_PREFIX[table]}{name}",
                said,
                typed.get(f"{_PREFIX[table]}{name}", f"{values[name]:g}" if name in values else ""),
                max(GUARD_DEFAULTS[name], (now.guard if now else values)[name]) if table == "guard" else 1.0,
            )
            for name, said in words.items()
        ]
    return rows


def read_thresholds(typed: Mapping[str, str], now: Policy) -> Thresholds:
    """Return the thresholds typed in the form. An empty label is none; an empty guard stays. Raises BadInput for what is no number."""
    tables: dict[str, dict[str, float]] = {}
    for table, words in (("flag", LABEL_WORDS), ("severe", LABEL_WORDS), ("guard", GUARD_WORDS)):
        given = {name: typed.get(f"{_PREFIX[table]}{name}", "").strip() for name in words}
        tables[table] = {name: _chance(text, words[name]) for name, text in given.items() if text}
    guard = {**now.guard, **tables["guard"]}
    return Thresholds(tables["flag"], tables["severe"], guard, typed.get("hide_names") == "yes", typed.get("hide_pii") == "yes")


def _chance(text: str, words: str) -> float:
    try:
        found = round(float(text), 4)
    except ValueError:
        found = 0.0
    if not 0 < found <= 1:
        message = f"{words}: give a number above 0 and at most 1, such as 0.45."
        raise BadInput(message)
    return found


def moved_words(found: Sequence[tuple[str, str, str, str]]) -> tuple[str, ...]:
    """Return what differs between two versions, a line each."""
    return tuple(
        f"{_WORDS[name]}: {new}, was {old}" if table == "switch" else f"{TABLE_WORDS[table]}, {_WORDS[name]}: {new}, was {old}"
        for table, name, old, new in found
    )


def policy_facts(
    now: Policy, given: Policy, history: Sequence[Saved], names: Mapping[str, str], typed: Mapping[str, str]
) -> dict[str, object]:
    """Return the facts of the Policy page: the thresholds in force, or what was typed, and the versions."""
    found = thresholds_of(now)
    return {
        "policy": now,
        "rows": form_rows(found, typed, now),
        "asked": Thresholds(
            found.flag,
            found.severe,
            found.guard,
            typed.get("hide_names") == "yes" if typed else found.hide_names,
            typed.get("hide_pii") == "yes" if typed else found.hide_pii,
        ),
        "author": names.get(now.author, now.author),
        "sections": [(SECTION_WORDS.get(ground, ground), said) for ground, said in now.sections.items()],
        "retention": list(now.retention.items()),
        "accounts": [(key, own.why.rpartition("For this account: ")[2]) for key, own in now.accounts.items()],
        "history": _versions(now, given, history, names),
    }


def _versions(now: Policy, given: Policy, history: Sequence[Saved], names: Mapping[str, str]) -> list[Version]:
    """Return the first LISTED versions, newest first, each with what it changed from the one before, or from the file's."""
    read = [*(_read(each) for each in history), thresholds_of(given)]
    shown = []
    for place, each in enumerate(history[:LISTED]):
        mine, before = read[place], read[place + 1]
        changed = moved_words(moved(before, mine)) if mine and before else ()
        shown.append(Version(each, names.get(each.author, each.author), changed, each.version == now.version))
    return shown


def _read(saved: Saved) -> Thresholds | None:
    """Return a saved version's thresholds; None for one that this version of the product cannot read any more."""
    try:
        return thresholds_of(Policy.from_toml(saved.toml, where=saved.version))
    except BadInput:
        return None


def trial_facts(found: Trial, opens: Collection[int]) -> dict[str, object]:
    """Return the facts of a try. `opens` are the comments this person may open; the others are counted and not named."""
    return {
        "trial": found,
        "outcomes": [(_OUTCOME_OR_SEVERE[each.name], each) for each in found.outcomes],
        "labels": [(_WORDS[each.name], each) for each in found.labels],
        "changes": [_told(each, opens) for each in found.changes],
    }


def _told(change: Change, opens: Collection[int]) -> Told:
    items = tuple(number for number in change.kept if number in opens)
    return Told(_OUTCOMES[change.was].lower(), _OUTCOMES[change.becomes].lower(), change.comments, items)
