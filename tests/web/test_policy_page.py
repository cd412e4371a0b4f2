"""The Policy page: what is in force, other numbers tried on the last weeks, a new version saved, the yearly review (R24, R32, R33)."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, expect
from register_app import register_app
from review_app import Served, browser_like, enter
from seen_pages import PHONE, clean_in_both

from moderator.domain.access import Role
from moderator.domain.policy import Policy
from moderator.domain.policy_review import FIRST_DUE, LONGEST
from moderator.domain.times import london_date
from moderator.ports import FixedPolicy
from moderator.steps.prune import prune
from moderator.steps.sweep import sweep
from moderator.store import ledger, policies
from moderator.store.items import ITEMS
from moderator.store.outbox import ALERTS
from moderator.store.policies import StoredPolicies

START = "/schools/oakfield/policy"
WHY = "Too many jokes were hidden on match days."
BUNDLED = Policy.bundled()


@pytest.fixture(scope="module")
def app(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Yield the app, served once for this file, with some comments and a policy source as the service has it."""
    with register_app(migrated_file, tmp_path_factory.mktemp("policy")) as made:
        stage = made.stage
        tools = replace(stage.tools, policies=StoredPolicies(stage.database, FixedPolicy.bundled()))
        served = replace(made, stage=replace(stage, tools=tools))
        made.app.state.site = replace(made.app.state.site, tools=tools)
        items = served.seen("You are an idiot", "I will hurt you", "Lovely assembly", "A crisis here", "You idiot, you are a joker")
        served.decide(items[4], "restore", "A joke between two friends.")
        served.decide(items[0], "uphold")
        yield served


@pytest.fixture
def served(app: Served) -> Served:
    """Return the app with no version saved and nothing attested."""
    with app.stage.database.unit() as unit:
        for table in (policies.POLICIES, policies.ATTESTATIONS, ALERTS):
            unit.connection.execute(sa.delete(table))
    tools = replace(app.stage.tools, policies=StoredPolicies(app.stage.database, FixedPolicy.bundled()))
    app.app.state.site = replace(app.app.state.site, tools=tools)
    return replace(app, stage=replace(app.stage, tools=tools))


def numbers(**changed: str) -> dict[str, str]:
    """Return the form as the policy in force fills it, with some numbers typed over."""
    form = {f"{start}{name}": f"{value:g}" for start, table in _TABLES.items() for name, value in table.items()}
    return {**form, "hide_names": "yes", "hide_pii": "yes", **changed}


_TABLES = {"f_": BUNDLED.flag, "s_": BUNDLED.severe, "g_": BUNDLED.guard}


def save(
    served: Served, changed: dict[str, str] | None = None, *, role: Role = Role.CEO, why: str = WHY, instead_of: str = "0"
) -> tuple[int, str]:
    """Send the form that saves a version; return status and text, or the address it leads to."""
    form = numbers(**changed or {}) | {"why": why, "instead_of": instead_of, "back": "oakfield"}
    answer = served.clients[role].post("/trust/policy", data=form)
    return answer.status_code, answer.headers.get("location", answer.text)


def lines(served: Served, school: str, subject: str) -> list[dict[str, object]]:
    """Return a ledger's lines about a subject."""
    with served.stage.database.reading() as connection:
        return [json.loads(line) for line in ledger.lines_of(connection, school, subject)]


def test_the_page_says_what_is_in_force(served: Served) -> None:
    shown = served.head.get(START).text
    assert BUNDLED.version in shown
    assert BUNDLED.sections["name"].split(":", maxsplit=1)[0] in shown
    assert 'name="f_abusive" value="0.45"' in shown
    assert "No version was saved here yet" in shown


