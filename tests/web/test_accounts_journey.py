"""The journey of an account in a real Chromium on a phone: asked for, connected on the practice network, approved, read."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from accounts_stage import AccountsStage, on_accounts
from playwright.sync_api import Browser, Page, ViewportSize, expect
from seen_pages import PHONE, clean_in_both
from stage import Stage

from moderator.platforms.practice import SCHOOL_HANDLE, running
from moderator.store.items import ITEMS


@pytest.fixture
def pages(stage: Stage, tmp_path: Path) -> Iterator[AccountsStage]:
    comments = tmp_path / "comments.txt"
    comments.write_text("What a lovely assembly\nYou are an idiot, the lot of you\n", encoding="utf-8")
    with running(comments=comments, log=tmp_path / "practice.jsonl") as net, on_accounts(stage, net, tmp_path / "practice.jsonl") as made:
        yield made


def enter(page: Page, pages: AccountsStage, reference: str) -> None:
    """Sign a person in by a link."""
    page.goto(pages.served.link(reference))
    page.get_by_role("button", name="Sign in").click()
    page.goto(f"{pages.served.url}/schools/oakfield/accounts")


def clean(page: Page, name: str) -> None:
    """See that nothing is wrong with the page in either scheme; then be a phone in daylight again."""
    assert clean_in_both(page) == [], name
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": PHONE, "height": 844})


def test_r1_an_admin_connects_an_account_and_the_head_approves_it(pages: AccountsStage, browser: Browser) -> None:
    phone: ViewportSize = {"width": PHONE, "height": 844}
    with browser.new_context(viewport=phone) as at_admin, browser.new_context(viewport=phone) as at_head:
        admin, head = at_admin.new_page(), at_head.new_page()
        enter(admin, pages, "ADMIN-1")
        clean(admin, "accounts")
        admin.get_by_role("link", name="Ask for an account").click()
        clean(admin, "ask")
        admin.get_by_label("Handle").fill(f"@{SCHOOL_HANDLE}")
        admin.get_by_label("School e-mail").fill("office@oakfield.example")
        admin.get_by_label("What the account is for").fill("News for families")
        admin.get_by_label("Day its password was last changed").fill("2026-11-02")
        admin.get_by_role("checkbox").check()
        admin.get_by_role("button", name="Ask for it").click()
        expect(admin.get_by_role("status")).to_contain_text("Asked for.")
        clean(admin, "account")

        admin.get_by_role("link", name="Connect it").click()
        clean(admin, "connect")
        admin.get_by_role("button", name="Get ready to go to X").click()
        clean(admin, "leave")
        before = len(pages.requests())
        admin.get_by_role("link", name="Go on to X").click()
        expect(admin.get_by_role("heading", level=1)).to_contain_text(f"Let this app use @{SCHOOL_HANDLE}?")
        admin.get_by_role("button", name="Yes, connect it").click()
        expect(admin.get_by_role("heading", level=1)).to_have_text("Back from X")
        clean(admin, "back")
        admin.get_by_role("button", name="Finish connecting").click()
        expect(admin.get_by_role("status")).to_contain_text("Connected.")
        assert [each for each in pages.requests()[before:] if each.split()[1].startswith("/2/")] == [
            "POST /2/oauth2/token",
            "GET /2/users/me",
        ]
        assert pages.polled() == []

        enter(head, pages, "HEAD-1")
        head.get_by_role("link", name=f"@{SCHOOL_HANDLE}").first.click()
        number = int(head.url.rpartition("/")[2])
        if number == pages.served.stage.account.id:  # the stage's own account has the same handle, elsewhere
            number += 1
            head.goto(f"{pages.served.url}/accounts/{number}")
        clean(head, "account of the head")
        head.get_by_role("link", name="Approve it").click()
        clean(head, "approve")
        head.get_by_label("Watch only").check()
        head.get_by_label("Your reference of the signed approval").fill("A-7")
        head.get_by_role("button", name="Approve it").click()
        expect(head.get_by_role("status")).to_contain_text("Approved.")

        assert any("search/recent" in each for each in pages.polled())
        with pages.served.stage.database.reading() as connection:
            read = connection.execute(sa.select(sa.func.count()).where(ITEMS.c.account_id == number)).scalar_one()
        assert read == 2
        head.goto(f"{pages.served.url}/accounts/{number}/withdraw")
        clean(head, "withdraw")
        head.goto(f"{pages.served.url}/schools/oakfield/accounts")
        expect(head.get_by_text("Flagged comments are recorded, not hidden.")).to_be_visible()
