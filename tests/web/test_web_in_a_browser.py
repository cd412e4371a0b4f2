"""The pages in a real Chromium: journeys, accessibility by axe, narrow screens, no script, and no word to anybody else."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from review_app import Served
from seen_pages import DESKTOP, NARROW, PHONE, clean, clean_in_both, sign_in
from stage import comment

from moderator.domain.item import Author
from moderator.steps.restore import restore

RTL = "יום ספורט idiot \u202eabc\u202c سيء جدا"


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Yield a phone without JavaScript, as the pages must work there."""
    context = browser.new_context(viewport={"width": PHONE, "height": 844}, java_script_enabled=False)
    yield context.new_page()
    context.close()


def test_a_flagged_comment_from_the_link_to_upheld(page: Page, served: Served) -> None:
    served.seen("You are an idiot", "Lovely")
    sign_in(page, served)
    page.get_by_role("link", name="Recorded, then hidden").first.click()
    expect(page.get_by_text("You are an idiot")).to_be_hidden()
    page.get_by_text("Show the comment", exact=True).click()
    expect(page.locator("mark")).to_have_text("idiot")
    page.get_by_label("Why? Your reason").fill("It is plain abuse of our staff.")
    page.get_by_role("button", name="Keep it hidden").click()
    expect(page.get_by_role("status")).to_contain_text("The decision stands.")
    page.get_by_role("link", name="Back to Today").click()
    expect(page.get_by_text("Nothing waits for you.")).to_be_visible()
    assert served.stage.states() == ["upheld", "cleared"]


def test_a_false_flag_restored_and_shown_again_on_the_platform(page: Page, served: Served) -> None:
    item = served.seen("You are an idiot")[0]
    assert served.stage.platform.hidden == {"10"}
    sign_in(page, served)
    page.goto(f"{served.url}/items/{item}")
    page.get_by_label("Why? Your reason").fill("A joke between two friends.")
    page.get_by_role("button", name="Show it again").click()
    expect(page.get_by_text("It is about to show again.")).to_be_visible()
    restore(served.stage.tools)
    page.goto(f"{served.url}/items/{item}")
    expect(page.get_by_role("heading", level=1)).to_have_text("Showing again")
    assert served.stage.platform.hidden == set()


def test_a_short_reason_is_stopped_in_the_browser_and_told_by_the_server(page: Page, served: Served) -> None:
    item = served.seen("You are an idiot")[0]
    sign_in(page, served)
    page.goto(f"{served.url}/items/{item}")
    page.get_by_label("Why? Your reason").fill("no")
    page.get_by_role("button", name="Keep it hidden").click()
    page.get_by_label("Why? Your reason").fill("        no        ")
    page.get_by_role("button", name="Keep it hidden").click()
    expect(page.get_by_role("alert")).to_contain_text("Say why in at least 10 characters.")
    expect(page.get_by_label("Why? Your reason")).to_have_value("no")


def test_the_picture_is_asked_for_only_when_uncovered(browser: Browser, served: Served) -> None:
    item = served.seen("You are an idiot")[0]
    context = browser.new_context(viewport={"width": PHONE, "height": 844})
    page, asked = context.new_page(), []
    page.on("request", lambda request: asked.append(request.url))
    sign_in(page, served)
    page.goto(f"{served.url}/items/{item}")
    page.wait_for_load_state("networkidle")
    assert not [url for url in asked if "screenshot" in url]
    page.get_by_text("Show the picture kept with the record").click()
    expect(page.locator("img")).not_to_have_js_property("naturalWidth", 0)
    assert [url for url in asked if "screenshot" in url]
    context.close()


