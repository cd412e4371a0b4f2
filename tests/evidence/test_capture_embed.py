"""Where the page will not show the comment, the platform's own embed is tried before our drawing, and is never called the live page."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from moderator.domain.record import CaptureKind
from moderator.evidence.capture.browser import Browser
from moderator.evidence.capture.embed import block_of, embed_of, is_oembed
from moderator.evidence.capture.taken import Wanted
from moderator.evidence.recorder import BrowserRecorder
from moderator.evidence.seal.signer import Signer
from moderator.evidence.vault.folder import FolderVault
from moderator.platforms.practice import running

TEXT = "You are a useless lot, Mr Brindle."
WALL = "<!doctype html><h1>Log in to go on</h1>"


@pytest.mark.parametrize(
    ("platform", "place", "embed"),
    [
        ("x", "https://x.com/a/status/1", "https://publish.x.com/oembed?url=https%3A%2F%2Fx.com%2Fa%2Fstatus%2F1&omit_script=true&"),
        ("x", "http://127.0.0.1:8/a/status/1", "http://127.0.0.1:8/oembed?url=http%3A%2F%2F127.0.0.1%3A8%2Fa%2Fstatus%2F1&omit"),
        ("mastodon", "https://m.example/@a/1/", "https://m.example/@a/1/embed"),
        ("bluesky", "https://bsky.app/profile/a.example/post/3k", "https://embed.bsky.app/oembed?format=json&url=https%3A%2F%2Fbsky.app"),
    ],
)
def test_a_platform_with_an_embed_has_an_address_for_it(platform: str, place: str, embed: str) -> None:
    assert embed_of(platform, place).startswith(embed)


@pytest.mark.parametrize(
    ("platform", "place"),
    [
        ("youtube", "https://youtube.com/watch?v=1&lc=2"),
        ("facebook", "https://facebook.com/1"),
        ("bluesky", "https://other.example/1"),
        ("x", "file:///etc/passwd"),
        ("x", "https:///nowhere"),
        ("", ""),
    ],
)
def test_other_places_have_none(platform: str, place: str) -> None:
    assert embed_of(platform, place) == ""


def oembed(html: object) -> str:
    return json.dumps({"html": html, "author_name": "A. Grumbler"})


def test_an_embed_block_is_written_again_without_anything_active() -> None:
    html = (
        f'<blockquote class="x" onclick="bad()"><p lang="en">{TEXT} <img alt="😡" src="/e.png"><br><b>a &lt;b&gt;</b>'
        '<a href="javascript:bad()">link</a></p><script>bad()</script><style>p{}</style><iframe src=x>in</iframe>'
        "&mdash; A. Grumbler (@grumbler)<svg onload=bad()></blockquote></div>"
    )
    block = block_of(oembed(html), text=f"{TEXT} 😡", authors=("grumbler",))
    assert block == f"<blockquote><p>{TEXT} 😡<br><b>a &lt;b&gt;</b>link</p>— A. Grumbler (@grumbler)</blockquote>"
    assert block_of(oembed(f"<p><b>{TEXT}"), text=TEXT, authors=()) == f"<p><b>{TEXT}</b></p>"
    assert block_of(oembed(f"<blockquote><p>{TEXT}</blockquote>x"), text=TEXT, authors=()) == f"<blockquote><p>{TEXT}</p></blockquote>x"


@pytest.mark.parametrize(
    "answer",
    [
        "not json",
        "[]",
        "{}",
        oembed(None),
        oembed("<p>Something else. @grumbler"),
        oembed(f"<p>{TEXT} by @somebody"),
        oembed(f"<script>{TEXT} grumbler</script>"),
    ],
)
def test_an_embed_without_the_comment_is_not_used(answer: str) -> None:
    assert block_of(answer, text=TEXT, authors=("grumbler",)) == ""
    assert block_of(oembed("<p>grumbler"), text="  ", authors=("grumbler",)) == ""


@pytest.fixture
def recorder(vault: FolderVault, browser: Browser, signer: Signer, cast: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[BrowserRecorder]:
    monkeypatch.setattr("moderator.evidence.capture.shown._PATIENCE", 300)
    sealing = cast.sealing_on(vault, signer)
    yield BrowserRecorder(sealing=sealing, browser=browser, clock=cast.TickingClock(), templates=cast.TEMPLATES)
    sealing.close()


def placed(evidence: Any, place: str, platform: str = "x") -> Any:
    return replace(evidence, item=replace(evidence.item, platform=platform, comment=replace(evidence.item.comment, place=place)))


def test_the_oembed_block_is_drawn_under_the_parent_post(recorder: BrowserRecorder, vault: FolderVault, site: Any, cast: Any) -> None:
    evidence = placed(cast.make_evidence(), site.show("/grumbler/status/12", WALL))
    asked = f"/oembed?url={quote(evidence.item.comment.place, safe='')}&omit_script=true&dnt=true&hide_thread=false&lang=en"
    body = oembed(f"<blockquote><p>{TEXT}</p>A. Grumbler (@grumbler)</blockquote><script src=//w.example></script>")
    site.pages[asked] = (200, "application/json", body.encode())
    record = recorder.seal(evidence)
    facts = cast.facts_of(vault, record)
    assert record.capture_kind is CaptureKind.RENDERED_FROM_API, "a rendering is never called a screenshot of the site"
    assert str(facts["why_not_live_page"]).startswith(
        "the site asked to sign in first; taken from the platform's own embed of the comment, "
    )
    assert facts["embed_address"] == site.base + asked
    page = vault.open(record.path, "data/page.html").decode()
    assert f"<blockquote><p>{TEXT}</p>" in page
    assert "Sports day moves to Friday." in page
    assert "<script" not in page


def test_an_embed_page_is_photographed(recorder: BrowserRecorder, vault: FolderVault, site: Any, cast: Any) -> None:
    evidence = placed(cast.make_evidence(), site.show("/@grumbler/12", WALL), "mastodon")
    site.show("/@grumbler/12/embed", f"<!doctype html><body><p>@grumbler</p><p>{TEXT}</p><img src=/a.png>")
    record = recorder.seal(evidence)
    facts = cast.facts_of(vault, record)
    assert record.capture_kind is CaptureKind.RENDERED_FROM_API
    assert facts["embed_address"] == evidence.item.comment.place + "/embed"
    assert facts["page_address"] == evidence.item.comment.place + "/embed"
    assert "/a.png" not in site.asked
    assert record.blocked_requests >= 1


@pytest.mark.parametrize("answer", [(404, "text/plain", b"no"), (200, "application/json", b"{}"), (200, "image/png", b"x")])
def test_without_a_usable_embed_the_platforms_data_is_drawn(
    recorder: BrowserRecorder, vault: FolderVault, site: Any, cast: Any, answer: tuple[int, str, bytes]
) -> None:
    evidence = placed(cast.make_evidence(), site.show("/@grumbler/12", WALL), "mastodon")
    site.pages["/@grumbler/12/embed"] = answer
    record = recorder.seal(evidence)
    facts = cast.facts_of(vault, record)
    assert record.capture_kind is CaptureKind.RENDERED_FROM_API
    assert facts["why_not_live_page"] == "the site asked to sign in first"
    assert facts["embed_address"] == ""


def test_an_oembed_that_fails_says_why(browser: Browser, site: Any) -> None:
    asked = Wanted(site.base + "/post", TEXT, ("grumbler",), "", f"{site.base}/oembed")
    assert is_oembed(asked.embed)
    assert browser.embedded(asked).why_not == "the site answered 404"
    site.pages["/oembed"] = (200, "application/json", b"{}")
    assert browser.embedded(asked).why_not == "the site's embed does not show the comment"
    site.pages["/oembed"] = (200, "application/json", oembed(f"<p>{TEXT} grumbler").encode())
    assert browser.embedded(asked).block == f"<p>{TEXT} grumbler</p>"


def test_the_practice_networks_oembed_shows_a_comment(browser: Browser, tmp_path: Path) -> None:
    with running(log=tmp_path / "log.jsonl") as net:
        post = next(each for each in net.network.state.posts("parent_id IS NOT NULL", limit=50) if each.text.strip())
        asked = Wanted(f"{net.url}/nowhere", post.text, (post.handle,), "", embed_of("x", f"{net.url}/{post.handle}/status/{post.id}"))
        found = browser.embedded(asked)
        assert found.why_not == ""
        assert found.block.startswith("<blockquote><p>")
        gone = replace(asked, embed=embed_of("x", f"{net.url}/{post.handle}/status/9"))
        assert browser.embedded(gone).why_not == "the site answered 404"
