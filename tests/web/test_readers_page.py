"""The page of machines that read: tokens and webhooks made and ended, secrets shown once."""

import re
from datetime import timedelta

from playwright.sync_api import Browser
from review_app import Served, enter
from seen_pages import PHONE, clean

from moderator.domain.access import Role
from moderator.domain.times import london_date
from moderator.store import readers
from moderator.store.dues import due_lines
from moderator.store.ledger import LEDGER

PAGE = "/schools/oakfield/readers"
SECRET = re.compile(r'<p class="hash">([^<]+)</p>')


def made(served: Served, *, scope: tuple[str, ...] = ("records",), expires: str = "2027-01-31", role: Role = Role.HEAD) -> str:
    """Make a token and return its secret."""
    form = {"label": "The MIS", "expires": expires, "scope": list(scope)}
    answer = served.clients[role].post(f"{PAGE}/tokens", data=form)
    assert answer.status_code == 200, answer.text
    found = SECRET.search(answer.text)
    assert found is not None
    return found[1]


def reasons(served: Served) -> list[str]:
    with served.stage.database.reading() as connection:
        rows = connection.execute(LEDGER.select().where(LEDGER.c.event == "registered").order_by(LEDGER.c.seq))
        return [re.findall(r'"reason":"(\w+)"', row.line)[0] for row in rows]


def test_a_secret_is_shown_once_and_only_its_hash_is_kept(served: Served) -> None:
    secret = made(served)
    assert secret.startswith("mod_")
    assert secret not in served.clients[Role.HEAD].get(PAGE).text
    with served.stage.database.reading() as connection:
        rows = [tuple(row) for row in connection.execute(readers.TOKENS.select())]
    assert len(rows) == 1
    assert secret not in str(rows)
    assert reasons(served)[-1] == "token_made"


def test_a_token_is_ended_at_once_and_only_once(served: Served) -> None:
    secret = made(served)
    head = served.clients[Role.HEAD]
    ask = {"Authorization": f"Bearer {secret}"}
    assert served.stranger.get("/api/v1/schools/oakfield/records", headers=ask).status_code == 200
    assert head.post(f"{PAGE}/tokens/1/end").headers["location"] == f"{PAGE}?done=reader_ended"
    assert served.stranger.get("/api/v1/schools/oakfield/records", headers=ask).status_code == 401
    assert head.post(f"{PAGE}/tokens/1/end").status_code == 409
    assert "There is no token." in head.get(f"{PAGE}?done=reader_ended").text
    assert reasons(served)[-1] == "token_ended"


def test_one_whose_last_day_is_over_is_taken_off_the_list_and_told_of_no_more(served: Served) -> None:
    secret = made(served, expires=served.stage.clock.now().date().isoformat())
    ask = {"Authorization": f"Bearer {secret}"}
    assert served.stranger.get("/api/v1/schools/oakfield/records", headers=ask).status_code == 200
    served.stage.clock.move(timedelta(days=1))
    assert enter(served.head, served.link()).status_code == 303
    assert served.stranger.get("/api/v1/schools/oakfield/records", headers=ask).status_code == 401

    def told() -> bool:
        day = london_date(served.stage.clock.now())
        with served.stage.database.reading() as connection:
            return any("access token" in str(line) for line in due_lines(connection, "oakfield", day, day, link=""))

    head = served.head
    page = head.get(PAGE).text
    assert "Its last day is over. It reads nothing." in page
    assert "Take it off the list" in page
    assert told()
    assert head.post(f"{PAGE}/tokens/1/end").headers["location"] == f"{PAGE}?done=reader_ended"
    assert "There is no token." in head.get(PAGE).text
    assert not told()


def test_nobody_ends_what_is_another_schools(served: Served) -> None:
    made(served)
    served.clients[Role.HEAD].post(f"{PAGE}/webhooks", data={"url": "https://mis.example/hook", "event": ["sealed"]})
    other = served.others[Role.HEAD]
    assert other.post("/schools/ashford/readers/tokens/1/end").status_code == 404
    assert other.post("/schools/ashford/readers/webhooks/1/end").status_code == 404
    assert other.post("/schools/ashford/readers/webhooks/9/end").status_code == 404
    assert reasons(served)[-2:] == ["token_made", "webhook_made"]


def test_what_cannot_be_made_says_why_and_keeps_what_was_typed(served: Served) -> None:
    head = served.clients[Role.HEAD]
    for form, why in (
        ({"label": "", "expires": "2027-01-31", "scope": ["records"]}, "Say which machine"),
        ({"label": "x" * 101, "expires": "2027-01-31", "scope": ["records"]}, "Say which machine"),
        ({"label": "The MIS", "expires": "2028-11-31", "scope": ["records"]}, "Give its last day"),
        ({"label": "The MIS", "expires": "2026-11-17", "scope": ["records"]}, "Give its last day"),
        ({"label": "The MIS", "expires": "2027-12-31", "scope": ["records"]}, "Give its last day"),
        ({"label": "The MIS", "expires": "2027-01-31"}, "Tick what it may read"),
        ({"label": "The MIS", "expires": "2027-01-31", "scope": ["everything"]}, "Tick what it may read"),
        ({"label": "The MIS", "expires": "2027-01-31", "scope": ["safeguarding"]}, "Tick what it may read"),
    ):
        answer = head.post(f"{PAGE}/tokens", data=form)
        assert (answer.status_code, why in answer.text) == (400, True), form
    for url, events in (("http://mis.example/hook", ["sealed"]), ("ftp://x", ["sealed"]), ("https://mis.example", []), ("", ["sealed"])):
        assert head.post(f"{PAGE}/webhooks", data={"url": url, "event": events}).status_code == 400
    fine = {"url": "https://mis.example/hook", "event": ["sealed", "reviewed"]}
    assert head.post(f"{PAGE}/webhooks", data=fine).status_code == 200
    assert "told already" in head.post(f"{PAGE}/webhooks", data=fine).text
    assert head.post(f"{PAGE}/webhooks/1/end").status_code == 303
    assert head.post(f"{PAGE}/webhooks/1/end").status_code == 409
    assert head.post(f"{PAGE}/webhooks", data=fine).status_code == 200


def test_r15_only_who_may_see_disclosures_lets_a_machine_see_them(served: Served) -> None:
    form = {"label": "The MIS", "expires": "2027-01-31", "scope": ["records", "safeguarding"]}
    assert served.clients[Role.HEAD].post(f"{PAGE}/tokens", data=form).status_code == 400


def test_the_page_on_a_phone_without_script(browser: Browser, served: Served) -> None:
    context = browser.new_context(viewport={"width": PHONE, "height": 844}, java_script_enabled=True, bypass_csp=True)
    page = context.new_page()
    page.goto(served.link())
    page.get_by_role("button", name="Sign in").click()
    page.goto(served.url + PAGE)
    for summary in page.locator("summary").all():
        summary.click()
    assert clean(page) == []
    page.get_by_label("Which machine is it for?").fill("The MIS")
    page.get_by_label("Records: number").check()
    page.get_by_label("Its last day").fill("2027-01-31")
    page.get_by_role("button", name="Make the token").click()
    page.get_by_text("Copy it now").wait_for()
    assert clean(page) == []
    context.close()
