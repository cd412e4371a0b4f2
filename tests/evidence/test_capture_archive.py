"""The web archive of a captured page: made of what the page really got, without media, readable by others' tools."""

import json
import zipfile
from datetime import UTC, datetime
from hashlib import sha256
from io import BytesIO
from typing import Any

from warcio.archiveiterator import ArchiveIterator  # type: ignore[import-untyped]  # it ships no types

from moderator.evidence.capture.archive import sort_key, wacz
from moderator.evidence.capture.browser import Browser
from moderator.evidence.capture.network import Exchange
from moderator.evidence.capture.taken import Wanted

TEXT = "You are a useless lot, Mr Brindle."
AT = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


def made(browser_kind: type[Browser], site: Any) -> tuple[str, bytes]:
    own = browser_kind(timeout=5, archive=True)
    try:
        site.pages["/own.css"] = (200, "text/css", b"p{color:#a00}")
        site.pages["/own.js"] = (200, "text/javascript", b"fetch('/data').then(a=>a.json())")
        site.pages["/data"] = (200, "application/json", b'{"x":1}')
        site.pages["/post"] = (302, "text/html", b"")
        site.headers["/post"] = {"Location": "/post/1"}
        page = f"<!doctype html><link rel=stylesheet href=/own.css><p>@grumbler</p><p>{TEXT}</p><img src=/a.png>"
        address = site.show("/post/1", f"{page}<script>const x=new XMLHttpRequest();x.open('GET','/data',false);x.send()</script>")
        seen = own.look(Wanted(site.base + "/post", TEXT, ("grumbler",), ""))
    finally:
        own.close()
    assert seen.why_not == ""
    assert seen.address == address
    return address, wacz(seen.exchanges, seen.address, AT)


def test_r18_an_archive_holds_what_the_page_got_and_no_media(site: Any) -> None:
    address, archive = made(Browser, site)
    with zipfile.ZipFile(BytesIO(archive)) as package:
        assert package.testzip() is None
        files = {name: package.read(name) for name in package.namelist()}
    about = json.loads(files["datapackage.json"])
    assert about["mainPageUrl"] == address
    for each in about["resources"]:
        assert each["hash"] == f"sha256:{sha256(files[each['path']]).hexdigest()}"
        assert each["bytes"] == len(files[each["path"]])
    assert json.loads(files["datapackage-digest.json"])["hash"] == f"sha256:{sha256(files['datapackage.json']).hexdigest()}"
    records = {
        record.rec_headers.get_header("WARC-Target-URI"): (record.http_headers.get_statuscode(), record.content_stream().read())
        for record in ArchiveIterator(BytesIO(files["archive/data.warc.gz"]), verify_http=True, check_digests="raise")
    }
    assert {address.removeprefix(site.base), "/post", "/own.css", "/data"} == {url.removeprefix(site.base) for url in records}
    assert records[site.base + "/post"] == ("302", b"")
    assert TEXT.encode() in records[address][1]
    lines = files["indexes/index.cdx"].decode().splitlines()
    assert lines == sorted(lines)
    for line in lines:
        entry = json.loads(line.split(" ", 2)[2])
        piece = files["archive/data.warc.gz"][int(entry["offset"]) : int(entry["offset"]) + int(entry["length"])]
        record = next(iter(ArchiveIterator(BytesIO(piece))))
        assert record.rec_headers.get_header("WARC-Target-URI") == entry["url"]
    pages = [json.loads(line) for line in files["pages/pages.jsonl"].decode().splitlines()]
    assert pages[1]["url"] == address
    assert pages[1]["ts"] == "2026-10-25T01:30:00Z"


def test_equal_captures_give_equal_archives_and_headers_stay_honest() -> None:
    headers = (("Content-Type", "text/html; charset=utf-8"), ("Content-Encoding", "gzip"), ("Content-Length", "12"), ("X-Two", "a\nb"))
    one = Exchange("https://www.Site.example:8443/A?b=C", "GET", 200, headers, b"<p>words</p>", AT)
    archive = wacz([one], one.address, AT)
    assert archive == wacz([one], one.address, AT)
    with zipfile.ZipFile(BytesIO(archive)) as package:
        record = next(iter(ArchiveIterator(BytesIO(package.read("archive/data.warc.gz")))))
    assert record.http_headers.get_header("content-encoding") is None
    assert record.http_headers.get_header("x-archive-orig-content-encoding") == "gzip"
    assert record.http_headers.get_header("content-length") == "12"
    assert record.http_headers.get_header("x-two") == "a b"
    odd = Exchange("http://127.0.0.1/", "GET", 299, (), b"", AT)
    assert wacz([odd], odd.address, AT).startswith(b"PK")


def test_the_index_is_ordered_as_web_archives_order_addresses() -> None:
    assert sort_key("https://www.Site.example:8443/A?b=C") == "example,site:8443)/a?b=c"
    assert sort_key("http://127.0.0.1:80") == "127.0.0.1:80)/"


def test_without_the_setting_nothing_is_kept(browser: Browser, site: Any) -> None:
    address = site.show("/post", f"<!doctype html><p>@grumbler</p><p>{TEXT}</p>")
    assert browser.look(Wanted(address, TEXT, ("grumbler",), "")).exchanges == ()
