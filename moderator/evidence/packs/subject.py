"""One record as one person may see it: their own data in clear, everybody else taken out (R31). Called by the subject-access pack."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from moderator.domain.pack import Pack
from moderator.domain.times import london_text, utc_text
from moderator.evidence.packs.bagged import Bagged, as_text
from moderator.evidence.packs.proof import kind_in_words
from moderator.evidence.packs.redact import Redacted, Redactor
from moderator.evidence.packs.requester import Requester

SOMEBODY = "another person"
REQUESTER = "you"
_SHOWN_EVENTS = {
    "flagged": "flagged", "captured": "captured", "sealed": "record sealed", "hidden": "hidden", "hide_verified": "hidden, and checked",
    "restored": "shown again", "gone": "found deleted on the platform", "held": "left to a person", "legal_hold": "put on legal hold",
    "legal_hold_released": "legal hold lifted", "uphold": "a person kept the decision", "restore": "a person asked to show it again",
    "submitted": "handed in by a member of staff",
}  # fmt: skip
"""Ledger events and reviews that are about the requester's data, in words; the rest is the service's own bookkeeping."""


@dataclass(slots=True)
class Tally:
    """What was taken out of one record: places, how many on doubt alone, how many texts kept back whole."""

    places: int = 0
    doubts: int = 0
    kept_back: int = 0

    def of(self, redacted: Redacted) -> str:
        """Count one text and return it."""
        self.places += redacted.places
        self.doubts += redacted.doubts
        self.kept_back += redacted.kept_back
        return redacted.text


@dataclass(frozen=True, slots=True)
class Subject:
    """One record, ready to be shown. `facts` is flat JSON; `posts` and `comment` what is drawn anew."""

    facts: dict[str, object]
    posts: list[dict[str, str]]
    comment: dict[str, str]
    tally: Tally = field(default_factory=Tally)


def is_author(bag: Bagged, requester: Requester) -> bool:
    """Return whether the requester wrote the comment, by handle or by exactly their name."""
    return requester.wrote(**_shown(bag.record))


def bears_their_name(bag: Bagged, requester: Requester) -> bool:
    """Return whether the comment, or a post above it, stands under the requester's name on an account that is not known as theirs."""
    return any(requester.borne_by(**_shown(each)) for each in (bag.record, *_thread(bag.record)))


def found_as_author(bag: Bagged, requester: Requester) -> str:
    """Return how surely an author of the record, as shown, is the requester or bears their name: `sure`, `maybe`, or ""."""
    found = {_found_as(_shown(each), requester) for each in (bag.record, *_thread(bag.record))}
    return "sure" if "sure" in found else "maybe" if "maybe" in found else ""


def _found_as(author: Mapping[str, str], requester: Requester) -> str:
    return "maybe" if requester.borne_by(**author) else requester.found(f"{author['name']} @{author['handle']}")


def _shown(post: Mapping[str, Any]) -> dict[str, str]:
    return {"handle": str(post.get("author_handle") or ""), "name": str(post.get("author_name") or "")}


def texts_of(bag: Bagged) -> Iterator[str]:
    """Yield every free text of a record that a subject-access pack may show."""
    record = bag.record
    yield str(record.get("text") or "")
    for post in _thread(record):
        yield str(post.get("text") or "")
    for line in bag.held.history:
        if line.why:
            yield line.why
    for reason in _reasons(bag.decision):
        yield str(reason.get("why") or "")


def learn(bag: Bagged, redactor: Redactor, requester: Requester) -> None:
    """Teach the redactor every other person the record knows of: authors, those above them, and the people the decision found."""
    record = bag.record
    others = redactor.others
    if not is_author(bag, requester):
        others.add_name(str(record.get("author_name") or ""))
        others.add_handle(str(record.get("author_handle") or ""))
    for post in _thread(record):
        if not _is_school(record, post):
            others.add_name(str(post.get("author_name") or ""))
            others.add_handle(str(post.get("author_handle") or ""))
    text = str(record.get("text") or "")
    for person in bag.decision.get("people") or []:
        if isinstance(person, dict) and isinstance(person.get("start"), int) and isinstance(person.get("end"), int):
            others.add_name(text[person["start"] : person["end"]])
    redactor.read(texts_of(bag))


