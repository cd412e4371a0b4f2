"""Trustees: a term's counts without names (R35), small ones not told, and no way from there to a comment."""

import re
from collections import Counter
from datetime import date, timedelta

import pytest
from cast import NAMES
from lists_app import Listed

from moderator.domain.access import Role
from moderator.domain.report_rows import NOT_TOLD
from moderator.domain.terms import term_of
from moderator.store.counting import Counts
from moderator.web.chart import Bar, bars
from moderator.web.trustees_facts import report

TERM = term_of(date(2026, 11, 18))


def cells(page: str, row: str) -> list[str]:
    """Return the numbers of one row of the page's tables."""
    return re.findall(r"<td>(.*?)</td>", page.partition(f'<th scope="row">{row}</th>')[2].partition("</tr>")[0])


def test_a_head_sees_the_exact_counts(listed: Listed) -> None:
    page = listed.get(Role.HEAD, "trustees")
    assert "Autumn 2026 in numbers" in page
    assert cells(page, "Hidden") == ["4"]
    assert cells(page, "For a person, never hidden") == ["1"]
    assert cells(page, "Decision kept") == ["1"]
    assert cells(page, "Shown again: a false flag") == ["1"]
    assert cells(page, "Police only") == ["1"]
    assert cells(page, "November 2026") == ["6", "6"]
    assert cells(page, "Threats") == ["1"]
    assert "50%: 1 of 2" in page
    assert "rounded" not in page


def test_r35_a_trustee_sees_no_small_number_and_no_name(listed: Listed) -> None:
    trustee = listed.served.clients[Role.TRUSTEE]
    for address in ("/schools/oakfield/trustees", "/trust/trustees"):
        page = trustee.get(address).text
        assert cells(page, "Hidden") == ["fewer than 5"]
        assert cells(page, "November 2026") == ["about 5", "about 5"]
        assert cells(page, "October 2026") == ["0", "0"]
        assert page.count(NOT_TOLD) == 2
        assert not re.findall(r"<(?:td|dd)[^>]*>[1-4]</", page)
        assert "rounded to the nearest 5" in page
        assert not any(name in page for name in NAMES.values())


def test_r35_nothing_on_it_leads_to_a_comment(listed: Listed) -> None:
    for role in (Role.TRUSTEE, Role.HEAD, Role.CEO):
        main = listed.get(role, "trustees").partition("<main")[2]
        assert listed.named_on(main) == set()
        led = re.findall(r'href="([^"]*)"', main)
        assert all("/trustees" in each for each in led), led


def test_a_trustee_opens_nothing_else(listed: Listed) -> None:
    trustee = listed.served.clients[Role.TRUSTEE]
    for page in ("records", "digests", "activity", "health"):
        assert trustee.get(f"/schools/oakfield/{page}").status_code == 403, page
    menu = trustee.get("/schools/oakfield/trustees").text.partition("<nav")[2].partition("</nav>")[0]
    assert re.findall(r"/schools/oakfield/(\w+)", menu) == ["trustees"]


def test_the_whole_trust_is_for_those_of_the_whole_trust(listed: Listed) -> None:
    assert listed.served.head.get("/trust/trustees").status_code == 403
    ceo = listed.served.clients[Role.CEO]
    assert cells(ceo.get("/trust/trustees").text, "Hidden") == ["4"]
    assert 'href="/trust/trustees?term=2026-autumn"' in ceo.get("/schools/oakfield/trustees").text
    assert "/trust/trustees" not in listed.get(Role.HEAD, "trustees")


def test_another_term_and_another_school_have_other_counts(listed: Listed) -> None:
    assert "Nothing was flagged." in listed.get(Role.HEAD, "trustees?term=2026-summer")
    assert "nothing was decided yet" in listed.get(Role.HEAD, "trustees?term=2025-spring")
    assert listed.served.head.get("/schools/oakfield/trustees?term=1999-autumn").status_code == 404
    assert listed.served.head.get("/schools/ashford/trustees").status_code == 404
    assert cells(listed.served.others[Role.HEAD].get("/schools/ashford/trustees").text, "Hidden") == ["0"]


@pytest.mark.parametrize(
    ("decided", "rate", "wait"), [(7, NOT_TOLD, NOT_TOLD), (8, NOT_TOLD, "2 hours"), (22, NOT_TOLD, "2 hours"), (23, "4%", "2 hours")]
)
def test_r35_rates_of_few_decisions_are_not_told(decided: int, rate: str, wait: str) -> None:
    counts = Counts(kept=decided - 1, restored=1, waits=[timedelta(hours=2)] * decided, by_ground=Counter({"a_new_label": 6}))
    told = report(TERM, counts, plain=False)
    assert (told.rate, told.wait) == (rate, wait)
    assert told.tables[-1].rows == (("a new label", ("about 5",)),)
    assert report(TERM, counts, plain=True).wait == "2 hours"


def test_a_chart_is_drawn_with_what_may_be_told() -> None:
    drawn = bars("One <b>", [Bar("A & B", 10, "about 10"), Bar("C", 0, "fewer than 5"), Bar("D", 5, "about 5")])
    assert 'aria-label="One &lt;b&gt;"' in drawn
    assert "A &amp; B" in drawn
    assert re.findall(r'width="([0-9.]+)"', drawn) == ["200.0", "100.0"]
    assert "style=" not in drawn
    assert bars("None", []) == ""
    assert "<rect" not in bars("None", [Bar("A", 0, "0")])
