"""The picture: the comment under its parent however long the page, times right across the clock change, any script legible."""

from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from moderator.domain.errors import EvidenceFailed
from moderator.domain.record import CaptureKind
from moderator.evidence.capture.browser import Browser
from moderator.evidence.capture.panel import check_picture, framed, panel_rows
from moderator.evidence.capture.shown import Seen
from moderator.evidence.capture.still import draw_still
from moderator.evidence.capture.taken import MAX_HEIGHT, WIDTH, Capture, Wanted

TEXT = "You are a useless lot, Mr Brindle."
PARENT = "Sports day moves to Friday."
NOW = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


def look(browser: Browser, address: str, text: str = TEXT) -> Seen:
    return browser.look(Wanted(address, text, ("grumbler",), PARENT))


def thread(site: Any, *, gaps: tuple[int, int, int] = (0, 0, 0), style: str = "", text: str = TEXT) -> str:
    before, between, after = gaps
    gap = "<div style='height:{}px;background:linear-gradient(#eef,#fee)'></div>"
    address: str = site.show(
        "/post",
        f"<!doctype html><html><head><style>body{{margin:20px;font:18px sans-serif}}{style}</style></head><body><main>{gap.format(before)}"
        f"<article>@oakfield<p style='background:#0a0;color:#fff'>{PARENT}</p></article>{gap.format(between)}"
        f"<article>@grumbler<p dir=auto style='background:#a00;color:#fff'>{text}</p></article>{gap.format(after)}</main></body></html>",
    )
    return address


def picture_of(seen: Seen) -> Image.Image:
    return Image.open(BytesIO(seen.picture)).convert("RGB")


def colours_at(seen: Seen) -> set[Any]:
    assert seen.comment_at is not None
    found = picture_of(seen).crop(seen.comment_at).getcolors(2**20) or []
    return {colour for _, colour in found}


@pytest.mark.parametrize(
    ("gaps", "top", "parent"),
    [
        ((0, 0, 0), 0, True),
        ((3000, 0, 3000), 0, True),
        ((0, 14_000, 90_000), 0, True),
        ((40_000, 2_000, 40_000), 40_000, True),
        ((20_000, 30_000, 0), 34_200, False),
    ],
    ids=["short", "tall", "endless below", "far down", "parent too far up"],
)
def test_r14_the_picture_holds_the_comment_and_its_parent(
    browser: Browser, site: Any, *, gaps: tuple[int, int, int], top: int, parent: bool
) -> None:
    seen = look(browser, thread(site, gaps=gaps))
    assert seen.why_not == ""
    assert seen.parent_shown is parent
    assert abs(seen.top - top) < 200
    picture = picture_of(seen)
    assert picture.width == WIDTH
    assert picture.height <= MAX_HEIGHT
    assert seen.cut_short == (seen.height > MAX_HEIGHT)
    assert (170, 0, 0) in colours_at(seen), "the comment is where the record says"
    assert (255, 255, 255) in colours_at(seen), "and its letters are there"
    shown = {colour for _, colour in picture.getcolors(2**24) or []}
    assert ((0, 170, 0) in shown) is parent


def test_a_thread_that_scrolls_inside_the_page_is_scrolled_to(browser: Browser, site: Any) -> None:
    style = "body{margin:0;height:100vh;overflow:hidden}main{height:100vh;overflow:auto}"
    seen = look(browser, thread(site, gaps=(5000, 0, 900), style=style))
    assert seen.why_not == ""
    assert (170, 0, 0) in colours_at(seen)


def test_a_comment_longer_than_the_window_is_photographed_whole(browser: Browser, site: Any) -> None:
    text = " ".join(f"the gate is shut again {number}" for number in range(900))
    seen = look(browser, thread(site, text=text), text)
    assert seen.why_not == ""
    assert seen.comment_at is not None
    assert seen.comment_at[3] - seen.comment_at[1] > 4000


@pytest.mark.parametrize(
    "text",
    [
        "مرحبا، هذه المدرسة ليست جيدة (2026) 👎🏽",
        "המורה הזה לא יודע ללמד 123 😡",
        "👨‍👩‍👧 🏴󠁧󠁢󠁷󠁬󠁳󠁿 ❤️ 1️⃣ grumble",
        "स्कूल का फाटक फिर बंद है",
        "e\u0301le\u0300ve gri\u0301n",
    ],
    ids=["Arabic", "Hebrew", "emoji", "Hindi", "combining"],
)
def test_any_script_is_found_and_photographed(browser: Browser, site: Any, text: str) -> None:
    assert look(browser, thread(site, text=text), text).why_not == ""


