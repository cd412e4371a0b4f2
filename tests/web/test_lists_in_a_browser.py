"""The lists' pages in a real browser: axe, light on a narrow phone and dark on a desktop, and what is reached by keyboard."""

import pytest
from lists_app import Listed
from playwright.sync_api import Browser, Page, expect
from seen_pages import DESKTOP, NARROW, clean

PAGES = (
    "records?severity=severe",
    "records?since=never",
    "digests",
    "digests/2026-11-18",
    "activity?kind=comments",
    "health",
    "trustees",
)


@pytest.fixture(scope="module")
def page(browser: Browser, listed: Listed) -> Page:
    page = browser.new_page()
    page.goto(listed.served.link())
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Today")
    return page


@pytest.mark.parametrize("address", PAGES)
def test_axe_finds_nothing(page: Page, listed: Listed, address: str) -> None:
    page.set_viewport_size({"width": NARROW, "height": 640})
    page.emulate_media(color_scheme="light")
    page.goto(f"{listed.served.url}/schools/oakfield/{address}")
    assert clean(page) == []
    page.set_viewport_size({"width": DESKTOP, "height": 800})
    page.emulate_media(color_scheme="dark")
    assert clean(page) == []


def test_a_search_is_made_by_keyboard_alone(page: Page, listed: Listed) -> None:
    page.goto(f"{listed.served.url}/schools/oakfield/records")
    page.get_by_text("Search", exact=True).first.focus()
    page.keyboard.press("Enter")
    page.get_by_label("Record number").focus()
    page.keyboard.type(listed.records["threat"])
    page.keyboard.press("Enter")
    expect(page.locator("ul.cards li")).to_have_count(1)
    expect(page.get_by_label("Record number")).to_have_value(listed.records["threat"])


def test_the_copy_is_saved_as_a_file(page: Page, listed: Listed) -> None:
    page.goto(f"{listed.served.url}/schools/oakfield/records")
    with page.expect_download() as got:
        page.get_by_role("button", name="Copy as CSV").click()
    assert got.value.suggested_filename == "records-oakfield-2026-11-19.csv"


def test_the_report_prints_without_the_menu(page: Page, listed: Listed) -> None:
    page.goto(f"{listed.served.url}/schools/oakfield/trustees")
    page.emulate_media(media="print")
    expect(page.get_by_role("navigation", name="Pages")).to_be_hidden()
    expect(page.get_by_role("button", name="Show")).to_be_hidden()
    expect(page.locator("svg.chart").first).to_be_visible()
    page.emulate_media(media="screen")
