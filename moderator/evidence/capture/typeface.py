"""Letters for pictures drawn without a browser: fonts found on the machine, right-to-left lines, emoji. Called by the panel and `still`."""

import unicodedata
from functools import lru_cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, features

_FOLDERS = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), Path("/Library/Fonts"), Path("/System/Library/Fonts"))
_PREFERRED = (
    "DejaVuSans.ttf", "NotoSans-Regular.ttf", "LiberationSans-Regular.ttf", "NotoNaskhArabic-Regular.ttf", "NotoSansArabic-Regular.ttf",
    "NotoSansHebrew-Regular.ttf", "NotoSansDevanagari-Regular.ttf", "NotoSansBengali-Regular.ttf", "NotoSansCJK-Regular.ttc",
    "DroidSansFallbackFull.ttf", "Arial Unicode.ttf",
)  # fmt: skip
_EMOJI = "NotoColorEmoji.ttf"
_EMOJI_SIZE = 109
"""The one size in which the emoji font's pictures exist."""
_JOINERS = {0x200D, 0xFE0F, 0x20E3}
_TAB = "    "
Colour = tuple[int, int, int]


@lru_cache(maxsize=1)
def _found() -> dict[str, Path]:
    wanted = {*_PREFERRED, _EMOJI}
    return {path.name: path for folder in _FOLDERS if folder.is_dir() for path in folder.rglob("*.tt[fc]") if path.name in wanted}


@lru_cache(maxsize=16)
def face(size: int) -> "Face":
    """Return the letters of one size in pixels."""
    return Face(size)


