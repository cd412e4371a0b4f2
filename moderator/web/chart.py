"""Charts drawn by us as SVG: no script, no inline style, colours from the stylesheet. Called by the Trustees page, beside a table."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

WIDTH = 320
"""Units across; the stylesheet says how wide that is on a screen."""

_LONGEST = 200
_ROW = 46


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its name, how long it is (0 or more), and the number beside it in words."""

    name: str
    size: float
    words: str


def bars(title: str, drawn: Sequence[Bar]) -> Markup:
    """Return a chart of horizontal bars, the longest of them the full length; "" for none.

    To a screen reader it is one picture with a title: the same numbers stand in a table beside it.
    """
    if not drawn:
        return Markup()
    most = max(bar.size for bar in drawn) or 1
    rows = Markup().join(_bar(number, bar, most) for number, bar in enumerate(drawn))
    height = len(drawn) * _ROW
    head = Markup('<svg class="chart" role="img" aria-label="{}" viewBox="0 0 {} {}">').format(title, WIDTH, height)
    return head + rows + Markup("</svg>")


def _bar(number: int, bar: Bar, most: float) -> Markup:
    top = number * _ROW
    name = Markup('<text x="0" y="{}">{}</text>').format(top + 15, bar.name)
    length = round(_LONGEST * bar.size / most, 1)
    if length == 0:
        return name + Markup('<text x="0" y="{}">{}</text>').format(top + 35, bar.words)
    drawn = Markup('<rect class="bar" x="0" y="{}" width="{}" height="16" rx="2"/>').format(top + 22, length)
    return name + drawn + Markup('<text x="{}" y="{}">{}</text>').format(length + 8, top + 35, bar.words)