def test_trying_other_numbers_says_what_would_be_otherwise_and_changes_nothing(served: Served) -> None:
    shown = served.head.get(f"{START}/try", params=numbers(f_abusive="0.92", f_insult="0.95")).text
    assert "Flagged from, Abuse of any kind: 0.92, was 0.45" in shown
    assert re.search(r"2 of 5 comments</strong> of the last 30 days", shown)
    assert "2 comments: now hidden, then cleared" in shown
    assert shown.count('<a href="/items/') == 2
    assert "1 comment was hidden wrongly and shown again. Hidden under these numbers: <strong>0</strong> (now 1)." in shown
    assert "1 decision was upheld. Flagged under these numbers: <strong>0</strong> (now 1)." in shown
    assert "somebody who may at every school" in shown  # the head of one school of two
    assert "Save and use it" in served.clients[Role.CEO].get(f"{START}/try", params=numbers(f_abusive="0.92")).text
    assert served.stage.tools.policy.version == BUNDLED.version
    same = served.head.get(f"{START}/try", params=numbers()).text
    assert "These are the numbers in force." in same
    assert "None of 5 comments" in same
    assert "There is nothing to save" not in same


def test_r15_a_try_names_no_disclosure_to_who_may_not_see_it(served: Served) -> None:
    with served.stage.database.unit() as unit:
        wanted = sa.select(ITEMS.c.id).where(ITEMS.c.text == "You are an idiot")
        item = int(unit.connection.execute(wanted).scalar_one())
        unit.connection.execute(sa.update(ITEMS).where(ITEMS.c.id == item).values(safeguarding=True))
    try:
        higher = numbers(f_abusive="0.92", f_insult="0.95")
        shown = served.clients[Role.ADMIN].get(f"{START}/try", params=higher).text
        assert "2 comments: now hidden, then cleared" in shown
        assert f'href="/items/{item}"' not in shown
        assert "1 comment cannot be opened here" in shown
        assert f'href="/items/{item}"' in served.clients[Role.DSL].get(f"{START}/try", params=higher).text
    finally:
        with served.stage.database.unit() as unit:
            unit.connection.execute(sa.update(ITEMS).values(safeguarding=False))


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"f_abusive": "much"}, "Abuse of any kind: give a number above 0"),
        ({"f_abusive": "1.5"}, "at most 1"),
        ({"f_abusive": "nan"}, "at most 1"),
        ({"g_disclosure": "0.6"}, "may be 0.2 at most"),
        ({f"f_{name}": "" for name in BUNDLED.flag}, "[flag] is empty"),
    ],
)
def test_r15_numbers_that_no_policy_may_have_are_refused(served: Served, typed: dict[str, str], said: str) -> None:
    answer = served.head.get(f"{START}/try", params=numbers(**typed))
    assert answer.status_code == 400
    assert said in answer.text
    status, text = save(served, typed)
    assert status == 400
    assert said in text
    assert served.stage.tools.policy.version == BUNDLED.version


def test_r32_a_saved_version_is_in_force_at_once_and_r24_every_head_is_told(served: Served) -> None:
    status, place = save(served, {"f_abusive": "0.92", "f_insult": "0.95", "g_crisis": "0.1", "hide_pii": "no"})
    assert (status, place) == (303, f"{START}?done=policy_saved")
    now = served.stage.tools.policy
    assert (now.version, now.author, now.why) == ("2026.11-4", "CEO-1", WHY)
    assert (now.flag["abusive"], now.guard["crisis"], now.hide_pii, now.hide_names) == (0.92, 0.1, False, True)
    assert now.sections == BUNDLED.sections
    assert now.retention == BUNDLED.retention
    item = served.seen("What an idiot")[0]
    found = served.stage.database.work(item).decision
    assert found is not None
    assert (found.outcome.value, found.policy) == ("clear", "2026.11-4")
    with served.stage.database.reading() as connection:
        told = connection.execute(sa.select(ALERTS).where(ALERTS.c.kind == "override")).mappings().all()
    assert {row["school"] for row in told} == {"oakfield", "ashford"}
    assert all(WHY not in row["what"] + row["done"] and "CEO-1" in row["done"] for row in told)
    for school in ("oakfield", "ashford"):
        (line,) = lines(served, school, "policy-2026.11-4")
        assert (line["event"], line["reason"], line["actor"], line["before"]) == ("registered", "policy_changed", "CEO-1", BUNDLED.version)
    shown = served.head.get(place).text
    assert "The new version is in force" in shown
    assert WHY in shown
    assert "by Maren Holloway (CEO-1)" in shown