class Face:
    """Letters of one size. A character that no font on the machine has is written as its number, `[U+1F984]`, so nothing vanishes."""

    def __init__(self, size: int) -> None:
        """Load the fonts found; without any, Pillow's own Latin letters."""
        found = _found()
        paths = [found[name] for name in _PREFERRED if name in found]
        self.size = size
        self._fonts: list[ImageFont.FreeTypeFont | ImageFont.ImageFont] = [ImageFont.truetype(path, size) for path in paths]
        if not self._fonts:
            self._fonts = [ImageFont.load_default(size)]
        self._emoji = ImageFont.truetype(found[_EMOJI], _EMOJI_SIZE) if _EMOJI in found else None
        self._missing = [bytes(font.getmask("\U0010fffe")) for font in self._fonts]
        self._which: dict[str, int] = {}
        self._pictures: dict[str, Image.Image] = {}
        self._widths: dict[tuple[int, str], float] = {}

    def draw(self, canvas: ImageDraw.ImageDraw, at: tuple[int, int], text: str, *, fill: Colour) -> None:
        """Draw one line with its left edge at `at`. A line whose first strong letter is right-to-left has its runs laid from the right."""
        pieces = self._pieces(text)
        if right_to_left(text):
            pieces.reverse()
        x = float(at[0])
        for which, piece in pieces:
            if which < 0:
                picture = self._picture(piece)
                canvas._image.paste(picture, (round(x), at[1]), picture)  # noqa: SLF001 - the picture under the pen; Pillow names it no other way
            else:
                canvas.text((x, at[1]), piece, font=self._fonts[which], fill=fill)
            x += self._width(which, piece)

    def width(self, text: str) -> float:
        """Return the width of one line in pixels."""
        return sum(self._width(which, piece) for which, piece in self._pieces(text))

    def wrap(self, text: str, width: int) -> list[str]:
        """Return the text as lines no wider than `width`, broken between words where there are any. Never an empty list."""
        lines: list[str] = []
        for paragraph in text.expandtabs(len(_TAB)).splitlines() or [""]:
            lines.extend(self._wrap_paragraph(paragraph, width))
        return lines

    def _wrap_paragraph(self, paragraph: str, width: int) -> list[str]:
        lines, line = [], ""
        for word in _words(paragraph):
            if self.width(line + word) <= width:
                line += word
                continue
            if line.strip():
                lines.append(line.rstrip())
            line = word.lstrip() if lines else word
            while (cut := self._fits(line, width)) < len(line):
                lines.append(line[:cut])
                line = line[cut:]
        return [*lines, line.rstrip()]

    def _fits(self, word: str, width: int) -> int:
        """Return how many characters fit, at least one, never parting an emoji. Gallops, so that a very long word is not measured whole."""
        low, high = 1, 16
        while high < len(word) and self.width(word[:high]) <= width:
            low, high = high, high * 2
        high = min(high, len(word))
        while low < high:
            middle = (low + high + 1) // 2
            if self.width(word[:middle]) <= width:
                low = middle
            else:
                high = middle - 1
        cut = low
        while 1 < cut < len(word) and (_clings(word[cut]) or word[cut - 1] == "\u200d"):
            cut -= 1
        return cut

    def _pieces(self, text: str) -> list[tuple[int, str]]:
        """Return the text as runs of one font each; -1 marks a picture (one emoji with its joiners and skin tone)."""
        pieces: list[tuple[int, str]] = []
        for character in text:
            which = self._font_of(character)
            last = pieces[-1] if pieces else None
            if last and last[0] < 0 and (_clings(character) or (which < 0 and last[1].endswith("\u200d"))):
                pieces[-1] = (-1, last[1] + character)
            elif which >= len(self._fonts):
                pieces.append((0, f"[U+{ord(character):04X}]"))
            elif last and which >= 0 and last[0] == which:
                pieces[-1] = (which, last[1] + character)
            elif last and last[0] >= 0 and unicodedata.category(character) in {"Mn", "Mc", "Me", "Cf", "Zs"}:
                pieces[-1] = (last[0], last[1] + character)
            else:
                pieces.append((which, character))
        return pieces

    def _font_of(self, character: str) -> int:
        known = self._which.get(character)
        if known is None:
            known = self._which[character] = self._look_up(character)
        return known

    def _look_up(self, character: str) -> int:
        if unicodedata.bidirectional(character) == "B":
            return len(self._fonts)  # a break inside a line, as a display name may hold one: the layout engine fails on it
        if unicodedata.category(character) in {"Cf", "Zs", "Cc"}:
            return 0
        if self._emoji is not None and _pictographic(character) and self._picture(character).getbbox() is not None:
            return -1
        for at, font in enumerate(self._fonts):
            if bytes(font.getmask(character)) != self._missing[at]:
                return at
        return len(self._fonts)

    def _picture(self, cluster: str) -> Image.Image:
        known = self._pictures.get(cluster)
        if known is None:
            known = self._pictures[cluster] = self._drawn(cluster)
        return known

    def _drawn(self, cluster: str) -> Image.Image:
        side = round(self.size * 1.25)
        if self._emoji is None:
            return Image.new("RGBA", (side, side))
        box = self._emoji.getbbox(cluster)
        large = Image.new("RGBA", (max(1, round(box[2])), 136))
        ImageDraw.Draw(large).text((0, 0), cluster, font=self._emoji, embedded_color=True)
        return large.resize((max(1, round(large.width * side / 136)), side), Image.Resampling.LANCZOS)

    def _width(self, which: int, piece: str) -> float:
        if which < 0:
            return self._picture(piece).width
        key = (which, piece)
        if key not in self._widths:
            if len(self._widths) > 20_000:  # noqa: PLR2004 - some megabytes at most
                self._widths.clear()
            self._widths[key] = self._fonts[which].getlength(piece)
        return self._widths[key]


def _clings(character: str) -> bool:
    code = ord(character)
    return code in _JOINERS or 0x1F3FB <= code <= 0x1F3FF or 0xE0020 <= code <= 0xE007F  # noqa: PLR2004 - skin tones and flag tags


def _pictographic(character: str) -> bool:
    return unicodedata.category(character) in {"So", "Sk", "Sm", "Po"} and (ord(character) >= 0x1F000 or 0x2600 <= ord(character) <= 0x27BF)  # noqa: PLR2004 - the emoji blocks


def right_to_left(text: str) -> bool:
    """Return whether the first strong letter of a line is right-to-left (rule P2 of the Unicode bidirectional algorithm)."""
    for character in text:
        kind = unicodedata.bidirectional(character)
        if kind in {"R", "AL"}:
            return True
        if kind == "L":
            return False
    return False


def _words(text: str) -> list[str]:
    """Return the text cut before each space, so that joining the parts gives the text again."""
    words, start = [], 0
    for at in range(1, len(text)):
        if text[at] == " " and text[at - 1] != " ":
            words.append(text[start:at])
            start = at
    return [*words, text[start:]]


SHAPES_TEXT = bool(features.check("raqm"))
"""Whether Pillow joins Arabic letters and orders right-to-left text; its wheels do."""