def subject_of(bag: Bagged, redactor: Redactor, requester: Requester) -> Subject:
    """Return the record as the requester may see it. The redactor must have learnt every record of the pack first."""
    tally = Tally()
    record, held = bag.record, bag.held
    own = is_author(bag, requester)
    posts = [_post(post, record, redactor, requester, tally) for post in _thread(record)]
    comment = {
        "who": f"{REQUESTER}: {as_text(record.get('author_name'))} @{as_text(record.get('author_handle')).lstrip('@')}"
        if own
        else SOMEBODY,
        "text": tally.of(redactor.redact(str(record.get("text") or ""))),
        "when": as_text(record.get("posted_london")),
    }
    facts: dict[str, object] = {
        "record_id": held.record_id,
        "school": held.school.name,
        "platform": as_text(record.get("platform")),
        "you_are": "the author" if own else "named or spoken of",
        "author": comment["who"],
        "place": as_text(record.get("place")) if own else "withheld: it leads to another person",
        "posted_utc": as_text(record.get("posted_utc")),
        "posted_london": as_text(record.get("posted_london")),
        "first_seen_utc": as_text(record.get("first_seen_utc")),
        "captured_utc": utc_text(held.captured_at),
        "captured_london": london_text(held.captured_at),
        "sealed_utc": utc_text(held.sealed_at),
        "sealed_london": london_text(held.sealed_at),
        "text": comment["text"],
        "posts_above": [f"{post['who']}: {post['text']}" for post in posts],
        "how_captured": kind_in_words(bag),
        "decision": as_text(bag.decision.get("outcome")),
        "policy": f"{as_text(bag.decision.get('policy'))}, section {as_text(bag.decision.get('policy_section'))}",
        "reasons": [tally.of(redactor.redact(str(reason.get("why") or ""))) for reason in _reasons(bag.decision)],
        "what_happened": [f"{london_text(line.at)}: {_SHOWN_EVENTS[line.what]}" for line in held.history if line.what in _SHOWN_EVENTS],
        "reasons_people_gave": [tally.of(redactor.redact(line.why)) for line in held.history if line.why],
        "given_to": [f"{london_text(at)}: {_given_to(pack)}" for pack, at in held.exports],
        "kept_until_looked_at_on": as_text(held.review_on),
    }
    return Subject(facts, posts, comment, tally)


def _given_to(pack: str) -> str:
    return {Pack.POLICE.value: "the police", Pack.HR.value: "HR", Pack.SAR.value: "a person asking for their own data"}.get(
        pack, "the safeguarding system" if pack == Pack.CONCERN.value else "not known"
    )


def _post(post: Mapping[str, Any], record: Mapping[str, Any], redactor: Redactor, requester: Requester, tally: Tally) -> dict[str, str]:
    name, handle = str(post.get("author_name") or ""), str(post.get("author_handle") or "")
    if _is_school(record, post):
        who = f"the school's account @{handle.lstrip('@')}"
    else:
        who = REQUESTER if requester.wrote(handle=handle, name=name) else SOMEBODY
    return {"who": who, "text": tally.of(redactor.redact(str(post.get("text") or ""))), "when": as_text(post.get("posted_london"))}


def _is_school(record: Mapping[str, Any], post: Mapping[str, Any]) -> bool:
    account = str(record.get("account_handle") or "").lstrip("@").lower()
    return bool(account) and str(post.get("author_handle") or "").lstrip("@").lower() == account


def _thread(record: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    thread = record.get("thread")
    return [post for post in thread if isinstance(post, dict)] if isinstance(thread, list) else []


def _reasons(decision: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    reasons = decision.get("reasons")
    return [reason for reason in reasons if isinstance(reason, dict)] if isinstance(reasons, list) else []
