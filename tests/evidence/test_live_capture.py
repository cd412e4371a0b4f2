"""Capturing with a real Chromium from a real web site on loopback."""

import os
import signal
import threading
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from moderator.domain.errors import Transient
from moderator.domain.record import CaptureKind, Evidence
from moderator.evidence.capture.browser import Browser
from moderator.evidence.capture.chromium import find_chromium
from moderator.evidence.capture.taken import Wanted
from moderator.evidence.recorder import BrowserRecorder
from moderator.evidence.seal.signer import Signer
from moderator.evidence.vault.folder import FolderVault

LIVE, DRAWN = CaptureKind.LIVE_PAGE, CaptureKind.RENDERED_FROM_API
ODD = {
    "emoji": "\U0001f600" * 280,
    "joined emoji": "\U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "right to left": "\u0645\u0631\u062d\u0628\u0627 \u05e9\u05dc\u05d5\u05dd (test 123)",
    "zero width": "use\u200bless\u200d \ufeffword",
    "markup": "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\"></article>",
    "very long": "the gate is shut again " * 1087,
    "lines": "one\n\n  two\tthree\u00a0four",
    "half a pair": "broken \ud83d pair",
}


@pytest.fixture
def recorder(vault: FolderVault, browser: Browser, signer: Signer, cast: Any) -> Iterator[BrowserRecorder]:
    sealing = cast.sealing_on(vault, signer)
    yield BrowserRecorder(sealing=sealing, browser=browser, clock=cast.TickingClock(), templates=cast.TEMPLATES)
    sealing.close()  # closing the recorder would end the session's warm browser


def placed(evidence: Evidence, place: str) -> Evidence:
    return replace(evidence, item=replace(evidence.item, comment=replace(evidence.item.comment, place=place)))


def picture_of(vault: FolderVault, path: str) -> Image.Image:
    return Image.open(BytesIO(vault.open(path, "data/screenshot.png")))


def test_a_page_that_shows_the_comment_is_photographed(recorder: BrowserRecorder, vault: FolderVault, site: Any, cast: Any) -> None:
    evidence = cast.make_evidence()
    address = site.comment(evidence)
    site.headers["/grumbler/status/12"] = {"X-Request-Id": "web-9"}
    record = recorder.seal(placed(evidence, address))
    facts = cast.facts_of(vault, record)
    assert record.capture_kind is LIVE
    assert facts["capture_kind"] == "live_page"
    assert facts["page_http_status"] == 200
    assert facts["page_request_id"] == "web-9"
    assert facts["parent_post_shown"] is True
    assert facts["session"] == "signed out"
    assert "Date header of the captured page" in str(facts["clock_offset_source"])
    assert str(facts["user_agent"]).startswith("Mozilla/")
    page = vault.open(record.path, "data/page.html").decode()
    assert evidence.item.comment.text in page
    assert page.startswith("<!DOCTYPE html>")
    assert "moderator" not in page.lower(), "nothing of ours is added to the page that is kept"
    assert picture_of(vault, record.path).size[0] == 1032
    assert "not signed in" in vault.open(record.path, "data/VERIFY.txt").decode()


