"""Every item gets a context of its own, and a browser that dies or hangs costs one retry."""

import os
import signal
import threading
import time
from typing import Any

import pytest

from moderator.domain.errors import Transient
from moderator.evidence.capture.browser import Browser
from moderator.evidence.capture.chromium import Chromium
from moderator.evidence.capture.shown import Seen
from moderator.evidence.capture.taken import Wanted

TEXT = "You are a useless lot, Mr Brindle."
LEAVES = """<script>
const kept = [document.cookie, localStorage.left, sessionStorage.left, window.name];
document.getElementById('found').textContent = 'found:' + kept.join('') + ':';
document.cookie = 'left=cookie; max-age=9999'; localStorage.left = 'local'; sessionStorage.left = 'session'; window.name = 'named';
const open = indexedDB.open('left');
open.onupgradeneeded = () => { document.getElementById('base').textContent = 'base is new'; };
navigator.serviceWorker && navigator.serviceWorker.register('/worker.js').catch(() => 0);
caches.open('left').then(cache => cache.put('/kept', new Response('kept'))).catch(() => 0);
</script>"""


def wanted(address: str) -> Wanted:
    return Wanted(address, TEXT, ("grumbler",), "")


def page(extra: str = "") -> str:
    below = "<p id=found></p><p id=base></p>"
    return f"<!doctype html><html><head>{extra}</head><body><p>@grumbler</p><p>{TEXT}</p>{below}{{}}</body></html>"


def test_nothing_of_one_item_reaches_the_next(browser: Browser, site: Any) -> None:
    site.show("/post", page("<script src=/kept.js></script>").format(LEAVES + "<script>setTimeout(()=>{},50)</script>"))
    site.pages["/kept.js"] = (200, "text/javascript", b"0")
    site.headers["/kept.js"] = {"Cache-Control": "public, max-age=86400, immutable", "ETag": '"1"'}
    site.headers["/post"] = {"Set-Cookie": "served=1; Max-Age=9999", "Cache-Control": "max-age=86400"}
    pages = [browser.look(wanted(site.base + "/post")).page for _ in range(3)]
    for each in pages:
        assert '<p id="found">found:served=1:</p>' in each, "its own answer's cookie and nothing else"
        assert '<p id="base">base is new</p>' in each or '<p id="base"></p>' in each
    assert site.asked == ["/post", "/kept.js"] * 3, "nothing came from a cache, and no worker was fetched"


def test_a_sign_in_to_the_site_does_not_outlive_its_item(browser: Browser, site: Any) -> None:
    host = site.base.removeprefix("http://")
    site.show("/post", page().format(""))
    site.pages["/closed"] = (401, "text/html", b"no")
    site.headers["/closed"] = {"WWW-Authenticate": 'Basic realm="x"'}
    first = browser.look(wanted(f"http://parent:secret@{host}/post"))
    assert first.status in {None, 200}
    assert browser.look(wanted(site.base + "/closed")).why_not in {
        "the site answered 401",
        "the site could not be reached (net::ERR_INVALID_AUTH_CREDENTIALS)",
    }


def test_each_item_has_a_context_and_a_process_of_its_own(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[int] = []
    ended: list[int] = []
    take, done = Chromium.signed_out, Chromium.done_with

    async def noted(self: Chromium) -> Any:
        tab = await take(self)
        taken.append(id(tab.page.context))
        kept.append(tab)
        return tab

    def finished(self: Chromium, tab: Any) -> None:
        ended.append(id(tab.page.context))
        done(self, tab)

    kept: list[Any] = []  # so that no id is used twice
    monkeypatch.setattr(Chromium, "signed_out", noted)
    monkeypatch.setattr(Chromium, "done_with", finished)
    own = Browser(timeout=5)
    try:
        address = site.show("/post", page().format(""))
        for _ in range(4):
            assert own.look(wanted(address)).why_not == ""
    finally:
        own.close()
    assert len(set(taken)) == 4
    assert taken == ended


def test_a_spare_context_that_dies_while_waiting_costs_nothing(site: Any) -> None:
    own = Browser(timeout=5)
    try:
        address = site.show("/post", page().format(""))
        assert own.look(wanted(address)).why_not == ""
        for each in own.processes():
            os.kill(each, signal.SIGKILL)
        assert own.look(wanted(address)).why_not == ""
        assert own.draw("<!doctype html><p>drawn").picture
    finally:
        own.close()
    assert own.processes() == []


def test_a_killed_renderer_costs_one_retry(site: Any) -> None:
    own = Browser(timeout=3, patience=20)
    hits: list[int] = []

    def kill_renderers() -> None:
        hits.append(1)
        if len(hits) == 1:
            for each in own.processes()[1:]:
                os.kill(each, signal.SIGKILL)

    try:
        address = site.show("/post", page().format(""))
        site.before["/post"] = kill_renderers
        try:
            seen = own.look(wanted(address))
        except Transient:
            seen = Seen("the browser failed", "")
        assert seen.why_not in {"", "the site did not answer in time", "the browser failed"}
        assert own.look(wanted(address)).why_not == ""
    finally:
        own.close()


@pytest.mark.parametrize("ready", [False, True])
def test_a_browser_that_hangs_is_ended_in_time_and_the_next_job_is_served(site: Any, *, ready: bool) -> None:
    own = Browser(timeout=5, patience=12)
    try:
        address = site.show("/post", page().format(""))
        assert own.look(wanted(address)).why_not == ""
        if ready:
            time.sleep(1)  # the next context is made by then: it is the page that waits for the browser, and the site looks silent
        for each in own.processes():
            os.kill(each, signal.SIGSTOP)
        assert own.look(wanted(address)).why_not == "", "the second try has a new browser"
    finally:
        own.close()


def test_a_closed_browser_starts_again_and_may_be_closed_twice(site: Any) -> None:
    own = Browser(timeout=5)
    own.close()
    address = site.show("/post", page().format(""))
    for _ in range(2):
        assert own.look(wanted(address)).why_not == ""
        own.close()
        own.close()
        assert own.processes() == []


def test_jobs_from_many_threads_take_turns(browser: Browser, site: Any) -> None:
    address = site.show("/post", page().format(""))
    answers: list[str] = []
    threads = [threading.Thread(target=lambda: answers.append(browser.look(wanted(address)).why_not)) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [""] * 5


def test_a_pdf_is_printed_with_scripts_and_network_off(browser: Browser, site: Any) -> None:
    html = f"<!doctype html><html lang=en><title>T</title><img src='{site.base}/x.png'><h1>Record</h1><script>document.title='ran'</script>"
    pdf = browser.print(html)
    assert pdf.startswith(b"%PDF-")
    assert b"/StructTreeRoot" in pdf, "tagged for readers"
    assert b"ran" not in pdf.split(b"stream")[0]
    assert site.asked == []


def test_an_error_while_a_browser_starts_is_told_and_leaves_nothing_behind(tmp_path: Any) -> None:
    broken = tmp_path / "chromium"
    broken.write_text("#!/bin/sh\nexit 3\n")
    broken.chmod(0o755)
    own = Browser(executable=str(broken), timeout=2)
    try:
        with pytest.raises(Transient, match="the browser failed"):
            own.draw("<p>x")
    finally:
        own.close()