def test_an_earlier_version_can_be_gone_back_to_as_a_new_one(served: Served) -> None:
    assert save(served, {"f_abusive": "0.5"})[0] == 303
    with served.stage.database.reading() as connection:
        first = policies.newest(connection)
    assert first is not None
    status, _ = save(served, {"f_abusive": "0.6", "f_harassment": ""}, instead_of=str(first.id), why="The second one, for a month.")
    assert status == 303
    shown = served.clients[Role.CEO].get(START).text
    assert "Flagged from, Abuse of any kind: 0.6, was 0.5" in shown
    assert "Flagged from, Harassment: none, was 0.6" in shown
    assert "Flagged from, Abuse of any kind: 0.5, was 0.45" in shown  # from the file's
    given = served.clients[Role.CEO].get(f"{START}/try", params={"version": BUNDLED.version}).text
    assert "Flagged from, Abuse of any kind: 0.45, was 0.6" in given
    back = served.clients[Role.CEO].get(f"{START}/try", params={"version": first.version}).text
    assert "Flagged from, Abuse of any kind: 0.5, was 0.6" in back
    assert "Flagged from, Harassment: 0.6, was none" in back
    assert served.head.get(f"{START}/try", params={"version": "2001.01-1"}).status_code == 404


def test_what_cannot_be_saved_is_said(served: Served) -> None:
    assert "Nothing differs" in save(served)[1]
    assert "Say why in at least" in save(served, {"f_abusive": "0.5"}, why="no")[1]
    assert "under 4000 characters" in save(served, {"f_abusive": "0.5"}, why="x" * 4001)[1]
    assert "another version meanwhile" in save(served, {"f_abusive": "0.5"}, instead_of="77")[1]
    assert "another version meanwhile" in save(served, {"f_abusive": "0.5"}, instead_of="first")[1]
    kept = save(served, {"f_abusive": "0.5"}, why="no")[1]
    assert 'name="f_abusive" value="0.5"' in kept
    for role in (Role.HEAD, Role.ADMIN, Role.AUDITOR):
        assert save(served, {"f_abusive": "0.5"}, role=role)[0] == 403, role
    assert served.stage.tools.policy.version == BUNDLED.version


def test_a_version_that_cannot_be_read_leaves_the_one_before_and_is_told(served: Served) -> None:
    assert save(served, {"f_abusive": "0.5"})[0] == 303
    before = served.stage.tools.policy.version
    with served.stage.database.unit() as unit:
        row = {"version": "2026.11-9", "toml": "nonsense = [", "author": "CEO-1", "at": served.stage.clock.now(), "why": WHY}
        unit.connection.execute(sa.insert(policies.POLICIES).values(row))
    sweep(served.stage.tools)
    assert served.stage.tools.policy.version == before
    with served.stage.database.reading() as connection:
        told = connection.execute(sa.select(ALERTS.c.what, ALERTS.c.done).where(ALERTS.c.kind == "system")).all()
    assert [row.what for row in told] == ["A saved policy cannot be read."] * 2
    shown = served.head.get(START).text
    assert "2026.11-9 cannot be read" in shown
    assert served.stage.tools.policies.text().startswith("[policy]")