def test_r18_commenter_media_is_never_fetched(recorder: BrowserRecorder, vault: FolderVault, site: Any, cast: Any) -> None:
    evidence = cast.make_evidence()
    port = site.base.rpartition(":")[2]
    media = (
        '<img src="/a.png"><img srcset="/b.webp 2x"><picture><source srcset="/c.avif"><img src="/d"></picture>'
        '<video src="/v.mp4" poster="/p.jpg" autoplay>'
        '<track src="/t.vtt" default></video><audio src="/s.mp3" autoplay></audio><iframe src="/frame"></iframe>'
        '<iframe src="/e.png"></iframe>'
        '<object data="/o.png"></object><embed src="/e.svg"><svg><image href="/g.png"/></svg>'
        '<link rel="icon" href="/i.ico">'
        '<link rel="preload" as="image" href="/l.png"><link rel="prefetch" href="/m.png"><style>body{background:url(/n.png)}'
        "@font-face{font-family:f;src:url(//localhost:1/f.woff)}p{font-family:f}</style><p>x</p>"
        f'<script src="//localhost:{port}/foreign.js"></script><script src="/own.js"></script>'
    )
    script = (
        b"fetch('/q.jpg');fetch('/R.PNG?x=1');new Image().src='/w.png';navigator.sendBeacon('/beacon');"
        b"try{new WebSocket('ws://'+location.host+'/ws')}catch(e){};new EventSource('/events');"
        b"navigator.serviceWorker&&navigator.serviceWorker.register('/sw.js').catch(()=>0);"
        b"document.cookie='seen=1';localStorage.seen=1;document.body.dataset.own='ran';"
    )
    site.pages["/own.js"] = (200, "text/javascript", script)
    address = site.comment(evidence, media)
    record = recorder.seal(placed(evidence, address))
    assert record.capture_kind is LIVE
    assert sorted(set(site.asked)) == ["/grumbler/status/12", "/own.js"], "the page and its own script, and nothing else, left the machine"
    facts = cast.facts_of(vault, record)
    kinds = facts["requests_blocked_by_type"]
    assert isinstance(kinds, dict)
    assert {"image", "document", "script", "fetch"} <= kinds.keys()
    assert record.blocked_requests == facts["requests_blocked"] == sum(kinds.values()) >= 12
    assert 'data-own="ran"' in vault.open(record.path, "data/page.html").decode(), "scripts of the page's own host run"


def test_r18_a_redirect_to_another_host_reaches_nobody(recorder: BrowserRecorder, site: Any, cast: Any) -> None:
    evidence = cast.make_evidence()
    port = site.base.rpartition(":")[2]
    site.pages["/own.js"] = (302, "text/javascript", b"")
    site.headers["/own.js"] = {"Location": f"http://localhost:{port}/elsewhere.js"}
    record = recorder.seal(placed(evidence, site.comment(evidence, '<script src="/own.js"></script>')))
    assert record.capture_kind is LIVE
    assert "/elsewhere.js" not in site.asked


def test_nothing_is_carried_from_one_item_to_the_next(recorder: BrowserRecorder, vault: FolderVault, site: Any, cast: Any) -> None:
    script = (
        "<p id=was></p><script>document.getElementById('was').textContent='was:'+document.cookie+(localStorage.seen||'')+window.name;"
        "document.cookie='seen=cookie';localStorage.seen='store';window.name='name';window.open('/pop')</script>"
    )
    for number in ("21", "22"):
        evidence = cast.make_evidence(comment_id=number)
        record = recorder.seal(placed(evidence, site.comment(evidence, script)))
        assert '<p id="was">was:</p>' in vault.open(record.path, "data/page.html").decode()


@pytest.mark.parametrize("name", ODD)
def test_odd_texts_are_photographed(recorder: BrowserRecorder, vault: FolderVault, site: Any, cast: Any, name: str) -> None:
    evidence = cast.make_evidence(ODD[name])
    record = recorder.seal(placed(evidence, site.comment(evidence)))
    assert record.capture_kind is LIVE
    assert cast.facts_of(vault, record)["text"] == ODD[name]


@pytest.mark.parametrize("name", [*ODD, "empty"])
def test_odd_texts_are_drawn_when_the_site_shows_a_wall(
    recorder: BrowserRecorder, vault: FolderVault, site: Any, cast: Any, name: str
) -> None:
    text = ODD.get(name, "")
    evidence = cast.make_evidence(text)
    record = recorder.seal(placed(evidence, site.show("/wall", "<h1>Sign in to see this post</h1><p>@grumbler</p>")))
    assert record.capture_kind is DRAWN
    facts = cast.facts_of(vault, record)
    assert facts["text"] == text
    assert facts["capture_kind_in_words"] == "Drawn from the platform's data, not a photograph of the site"
    assert facts["page_http_status"] == 200
    page = vault.open(record.path, "data/page.html").decode()
    assert "<script" not in page
    assert "<img" not in page
    assert len(picture_of(vault, record.path).getcolors(2**24) or ()) > 3