def test_script_in_a_comment_never_runs_and_nobody_else_is_asked(browser: Browser, served: Served) -> None:
    evil = "<script>document.title='owned'</script><img src=http://127.0.0.1:9/x onerror=\"document.title='owned'\"> idiot"
    served.stage.platform.comments.append(comment(70, evil, author=Author("1", "x", "<b>Fern</b>")))
    item = served.seen("Lovely")[0] - 1
    context = browser.new_context(viewport={"width": DESKTOP, "height": 900})
    page, asked, said = context.new_page(), [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    sign_in(page, served)
    for path in ("/", f"/items/{item}", "/nothing"):
        page.goto(served.url + path)
        for summary in page.locator("summary").all():
            summary.click()
        page.wait_for_load_state("networkidle")
        assert page.title() != "owned"
    assert {url for url in asked if not url.startswith(served.url + "/")} == set()
    assert [text for text in said if "404" not in text] == []
    context.close()


def test_even_injected_script_and_style_are_stopped_by_the_policy(browser: Browser, served: Served) -> None:
    context = browser.new_context()
    page, said = context.new_page(), []
    page.on("console", lambda message: said.append(message.text))
    page.goto(f"{served.url}/sign-in")
    page.evaluate("""() => { const s = document.createElement('script'); s.textContent = "document.title = 'owned'";
      document.body.append(s); const i = document.createElement('img'); i.src = 'http://127.0.0.1:9/x'; document.body.append(i);
      const f = document.createElement('iframe'); f.src = '/sign-in'; document.body.append(f); }""")
    for _ in range(100):
        told = [text for text in said if "Content Security Policy" in text or "Content-Security-Policy" in text]
        if len(told) >= 3:
            break
        page.wait_for_timeout(50)
    assert len(told) >= 3
    assert page.title() != "owned"
    context.close()


def test_right_to_left_text_stays_in_its_own_place(browser: Browser, served: Served) -> None:
    item = served.seen(RTL)[0]
    context = browser.new_context(viewport={"width": PHONE, "height": 844})
    page = context.new_page()
    sign_in(page, served)
    page.goto(f"{served.url}/items/{item}")
    page.get_by_text("Show the comment", exact=True).click()
    said = page.locator(".flagged .said")
    assert said.evaluate("e => getComputedStyle(e).direction") == "rtl"
    assert said.text_content() == RTL.replace("idiot", "idiot1")
    assert page.locator("mark").text_content() == "idiot"
    assert page.get_by_text("The reasons, in order").evaluate("e => getComputedStyle(e).direction") == "ltr"
    context.close()


def test_a_link_from_an_email_works_after_one_click(browser: Browser, served: Served) -> None:
    item = served.seen("You are an idiot")[0]
    context = browser.new_context()
    page = context.new_page()
    sign_in(page, served)
    mail = f"<a href='{served.url}/items/{item}'>Open the record</a>"
    page.route("http://localhost:9/mail", lambda route: route.fulfill(body=mail, content_type="text/html"))
    page.goto("http://localhost:9/mail")
    page.get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Please sign in")
    page.get_by_role("link", name="I am signed in: go on").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Recorded, then hidden")
    context.close()


@pytest.mark.parametrize("place", ["http://127.0.0.1:9/prize", "http://localhost:9/prize"])
def test_a_form_on_another_site_changes_nothing(browser: Browser, served: Served, place: str) -> None:
    item = served.seen("You are an idiot")[0]
    context = browser.new_context()
    page = context.new_page()
    sign_in(page, served)
    forged = (
        f"<form method=post action='{served.url}/items/{item}/review'><input name=verdict value=restore>"
        "<input name=justification value='Forged by somebody else'><button>Win a prize</button></form>"
    )
    page.route(place, lambda route: route.fulfill(body=forged, content_type="text/html"))
    page.goto(place)
    page.get_by_role("button").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("This was refused")
    assert served.stage.states() == ["hidden"]
    context.close()


def test_all_can_be_done_by_keyboard(browser: Browser, served: Served) -> None:
    item = served.seen("You are an idiot")[0]
    context = browser.new_context(viewport={"width": DESKTOP, "height": 900})
    page = context.new_page()
    sign_in(page, served)
    page.goto(f"{served.url}/items/{item}")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    reached = []
    for _ in range(20):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.textContent.trim() || document.activeElement.id"))
        if reached[-1] == "Show the comment":
            page.keyboard.press("Enter")
        if reached[-1] == "justification":
            page.keyboard.type("Decided without a mouse.")
        if reached[-1] == "Keep it hidden":
            page.keyboard.press("Enter")
            break
    expect(page.get_by_role("status")).to_contain_text("The decision stands.")
    assert "Show the comment" in reached
    assert served.stage.states() == ["upheld"]
    context.close()


def every_page(served: Served) -> list[str]:
    """Return the address of every page in every shape it has."""
    hidden, severe, routed, withheld, _ = served.seen(
        "Tilly Marwood is an idiot", "I will hurt you", "This is a disclosure", "indecent_image", "Lovely"
    )
    served.decide(severe, "uphold", "Looked at with the deputy head.")
    long = served.seen(RTL + " idiot" * 30 + " " + "w" * 200)[0]
    return [
        *("/", f"/items/{hidden}", f"/items/{severe}?done=uphold", f"/items/{routed}", f"/items/{withheld}", f"/items/{long}"),
        *("/nothing", "/?waiting=0", "/sign-in", "/sign-in/some-secret"),
    ]


def test_axe_finds_nothing_on_any_page(browser: Browser, served: Served) -> None:
    addresses = every_page(served)
    context = browser.new_context(bypass_csp=True)
    page = context.new_page()
    sign_in(page, served)
    hidden = addresses[1]
    for address in addresses:
        page.goto(served.url + address)
        if address == hidden:
            assert clean_in_both(page) == [], "covered"
        for summary in page.locator("summary").all():
            summary.click()
        assert clean_in_both(page) == [], address
    page.goto(served.url + hidden)
    page.locator("#justification").evaluate("e => { e.form.noValidate = true; }")
    page.get_by_role("button", name="Keep it hidden").click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert clean_in_both(page) == [], "with an error"
    page.context.clear_cookies()
    page.goto(served.url + hidden)
    assert clean_in_both(page) == [], "for a stranger"
    context.close()


def test_axe_itself_would_find_a_fault(browser: Browser, served: Served) -> None:
    context = browser.new_context(bypass_csp=True)
    page = context.new_page()
    page.goto(f"{served.url}/sign-in")
    page.evaluate(
        "document.body.insertAdjacentHTML('beforeend', '<img src=/static/icon.svg><p style=\"color:#eee;background:#fff\">faint</p>')"
    )
    assert {each[0] for each in clean(page)} >= {"image-alt", "color-contrast"}
    context.close()


def test_a_fault_in_one_look_alone_is_found(browser: Browser, served: Served) -> None:
    context = browser.new_context(bypass_csp=True)
    page = context.new_page()
    page.goto(f"{served.url}/sign-in")
    assert clean_in_both(page) == []
    dark, narrow = "(prefers-color-scheme: dark) { h1 { color: #333; } }", "(max-width: 400px) { h1 { width: 500px; } }"
    page.add_style_tag(content=f"@media {dark} @media {narrow}")
    assert {(scheme, width, fault[0]) for scheme, width, fault in clean_in_both(page)} == {
        ("light", NARROW, "sticks-out"),
        ("dark", DESKTOP, "color-contrast"),
    }
    context.close()
