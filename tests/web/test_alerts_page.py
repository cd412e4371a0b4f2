"""Alerts: what was told, to whom, whether it arrived and who read it; nothing that is not for the reader (R15, R21); and the button."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
from lists_app import lists_app
from playwright.sync_api import Browser, expect
from review_app import Served, handed_in
from seen_pages import clean_in_both, sign_in
from stage import SCHOOL

from moderator.domain.access import Role
from moderator.domain.decision import Severity
from moderator.domain.digest import AlertKind
from moderator.domain.work import AlertRequest
from moderator.store.outbox import ALERTS, OUTBOX
from moderator.web import alerts

PAGE = f"/schools/{SCHOOL.slug}/alerts"
TEXTS = {
    "threat": "I will hurt you",
    "insult": "You are an idiot",
    "crisis": "There is a crisis",
    "named": "Tilly Marwood, I will hurt you",
}


@dataclass(frozen=True, slots=True)
class Told:
    """The app with a few alerts told: item numbers by what each is, and the number of an alert about no item."""

    served: Served
    items: dict[str, int]
    alone: int

    def get(self, role: Role, address: str = PAGE) -> str:
        """Return a page, as a role sees it."""
        answer = self.served.clients[role].get(address)
        assert answer.status_code == 200, answer.text
        return answer.text

    def listed(self, page: str) -> set[str]:
        """Return which items a page leads to."""
        return {name for name, number in self.items.items() if f'href="/items/{number}"' in page}

    def number_of(self, item: str) -> int:
        """Return the number of an item's alert."""
        with self.served.stage.database.reading() as connection:
            return int(connection.execute(sa.select(ALERTS.c.id).where(ALERTS.c.item_id == self.items[item])).scalar_one())

    def ledger(self, event: str) -> list[str]:
        """Return the ledger's subjects of an event, oldest first."""
        with self.served.stage.database.reading() as connection:
            wanted = sa.text("SELECT subject FROM ledger WHERE event = :event AND school = 'oakfield' ORDER BY seq")
            return list(connection.execute(wanted, {"event": event}).scalars())


