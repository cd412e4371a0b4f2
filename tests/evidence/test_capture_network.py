"""No picture, film, sound or foreign page is fetched in a capture, however a page asks for it (R18)."""

import socket
import threading
from contextlib import suppress
from typing import Any

import pytest

from moderator.evidence.capture.browser import Browser
from moderator.evidence.capture.shown import Seen
from moderator.evidence.capture.taken import Wanted

TEXT = "You are a useless lot, Mr Brindle."
POST = f"<!doctype html><html><head>{{head}}</head><body><article>@grumbler<p>{TEXT}</p></article>{{body}}</body></html>"


def look(browser: Browser, address: str) -> Seen:
    return browser.look(Wanted(address, TEXT, ("grumbler",), ""))


def shows(site: Any, *, head: str = "", body: str = "", path: str = "/post") -> str:
    address: str = site.show(path, POST.format(head=head, body=body))
    return address


MEDIA = {
    "img": '<img src="/hit">',
    "srcset": '<img srcset="/hit 2x">',
    "picture": '<picture><source srcset="/hit"><img></picture>',
    "lazy": '<img loading="lazy" src="/hit">',
    "poster": '<video poster="/hit"></video>',
    "video": '<video src="/hit" autoplay muted preload="auto"></video>',
    "source": '<video autoplay muted><source src="/hit" type="video/webm"></video>',
    "track": '<video><track src="/hit" default></video>',
    "audio": '<audio src="/hit" autoplay preload="auto"></audio>',
    "background": "<style>body{background:url(/hit)}</style>",
    "list": "<style>li{list-style:url(/hit)}</style><ul><li>x</ul>",
    "content": "<style>p::after{content:url(/hit)}</style>",
    "cursor": "<style>body{cursor:url(/hit),auto}</style>",
    "mask": "<style>p{mask-image:url(/hit)}</style>",
    "border": "<style>p{border:9px solid;border-image:url(/hit) 9}</style>",
    "svg image": '<svg><image href="/hit"/></svg>',
    "svg use": '<svg><use href="/hit.svg#a"/></svg>',
    "input": '<input type="image" src="/hit">',
    "object": '<object data="/hit"></object>',
    "embed": '<embed src="/hit">',
    "iframe": '<iframe src="/hit"></iframe>',
    "srcdoc": "<iframe srcdoc='<img src=/hit>'></iframe>",
    "favicon": '<link rel="icon" href="/hit">',
    "touch icon": '<link rel="apple-touch-icon" href="/hit">',
    "manifest": '<link rel="manifest" href="/hit">',
    "preload": '<link rel="preload" as="image" href="/hit">',
    "preload video": '<link rel="preload" as="video" href="/hit">',
    "prefetch": '<link rel="prefetch" href="/hit">',
    "prerender": '<link rel="prerender" href="/hit">',
    "new image": "<script>new Image().src='/hit'</script>",
    "fetch by ending": "<script>fetch('/hit.jpg').catch(()=>0)</script>",
    "fetch with query": "<script>fetch('/HIT.PNG?hit').catch(()=>0)</script>",
    "beacon": "<script>navigator.sendBeacon('/hit')</script>",
    "event source": "<script>new EventSource('/hit')</script>",
    "socket": "<script>new WebSocket('ws://'+location.host+'/hit')</script>",
    "popup": "<script>window.open('/hit')</script>",
    "popup later": "<script>const w=window.open('about:blank');if(w)w.location='/hit'</script>",
    "form": "<form action='/hit' target='_blank'></form><script>document.forms[0].submit()</script>",
    "download": "<a download href='/hit'></a><script>document.querySelector('a').click()</script>",
    "ping": "<a href='#x' ping='/hit'></a><script>document.querySelector('a[ping]').click()</script>",
    "worker's image": '<script>new Worker(URL.createObjectURL(new Blob(["fetch(\'"+location.origin+"/hit.png\').catch(()=>0)"])))</script>',
    "shared worker": '<script>new SharedWorker(URL.createObjectURL(new Blob(["fetch(\'"+location.origin+"/hit.png\')"])))</script>',
    "service worker": "<script>navigator.serviceWorker.register('/hit').catch(()=>0)</script>",
    "frame of a worklet": "<script>CSS.paintWorklet&&CSS.paintWorklet.addModule('/hit.svg').catch(()=>0)</script>",
}


def test_r18_no_page_can_make_a_capture_fetch_media(browser: Browser, site: Any) -> None:
    # The comment comes last, so that every way has been tried by the time it is found.
    late = f"<script>setTimeout(()=>document.body.insertAdjacentHTML('beforeend','<p>@grumbler</p><p>{TEXT}</p>'),1200)</script>"
    site.show("/post", f"<!doctype html><body>{''.join(MEDIA.values())}{late}")
    seen = look(browser, site.base + "/post")
    assert seen.why_not == ""
    look(browser, shows(site, path="/next"))  # the first one's context is gone now
    assert [path for path in site.asked if path not in {"/post", "/next"}] == []
    assert {"image", "media", "websocket", "document", "fetch", "ping"} <= seen.blocked.keys()
    assert sum(seen.blocked.values()) >= 20, "what is refused is counted"


@pytest.mark.parametrize("way", ["popup later", "worker's image", "shared worker", "lazy", "svg use", "download", "form"])
def test_r18_each_way_alone_is_stopped(browser: Browser, site: Any, way: str) -> None:
    look(browser, shows(site, body=MEDIA[way]))
    assert [path for path in site.asked if path != "/post"] == []


