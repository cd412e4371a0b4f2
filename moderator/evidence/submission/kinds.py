"""What a handed-in file is, by its content alone. Called before anything is stored.

A file that is two things at once is refused: a picture with a web page or an archive behind its end, a text that is a page.
"""

import re
from collections.abc import Callable, Iterator

from moderator.domain.errors import BadInput
from moderator.domain.submission import FileKind

_PNG, _JPEG, _PDF = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"%PDF-"
_PNG_END = b"\0\0\0\0IEND\xaeB`\x82"
_HEADER = re.compile(rb"(?:[!-9;-~]++:[^\r\n]*+\r?\n(?:[ \t][^\r\n]*+\r?\n)*+)++\r?\n")
"""Header lines of a mail, then the empty one. Each line reads in one way only, so no step is kept to go back to: those took gigabytes."""
_OF_MAIL = re.compile(rb"(?:^|\n)(?:from|date|received|message-id|subject):", re.IGNORECASE)
_MARKUP = re.compile(r"<\s*(?:!doctype|html|head|body|script|svg|iframe|\?xml)\b|<\?xml", re.IGNORECASE)
_OTHERS = {
    b"GIF8": "a GIF picture",
    b"PK\x03\x04": "a ZIP archive or an Office document",
    b"\x1f\x8b": "a compressed archive",
    b"Rar!": "an archive",
    b"7z\xbc\xaf": "an archive",
    b"MZ": "a program",
    b"\x7fELF": "a program",
    b"II*\0": "a TIFF picture",
    b"MM\0*": "a TIFF picture",
}
_HIDDEN = (
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"%PDF-",
    b"Rar!",
    b"7z\xbc\xaf",
    b"ftyp",
    b"<script",
    b"<html",
    b"<svg",
    b"<!doctype",
    b"<?xml",
    b"<iframe",
)
"""What must not stand behind the end of a picture: the start of another file. A camera's own notes may."""
_PDF_TAIL = 1024
_EOI, _FILL = 0xD9, 0xFF
_ALONE = {0x00, 0x01, *range(0xD0, 0xD8)}
"""JPEG markers without a length: an escaped byte of the picture, a reserved one, restarts (ITU-T T.81, table B.1)."""
TAKES = "Hand in a PNG, JPEG or WebP picture, a PDF, an e-mail (.eml) or plain text."


def kind_of(content: bytes, *, name: str) -> FileKind:
    """Return what the bytes are. `name` is only for the sentence of a refusal. Raises BadInput that says what it is and what to do."""
    if not content:
        message = f"{name} is empty"
        raise BadInput(message)
    for starts, check in _CHECKS.items():
        if content.startswith(starts) and (starts != b"RIFF" or content[8:12] == b"WEBP"):
            return check(content, name)
    for starts, what in _OTHERS.items():
        if content.startswith(starts):
            raise _refused(name, what)
    if content[4:8] == b"ftyp":
        what = (
            "a HEIC picture: save it as JPEG or PNG first"
            if content[8:11] in {b"hei", b"mif", b"msf", b"hev"}
            else "a film or AVIF picture"
        )
        raise _refused(name, what)
    return _text(content, name)


def _png(content: bytes, name: str) -> FileKind:
    if not content.endswith(_PNG_END):
        raise _more(name) if _PNG_END in content else _broken(name)
    if content.index(_PNG_END) + len(_PNG_END) != len(content):
        raise _more(name)
    return FileKind.PNG


def _webp(content: bytes, name: str) -> FileKind:
    said = int.from_bytes(content[4:8], "little") + 8
    if said > len(content):
        raise _broken(name)
    if said + said % 2 < len(content):
        raise _more(name)
    return FileKind.WEBP


def _jpeg(content: bytes, name: str) -> FileKind:
    end = _jpeg_end(content)
    if end is None:
        raise _broken(name)
    tail = content[end:].lower()
    if any(mark.lower() in tail for mark in _HIDDEN):
        raise _more(name)
    return FileKind.JPEG


def _jpeg_end(content: bytes) -> int | None:
    """Return where the first picture ends, after its end marker; None when it has no end. A thumbnail in the notes has its own."""
    at = 2
    while True:
        at = content.find(b"\xff", at)
        if at < 0 or at + 1 >= len(content):
            return None
        marker = content[at + 1]
        if marker == _EOI:
            return at + 2
        if marker == _FILL:
            at += 1
        elif marker in _ALONE:
            at += 2
        else:
            at += 2 + max(int.from_bytes(content[at + 2 : at + 4], "big"), 2)


def _pdf(content: bytes, name: str) -> FileKind:
    end = content.rfind(b"%%EOF")
    if end < 0:
        raise _broken(name)
    if len(content) - end > _PDF_TAIL or content[end + 5 :].strip(b"\r\n\t \0"):
        raise _more(name)
    return FileKind.PDF


_CHECKS: dict[bytes, Callable[[bytes, str], FileKind]] = {_PNG: _png, _JPEG: _jpeg, b"RIFF": _webp, _PDF: _pdf}


def _text(content: bytes, name: str) -> FileKind:
    text = _decoded(content)
    mail = _HEADER.match(content)
    if mail is not None and _OF_MAIL.search(mail[0]) and b"\0" not in content:
        return FileKind.EMAIL
    if text is None or any(letter < " " and letter not in "\t\n\r\f" for letter in text):
        raise _refused(name, "of a kind that is not taken")
    if _MARKUP.search(text):
        raise _refused(name, "a web page or a drawing with code in it")
    return FileKind.TEXT


def _decoded(content: bytes) -> str | None:
    for coding in _codings(content):
        try:
            return content.decode(coding)
        except UnicodeDecodeError:
            continue
    return None


def _codings(content: bytes) -> Iterator[str]:
    yield "utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"


def _refused(name: str, what: str) -> BadInput:
    return BadInput(f"{name} is {what}. {TAKES}")


def _broken(name: str) -> BadInput:
    return BadInput(f"{name} is cut short or damaged. Save it again, or take a new screen print.")


def _more(name: str) -> BadInput:
    return BadInput(f"{name} has something else behind its end. Take a screen print of it, and hand in that.")