def test_r33_an_overdue_review_is_shown_until_it_is_attested(served: Served) -> None:
    shown = served.head.get(START).text
    assert "The yearly review is overdue" in shown
    assert f"It was due on Sunday 31 August {FIRST_DUE.year}" in shown
    told = "The yearly review of the policy is overdue"
    pages = ((Role.HEAD, "today", True), (Role.ADMIN, "today", False), (Role.AUDITOR, "health", True))
    for role, name, there in pages:
        assert (told in served.clients[role].get(f"/schools/oakfield/{name}").text) is there, (role, name)
    today = london_date(served.stage.clock.now())
    for bad in ("", "soon", today.isoformat(), (today + LONGEST + timedelta(days=1)).isoformat()):
        assert served.head.post(f"{START}/reviewed", data={"next_due": bad}).status_code == 400, bad
    due = date(2027, 8, 31)
    answer = served.head.post(f"{START}/reviewed", data={"next_due": due.isoformat()})
    assert answer.headers["location"] == f"{START}?done=policy_reviewed"
    shown = served.head.get(START).text
    assert "overdue" not in shown
    assert not any(told in served.clients[role].get(f"/schools/oakfield/{name}").text for role, name, _ in pages)
    assert "Tuesday 31 August 2027" in shown
    line = lines(served, "oakfield", f"policy-{BUNDLED.version}")[-1]
    assert (line["reason"], line["actor"], line["next_due"]) == ("policy_reviewed", "HEAD-1", "2027-08-31")
    with served.stage.database.reading() as connection:
        assert policies.review_due(connection, "oakfield") == due
        assert policies.review_due(connection, "ashford") == FIRST_DUE
    assert served.clients[Role.ADMIN].post(f"{START}/reviewed", data={"next_due": "2027-08-31"}).status_code == 403
    assert served.others[Role.HEAD].post(f"{START}/reviewed", data={"next_due": "2027-08-31"}).status_code == 404


def test_r28_forgotten_comments_are_tried_by_their_chances_alone_and_those_go_after_a_month(served: Served) -> None:
    tools = served.stage.tools
    with served.stage.database.reading() as connection:
        kept = connection.execute(sa.select(sa.func.count()).where(ITEMS.c.state == "cleared")).scalar()
    served.stage.clock.move(timedelta(hours=25))
    assert prune(tools) >= (kept or 0) > 0
    with served.stage.database.reading() as connection:
        scores = connection.execute(sa.select(ITEMS.c.score).where(ITEMS.c.pruned)).scalars().all()
    assert all(set(json.loads(score)) == {"m", "l"} for score in scores)
    with browser_like(served.url) as later:
        assert enter(later, served.link()).status_code == 303
        shown = later.get(f"{START}/try", params=numbers(f_abusive="0.005")).text
    assert re.search(rf"Of {len(scores)} comments? the words are forgotten", shown)
    assert "now cleared, then hidden" in shown
    assert "cannot be opened here: the words are forgotten" in shown
    served.stage.clock.move(timedelta(days=30))
    assert prune(tools) >= len(scores)
    with served.stage.database.reading() as connection:
        assert connection.execute(sa.select(sa.func.count()).where(ITEMS.c.pruned, ITEMS.c.score.is_not(None))).scalar() == 0


def test_the_pages_are_clean_and_work_on_a_phone(served: Served, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": PHONE, "height": 844})
    page = context.new_page()
    page.goto(served.link("CEO-1"))
    page.get_by_role("button", name="Sign in").click()
    page.goto(f"{served.url}{START}")
    page.get_by_text("Serious from, guards, and names").click()
    assert clean_in_both(page) == []
    page.get_by_label("Abuse of any kind").first.fill("0.92")
    page.get_by_label("Insult").first.fill("0.95")
    page.get_by_role("button", name="Try it on the last 30 days").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("What it would have done")
    assert clean_in_both(page) == []
    page.get_by_label("Why").fill(WHY)
    page.get_by_role("button", name="Save and use it").click()
    expect(page.get_by_role("status")).to_contain_text("The new version is in force")
    assert clean_in_both(page) == []
    context.close()