def test_a_very_long_page_is_cut_at_a_bound(recorder: BrowserRecorder, vault: FolderVault, site: Any, cast: Any) -> None:
    evidence = cast.make_evidence()
    record = recorder.seal(
        placed(evidence, site.comment(evidence, "<div style='height:90000px;background:linear-gradient(red,blue)'></div>"))
    )
    assert record.capture_kind is LIVE
    assert cast.facts_of(vault, record)["picture_cut_short"] is True
    assert 16_000 < picture_of(vault, record.path).height < 16_400


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (404, "You are a useless lot, Mr Brindle. grumbler", "the site answered 404"),
        (500, "You are a useless lot, Mr Brindle. grumbler", "the site answered 500"),
        (200, "<h1>We value your privacy: accept cookies</h1>", "the site showed a cookie notice over the page"),
        (200, "<p>grumbler</p><p style='display:none'>You are a useless lot, Mr Brindle.</p>", "the page does not show the comment"),
        (200, "<p>You are a useless lot, Mr Brindle.</p>", "the page does not show the comment"),
        (200, "<title>You are a useless lot, Mr Brindle. grumbler</title>", "the page does not show the comment"),
    ],
)
def test_a_page_that_does_not_show_the_comment_is_never_called_live(  # noqa: PLR0913, PLR0917 - a table
    recorder: BrowserRecorder, vault: FolderVault, site: Any, cast: Any, status: int, body: str, why: str
) -> None:
    evidence = cast.make_evidence()
    record = recorder.seal(placed(evidence, site.show("/wall", f"<!doctype html><body>{body}", status=status)))
    assert record.capture_kind is DRAWN
    assert cast.facts_of(vault, record)["why_not_live_page"] == why
    assert cast.facts_of(vault, record)["page_http_status"] == status


def test_a_comment_put_in_place_by_script_is_waited_for(recorder: BrowserRecorder, site: Any, cast: Any) -> None:
    evidence = cast.make_evidence()
    late = "<script>setTimeout(()=>{document.body.innerHTML='<p>@grumbler</p><p>You are a useless\\n lot, Mr  Brindle.</p>'},600)</script>"
    record = recorder.seal(placed(evidence, site.show("/late", f"<!doctype html><body>{late}")))
    assert record.capture_kind is LIVE