def test_an_emoji_shown_as_a_picture_is_read_by_its_name(browser: Browser, site: Any) -> None:
    seen = look(browser, thread(site, text='Useless <img alt="😡" src="/e.svg" width=18 height=18> lot'), "Useless 😡 lot")
    assert seen.why_not == ""
    assert seen.blocked["image"] == 1


def test_a_quotation_of_the_comment_is_not_taken_for_it(browser: Browser, site: Any) -> None:
    quote = f"<article>@other says:<blockquote>{TEXT}</blockquote></article>"
    address = site.show(
        "/post", f"<!doctype html><body>{quote}<div style='height:300px'></div><article id=a>@grumbler<p>{TEXT}</p></article>"
    )
    seen = look(browser, address)
    assert seen.comment_at is not None
    assert seen.comment_at[1] > 300


def capture_of(evidence: Any, **changes: Any) -> Capture:
    drawn, cut = draw_still(evidence)
    made = Capture(CaptureKind.LIVE_PAGE, drawn, b"<p>", NOW, NOW, "b", "a", "v", cut_short=cut)
    return replace(made, **changes)


@pytest.mark.parametrize(
    ("moment", "utc", "london"),
    [
        (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "2026-10-25 00:30:00 UTC", "01:30:00+01:00 BST"),
        (datetime(2026, 10, 25, 1, 30, tzinfo=UTC), "2026-10-25 01:30:00 UTC", "01:30:00+00:00 GMT"),
        (datetime(2026, 3, 29, 1, 0, tzinfo=UTC), "2026-03-29 01:00:00 UTC", "02:00:00+01:00 BST"),
    ],
)
def test_r13_place_and_both_times_are_in_the_panel_across_the_clock_change(cast: Any, moment: datetime, utc: str, london: str) -> None:
    evidence = cast.make_evidence()
    evidence = replace(evidence, item=replace(evidence.item, comment=replace(evidence.item.comment, posted_at=moment)))
    rows = {row.label: row.text for row in panel_rows(evidence, capture_of(evidence, ended_at=moment))}
    assert rows["Place"] == evidence.item.comment.place
    assert rows["Record"] == evidence.record_id
    for label in ("Posted", "Captured"):
        assert utc in rows[label]
        assert london in rows[label]


def test_the_bar_beside_the_comment_is_outside_the_photograph(cast: Any) -> None:
    evidence = cast.make_evidence()
    plain = Image.open(BytesIO(framed(evidence, capture_of(evidence, cut_short=True, page_top=40_000, page_height=90_000)))).convert("RGB")
    marked = capture_of(evidence, cut_short=True, page_top=40_000, page_height=90_000, comment_at=(40, 60, 400, 120))
    with_bar = Image.open(BytesIO(framed(evidence, marked))).convert("RGB")
    assert plain.size == with_bar.size
    photograph = (16, with_bar.height - 16 - 60, with_bar.width - 16, with_bar.height - 16)
    assert plain.crop(photograph).tobytes() == with_bar.crop(photograph).tobytes()
    assert (217, 119, 6) in {colour for _, colour in with_bar.crop((0, 0, 16, with_bar.height)).getcolors(2**16) or []}
    assert {colour for _, colour in with_bar.crop((16, 250, with_bar.width, with_bar.height)).getcolors(2**20) or []}.isdisjoint(
        {(217, 119, 6)}
    )
    said = {row.label: row.text for row in panel_rows(evidence, marked)}["Shown"]
    assert said == "Part of a page 90,000 pixels tall, from 40,000 pixels down. The bar in the left margin marks the comment."
    assert "Shown" not in {row.label for row in panel_rows(evidence, capture_of(evidence))}
    assert {row.label: row.text for row in panel_rows(evidence, capture_of(evidence, cut_short=True))}["Shown"] == "Part of a longer page."


def test_a_picture_blank_where_the_comment_should_be_is_refused() -> None:
    page = Image.new("RGB", (200, 200), (255, 255, 255))
    page.paste((0, 0, 0), (0, 0, 200, 20))
    out = BytesIO()
    page.save(out, "PNG")
    check_picture(out.getvalue(), (0, 10, 100, 40))
    with pytest.raises(EvidenceFailed, match="blank where the comment should be"):
        check_picture(out.getvalue(), (0, 50, 100, 90))
    with pytest.raises(EvidenceFailed, match="does not open"):
        check_picture(b"not a picture")
