"""Today: what needs a decision first, then the day, its counts, and how each account stands."""

import html
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import sqlalchemy as sa
from cryptography.fernet import Fernet
from review_app import Served, enter
from stage import comment

from moderator.domain.access import Role
from moderator.domain.attestation import Attested
from moderator.domain.errors import Transient
from moderator.ports import Token
from moderator.steps.restore import restore
from moderator.store import accounts, people, register
from moderator.store.items import ITEMS
from moderator.store.sealed import Sealer


def links(page: httpx.Response, part: str) -> list[str]:
    """Return the item addresses of one section, in order."""
    section = page.text.partition(f'aria-labelledby="{part}"')[2].partition("</section>")[0]
    return re.findall(r'class="whole" href="(/items/\d+)"', section)


def test_what_needs_a_decision_comes_severe_first_and_oldest_first(served: Served) -> None:
    mild, clear, severe, routed = served.seen("You are an idiot", "Lovely", "I will hurt you", "This is a complaint, you idiot")
    page = served.head.get("/")
    assert links(page, "waiting") == [f"/items/{number}" for number in (severe, mild, routed)]
    assert f"/items/{clear}" not in page.text
    assert "Serious" in page.text
    assert "Recorded, still showing" in page.text
    assert '<span class="count">3</span>' in page.text


def test_r28_no_list_holds_text_or_names(served: Served) -> None:
    served.seen("Tilly Marwood is an idiot", "indecent_image")
    page = served.head.get("/").text
    for word in ("Tilly", "Marwood", "idiot", "Fern", "Ashwick"):
        assert word not in page


def connect(served: Served) -> None:
    """Connect the account, and attest what is to be attested of it."""
    now, number = served.stage.clock.now(), served.stage.account.id
    with served.stage.database.unit() as unit:
        people.StoredCredentials.store(unit.connection, Sealer([Fernet.generate_key().decode()]), number, Token("a", "r", now))
        for what in Attested:
            accounts.attest(unit.connection, served.stage.account, what, on=now.date(), by="ADMIN-1", at=now)


def test_counts_and_accounts_of_the_day(served: Served) -> None:
    connect(served)
    served.seen("You are an idiot", "Lovely", "Thank you")
    page = served.head.get("/").text
    for name, number in (("Read", 3), ("Cleared", 2), ("Flagged", 1), ("Recorded", 1), ("Hidden", 1)):
        assert f"<dt>{name}</dt><dd>{number}</dd>" in page
    assert "@oakfieldprimary" in page
    assert "Less than a minute ago." in page
    assert "4 of 10,000" in page  # three polled, one looked up again for its record
    assert "Flagged comments are hidden." in page
    assert "Wednesday 18 November 2026" in page


def test_r4_a_silent_or_troubled_account_is_shown_as_such(served: Served) -> None:
    assert "Never." in served.head.get("/").text
    connect(served)
    served.seen("Lovely")
    assert 'class="card good"' in served.head.get("/").text
    served.later(timedelta(hours=3))
    page = served.head.get("/").text
    assert 'class="card severe"' in page
    assert "3 hours ago" in page
    served.stage.platform.failures.append(Transient("boom"))
    served.run_line()
    assert "Needs attention" in served.head.get("/").text


def test_an_empty_day_says_so(served: Served) -> None:
    page = served.head.get("/").text
    assert "Nothing waits for you." in page
    assert "Nothing was flagged today. 0 comments read." in page


def test_a_decided_item_leaves_the_waiting_list_and_stays_in_the_day(served: Served) -> None:
    item = served.seen("You are an idiot")[0]
    served.decide(item, "uphold")
    page = served.head.get("/")
    assert links(page, "waiting") == []
    assert links(page, "flagged") == [f"/items/{item}"]
    assert "Decision kept" in page.text
    served.decide(item, "restore")
    restore(served.stage.tools)
    assert "Showing again" in served.head.get("/").text


def test_yesterday_is_not_today_but_still_waits(served: Served) -> None:
    item = served.seen("You are an idiot")[0]
    served.later(timedelta(hours=11))
    enter(served.head, served.link())
    page = served.head.get("/")
    assert "Thursday 19 November 2026" in page.text
    assert links(page, "waiting") == [f"/items/{item}"]
    assert links(page, "flagged") == []


