"""Makes packs of every kind. Put together by build; called by the export step through its Packer port."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from moderator.domain.pack import Around, Draft, Held, Order, Pack
from moderator.evidence.packs.access import Access, Draw
from moderator.evidence.packs.bagged import Bagged, Reader, open_bag
from moderator.evidence.packs.concern import Concern
from moderator.evidence.packs.printing import Print, Sheets
from moderator.evidence.packs.proof import Proof
from moderator.evidence.packs.redact import FindPeople
from moderator.evidence.packs.requester import Requester
from moderator.evidence.packs.subject import found_as_author, is_author, texts_of

KeyOf = Callable[[str], bytes | None]
"""A record's key by its number, None when it has none."""
AroundOf = Callable[[Held], Around]
LedgerOf = Callable[[str], AbstractContextManager[Iterable[bytes]]]
"""A school's ledger, whole lines at a time, as one moment sees it."""


@dataclass(frozen=True, slots=True)
class Packs:
    """Every part a pack needs. `opened` reads records in clear, `stored` as they lie; `link` is the review app's address."""

    opened: Reader
    stored: Reader
    key_of: KeyOf
    around_of: AroundOf
    ledger_of: LedgerOf
    find_people: FindPeople
    print: Print
    draw: Draw
    templates: Path
    link: str = ""

    def build(self, order: Order, folder: Path) -> Draft:
        """Return the finished pack in `folder`, under a hidden name.

        May be repeated. Raises BadInput (a record cannot be opened, a name would be left), Transient (the browser), OSError.
        """
        sheets = Sheets.open(self.templates, self.print, order.at)
        if order.pack is Pack.SAR:
            return Access(order, [self._bag(held) for held in order.records], self.find_people, sheets, self.draw).build(folder)
        held = order.records[0]
        if order.pack is Pack.CONCERN:
            return Concern(order, self._bag(held), self._link(held), sheets).build(folder)
        with self.ledger_of(order.school.slug) as ledger:
            return Proof(order, self._bag(held), self.around_of(held), ledger, sheets).build(folder)

    def about(self, persons: Iterable[str], records: Iterable[Held]) -> Iterator[tuple[Held, str]]:
        """Yield the records that are about one person, each with how surely.

        `sure` is their own, or one with their whole name or handle; `maybe` one with a last name alone, or their name on another account.
        A record that was disposed of is passed over. Raises BadInput when a record cannot be opened.
        """
        requester = Requester.of(persons)
        for held in records:
            if held.disposed_at is not None:
                continue
            found = self._found(requester, self._bag(held))
            if found:
                yield held, found

    def _found(self, requester: Requester, bag: Bagged) -> str:
        if is_author(bag, requester):
            return "sure"
        found = {requester.found(text) for text in texts_of(bag)} | {found_as_author(bag, requester)}
        return "sure" if "sure" in found else "maybe" if "maybe" in found else ""

    def _bag(self, held: Held) -> Bagged:
        return open_bag(held, opened=self.opened, stored=self.stored, key=self.key_of(held.record_id))

    def _link(self, held: Held) -> str:
        return f"{self.link}/items/{held.item_id}" if self.link and held.item_id is not None else ""
