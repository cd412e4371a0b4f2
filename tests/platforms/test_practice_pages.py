"""The public pages in a real browser: a hide can be seen, words are only words, media are there, nothing comes from outside."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, Page, sync_playwright

from moderator.platforms.practice import SCHOOL_HANDLE, Running

CHROMIUM = Path("/usr/bin/chromium")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as play:
        found = str(CHROMIUM) if CHROMIUM.exists() else None
        with play.chromium.launch(executable_path=found, args=["--no-sandbox"]) as opened:
            yield opened


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with browser.new_page(viewport={"width": 390, "height": 844}) as opened:
        yield opened


def test_a_hidden_reply_can_be_seen_to_be_hidden(page: Page, small: Running, people: Any) -> None:
    root = people.school_post("Look at our garden")
    reply = people.comment("Rude words", under=root)
    address = f"{small.url}/kit_bell/status/{reply}"
    page.goto(address)
    assert page.locator("#hidden-note").count() == 0
    assert page.locator(f"#post-{reply}").get_attribute("data-hidden") == "false"
    small.network.hide(reply, hidden=True)
    page.goto(address)
    assert "hidden by @" in page.locator("#hidden-note").inner_text()
    assert page.locator(f"#post-{reply}").get_attribute("data-hidden") == "true"
    page.goto(f"{small.url}/{SCHOOL_HANDLE}/status/{root}")
    assert page.locator(f"#replies #post-{reply}").count() == 0
    assert not page.locator(f"#hidden-replies #post-{reply}").is_visible()
    page.get_by_text("Hidden replies (1)").click()
    assert page.locator(f"#hidden-replies #post-{reply}").is_visible()


def test_r14_a_comment_stands_under_the_posts_above_it(page: Page, small: Running, people: Any) -> None:
    root = people.school_post()
    reply = people.comment("First", under=root)
    nested = people.comment("Second", under=reply, handle="other_one")
    page.goto(f"{small.url}/i/status/{nested}")
    assert page.url == f"{small.url}/other_one/status/{nested}"
    shown = [one.get_attribute("data-post-id") for one in page.locator("section[aria-label=Conversation] article").all()]
    assert shown == [str(root), str(reply), str(nested)]


def test_words_are_only_words(page: Page, small: Running, people: Any) -> None:
    text = "<script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\"> &amp; \u202egnitirw\u202c"
    comment = people.comment(text, under=people.school_post(), name="<b>Kit</b>")
    page.goto(f"{small.url}/kit_bell/status/{comment}")
    assert page.locator(".focus .text").inner_text() == text
    assert "<b>Kit</b>" in page.title()
    assert page.locator(".focus script, .focus .text img").count() == 0


def test_r18_a_browser_would_fetch_the_media_of_a_page(page: Page, small: Running, people: Any) -> None:
    """Shows that a test which finds no such request has found something."""
    comment = people.comment("See", under=people.school_post(), media=["photo", "video"])
    answers: dict[str, tuple[int, str]] = {}
    page.on("response", lambda one: answers.update({one.url: (one.status, one.headers.get("content-type", ""))}))
    page.goto(f"{small.url}/kit_bell/status/{comment}", wait_until="networkidle")
    media = {url.removeprefix(small.url): answer for url, answer in answers.items() if "/media/" in url}
    kinds = sorted(kind for _, kind in media.values())
    assert kinds == ["image/png", "image/png", "image/svg+xml", "image/svg+xml", "video/webm"]
    assert all(status == 200 for status, _ in media.values())
    assert all(url.startswith(small.url) for url in answers)
    assert page.evaluate("document.querySelector('video').videoWidth") == 160


def test_a_person_can_write_edit_and_delete(page: Page, small: Running, people: Any) -> None:
    root = people.school_post()
    page.goto(f"{small.url}/{SCHOOL_HANDLE}/status/{root}")
    page.get_by_text("Reply to this post").click()
    page.get_by_label("Comment").fill("Written <i>here</i>")
    page.get_by_role("button", name="Reply").click()
    assert page.locator(".focus .text").inner_text() == "Written <i>here</i>"
    page.get_by_text("Edit or delete it").click()
    page.get_by_label("New text").fill("Written again")
    page.get_by_role("button", name="Edit").click()
    assert page.locator(".focus .text").inner_text() == "Written again"
    assert page.locator(".focus .mark").inner_text() == "edited"
    page.get_by_text("Edit or delete it").click()
    page.get_by_role("button", name="Delete").click()
    assert page.url == f"{small.url}/"
    page.get_by_text("Write a post").click()
    page.locator("textarea").fill(f"Hello @{SCHOOL_HANDLE}")
    page.get_by_role("button", name="Post").click()
    page.goto(small.url)
    assert page.get_by_text(f"Hello @{SCHOOL_HANDLE}").is_visible()


def test_an_old_version_says_that_there_is_a_newer_one(page: Page, small: Running, people: Any) -> None:
    old = people.comment("Frist", under=people.school_post())
    new = people.do("edit", id=old, text="First")["id"]
    page.goto(f"{small.url}/kit_bell/status/{old}")
    page.get_by_role("link", name="See it").click()
    assert page.url.endswith(new)


def test_many_replies_come_in_pages(page: Page, small: Running, people: Any) -> None:
    root = people.school_post()
    for number in range(53):
        small.network.write(f"Reply {number}", handle="kit", under=root)
    page.goto(f"{small.url}/{SCHOOL_HANDLE}/status/{root}")
    assert page.locator("#replies article").count() == 50
    page.get_by_role("link", name="Older replies").click()
    assert page.locator("#replies article").count() == 3


def test_a_deleted_post_says_so(page: Page, small: Running, people: Any) -> None:
    comment = people.comment("Oh no", under=people.school_post())
    people.do("delete", id=comment)
    answer = page.goto(f"{small.url}/kit_bell/status/{comment}")
    assert answer is not None
    assert answer.status == 404
    assert page.get_by_text("may have been deleted").is_visible()


def test_a_quote_shows_what_it_quotes(page: Page, small: Running, people: Any) -> None:
    root = people.school_post("The quoted words")
    quote = people.post("Look at this", quotes=root)
    page.goto(f"{small.url}/kit_bell/status/{quote}")
    assert page.locator(".quoted .text").inner_text() == "The quoted words"


def test_pages_forbid_everything_from_elsewhere(small: Running) -> None:
    for path in ("/", "/practice/style.css", "/media/avatar/1.svg", "/favicon.ico", "/nothing"):
        policy = requests.get(small.url + path, timeout=10).headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert not re.search(r"https?:|\*|unsafe", policy)


def test_another_sites_page_cannot_post_here(small: Running) -> None:
    form = {"text": "x", "handle": "kit"}
    answer = requests.post(f"{small.url}/practice/post", data=form, headers={"Origin": "https://elsewhere.example"}, timeout=10)
    assert answer.status_code == 403
    answer = requests.post(f"{small.url}/practice/post", data={"text": "", "handle": "kit"}, timeout=10)
    assert answer.status_code == 400
    assert "1 to 25000 characters" in answer.text
