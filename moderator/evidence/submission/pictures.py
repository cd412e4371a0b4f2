"""Opening pictures from people safely: limits first, then all of it; and a plain copy for the screen. Called by look-over and pages."""

import struct
import threading
import warnings
import zlib
from io import BytesIO

from PIL import Image, ImageOps

from moderator.domain.errors import BadInput
from moderator.domain.submission import FileKind

MAX_PIXELS = 30_000_000
"""Most pixels of a picture (our choice): a scrolled screen print of a phone has about 20 million, and takes 120 MB opened."""
MAX_SIDE = 30_000
WIDEST, TALLEST = 1400, 12_000
"""Pixels of the copy for the screen at most (our choice): wide enough to read a screen print's small letters."""

_FORMATS = {FileKind.PNG: "PNG", FileKind.JPEG: "JPEG", FileKind.WEBP: "WEBP"}
_FAULTS = (
    OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError, TypeError, ArithmeticError, struct.error, zlib.error,
    Image.DecompressionBombError, Image.DecompressionBombWarning,
)  # fmt: skip
"""What Pillow's readers are known to raise for a hostile or damaged file."""
_one_at_a_time = threading.Lock()
"""An opened picture takes much memory: two at once could take what the service needs."""


def size_of(content: bytes, kind: FileKind, *, name: str) -> tuple[int, int]:
    """Return width and height of a picture that opens whole. Raises BadInput when it is too large, moves, is cut short or damaged."""
    with _one_at_a_time, _opened(content, kind, name) as picture:
        return picture.size


def copy_for_screen(content: bytes, kind: FileKind, *, name: str) -> bytes:
    """Return the picture drawn anew as PNG: upright, at most WIDEST by TALLEST, without a byte of what else its file held.

    Raises BadInput as `size_of` does.
    """
    with _one_at_a_time, _opened(content, kind, name) as picture:
        upright = _upright(picture)
        upright.thumbnail((WIDEST, TALLEST))
        plain = Image.new("RGB", upright.size, (255, 255, 255))
        if upright.has_transparency_data:
            shown = upright.convert("RGBA")
            plain.paste(shown, mask=shown.getchannel("A"))
        else:
            plain.paste(upright.convert("RGB"))
        out = BytesIO()
        plain.save(out, "PNG")
        return out.getvalue()


def _upright(picture: Image.Image) -> Image.Image:
    """Return the picture turned as its notes say; as it is when they cannot be read."""
    try:
        return ImageOps.exif_transpose(picture)
    except _FAULTS:
        return picture


def _opened(content: bytes, kind: FileKind, name: str) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            picture = Image.open(BytesIO(content), formats=(_FORMATS[kind],))
    except _FAULTS as error:
        raise _damaged(name) from error
    try:
        _refuse_large(picture, name)
        picture.load()
    except BadInput:
        picture.close()
        raise
    except _FAULTS as error:
        picture.close()
        raise _damaged(name) from error
    return picture


def _refuse_large(picture: Image.Image, name: str) -> None:
    if picture.width * picture.height > MAX_PIXELS or max(picture.size) > MAX_SIDE:
        message = f"{name} is too large a picture: {picture.width} by {picture.height} pixels. Hand in smaller screen prints."
        raise BadInput(message)
    if getattr(picture, "n_frames", 1) > 1 and picture.format != "MPO":
        message = f"{name} is a moving picture. Take a screen print of it, and hand in that."
        raise BadInput(message)


def _damaged(name: str) -> BadInput:
    return BadInput(f"{name} does not open as a picture: it is cut short or damaged. Save it again, or take a new screen print.")
