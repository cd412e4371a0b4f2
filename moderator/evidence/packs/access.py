"""The subject-access pack: what is held on one person, everybody else redacted; a draft for a person to read first (R31). Called by `make`.

Nothing of the sealed record is copied into it: not the picture, not the page, not the platform's bytes. Text is redacted, and the comment
is drawn anew from the redacted text.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from moderator.domain.errors import BadInput
from moderator.domain.pack import Draft, Order
from moderator.domain.times import london_text, utc_text
from moderator.evidence.packs.archive import making, name_of
from moderator.evidence.packs.bagged import Bagged
from moderator.evidence.packs.printing import Sheets
from moderator.evidence.packs.redact import FindPeople, Redactor
from moderator.evidence.packs.requester import Requester
from moderator.evidence.packs.skeleton import drawn_in, skeleton
from moderator.evidence.packs.subject import Subject, bears_their_name, is_author, learn, subject_of
from moderator.evidence.seal.canonical import json_bytes

WITHHELD = (
    "The picture made at the time: it shows other people. The comment is drawn anew instead, from the redacted text.",
    "The page behind the picture, the platform's own data and its headers: they hold other people's names and numbers.",
    "Other people's names, handles, platform numbers and contact details, in every text.",
    "The school's references for other people, and who in the school took each decision.",
)
"""What is left out of every pack, told in the pack itself."""
_LONG_NAME = 8
"""Letters from which a whole name is looked for once more in everything that leaves, whatever stands round it."""

Draw = Callable[[str], bytes]
"""HTML in, PNG out: the picture of our own page."""


@dataclass(frozen=True, slots=True)
class Access:
    """One subject-access pack over `bags`, for the one person whom the order names."""

    order: Order
    bags: Sequence[Bagged]
    find_people: FindPeople
    sheets: Sheets
    draw: Draw

    def build(self, folder: Path) -> Draft:
        """Return the finished pack in `folder`.

        1. Learn every other person's name from every record of the pack.
        2. Redact every text; look at the result again.
        3. Draw, print and write.

        Raises OSError, Transient (the browser), BadInput when a name would be left.
        """
        requester = Requester.of(self.order.persons)
        redactor = Redactor(requester, self.find_people, known=_nobodys_names(self.order, self.bags))
        for bag in self.bags:
            learn(bag, redactor, requester)
        subjects = [subject_of(bag, redactor, requester) for bag in self.bags]
        facts = _facts(self.order, subjects)
        _refuse_leak(str(facts["records"]), redactor)
        shown = {"order": self.order, "subjects": subjects, "withheld": WITHHELD, "school": self.order.school}
        with making(folder, name_of("sar", self.order.school.slug, self.order.at), self.order.at) as made:
            archive = made.archive
            archive.add("subject-access.json", json_bytes(facts))
            archive.add("subject-access.pdf", self.sheets.pdf("sar", **shown))
            for number, subject in enumerate(subjects, start=1):
                archive.add(f"redrawn-{number}.png", self.draw(self.sheets.html("redrawn", subject=subject)))
            archive.add("CHECK-BEFORE-SENDING.txt", self.sheets.text("CHECK", **shown, notes=_notes(self.bags, requester, subjects)))
        return made.draft()


def _nobodys_names(order: Order, bags: Iterable[Bagged]) -> list[str]:
    """Return what reads like a name and is nobody's: school, trust, official accounts."""
    return [order.school.name, order.school.trust, *(str(bag.record.get("account_handle") or "") for bag in bags)]


def _facts(order: Order, subjects: Sequence[Subject]) -> dict[str, object]:
    return {
        "about": [person.strip() for person in order.persons],
        "school": order.school.name,
        "trust": order.school.trust,
        "made_utc": utc_text(order.at),
        "made_london": london_text(order.at),
        "status": "draft: to be read by a person before it leaves",
        "withheld": list(WITHHELD),
        "records": [subject.facts for subject in subjects],
    }


def _refuse_leak(text: str, redactor: Redactor) -> None:
    """Look once more at all that leaves, as letters alone: a long whole name must not be in it, whatever the redactor thought."""
    letters = drawn_in(skeleton(text))
    if any(drawn_in(whole) in letters for whole in redactor.others.wholes if len(whole) >= _LONG_NAME):
        message = "another person's name could not be taken out of every text: a person must prepare this pack"
        raise BadInput(message)


def _notes(bags: Sequence[Bagged], requester: Requester, subjects: Sequence[Subject]) -> list[str]:
    """Return what a person must look at, record by record. Names nobody: it lies in the pack."""
    notes = []
    for bag, subject in zip(bags, subjects, strict=True):
        tally = subject.tally
        said = [f"{tally.places} places redacted"]
        if tally.doubts:
            said.append(f"{tally.doubts} words on doubt alone: look whether they can stand")
        if tally.kept_back:
            said.append(f"{tally.kept_back} texts kept back whole: prepare them by hand")
        if not is_author(bag, requester):
            said.append("written by somebody else: make sure that it is about the person who asked")
        if bears_their_name(bag, requester):
            said.append(
                "an author bears the name of the person who asked, on an account that was not given with --person: taken for somebody else"
            )
        notes.append(f"{bag.held.record_id}: {'; '.join(said)}.")
    return notes
