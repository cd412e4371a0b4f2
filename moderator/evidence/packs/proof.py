"""The police and the HR pack: the bag as it was sealed, what opens and proves it, and drafts for people to sign. Called by `make`."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from moderator.domain.events import line_hash
from moderator.domain.pack import Around, Draft, Order, Pack
from moderator.domain.record import CaptureKind
from moderator.evidence.capture.taken import IN_WORDS
from moderator.evidence.packs.archive import Archive, making, name_of
from moderator.evidence.packs.bagged import NOT_KNOWN, Bagged, as_text
from moderator.evidence.packs.picture import parts
from moderator.evidence.packs.printing import Sheets

_STATEMENT = {Pack.POLICE: (("witness-statement", "statement"),), Pack.HR: ()}
_COVER = {Pack.POLICE: (), Pack.HR: (("cover-note", "cover"),)}


@dataclass(frozen=True, slots=True)
class Proof:
    """One pack with the evidence itself. `ledger` yields the school's ledger as its file holds it."""

    order: Order
    bag: Bagged
    around: Around
    ledger: Iterable[bytes]
    sheets: Sheets

    def build(self, folder: Path) -> Draft:
        """Return the finished pack in `folder`. Raises OSError, Transient (the browser)."""
        held, kind = self.order.records[0], self.order.pack
        with making(folder, name_of(kind.value, held.record_id, self.order.at), self.order.at) as made:
            self._fill(made.archive)
        return made.draft()

    def _fill(self, archive: Archive) -> None:
        record = self.bag.held.record_id
        for name, content in self.bag.stored_files():
            archive.add(f"{record}/{name}", content)
        tail = Tail()
        archive.stream(self.bag.held.school.ledger, tail.watching(self.ledger))
        archive.add("ledger-head.txt", f"{tail.seq}:{tail.hash}\n".encode())
        facts = self._facts(tail)
        for name, content in self._opened():
            archive.add(f"opened/{name}", content)
        if self.bag.key is not None:
            archive.add("KEY.txt", self.sheets.text("KEY", **facts))
        archive.add("record.pdf", self.sheets.pdf("record", **facts, parts=parts(self.bag.file("screenshot.png"))))
        archive.add("system-health.pdf", self.sheets.pdf("health", **facts))
        kind = self.order.pack
        for name, template in (*_COVER[kind], ("certificate", "certificate"), *_STATEMENT[kind], ("exhibit-labels", "labels")):
            archive.add(f"drafts/{name}.pdf", self.sheets.pdf(template, **facts))
        archive.add("README.txt", self.sheets.text("README", **facts))

    def _opened(self) -> Iterator[tuple[str, bytes]]:
        """Yield every encrypted file in clear; nothing for a record that is in clear already."""
        for name in sorted(self.bag.encrypted()):
            content = self.bag.file(name)
            if content is not None:
                yield name, content

    def _facts(self, tail: "Tail") -> dict[str, object]:
        bag = self.bag
        return {
            "order": self.order,
            "held": bag.held,
            "bag": bag,
            "around": self.around,
            "compared": bag.compared(),
            "stamps": bag.stamps(),
            "tail": tail,
            "kind_words": kind_in_words(bag),
            "what_it_is": what_it_is(bag),
            "blocked": blocked_words(bag),
            "purpose": as_text(self.order.purpose),
            "encrypted": sorted(bag.encrypted().items()),
            "key_hex": bag.key.hex() if bag.key else "",
            "thread": thread_of(bag),
            "author": author_of(bag),
            "police": self.order.pack is Pack.POLICE,
        }


class Tail:
    """The ledger's last line, seen as the ledger goes by: its number and hash are the head of the copy."""

    def __init__(self) -> None:
        """Nothing has gone by."""
        self.seq, self.hash = 0, "0" * 64

    def watching(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the pieces (each of whole lines) and remember the last line."""
        for piece in pieces:
            lines = piece.decode().splitlines()
            if lines:
                self.seq, self.hash = self.seq + len(lines), line_hash(lines[-1])
            yield piece


def kind_in_words(bag: Bagged) -> str:
    """Return how the picture came about, in plain words."""
    kind = bag.record.get("capture_kind")
    return IN_WORDS[CaptureKind(kind)] if kind in set(CaptureKind) else NOT_KNOWN


def what_it_is(bag: Bagged) -> str:
    """Return what the picture shows and what it does not, in one or two sentences."""
    said = {
        CaptureKind.LIVE_PAGE.value: (
            "The picture is what the public page showed one browser that was not signed in. Pictures and video on the page were left out "
            "on purpose and were never fetched."
        ),
        CaptureKind.RENDERED_FROM_API.value: (
            "The picture was drawn by the service from the data the platform sent. It is not a photograph of the site."
        ),
        CaptureKind.SUBMITTED_BY_PERSON.value: (
            "The picture was handed in by a member of staff. The service did not see the site. It proves what was handed in, and when."
        ),
    }
    return said.get(str(bag.record.get("capture_kind")), "How the picture was made is not known.")


def blocked_words(bag: Bagged) -> str:
    """Return how many requests were blocked during capture, by type."""
    by_type = bag.record.get("requests_blocked_by_type")
    count = as_text(bag.record.get("requests_blocked"))
    if not isinstance(by_type, dict) or not by_type:
        return count
    return f"{count} ({', '.join(f'{number} {kind}' for kind, number in sorted(by_type.items()))})"


def author_of(bag: Bagged) -> str:
    """Return the author as shown: name, handle and platform id. Nobody has tried to find out who it is (R27)."""
    name, handle, number = (bag.record.get(f"author_{part}") for part in ("name", "handle", "id"))
    shown = [str(name)] if name else []
    shown += [f"@{str(handle).lstrip('@')}"] if handle else []
    shown += [f"platform id {number}"] if number else []
    return as_text(", ".join(shown))


def thread_of(bag: Bagged) -> list[dict[str, str]]:
    """Return the posts above the comment: who, when, the exact text."""
    thread = bag.record.get("thread")
    posts = [post for post in thread if isinstance(post, dict)] if isinstance(thread, list) else []
    return [
        {
            "name": str(post.get("author_name", "")),
            "handle": str(post.get("author_handle", "")).lstrip("@"),
            "text": str(post.get("text", "")),
            "when": str(post.get("posted_london", "")),
        }
        for post in posts
    ]