@pytest.fixture(scope="module")
def told(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """Yield the app after an hour in which nobody opened anything: the serious alerts went on once. The deputy is named by one."""
    with lists_app(migrated_file, tmp_path_factory.mktemp("alerts")) as served:
        items = dict(zip(TEXTS, served.seen(*TEXTS.values()), strict=True))
        handed_in(served)
        at = served.stage.clock.now()
        with served.stage.database.unit() as unit:
            unit.alert(
                AlertRequest("s-1", SCHOOL.slug, AlertKind.SYSTEM, Severity.SEVERE, "the service", "The disk is full.", "It waits.", at, at)
            )
            unit.alert(
                AlertRequest("s-2", "ashford", AlertKind.SYSTEM, Severity.SEVERE, "the service", "The roof leaks.", "It waits.", at, at)
            )
        served.stage.clock.move(timedelta(minutes=6))
        served.stage.run("alert", "send")
        served.stage.clock.move(timedelta(minutes=31))
        served.stage.run("unread", "send")
        served.stay()
        with served.stage.database.reading() as connection:
            alone = connection.execute(sa.select(ALERTS.c.id).where(ALERTS.c.key == "s-1")).scalar_one()
        yield Told(served, items, int(alone))


def parts(page: str) -> dict[str, str]:
    """Return a page's sections by the id of their heading."""
    return {found[1]: found[2] for found in re.finditer(r'<section aria-labelledby="(\w+)">(.*?)</section>', page, re.DOTALL)}


def flat(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def test_serious_ones_that_nobody_read_stand_first_and_say_to_whom_they_went(told: Told) -> None:
    page = told.get(Role.HEAD)
    first = parts(page)["open"]
    assert told.listed(first) == {"threat", "named"}
    words = flat(first)
    assert "The disk is full." in words
    assert "Went to Tamsin Okoro (Headteacher) \N{EN DASH} delivered" in words
    assert "Sent on , since nobody had opened it, to Callum Reyes (Deputy (senior leadership)) \N{EN DASH} delivered" in words
    assert words.count("Nobody has read it yet.") == 3
    assert "hurt you" not in page
    assert "The roof leaks" not in page, "another school's"
    assert f"{PAGE}/{told.number_of('threat')}/seen" in first


def test_r15_r21_each_sees_only_what_they_may_be_told_of(told: Told) -> None:
    shown = {role: told.listed(told.get(role)) for role in (Role.HEAD, Role.DSL, Role.DEPUTY, Role.AUDITOR)}
    assert shown == {
        Role.HEAD: {"threat", "insult", "named"},
        Role.DSL: {"threat", "insult", "named", "crisis"},
        Role.DEPUTY: {"threat", "insult"},
        Role.AUDITOR: {"threat", "insult", "named"},
    }
    for role, item in ((Role.HEAD, "crisis"), (Role.DEPUTY, "named")):
        for path in (f"{PAGE}/{told.number_of(item)}", f"{PAGE}/{told.number_of(item)}/seen"):
            client = told.served.clients[role]
            answer = client.post(path) if path.endswith("seen") else client.get(path)
            assert answer.status_code == 404, path
    assert told.served.clients[Role.TRUSTEE].get(PAGE).status_code == 403
    assert told.served.others[Role.HEAD].get(PAGE).status_code == 404
    assert told.served.others[Role.HEAD].get(f"/schools/ashford/alerts/{told.alone}").status_code == 404
    assert told.served.clients[Role.AUDITOR].post(f"{PAGE}/{told.alone}/seen").status_code == 403
    assert "/seen" not in told.get(Role.AUDITOR)


def test_an_alert_about_no_item_has_a_page_and_opening_it_is_reading_it(told: Told) -> None:
    words = flat(told.get(Role.CEO, f"{PAGE}/{told.alone}"))
    assert "The disk is full." in words
    assert "Read by Maren Holloway (CEO-1)" in words
    assert 'href="/schools/oakfield/health"' in told.get(Role.CEO, f"{PAGE}/{told.alone}")
    assert told.ledger("viewed").count(f"alert-{told.alone}") == 1, "once a day"
    assert "The disk is full." not in parts(told.get(Role.HEAD))["open"]
    of_item = told.get(Role.DSL, f"{PAGE}/{told.number_of('crisis')}")
    assert f'href="/items/{told.items["crisis"]}"' in of_item
    assert "Nobody has read it yet." in of_item, "the alert's own page is not the item"
    assert told.served.clients[Role.CEO].get(f"{PAGE}/99").status_code == 404


def test_the_button_is_noted_once_and_ends_it(told: Told) -> None:
    number = told.number_of("crisis")
    dsl = told.served.clients[Role.DSL]
    for _ in range(2):
        answer = dsl.post(f"{PAGE}/{number}/seen")
        assert (answer.status_code, urlsplit(answer.headers["location"]).path) == (303, PAGE)
    assert len(told.ledger("acknowledged")) == 1
    page = told.get(Role.DSL, f"{PAGE}?done=seen")
    assert "Noted: you have seen it." in page
    assert told.listed(parts(page)["open"]) == {"threat", "named"}
    assert "Read by Bronwen Adeyemi (DSL-1)" in flat(page)


def test_the_items_page_says_who_was_told_what_the_law_says_and_has_the_button(told: Told) -> None:
    item = told.items["named"]
    page = told.get(Role.CEO, f"/items/{item}")
    found = parts(page)
    assert "Online Safety Act 2023, section 181" in found["why"]
    assert "The law is for people to apply: this is a hint, not advice." in found["why"]
    assert "Went to Tamsin Okoro (Headteacher)" in flat(found["told"])
    assert "Read by Maren Holloway (CEO-1)" in flat(found["told"]), "opening the page is reading it"
    assert f'action="/items/{item}/seen"' in found["told"]
    answer = told.served.clients[Role.CEO].post(f"/items/{item}/seen")
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/items/{item}?done=seen"
    assert f'action="/items/{item}/seen"' not in told.get(Role.CEO, f"/items/{item}")
    assert told.served.clients[Role.DEPUTY].post(f"/items/{item}/seen").status_code == 404, "who is named sees nothing of it"
    assert "it was sent on to further people" in flat(found["history"])


def test_a_newer_alert_wants_a_view_of_its_own(told: Told) -> None:
    item, stage = told.items["insult"], told.served.stage
    told.get(Role.HEAD, f"/items/{item}")
    record = told.served.record_id(item)
    views = told.ledger("viewed").count(record)
    told.get(Role.HEAD, f"/items/{item}")
    assert told.ledger("viewed").count(record) == views
    at = stage.clock.now()
    request = AlertRequest("held", SCHOOL.slug, AlertKind.HELD, Severity.SEVERE, record, "It is stuck.", "Nothing.", at, at, item_id=item)
    with stage.database.unit() as unit:
        unit.alert(request)
    words = flat(parts(told.get(Role.DSL))["all"])
    assert "It goes out within five minutes." in words
    stage.run("alert", "send")
    assert "insult" in told.listed(parts(told.get(Role.HEAD))["open"])
    told.get(Role.HEAD, f"/items/{item}")
    assert told.ledger("viewed").count(record) == views + 1
    assert "insult" not in told.listed(parts(told.get(Role.HEAD))["open"])


def test_mail_that_did_not_arrive_is_told(told: Told) -> None:
    assert "late" not in parts(told.get(Role.HEAD))
    now = told.served.stage.clock.now()
    with told.served.stage.database.unit() as unit:
        (key,) = unit.connection.execute(sa.select(ALERTS.c.mail_key).where(ALERTS.c.id == told.number_of("threat"))).scalars()
        unit.connection.execute(sa.update(OUTBOX).where(OUTBOX.c.key == key).values(bounced_at=now, bounce="5.1.1"))
        unit.reroute_now(key, now)
    page = parts(told.get(Role.HEAD))
    assert "there is no such mailbox" in flat(page["late"])
    assert "came back or was refused" in flat(page["open"])


def test_pages_go_back_alert_by_alert(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alerts, "A_PAGE", 2)
    seen: set[str] = set()
    address = PAGE
    for _ in range(9):
        page = told.get(Role.DSL, address)
        seen |= told.listed(page)
        older = re.search(r'href="([^"]*\?before=\d+)"', page)
        if older is None:
            break
        address = older[1]
    else:
        pytest.fail("the pages never end")
    assert "before=" in address
    assert seen == set(TEXTS)
    assert "open" not in parts(page)
    assert "There are no older ones." in told.get(Role.DSL, f"{PAGE}?before=1")
    assert told.served.clients[Role.DSL].get(f"{PAGE}?before=x").status_code == 400


def test_a_mailbox_and_somebody_who_left_are_named_as_such(told: Told) -> None:
    stage = told.served.stage
    stage = replace(stage, tools=replace(stage.tools, trust_email="chair@oakfield.example"))
    with stage.database.unit() as unit:
        unit.connection.execute(sa.text("UPDATE tellings SET person_id = 0 WHERE alert_id = :id AND round = 0"), {"id": told.alone})
        unit.connection.execute(sa.text("UPDATE tellings SET person_id = 99 WHERE alert_id = :id AND round = 1"), {"id": told.alone})
    words = flat(told.get(Role.HEAD, f"{PAGE}/{told.alone}"))
    assert "Went to the mailbox head@oakfield.example" in words
    assert "to somebody who has left" in words


def test_a_school_without_alerts_says_so(told: Told) -> None:
    page = told.served.clients[Role.CEO].get("/schools/ashford/alerts")
    assert "The roof leaks" in page.text
    with told.served.stage.database.unit() as unit:
        unit.connection.execute(sa.text("DELETE FROM tellings WHERE alert_id IN (SELECT id FROM alerts WHERE school = 'ashford')"))
        unit.connection.execute(sa.text("DELETE FROM alerts WHERE school = 'ashford'"))
    calm = flat(told.served.clients[Role.CEO].get("/schools/ashford/alerts").text)
    assert "Somebody has read every serious alert." in calm
    assert "There has been no alert yet." in calm


def test_in_a_browser_the_page_is_clean_and_the_button_works_by_keyboard(told: Told, browser: Browser) -> None:
    page = browser.new_page(bypass_csp=True)
    sign_in(page, told.served)
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Alerts").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Alerts")
    assert clean_in_both(page) == []
    before = page.locator("section:has(#open) li").count()
    page.locator("section:has(#open)").get_by_role("button", name="I have seen this").first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Noted: you have seen it.")
    expect(page.locator("section:has(#open) li")).to_have_count(before - 1)
    page.goto(f"{told.served.url}{PAGE}/{told.alone}")
    assert clean_in_both(page) == []
    page.close()


def test_a_stranger_gets_nothing(told: Told) -> None:
    stranger = told.served.stranger
    for answer in (stranger.get(PAGE), stranger.get(f"{PAGE}/1"), stranger.post(f"{PAGE}/1/seen"), stranger.post("/items/1/seen")):
        assert answer.status_code in {303, 401, 403, 404}
        assert "Alerts" not in answer.text