def test_a_comment_that_never_comes_is_given_up(recorder: BrowserRecorder, site: Any, cast: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("moderator.evidence.capture.shown._PATIENCE", 200)
    evidence = cast.make_evidence()
    record = recorder.seal(placed(evidence, site.show("/never", "<!doctype html><body><script>0</script>wait")))
    assert record.capture_kind is DRAWN


def test_a_site_that_cannot_be_reached_or_hangs_is_told(vault: FolderVault, signer: Signer, site: Any, cast: Any) -> None:
    quick = Browser(timeout=1)
    sealing = cast.sealing_on(vault, signer)
    recorder = BrowserRecorder(sealing=sealing, browser=quick, clock=cast.TickingClock(), templates=cast.TEMPLATES)
    try:
        closed = recorder.seal(cast.make_evidence(comment_id="31"))
        assert "could not be reached (net::ERR_" in str(cast.facts_of(vault, closed)["why_not_live_page"])
        site.show("/slow", "late")
        site.delays["/slow"] = 3
        hung = recorder.seal(placed(cast.make_evidence(comment_id="32"), site.base + "/slow"))
        assert cast.facts_of(vault, hung)["why_not_live_page"] == "the site did not answer in time"
        site.pages["/file"] = (200, "application/octet-stream", b"\0" * 10)
        site.headers["/file"] = {"Content-Disposition": "attachment; filename=x.bin"}
        file = recorder.seal(placed(cast.make_evidence(comment_id="33"), site.base + "/file"))
        assert file.capture_kind is DRAWN
        assert cast.facts_of(vault, file)["why_not_live_page"] in {
            "the site sent something other than a page",
            "the site could not be reached (net::ERR_ABORTED)",
        }
    finally:
        recorder.close()
        recorder.close()


def test_a_browser_killed_mid_capture_is_replaced_and_the_next_seal_works(
    recorder: BrowserRecorder, browser: Browser, site: Any, cast: Any
) -> None:
    evidence = cast.make_evidence(comment_id="41")
    site.comment(evidence)
    recorder.seal(placed(cast.make_evidence(comment_id="40"), site.comment(cast.make_evidence(comment_id="40"))))
    killed: list[int] = []

    def kill_once() -> None:
        if not killed:
            killed.extend(browser.processes())
            for each in killed:
                os.kill(each, signal.SIGKILL)

    site.before["/grumbler/status/41"] = kill_once
    first = recorder.seal(placed(evidence, site.base + "/grumbler/status/41"))
    assert killed
    assert first.capture_kind is LIVE, "it is tried once more with a new browser"
    following = cast.make_evidence(comment_id="42")
    assert recorder.seal(placed(following, site.comment(following))).capture_kind is LIVE
    assert not set(killed) & set(browser.processes())


def test_a_browser_that_dies_each_time_leaves_a_drawn_record(
    recorder: BrowserRecorder, vault: FolderVault, browser: Browser, site: Any, cast: Any
) -> None:
    def kill() -> None:
        for each in browser.processes():
            os.kill(each, signal.SIGKILL)

    evidence = cast.make_evidence(comment_id="43")
    address = site.comment(evidence)
    site.before["/grumbler/status/43"] = kill
    record = recorder.seal(placed(evidence, address))
    assert record.capture_kind is DRAWN
    assert "the browser failed" in str(cast.facts_of(vault, record)["why_not_live_page"])


def test_without_any_browser_the_still_renderer_takes_over(vault: FolderVault, signer: Signer, cast: Any) -> None:
    missing = Browser(executable="/nonexistent/chromium")
    recorder = BrowserRecorder(sealing=cast.sealing_on(vault, signer), browser=missing, clock=cast.TickingClock(), templates=cast.TEMPLATES)
    try:
        record = recorder.seal(cast.make_evidence())
    finally:
        recorder.close()
    facts = cast.facts_of(vault, record)
    assert record.capture_kind is DRAWN
    assert facts["browser"] == "none: drawn with Pillow"
    assert "Chromium could not draw it either" in str(facts["why_not_live_page"])


def test_a_page_under_a_white_sheet_is_not_accepted(recorder: BrowserRecorder, vault: FolderVault, site: Any, cast: Any) -> None:
    evidence = cast.make_evidence()
    address = site.comment(evidence, "<div style='position:fixed;inset:0;background:#fff;z-index:9'></div>")
    record = recorder.seal(placed(evidence, address))
    assert record.capture_kind is DRAWN
    assert cast.facts_of(vault, record)["why_not_live_page"] == "something on the page lay over the comment"


def test_a_browser_that_does_not_answer_is_ended(site: Any, cast: Any) -> None:
    stuck = Browser(timeout=20, patience=4)
    try:
        evidence = placed(cast.make_evidence(), site.show("/stuck", "<!doctype html><body><script>setTimeout(()=>{for(;;);},50)</script>"))
        with pytest.raises(Transient, match=r"did not answer in time|the browser failed"):
            stuck.look(Wanted.of(evidence))
        assert stuck.draw("<!doctype html><p>still works</p>").picture
    finally:
        stuck.close()


def test_worn_browsers_are_replaced(site: Any, cast: Any) -> None:
    worn = Browser(recycle_after=3, timeout=5)
    evidence = cast.make_evidence()
    wanted = Wanted.of(placed(evidence, site.comment(evidence)))
    try:
        first = set()
        for at in range(2):
            assert worn.look(wanted).why_not == ""
            worn.draw("<!doctype html><p>drawn</p>")
            if at == 0:
                first = set(worn.processes())
        assert first
        assert not first & set(worn.processes())
    finally:
        worn.close()
    assert worn.processes() == []


def test_seal_may_be_called_from_any_thread(recorder: BrowserRecorder, site: Any, cast: Any) -> None:
    kinds: list[CaptureKind] = []

    def one(number: int) -> None:
        evidence = cast.make_evidence(comment_id=str(number))
        kinds.append(recorder.seal(placed(evidence, site.comment(evidence))).capture_kind)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(60, 64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert kinds == [LIVE] * 4


def test_chromium_is_found_by_name_or_on_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODERATOR_CHROMIUM", "/opt/own/chromium")
    assert find_chromium() == "/opt/own/chromium"
    monkeypatch.delenv("MODERATOR_CHROMIUM")
    assert find_chromium() is None or os.access(str(find_chromium()), os.X_OK)


def test_a_job_that_fails_in_our_own_code_reaches_the_caller(browser: Browser) -> None:
    async def broken(_chromium: Any) -> Any:
        message = "ours"
        raise ValueError(message)

    with pytest.raises(ValueError, match="ours"):
        browser._ask(broken, ())  # noqa: SLF001 - no public call can fail this way