def test_r18_a_link_header_is_not_followed(browser: Browser, site: Any) -> None:
    site.headers["/post"] = {
        "Link": "</hit.png>; rel=preload; as=image, </hit>; rel=preload; as=image, </hit2>; rel=prefetch",
    }
    assert look(browser, shows(site)).why_not == ""
    assert site.asked == ["/post"]


@pytest.mark.parametrize(
    "by",
    [
        "<script src='/own'></script>",
        "<script>const x=new XMLHttpRequest();x.open('GET','/own',false);try{x.send()}catch{}</script>",
        "<link rel=stylesheet href='/own'>",
    ],
)
def test_r18_a_redirect_to_a_picture_or_another_port_is_not_followed(browser: Browser, site: Any, by: str) -> None:
    with OtherSite() as (port, reached):
        for target in ("/hit.png", f"http://127.0.0.1:{port}/hit", f"http://localhost:{port}/hit"):
            site.pages["/own"] = (302, "text/plain", b"")
            site.headers["/own"] = {"Location": target}
            site.asked.clear()
            seen = look(browser, shows(site, body=by))
            assert site.asked == ["/post", "/own"]
            assert seen.blocked["redirect"] == 1
        assert reached == []


def test_r18_a_picture_served_under_a_plain_address_never_reaches_the_page(browser: Browser, site: Any) -> None:
    site.pages["/own"] = (200, "image/png", b"\x89PNG....")
    asks = "const x=new XMLHttpRequest();x.open('GET','/own',false);try{x.send();document.getElementById('got').textContent='got'}catch{}"
    body = f"<p id=got>nothing</p><script>{asks}</script>"
    seen = look(browser, shows(site, body=body))
    assert seen.blocked["media_in_disguise"] == 1
    assert '<p id="got">nothing</p>' in seen.page


def test_r18_a_page_that_moves_on_reaches_only_its_own_host(browser: Browser, site: Any) -> None:
    with OtherSite() as (port, reached):
        for head in (
            f"<meta http-equiv=refresh content='0;url=http://127.0.0.1:{port}/away'>",
            f"<script>location='http://localhost:{port}/away'</script>",
        ):
            look(browser, shows(site, head=head))
        site.pages["/gone"] = (302, "text/html", b"")
        site.headers["/gone"] = {"Location": f"http://127.0.0.1:{port}/away"}
        assert look(browser, site.base + "/gone").why_not == "the site sent the visitor to another site"
        assert reached == []


def test_r18_peer_connections_and_raw_sockets_reach_nobody(browser: Browser, site: Any) -> None:
    with OtherSite() as (port, reached):
        script = (
            f"const p=new RTCPeerConnection({{iceServers:[{{urls:['turn:127.0.0.1:{port}?transport=tcp','turn:127.0.0.1:{port}'],"
            "username:'u',credential:'c'}]});p.createDataChannel('x');p.createOffer().then(o=>p.setLocalDescription(o));"
            f"try{{new WebTransport('https://127.0.0.1:{port}/')}}catch(e){{}};"
            "setTimeout(()=>{document.body.dataset.tried='yes'},400)"
        )
        late = f"<script>{script}</script>"
        seen = look(browser, shows(site, body=late))
        threading.Event().wait(0.5)
        assert seen.why_not == ""
        assert reached == []


def test_fonts_styles_and_scripts_of_the_own_host_are_fetched(browser: Browser, site: Any) -> None:
    site.pages["/own.js"] = (200, "text/javascript", b"document.body.dataset.own='ran'")
    site.pages["/own.css"] = (200, "text/css", b"@font-face{font-family:f;src:url(/own.woff2)}p{font-family:f,sans-serif}")
    seen = look(browser, shows(site, head="<link rel=stylesheet href=/own.css>", body="<script src=/own.js></script>"))
    assert {"/own.js", "/own.css", "/own.woff2"} <= set(site.asked)
    assert 'data-own="ran"' in seen.page


class OtherSite:
    """A port, TCP and UDP, that notes whoever knocks."""

    def __enter__(self) -> tuple[int, list[str]]:
        """Listen."""
        self.reached: list[str] = []
        self.tcp = socket.create_server(("127.0.0.1", 0))
        port: int = self.tcp.getsockname()[1]
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", port))
        self.threads = [threading.Thread(target=self._tcp), threading.Thread(target=self._udp)]
        for thread in self.threads:
            thread.start()
        self.port = port
        return port, self.reached

    def __exit__(self, *_error: object) -> None:
        """Stop listening; the last knock of each kind is our own."""
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port)) as mine:
            mine.sendall(b"stop")
        self.udp.sendto(b"stop", ("127.0.0.1", self.port))
        for thread in self.threads:
            thread.join()
        self.tcp.close()
        self.udp.close()

    def _tcp(self) -> None:
        while True:
            peer, _ = self.tcp.accept()
            with peer:
                peer.settimeout(2)
                try:
                    said = peer.recv(100)
                except OSError:
                    said = b""
            if said == b"stop":
                return
            if said:  # a connection made ahead of a request that never came says nothing to anybody
                self.reached.append(f"tcp {said!r}")

    def _udp(self) -> None:
        while (said := self.udp.recv(2000)) != b"stop":
            self.reached.append(f"udp {said[:20]!r}")


def test_r18_pages_fetched_ahead_reach_no_other_host(browser: Browser, site: Any) -> None:
    with OtherSite() as (port, reached):
        ahead = f'["http://localhost:{port}/ahead"]'
        rules = f'{{"prefetch":[{{"urls":{ahead},"eagerness":"immediate"}}],"prerender":[{{"urls":{ahead},"eagerness":"immediate"}}]}}'
        assert look(browser, shows(site, body=f'<script type="speculationrules">{rules}</script>')).why_not == ""
        threading.Event().wait(0.3)
        assert reached == []
