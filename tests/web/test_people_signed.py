"""What is signed for a school, as the pages do it: who is told (R21), the delegation (R8), house rules (R16); and every page by axe."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
from lists_app import lists_app
from playwright.sync_api import Browser, Page
from review_app import Served
from seen_pages import DESKTOP, NARROW, clean
from stage import SCHOOL

from moderator.domain.access import Role
from moderator.domain.routes import RouteKind
from moderator.store import people as accounts
from moderator.store import register, signed
from moderator.store.ledger import LEDGER

AT = "/schools/oakfield"
COMING = httpx.codes.SEE_OTHER


@pytest.fixture(scope="module")
def app(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Yield one app for all tests here."""
    with lists_app(migrated_file, tmp_path_factory.mktemp("signed")) as made:
        yield made


def last_line(app: Served) -> str:
    wanted = (
        sa.select(LEDGER.c.line).where(LEDGER.c.school == "oakfield", LEDGER.c.event == "registered").order_by(LEDGER.c.seq.desc()).limit(1)
    )
    with app.stage.database.reading() as connection:
        return str(connection.execute(wanted).scalar_one())


def now_told(page: str, title: str) -> str:
    """Return who the routes page says would be told of one kind right now."""
    card = next(each for each in page.split("<li") if title in each)
    found = re.search(r"Right now that is</dt><dd>(.*?)</dd>", card, re.DOTALL)
    assert found is not None
    return found[1]


def test_r21_the_page_says_who_would_be_told_now_and_if_it_were_about_somebody(app: Served) -> None:
    page = app.head.get(f"{AT}/routes").text
    assert now_told(page, "A comment was flagged") == "Tamsin Okoro"
    assert now_told(page, "Somebody tells of harm") == "Bronwen Adeyemi, Idris Penhale"
    assert page.count("Our assumption, for the trust to confirm") == len(RouteKind)
    assert "Nobody has said who Tamsin Okoro and Maren Holloway are on the roll" in " ".join(page.split())
    with app.stage.database.reading() as connection:
        head = register.holders(connection, "oakfield", app.stage.clock.now().date(), Role.HEAD)[Role.HEAD][0]
        deputy = register.holders(connection, "oakfield", app.stage.clock.now().date(), Role.DEPUTY)[Role.DEPUTY][0]
    about = app.head.get(f"{AT}/routes?named={head.id}").text
    assert now_told(about, "A comment was flagged") == "Maren Holloway"
    assert "It is not so yet" in about
    assert "It is not so yet" not in app.head.get(f"{AT}/routes?named={deputy.id}").text, "the deputy is on the roll"
    assert now_told(app.head.get(f"{AT}/routes?named=9999").text, "A comment was flagged") == "Tamsin Okoro"


def test_r21_r32_a_route_is_changed_with_why_and_only_by_who_signs(app: Served) -> None:
    address = f"{AT}/routes/account"
    assert 'value="head" checked' in app.head.get(address).text
    assert 'value="auditor"' not in app.head.get(address).text
    refused = app.head.post(address, data={"roles": ["head"], "why": "no"})
    assert (refused.status_code, 'value="head" checked' in refused.text) == (400, True)
    assert app.head.post(address, data={"why": "Nobody at all is told of it"}).status_code == 400
    assert app.head.post(f"{AT}/routes/safeguarding", data={"roles": ["head"], "why": "I want to see them"}).status_code == 400
    assert (
        app.head.post(address, data={"roles": ["deputy", "head"], "why": "We share the accounts"}).headers["location"].endswith("=changed")
    )
    page = app.head.get(f"{AT}/routes?done=changed").text
    assert now_told(page, "An account needs attention") == "Tamsin Okoro, Callum Reyes"
    assert "We share the accounts" in page
    assert '"subject":"route-account","actor":"HEAD-1","reason":"route_changed"' in last_line(app)
    assert app.clients[Role.DEPUTY].get(f"{AT}/routes").status_code == httpx.codes.OK
    assert "Change or confirm" not in app.clients[Role.DEPUTY].get(f"{AT}/routes").text
    assert app.clients[Role.DEPUTY].post(address, data={"roles": ["deputy"], "why": "Only me from now on"}).status_code == 403
    assert app.others[Role.HEAD].post(address, data={"roles": ["head"], "why": "Another school's"}).status_code == 404
    assert app.head.get(f"{AT}/routes/nothing").status_code == 404


