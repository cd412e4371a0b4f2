"""Letters of pictures drawn without a browser: nothing that a commenter can write, or be called, keeps a record from being made."""

import sys
import unicodedata

from PIL import Image, ImageDraw

from moderator.evidence.capture.typeface import face


def test_every_character_that_ends_a_paragraph_is_written_as_its_number() -> None:
    """A display name may hold one. The layout engine fails on it: no picture could be drawn, and so no record made."""
    breaks = [chr(code) for code in range(sys.maxunicode) if unicodedata.bidirectional(chr(code)) == "B"]
    assert {"\n", "\r", "\x85", "\u2029"} <= set(breaks)
    letters = face(20)
    canvas = ImageDraw.Draw(Image.new("RGB", (400, 40)))
    for mark in breaks:
        assert letters.width(f"Fern{mark}Ashwick") == letters.width(f"Fern[U+{ord(mark):04X}]Ashwick")
        letters.draw(canvas, (0, 0), f"Fern{mark}Ashwick", fill=(0, 0, 0))


def test_no_character_that_is_no_letter_of_its_own_fails() -> None:
    letters = face(20)
    odd = [chr(code) for code in range(sys.maxunicode) if unicodedata.category(chr(code)) in {"Cc", "Cf", "Zl", "Zp", "Zs"}]
    assert len(odd) > 200
    for mark in odd:
        letters.width(mark)
        assert letters.wrap(f"a{mark}b", 300)
