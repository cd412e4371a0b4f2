"""Cookie notices, sign-in walls and covers are told apart and never photographed as the comment; nothing is pressed."""

from typing import Any

import pytest

from moderator.evidence.capture.browser import Browser
from moderator.evidence.capture.shown import Seen
from moderator.evidence.capture.taken import Wanted
from moderator.evidence.capture.walls import Signs, Wall, wall_of

TEXT = "You are a useless lot, Mr Brindle."
POST = f"<main><article><b>@oakfield</b><p>Sports day moves to Friday.</p></article><article>@grumbler<p id=c>{TEXT}</p></article></main>"
OVER = "position:fixed;inset:0;z-index:9;"


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait half a second, not three, for a comment that does not come."""
    monkeypatch.setattr("moderator.evidence.capture.shown._PATIENCE", 500)


def look(browser: Browser, address: str) -> Seen:
    return browser.look(Wanted(address, TEXT, ("grumbler",), "Sports day moves to Friday."))


def shown(browser: Browser, site: Any, body: str) -> Seen:
    press = "<script>addEventListener('click',()=>{new Image().src='/x';fetch('/pressed')},true)</script>"
    seen = look(browser, site.show("/post", f"<!doctype html><html><head>{press}</head><body>{body}</body></html>"))
    assert "/pressed" not in site.asked, "no button is ever pressed"
    return seen


OVERLAID = {
    "modal cookie notice": (
        f"{POST}<div role=dialog style='{OVER}background:rgba(0,0,0,.4)'><p>We use cookies. <button>Accept all cookies</button></p></div>",
        Wall.COOKIES,
    ),
    "a framework by its mark": (f"{POST}<div id=onetrust-banner-sdk style='{OVER}background:#fff'>Dewis</div>", Wall.COOKIES),
    "a German notice": (f"{POST}<div style='{OVER}background:#fff'>Datenschutz: Wir verwenden Cookies</div>", Wall.COOKIES),
    "sign-in sheet": (
        f"{POST}<div style='{OVER}background:#fff'><h2>Log in to go on</h2><form><input type=password></form><a>Cookie policy</a></div>",
        Wall.SIGN_IN,
    ),
    "sign-in in Welsh": (f"{POST}<div style='{OVER}background:#eee'>Mewngofnodi i weld hwn</div>", Wall.SIGN_IN),
    "age": (f"{POST}<div style='{OVER}background:#eee'>Please confirm your age to go on</div>", Wall.AGE),
    "a nameless sheet": (f"{POST}<div style='{OVER}background:#fff'></div>", Wall.COVERED),
    "a sheet made by ::before": (f"<style>body::before{{content:'';{OVER}background:#fff}}</style>{POST}", Wall.COVERED),
    "a sheet the mouse goes through": (f"{POST}<div style='{OVER}background:#fff;pointer-events:none'></div>", Wall.COVERED),
    "blurred": (f"<div style='filter:blur(6px)'>{POST}</div>", Wall.FAINT),
    "faint": (f"<div style='opacity:.1'>{POST}</div>", Wall.FAINT),
    "tiny": (f"<div style='font-size:2px'>{POST}</div>", Wall.FAINT),
    "clipped": (f"<style>#c{{height:2px;overflow:hidden;line-height:60px}}</style>{POST}", Wall.PARTLY),
    "off to the side": (f"<style>body{{overflow:hidden}}#c{{position:fixed;left:-3000px}}</style>{POST}", Wall.PARTLY),
}


@pytest.mark.parametrize("name", OVERLAID)
def test_what_lies_over_the_comment_is_named(browser: Browser, site: Any, name: str) -> None:
    body, wall = OVERLAID[name]
    seen = shown(browser, site, body)
    assert seen.why_not == wall.value
    assert seen.picture == b""
    assert seen.status == 200


INSTEAD = {
    "sign-in form": ("<h1>Welcome</h1><form><input type=text><input type=password></form>", Wall.SIGN_IN),
    "sign-in words": (
        "<h1>Sign in to see this post</h1><p>Create an account. By signing up you accept our cookie policy.</p>",
        Wall.SIGN_IN,
    ),
    "French": ("<h1>Connectez-vous pour voir ce message</h1>", Wall.SIGN_IN),
    "Polish": ("<h1>Zaloguj się</h1>", Wall.SIGN_IN),
    "Arabic": ("<h1 dir=rtl>تسجيل الدخول</h1>", Wall.SIGN_IN),
    "consent page": (
        "<h1>Before you continue to Vidi</h1><p>We use cookies and data.</p><a>Sign in</a><button>Reject</button>",
        Wall.COOKIES,
    ),
    "captcha": ("<h1>One moment</h1><div class=g-recaptcha style='height:50px'>x</div>", Wall.ROBOT),
    "robot words": ("<h1>Verify you are human</h1>", Wall.ROBOT),
    "another comment": ("<h1>A post</h1><p>@grumbler</p><p>Something else.</p>", Wall.ABSENT),
    "a long page with furniture": (f"<nav>Log in</nav><h1>Posts</h1><p>@grumbler</p>{'<p>Another post of the day.</p>' * 60}", Wall.ABSENT),
}


@pytest.mark.parametrize("name", INSTEAD)
def test_a_page_in_place_of_the_comment_is_named(browser: Browser, site: Any, name: str) -> None:
    body, wall = INSTEAD[name]
    assert shown(browser, site, body).why_not == wall.value


@pytest.mark.parametrize(
    "extra",
    [
        "<div style='position:fixed;bottom:0;height:80px;width:100%;background:#eee'>We use cookies <button>Accept</button></div>",
        "<aside><form><input type=password></form>Log in</aside>",
        "<style>article{position:relative}article::after{content:'';position:absolute;inset:0}</style>",
    ],
    ids=["a bar below", "a form beside", "a clear link over it"],
)
def test_what_leaves_the_comment_open_is_no_wall(browser: Browser, site: Any, extra: str) -> None:
    seen = shown(browser, site, POST + extra)
    assert seen.why_not == ""
    assert seen.parent_shown is True
    assert seen.comment_at is not None


def test_a_page_sent_on_to_a_sign_in_address_is_a_sign_in_wall(browser: Browser, site: Any) -> None:
    site.show("/i/flow/login", "<h1>Welcome back</h1>")
    site.pages["/post"] = (302, "text/html", b"")
    site.headers["/post"] = {"Location": "/i/flow/login"}
    assert look(browser, site.base + "/post").why_not == Wall.SIGN_IN.value
    for host, why in (
        ("login.example", Wall.SIGN_IN.value),
        ("consent.example", Wall.COOKIES.value),
        ("elsewhere.example", "the site sent the visitor to another site"),
    ):
        site.headers["/post"] = {"Location": f"https://{host}/x"}
        assert look(browser, site.base + "/post").why_not == why


def test_a_page_that_changes_under_the_camera_is_not_accepted(browser: Browser, site: Any) -> None:
    jump = "<script>setInterval(()=>{document.getElementById('c').style.marginTop=(performance.now()%97)+'px'},1)</script>"
    assert shown(browser, site, POST + jump).why_not == "the page changed while it was photographed"


def test_a_page_that_moves_on_while_it_is_asked_is_asked_again(browser: Browser, site: Any) -> None:
    site.show("/post", "<!doctype html><body><script>setTimeout(()=>{location='/post?again'},150)</script>wait")
    site.show("/post?again", f"<!doctype html><body>{POST}")
    assert look(browser, site.base + "/post").why_not == ""


def test_the_words_are_told_apart_without_a_browser() -> None:
    place = "https://site.example/post/1"
    assert wall_of(Signs(place, ""), otherwise=Wall.ABSENT) is Wall.ABSENT
    assert wall_of(Signs(place, "cookie cookie log in"), otherwise=Wall.ABSENT) is Wall.COOKIES
    assert wall_of(Signs(place, "log in, sign up; cookie"), otherwise=Wall.ABSENT) is Wall.SIGN_IN
    assert wall_of(Signs("https://consent.site.example/m", "x"), otherwise=Wall.ABSENT) is Wall.COOKIES
    assert wall_of(Signs("https://accounts.site.example/", "x"), otherwise=Wall.ABSENT) is Wall.SIGN_IN
    assert wall_of(Signs(place, "x", password=True, cookie_mark=True), otherwise=Wall.ABSENT) is Wall.SIGN_IN
    assert wall_of(Signs(place, "x", cookie_mark=True), otherwise=Wall.ABSENT) is Wall.COOKIES
    assert wall_of(Signs(place, "x", robot_mark=True, password=True), otherwise=Wall.ABSENT) is Wall.ROBOT
    assert wall_of(Signs(place, "Kirjaudu sisään"), otherwise=Wall.COVERED) is Wall.SIGN_IN
