"""The record's picture cut to sheets of paper, so that a long thread stays legible in print. Called by the packs that show it."""

import base64
from dataclasses import dataclass
from io import BytesIO

from PIL import Image

_TALLEST = 1.25
"""Height of a part over its width at most: it fits on an A4 page below a heading."""
_PIXELS = 40_000_000
"""Pixels of a picture that is put into a PDF at most (our choice): twice the tallest a capture can be."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the picture: where it comes in the order, and the picture itself as a `data:` address."""

    number: int
    of: int
    address: str


def parts(picture: bytes | None) -> tuple[Part, ...]:
    """Return the picture in parts from the top down; none when there is no picture or it does not open."""
    if picture is None:
        return ()
    try:
        with Image.open(BytesIO(picture)) as opened:
            if opened.width * opened.height > _PIXELS:
                return ()
            whole = opened.convert("RGB")
    except (OSError, ValueError, Image.DecompressionBombError):
        return ()
    step = max(1, int(whole.width * _TALLEST))
    tops = range(0, whole.height, step)
    cut = [whole.crop((0, top, whole.width, min(top + step, whole.height))) for top in tops]
    return tuple(Part(number, len(cut), _address(each)) for number, each in enumerate(cut, start=1))


def _address(picture: Image.Image) -> str:
    out = BytesIO()
    picture.save(out, "PNG", compress_level=6)
    return f"data:image/png;base64,{base64.b64encode(out.getvalue()).decode()}"