def test_lists_come_in_pages_by_key(served: Served) -> None:
    with served.stage.database.unit() as unit:
        unit.connection.execute(sa.insert(ITEMS), [flagged_row(number) for number in range(120)])
    for part, size, beginning in (("waiting", 50, 1), ("flagged", 10, 120)):
        whole: list[str] = []
        address = "/"
        while address:
            page = served.head.get(address)
            section = page.text.partition(f'aria-labelledby="{part}"')[2].partition("</section>")[0]
            assert ("From the beginning" in section) is bool(whole)
            whole += links(page, part)
            following = re.findall(rf'<a href="([^"]+)">The next {size}</a>', section)
            address = html.unescape(following[0]) if following else ""
            assert bool(address) is (len(whole) < 120)
        assert len(whole) == len(set(whole)) == 120
        assert whole[0] == f"/items/{beginning}"
    assert "This page is empty" in served.head.get("/schools/oakfield/today?after=9-1").text


def test_a_page_begins_where_the_last_one_ended_whatever_was_decided_meanwhile(served: Served) -> None:
    with served.stage.database.unit() as unit:
        unit.connection.execute(sa.insert(ITEMS), [flagged_row(number) for number in range(60)])
    first = links(served.head.get("/"), "waiting")
    for item in first[:5]:
        served.head.post(f"{item}/police", data={"reference": "AB-12"})
    rest = links(served.head.get("/schools/oakfield/today?after=0-50"), "waiting")
    assert rest == [f"/items/{number}" for number in range(51, 61)]


def flagged_row(number: int) -> dict[str, object]:
    """Return an `items` row of a withheld comment: it needs no record, so many can be made at once."""
    seen = datetime(2026, 11, 18, 11, 0, tzinfo=UTC) + timedelta(seconds=number)
    return {
        "account_id": 1,
        "school": "oakfield",
        "platform": "memory",
        "comment_id": f"many-{number}",
        "version": "1",
        "kind": "reply",
        "author_id": "7",
        "author_handle": "fern",
        "author_name": "Fern",
        "text": "",
        "posted_at": seen,
        "place": "",
        "edited": False,
        "conversation_id": "",
        "media": "[]",
        "thread": "[]",
        "hideable": True,
        "first_seen_at": seen,
        "due_at": seen,
        "state": "withheld",
        "outcome": "withhold",
        "severity": "severe",
        "rank": 0,
        "needs_review": True,
    }


def test_a_comment_that_cannot_be_hidden_says_so(served: Served) -> None:
    served.stage.platform.comments.append(comment(50, "You are an idiot", hideable=False))
    item = served.seen("Lovely")[0] - 1
    assert "The platform does not let us hide it." in served.head.get("/").text
    assert "cannot be hidden by us" in served.head.get(f"/items/{item}").text


def test_two_schools_are_one_click_apart_for_who_has_both_and_a_third_is_nothing(served: Served) -> None:
    both = served.clients[Role.CEO]
    page = both.get("/?school=oakfield").text
    assert '<a href="/schools/ashford/today">Ashford Junior School</a>' in page
    assert '<a href="/schools/oakfield/today" aria-current="page">' in page
    assert "<title>Today at Ashford Junior School" in both.get("/?school=ashford").text
    assert "No account is registered yet." in both.get("/schools/ashford/today").text
    assert both.get("/?school=ashdown").status_code == 404
    own = served.head.get("/").text
    assert "Ashford" not in own
    assert served.head.get("/?school=ashford").status_code == 404
    assert served.head.get("/schools/ashford/today").status_code == 404


def test_a_trustee_lands_on_the_counts_and_sees_no_item(served: Served) -> None:
    trustee = served.clients[Role.TRUSTEE]
    answer = trustee.get("/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/schools/ashford/trustees")
    assert trustee.get("/schools/oakfield/today").status_code == 403


def test_the_top_says_how_many_how_serious_and_where_to_begin(served: Served) -> None:
    assert "Nothing waits for you." in served.head.get("/").text
    mild = served.seen("You are an idiot")[0]
    page = served.head.get("/").text
    assert "None is serious." in page
    assert f'id="first" href="/items/{mild}">Open the first</a>' in page
    severe = served.seen("I will hurt you")[0]
    page = served.head.get("/").text
    assert "<strong>1 is serious.</strong>" in page
    assert f'id="first" href="/items/{severe}"' in page


