"""The concern pack: one PDF and one flat JSON for the safeguarding system (CPOMS, MyConcern). Called by `make`.

Neither publishes a format for import, so the JSON has plain documented keys (ops/guides/packs.md) that a person or a script can copy over.
"""

from dataclasses import dataclass
from pathlib import Path

from moderator.domain.pack import Draft, Order
from moderator.domain.times import london_text, utc_text
from moderator.evidence.packs.archive import making, name_of
from moderator.evidence.packs.bagged import NOT_KNOWN, Bagged, as_text
from moderator.evidence.packs.picture import parts
from moderator.evidence.packs.printing import Sheets
from moderator.evidence.packs.proof import author_of, kind_in_words, thread_of, what_it_is
from moderator.evidence.seal.canonical import json_bytes


@dataclass(frozen=True, slots=True)
class Concern:
    """One concern pack. `link` is the item's address in the review app, "" when there is none."""

    order: Order
    bag: Bagged
    link: str
    sheets: Sheets

    def build(self, folder: Path) -> Draft:
        """Return the finished pack in `folder`. Raises OSError, Transient (the browser)."""
        held = self.order.records[0]
        facts = concern_facts(self.order, self.bag, self.link)
        picture = parts(self.bag.file("screenshot.png"))
        with making(folder, name_of("concern", held.record_id, self.order.at), self.order.at) as made:
            made.archive.add("concern.json", json_bytes(facts))
            shown = {"facts": facts, "held": held, "bag": self.bag, "order": self.order, "parts": picture}
            shown |= {"thread": thread_of(self.bag), "author": author_of(self.bag), "kind_words": kind_in_words(self.bag)}
            made.archive.add("concern.pdf", self.sheets.pdf("concern", **shown, what_it_is=what_it_is(self.bag)))
        return made.draft()


def concern_facts(order: Order, bag: Bagged, link: str) -> dict[str, object]:
    """Return the flat keys of `concern.json`. Every value is text or a list of texts; "not known" where the record does not say."""
    record, decision, held = bag.record, bag.decision, bag.held
    return {
        "record_id": held.record_id,
        "school": held.school.name,
        "school_urn": as_text(held.school.urn),
        "posted_london": as_text(record.get("posted_london")),
        "posted_utc": as_text(record.get("posted_utc")),
        "recorded_london": london_text(held.captured_at),
        "recorded_utc": utc_text(held.captured_at),
        "place": bag.text("place"),
        "platform": bag.text("platform"),
        "account": bag.text("account_handle"),
        "author_as_shown": author_of(bag),
        "category": category_of(bag),
        "summary": summary_of(bag),
        "exact_text": str(record.get("text") or ""),
        "people_matched": people_of(bag),
        "actions_taken": [f"{london_text(line.at)}: {_what(line.what)}, by {line.actor}" for line in held.history],
        "reasons_given": [f"{london_text(line.at)}, {line.actor}: {as_text(line.why)}" for line in held.history if line.why],
        "decision": as_text(decision.get("outcome")),
        "exported_by": order.by,
        "exported_for": as_text(order.purpose),
        "exported_london": london_text(order.at),
        "link": link or NOT_KNOWN,
        "manifest_sha256": held.manifest_sha256,
    }


def _what(event: str) -> str:
    return event.replace("_", " ")


def category_of(bag: Bagged) -> str:
    """Return what kind of concern it is: the labels and guards the decision gives, in words."""
    reasons = bag.decision.get("reasons") or []
    labels = dict.fromkeys(str(reason.get("label", "")).replace("_", " ") for reason in reasons if isinstance(reason, dict))
    return ", ".join(label for label in labels if label) or NOT_KNOWN


def summary_of(bag: Bagged) -> str:
    """Return two sentences that name nobody: what was found, where, and what the service decided."""
    severity = as_text(bag.decision.get("severity"))
    outcome = {"hide": "to record it and hide it", "route": "to record it and leave it to a person", "clear": "to record it"}
    decided = outcome.get(str(bag.decision.get("outcome")), "not known")
    return (
        f"A comment to the school's account on {bag.text('platform')} was flagged ({category_of(bag)}; severity: {severity}). "
        f"The service decided {decided}."
    )


def people_of(bag: Bagged) -> list[str]:
    """Return the people matched, by kind and the school's own reference; a name that is on no roll as "no reference"."""
    people = bag.decision.get("people") or []
    told = [
        f"{as_text(person.get('kind'))}: {person.get('reference') or 'no reference'}{'' if person.get('strong', True) else ' (weak match)'}"
        for person in people
        if isinstance(person, dict)
    ]
    return list(dict.fromkeys(told))
