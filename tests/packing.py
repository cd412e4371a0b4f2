"""What tests of packs share: the books' view of a sealed record, a maker of packs on a test's vault, and reading what came out."""

import json
import re
import unicodedata
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

from pypdf import PdfReader

from moderator.domain.account import School
from moderator.domain.pack import NEARBY, Around, Checked, Draft, Happened, Held, Order, Pack, Trouble, Witnessed
from moderator.domain.record import SealedRecord
from moderator.evidence.packs.make import Packs
from moderator.evidence.packs.redact import Found
from moderator.evidence.vault.keyed import KeyedVault

AT = datetime(2026, 11, 22, 10, 15, tzinfo=UTC)
LEDGER = b'{"seq":1}\n{"seq":2}\n'
TEMPLATES = Path(__file__).parents[1] / "templates"


def held_of(record: SealedRecord, school: School, **changes: Any) -> Held:
    """Return what the books know of a record that was just sealed."""
    known: dict[str, Any] = {
        "item_id": 12,
        "account_id": 1,
        "ledger_seq": 4,
        "history": (Happened(record.captured_at, "captured", "service"), Happened(record.sealed_at, "sealed", "service")),
    }
    return Held(record.record_id, school, record.path, record.manifest_sha256, record.captured_at, record.sealed_at, **(known | changes))


def around_of(held: Held) -> Around:
    """Return how the service stood: comments before, none after, one alert, one check, one digest."""
    at = held.captured_at
    return Around(
        since=at - NEARBY,
        until=at + NEARBY,
        comments=12,
        sealed=3,
        seen_before=at - timedelta(minutes=5),
        troubles=(Trouble(at, "system", "The disk is nearly full."),),
        last_check=Checked(at, "full", 120, 0),
        witnessed=Witnessed(at.date(), at, 9, "ab" * 32),
    )


def bare(held: Held) -> Around:
    """Return how the service stood when it knows nothing."""
    return Around(since=held.captured_at - NEARBY, until=held.captured_at + NEARBY)


def literal(*names: str) -> Callable[[Sequence[str]], list[list[Found]]]:
    """Return a finder that finds these very words, as a classifier finds people."""

    def find(texts: Sequence[str]) -> list[list[Found]]:
        return [
            [Found(at.start(), at.end(), is_name=True) for name in names for at in re.finditer(re.escape(name), text)] for text in texts
        ]

    return find


@dataclass
class Press:
    """A browser that remembers the HTML it was given to print and to draw."""

    browser: Any
    seen: list[str] = field(default_factory=list)

    def print(self, html: str) -> bytes:
        """Print, and remember."""
        self.seen.append(html)
        made: bytes = self.browser.print(html)
        return made

    def draw(self, html: str) -> bytes:
        """Draw, and remember."""
        self.seen.append(html)
        made: bytes = self.browser.draw(html).picture
        return made


class PaperPress:
    """A press without a browser, for tests that do not look at what is printed."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def print(self, html: str) -> bytes:
        """Return the HTML as if printed."""
        self.seen.append(html)
        return b"%PDF-1.4 (D:20200101000000+00'00') " + html.encode()

    def draw(self, html: str) -> bytes:
        """Return the HTML as if drawn."""
        self.seen.append(html)
        return b"\x89PNG" + html.encode()


def packs_on(  # noqa: PLR0913 - each part a test may change
    vault: Any, keys: Any, press: Any, *, find: Any = None, around: Any = around_of, ledger: bytes = LEDGER
) -> Packs:
    """Return a maker of packs."""

    @contextmanager
    def ledger_of(school: str) -> Iterator[list[bytes]]:
        del school
        yield [ledger]

    return Packs(
        opened=KeyedVault(vault, keys),
        stored=vault,
        key_of=keys.get,
        around_of=around,
        ledger_of=ledger_of,
        find_people=find or literal(),
        print=press.print,
        draw=press.draw,
        templates=TEMPLATES,
        link="https://review.oakfield.example",
    )


def order_of(pack: Pack, *held: Held, persons: tuple[str, ...] = (), at: datetime = AT) -> Order:
    """Return an order for a pack."""
    return Order(pack, held[0].school, held, "PC 123, harassment of a member of staff", "HEAD-1", at, persons)


class Unpacked:
    """A pack, read: every member by name."""

    def __init__(self, draft: Draft | Path) -> None:
        self.path = draft if isinstance(draft, Path) else draft.path
        with zipfile.ZipFile(self.path) as opened:
            self.comment = opened.comment
            self.members = {each.filename: each for each in opened.infolist()}
            self.files = {name: opened.read(name) for name in self.members}

    def json(self, name: str) -> dict[str, Any]:
        """Return a JSON member."""
        found: dict[str, Any] = json.loads(self.files[name])
        return found

    def pdf(self, name: str) -> PdfReader:
        """Return a PDF member, opened."""
        return PdfReader(BytesIO(self.files[name]))

    def words(self, name: str) -> str:
        """Return a PDF member's text layer, blanks drawn in."""
        return " ".join(" ".join(page.extract_text() for page in self.pdf(name).pages).split())


def everything(value: Any, seen: set[int] | None = None) -> Iterator[str]:
    """Yield every string of a PDF object and of all it leads to: metadata, outline, alternative texts, and streams that are text."""
    seen = set() if seen is None else seen
    value = value.get_object() if hasattr(value, "get_object") else value
    if id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, dict):
        for key, each in value.items():
            yield str(key)
            yield from everything(each, seen)
        if hasattr(value, "get_data"):
            yield _as_text(value.get_data())
    elif isinstance(value, list):
        for each in value:
            yield from everything(each, seen)
    elif isinstance(value, bytes):
        yield _as_text(value)
    else:
        yield str(value)


def _as_text(content: bytes) -> str:
    """Return a stream that is text; of one that is not (a font, a picture, glyph numbers), nothing: its letters are chance."""
    try:
        return content.decode("ascii")
    except UnicodeDecodeError:
        return ""


def letters(text: str) -> str:
    """Return a text's letters and digits alone, small and without accents: an independent look, not the product's own."""
    plain = unicodedata.normalize("NFKD", text.replace("ł", "l").replace("Ł", "L")).casefold()
    return "".join(each for each in plain if each.isalnum())