def test_r15_a_disclosure_is_in_the_queue_and_counts_of_the_safeguarding_leads_alone(served: Served) -> None:
    mild, routed = served.seen("You are an idiot", "This is a disclosure of harm")
    for role in (Role.DSL, Role.SAFEGUARDING_LEAD):
        page = served.clients[role].get("/?school=oakfield&filters=1")
        assert links(page, "waiting") == [f"/items/{routed}", f"/items/{mild}"]
        assert '<span class="count">2</span>' in page.text
        assert "<dt>For a person</dt><dd>1</dd>" in page.text
        assert "Tells of harm (1)" in page.text
    for role in (Role.HEAD, Role.CEO, Role.DEPUTY, Role.ADMIN, Role.AUDITOR):
        page = served.clients[role].get("/?school=oakfield&filters=1")
        assert links(page, "waiting") == [f"/items/{mild}"]
        assert links(page, "flagged") == [f"/items/{mild}"]
        assert '<span class="count">1</span>' in page.text
        for name, number in (("Read", 1), ("Flagged", 1), ("For a person", 0), ("Recorded", 1)):
            assert f"<dt>{name}</dt><dd>{number}</dd>" in page.text
        assert "Tells of harm" not in page.text
        assert served.clients[role].get(f"/items/{routed}").status_code == 404
    served.clients[Role.DSL].post(f"/items/{routed}/review", data={"verdict": "uphold", "justification": "Looked at it with care."})
    assert "<dt>Decision kept</dt><dd>1</dd>" in served.clients[Role.DSL].get("/").text
    assert "<dt>Decision kept</dt><dd>0</dd>" in served.head.get("/").text


def test_r21_who_is_named_does_not_find_it_in_their_queue_counts_or_next(served: Served) -> None:
    with served.stage.database.unit() as unit:
        head = register.person_by_email(unit.connection, "head@oakfield.example")
        assert head is not None
        register.change_person(unit.connection, replace(head, roll_reference="P-1"))
    mild, about_me = served.seen("You are an idiot", "Tilly Marwood is an idiot")
    page = served.head.get("/")
    assert links(page, "waiting") == links(page, "flagged") == [f"/items/{mild}"]
    assert '<span class="count">1</span>' in page.text
    assert "A pupil (1)" not in served.head.get("/?filters=1").text
    for answer in (
        served.head.get(f"/items/{about_me}"),
        served.decide(about_me, "restore"),
        served.head.post("/schools/oakfield/uphold", data={"items": [about_me], "justification": "Looked at it with care."}),
    ):
        assert answer.status_code == 404
    assert "Open the next one" not in served.head.get(f"/items/{mild}?done=uphold").text
    assert links(served.clients[Role.DEPUTY].get("/"), "waiting") == [f"/items/{mild}", f"/items/{about_me}"]


def test_filters_narrow_the_list_and_tell_how_many_each_leaves(served: Served) -> None:
    mild, severe, named, whistle = served.seen(
        "You are an idiot", "I will hurt you", "Tilly Marwood is an idiot", "You idiot, this is public whistleblowing"
    )
    assert "<select" not in served.head.get("/").text
    page = served.head.get("/?filters=1").text
    for choice in ("Serious (1)", "Ordinary (3)", "A threat (1)", "A pupil (1)", "Still showing (1)", "Hidden (3)"):
        assert choice in page, choice
    assert "More than a day" not in page
    found = {
        "severity=severe": [severe],
        "severity=ordinary": [mild, named, whistle],
        "grounds=threat": [severe],
        "about=pupil": [named],
        "state=showing": [whistle],
        "account=1&severity=ordinary&state=hidden": [mild, named],
        "since=1": [],
        "severity=loud&grounds=%25&about=unknown&state=gone&account=x&since=2": [severe, mild, named, whistle],
    }
    for query, items in found.items():
        page_of = served.head.get(f"/schools/oakfield/today?{query}")
        assert links(page_of, "waiting") == [f"/items/{number}" for number in items], query
    assert "Nothing of that kind waits." in served.head.get("/schools/oakfield/today?state=stopped").text
    assert "@oakfieldprimary (4)" in served.head.get("/?account=1").text  # the filter is offered where there are several accounts
    assert '<option value="severe" selected>Serious (1)</option>' in served.head.get("/?severity=severe").text
    served.later(timedelta(hours=11))
    enter(served.head, served.link())
    served.later(timedelta(hours=11))
    enter(served.head, served.link())
    served.later(timedelta(hours=3))
    assert len(links(served.head.get("/schools/oakfield/today?since=1"), "waiting")) == 4
    assert "More than a day (4)" in served.head.get("/?filters=1").text


def test_the_cover_says_nothing_and_needs_no_sign_in(served: Served) -> None:
    for client in (served.head, served.stranger):
        page = client.get("/cover")
        assert page.status_code == 200
        for word in ("Moderator", "comment", "school", "Today", "sign"):
            assert word not in page.text
