"""The Headteacher's journeys in the service as a person starts it: real practice network, scheduler, mail and browser."""

import email
import email.policy
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from moderator.evidence.capture.chromium import find_chromium

PATIENCE = 60
"""Seconds a step of the service may take on a busy machine; the schedule runs each every few seconds."""


@dataclass(frozen=True, slots=True)
class Service:
    """A running service: where its mail lies, and the sign-in links it printed, by designation."""

    outbox: Path
    links: dict[str, str]

    def alerts(self) -> str:
        """Return the plain text of every mail so far."""
        messages = (email.message_from_bytes(path.read_bytes(), policy=email.policy.default) for path in sorted(self.outbox.glob("*.eml")))
        bodies = (message.get_body(("plain",)) for message in messages)
        return "\n".join(body.get_content() for body in bodies if body is not None)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Yield `moderator run --demo`, once it has done its first round."""
    folder = tmp_path_factory.mktemp("service")
    command = [sys.executable, "-m", "moderator", "run", "--demo", "--out", "run"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdout is not None
        told = []
        for line in process.stdout:
            told.append(line)
            if line.startswith("Stop with"):
                break
        links = dict(re.findall(r"^ +([A-Z]+-\d+) +(http://\S+)$", "".join(told), re.MULTILINE))
        assert {"HEAD-1", "ADMIN-1", "DSL-1"} <= links.keys(), "".join(told)
        until(lambda: answers(links["HEAD-1"]))
        yield Service(folder / "run" / "outbox", links)
        os.killpg(process.pid, signal.SIGINT)
        process.stdout.read()
        assert process.wait(timeout=60) == 0


@pytest.fixture(scope="module")
def page(service: Service) -> Iterator[Page]:
    """Yield a phone on which the Headteacher has signed in."""
    with sync_playwright() as playwright:
        browser: Browser = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox", "--disable-gpu"])
        opened = browser.new_context(viewport={"width": 390, "height": 844}).new_page()
        opened.goto(service.links["HEAD-1"])
        opened.get_by_role("button", name="Sign in").click()
        expect(opened.get_by_role("heading", level=1)).to_have_text("Today")
        yield opened
        browser.close()


def answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=10) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def until(true: Callable[[], bool]) -> None:
    """Wait until something is so; fail when it is not so in PATIENCE seconds."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def open_hidden(page: Page, service: Service, *, after: int = 0) -> int:
    """Open, from its alert, the first hidden comment after an item whose target is nobody on the staff; return its number."""
    for link, number in sorted(set(re.findall(r"(http://\S+/items/(\d+))", service.alerts())), key=lambda found: int(found[1])):
        if int(number) <= after:
            continue
        page.goto(link)
        title = page.get_by_role("heading", level=1).text_content()
        if title == "Recorded, then hidden" and not page.get_by_text("A member of staff is the target").count():
            return int(number)
    pytest.fail("no alert led to a hidden comment")


def decide(page: Page, button: str, why: str) -> None:
    page.get_by_label("Why? Your reason").fill(why)
    page.get_by_role("button", name=button).click()


def shown_on_the_network(page: Page) -> bool:
    """Return whether the platform's own page shows the comment of the item page, rather than hiding it."""
    place = page.get_by_text("Place", exact=True).locator("xpath=following-sibling::dd//a").get_attribute("href")
    assert place is not None
    with urlopen(place, timeout=10) as answer:
        html = answer.read().decode()
    number = place.rstrip("/").rpartition("/")[2]
    found = re.search(rf'data-post-id="{number}" data-hidden="(true|false)"', html)
    assert found is not None
    return found[1] == "false"


def test_a_flagged_comment_from_its_alert_to_upheld(page: Page, service: Service) -> None:
    open_hidden(page, service)
    assert not shown_on_the_network(page)
    decide(page, "Keep it hidden", "Plain abuse of a family at our gate.")
    expect(page.get_by_role("status").first).to_contain_text("The decision stands.")
    assert not shown_on_the_network(page)


def test_a_false_flag_is_restored_and_shown_again_on_the_practice_network(page: Page, service: Service) -> None:
    number = open_hidden(page, service)
    number = open_hidden(page, service, after=number) if page.get_by_text("Decision kept").count() else number
    assert not shown_on_the_network(page)
    decide(page, "Show it again", "A joke between two friends, not abuse.")
    expect(page.get_by_role("status").first).to_contain_text("Done.")
    address = page.url

    def shows() -> bool:
        page.goto(address)
        return page.get_by_role("heading", level=1).text_content() == "Showing again"

    until(shows)
    assert shown_on_the_network(page)
    history = page.get_by_role("region", name="History")
    expect(history.get_by_text("Shown again", exact=True)).to_be_visible()
    expect(history.get_by_text("A joke between two friends, not abuse.")).to_be_visible()