def test_r8_the_headteacher_signs_with_name_and_tick_and_can_withdraw(app: Served) -> None:
    before = app.head.get(f"{AT}/delegation").text
    assert "Delegation D-1 of 1 September 2026" in before
    form = {"words": "I delegate making the record, as the policy says.", "ends_on": "2027-08-31", "name": "tamsin  okoro", "agree": "yes"}
    for wrong in ({"name": "Maren Holloway"}, {"agree": ""}, {"words": "It"}, {"ends_on": "2026-01-01"}, {"ends_on": ""}):
        refused = app.head.post(f"{AT}/delegation/sign", data=form | wrong)
        assert (refused.status_code, 'role="alert"' in refused.text) == (400, True)
    assert "Tamsin Okoro" in app.head.get(f"{AT}/delegation/sign").text
    assert app.head.post(f"{AT}/delegation/sign", data=form).status_code == COMING
    page = app.clients[Role.ADMIN].get(f"{AT}/delegation?done=signed").text
    assert "DELEGATION-oakfield-1" in page
    assert "Tamsin Okoro (HEAD-1)" in page
    assert "Withdraw it" not in page
    assert app.stage.tools.delegation_of("oakfield").startswith("DELEGATION-oakfield-1, signed on 18 November 2026 by HEAD-1")
    assert app.stage.tools.delegation_of("ashford") == "Delegation D-1 of 1 September 2026"
    assert '"subject":"DELEGATION-oakfield-1","actor":"HEAD-1","reason":"delegation_signed"' in last_line(app)
    with app.stage.database.reading() as connection:
        number = signed.delegations(connection, "oakfield")[0].id
    other = f"/schools/ashford/delegation/{number}/withdraw"
    assert app.others[Role.HEAD].post(other).status_code == 400, "another school's does not stand there"
    assert app.clients[Role.ADMIN].post(f"{AT}/delegation/{number}/withdraw").status_code == 403
    assert app.head.post(f"{AT}/delegation/{number}/withdraw").status_code == COMING
    assert app.head.post(f"{AT}/delegation/{number}/withdraw").status_code == 400
    assert "withdrawn Wednesday 18 November 2026" in app.head.get(f"{AT}/delegation?done=withdrawn").text
    assert app.stage.tools.delegation_of("oakfield") == "Delegation D-1 of 1 September 2026"


def test_r16_house_rules_are_public_with_where_to_ask_and_every_version_is_kept(app: Served) -> None:
    assert app.stranger.get("/rules/oakfield").status_code == httpx.codes.NOT_FOUND, "nothing is published yet"
    assert "Nothing is published yet" in app.head.get(f"{AT}/house-rules").text
    offered = app.head.get(f"{AT}/house-rules/edit").text
    assert "criticism are all fine" in offered
    assert 'value="office@oakfield.example"' in offered
    form = {"words": "Be kind.\r\n<b>Do not</b> name pupils.", "link": "office@oakfield.example", "why": "The first version"}
    wrongs = (
        {"link": "me@mail.example"},
        {"link": "javascript:alert(1)"},
        {"link": ""},
        {"words": " "},
        {"words": "x" * 8001},
        {"why": ""},
    )
    for wrong in wrongs:
        assert app.head.post(f"{AT}/house-rules/edit", data=form | wrong).status_code == 400
    assert app.head.post(f"{AT}/house-rules/edit", data=form).headers["location"] == f"{AT}/house-rules?done=published"
    assert '"reason":"house_rules_changed"' in last_line(app)
    public = app.stranger.get("/rules/oakfield")
    assert "Be kind.\n&lt;b&gt;Do not&lt;/b&gt; name pupils." in public.text
    assert 'href="mailto:office@oakfield.example"' in public.text
    assert "set-cookie" not in public.headers
    assert "Tamsin" not in public.text
    assert "The first version" not in public.text
    assert app.stranger.get("/rules/ashford").status_code == app.stranger.get("/rules/elsewhere").status_code == httpx.codes.NOT_FOUND
    second = form | {"link": "https://oakfield.example/complaints", "why": "A page of our own now"}
    assert app.head.post(f"{AT}/house-rules/edit", data=second).status_code == COMING
    assert 'href="https://oakfield.example/complaints"' in app.stranger.get("/rules/oakfield").text
    page = app.head.get(f"{AT}/house-rules?done=published").text
    assert f"{app.url}/rules/oakfield" in page
    assert "The first version" in page
    assert "A page of our own now" in page
    assert 'value="https://oakfield.example/complaints"' in app.head.get(f"{AT}/house-rules/edit").text
    assert app.clients[Role.AUDITOR].get(f"{AT}/house-rules/edit").status_code == 403


def test_house_rules_begin_without_an_address_where_the_school_has_no_account(app: Served) -> None:
    lone = replace(SCHOOL, slug="ashford", email_domains=("ashford.example",))
    with app.stage.database.reading() as connection:
        assert [each for each in accounts.accounts(connection) if each.school.slug == lone.slug] == []
    assert 'name="link" value=""' in app.others[Role.HEAD].get("/schools/ashford/house-rules/edit").text


def signed_in(app: Served, browser: Browser, *, scheme: str, width: int) -> Page:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, java_script_enabled=True)  # type: ignore[arg-type] # light or dark
    page = context.new_page()
    page.goto(app.link())
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_load_state("load")
    return page


def test_every_page_is_clean_narrow_and_light_and_wide_and_dark(app: Served, browser: Browser) -> None:
    with app.stage.database.reading() as connection:
        held = register.people_of(connection, "oakfield")
        admin = next((person.id, each.id) for person, designations in held for each in designations if each.reference == "ADMIN-1")
    own = ("people", "people/designate", f"people/{admin[0]}", "routes", "routes/flagged", "delegation", "delegation/sign")
    paths = [f"{AT}/{path}" for path in (*own, "house-rules", "house-rules/edit")] + [
        f"/designations/{admin[1]}",
        "/my/days",
        "/rules/oakfield",
    ]
    light = signed_in(app, browser, scheme="light", width=NARROW)
    found = {}
    for path in paths:
        light.emulate_media(color_scheme="light")
        light.set_viewport_size({"width": NARROW, "height": 900})
        answer = light.goto(f"{app.url}{path}")
        assert answer is not None
        assert answer.status == httpx.codes.OK, path
        found[path] = clean(light)
        light.emulate_media(color_scheme="dark")
        light.set_viewport_size({"width": DESKTOP, "height": 900})
        found[path] += clean(light)
    light.context.close()
    assert {path: told for path, told in found.items() if told} == {}
