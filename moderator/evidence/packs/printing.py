"""Templates to sheets: HTML with everything escaped, printed by Chromium with scripts and network off. Called by each kind of pack."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from jinja2 import Environment

from moderator.evidence.capture.rendering import environment
from moderator.evidence.packs.bagged import as_text, both_times
from moderator.evidence.seal.canonical import showable

Print = Callable[[str], bytes]
"""HTML in, PDF out: `Browser.print`."""
_DATE = re.compile(rb"\(D:\d{14}([+\-Z][^)]*)?\)")
_FOOT = re.compile(r"[^A-Za-z0-9 .,:()-]")


@dataclass(frozen=True, slots=True)
class Sheets:
    """The press: templates, the browser that prints, and the time that every sheet carries."""

    templates: Environment
    print: Print
    at: datetime

    @classmethod
    def open(cls, templates: Path, press: Print, at: datetime) -> "Sheets":
        """Return the press for the packs' templates under `templates/record/packs`."""
        found = environment(templates)
        found.filters["fact"] = as_text
        found.filters["both"] = both_times
        found.filters["foot"] = lambda text: _FOOT.sub("", text)
        return cls(found, press, at)

    def html(self, template: str, **facts: object) -> str:
        """Return a sheet as HTML; any text of a record is inert in it."""
        return showable(self.templates.get_template(f"packs/{template}.html.j2").render(at=self.at, **facts))

    def pdf(self, template: str, **facts: object) -> bytes:
        """Return a sheet as PDF, dated with the pack's time. Raises Transient when the browser fails twice."""
        return _dated(self.print(self.html(template, **facts)), self.at)

    def text(self, template: str, **facts: object) -> bytes:
        """Return a plain-text file of the pack."""
        return showable(self.templates.get_template(f"packs/{template}.txt.j2").render(at=self.at, **facts)).encode()


def _dated(pdf: bytes, at: datetime) -> bytes:
    """Return the PDF with the pack's time in place of the printing's, byte for byte of the same length, so that nothing moves."""

    def put(match: re.Match[bytes]) -> bytes:
        wanted = f"(D:{at.astimezone(UTC):%Y%m%d%H%M%S}+00'00')".encode()
        return wanted if len(wanted) == len(match[0]) else match[0]

    return _DATE.sub(put, pdf)
