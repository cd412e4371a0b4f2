"""Signing in with password and code over HTTP: what works, every refusal, and what a session is good for."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher
from cast import ASHFORD
from signing import PASSWORD, WRONG, Door, door_in, path_of
from stage import SCHOOL

from moderator.domain.access import Role
from moderator.store import proofs, register
from moderator.store.register import PEOPLE
from moderator.store.sign_in import SIGN_INS, Purpose, add, find
from moderator.web.signing_in.own_path import own_path
from moderator.web.signing_in.session import IDLE, SESSION_LIVES


@pytest.fixture(scope="module")
def door(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """Yield one served app for all tests here; each test brings people of its own."""
    with door_in(tmp_path_factory.mktemp("sign-in"), migrated_file) as made:
        yield made


def test_password_and_code_sign_a_person_in_and_the_ledger_says_so_without_a_name(door: Door) -> None:
    browser, signer = door.browser(), door.signer()
    assert path_of(door.enter(browser, signer)) == "/"
    assert door.inside(browser)
    (line,) = door.lines(signer.designation.reference)
    assert line["reason"] == "password"
    assert signer.person.name not in str(line)
    assert "@" not in str(line)
    assert "step" not in browser.cookies


def test_a_person_of_the_whole_trust_stands_in_every_schools_ledger(door: Door) -> None:
    signer = door.signer(Role.CEO)
    door.enter(door.browser(), signer)
    for school in (SCHOOL, ASHFORD):
        assert [line["reason"] for line in door.lines(signer.designation.reference, school=school)] == ["password"]
    of_one = door.signer()
    door.enter(door.browser(), of_one)
    assert door.lines(of_one.designation.reference, school=ASHFORD) == []


def test_the_password_alone_opens_nothing(door: Door) -> None:
    browser, signer = door.browser(), door.signer()
    assert path_of(door.password(browser, signer)).startswith("/sign-in/code")
    assert not door.inside(browser)
    assert browser.get("/sign-in/code").status_code == 200


def test_wrong_unknown_and_not_set_up_are_answered_alike(door: Door) -> None:
    known, bare = door.signer(), door.signer(ready=False)
    answers = [
        door.password(door.browser(), known, WRONG),
        door.password(door.browser(), bare),
        door.browser().post("/sign-in/password", data={"email": "nobody@oakfield.example", "password": PASSWORD}),
    ]
    emails = [known.person.email, bare.person.email, "nobody@oakfield.example"]
    pages = {(each.status_code, each.text.replace(email, "E")) for each, email in zip(answers, emails, strict=True)}
    assert len(pages) == 1
    assert next(iter(pages))[0] == 403
    assert "not right" in answers[0].text


def test_a_wrong_password_keeps_what_was_typed_but_the_password(door: Door) -> None:
    signer = door.signer()
    page = door.password(door.browser(), signer, WRONG, next="/items/3").text
    assert signer.person.email in page
    assert "/items/3" in page
    assert WRONG not in page


def test_a_code_is_good_once_also_from_another_browser(door: Door) -> None:
    signer, first, second = door.signer(), door.browser(), door.browser()
    for browser in (first, second):
        door.password(browser, signer)
    code = door.code(signer)
    assert first.post("/sign-in/code", data={"code": code}).status_code == 303
    door.password(second, signer)
    assert second.post("/sign-in/code", data={"code": code}).status_code == 403
    assert not door.inside(second)


@pytest.mark.parametrize(("steps", "good"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_an_app_may_be_one_step_off(door: Door, steps: int, *, good: bool) -> None:
    signer, browser = door.signer(), door.browser()
    door.password(browser, signer)
    answer = browser.post("/sign-in/code", data={"code": door.code(signer, steps)})
    assert (answer.status_code == 303) is good


def test_a_recovery_code_takes_the_apps_place_once_however_it_is_typed(door: Door) -> None:
    signer, code = door.signer(), ""
    code = signer.codes[0].lower().replace("-", " ")
    for good in (True, False):
        browser = door.browser()
        door.password(browser, signer)
        assert (browser.post("/sign-in/code", data={"code": code}).status_code == 303) is good
        assert door.inside(browser) is good
    assert door.lines(signer.designation.reference)[0]["reason"] == "recovery"


def test_somebody_elses_recovery_code_is_none(door: Door) -> None:
    one, other, browser = door.signer(), door.signer(), door.browser()
    door.password(browser, one)
    assert browser.post("/sign-in/code", data={"code": other.codes[0]}).status_code == 403


def test_three_wrong_codes_ask_for_the_password_again(door: Door) -> None:
    signer, browser = door.signer(), door.browser()
    door.password(browser, signer)
    texts = [browser.post("/sign-in/code", data={"code": "000 000"}).text for _ in range(3)]
    assert "This code is not right" in texts[0]
    assert "Start again with your password" in texts[2]
    assert path_of(browser.post("/sign-in/code", data={"code": door.code(signer)})) == "/sign-in"
    assert not door.inside(browser)


def test_the_step_between_ends_after_five_minutes_and_in_another_browser(door: Door) -> None:
    signer, browser = door.signer(), door.browser()
    door.password(browser, signer)
    thief = door.browser("Another browser")
    thief.cookies.update(browser.cookies)
    assert path_of(thief.post("/sign-in/code", data={"code": door.code(signer)})) == "/sign-in"
    assert path_of(thief.get("/sign-in/code")) == "/sign-in"
    door.stage.clock.move(timedelta(minutes=5))
    assert path_of(browser.post("/sign-in/code", data={"code": door.code(signer)})) == "/sign-in"


def test_a_step_is_no_session_and_a_session_is_no_step(door: Door) -> None:
    signer, browser = door.signer(), door.browser()
    door.password(browser, signer)
    swapped = door.browser()
    swapped.cookies.set("session", browser.cookies["step"])
    assert not door.inside(swapped)
    door.enter(browser, signer)
    other = door.browser()
    other.cookies.set("step", browser.cookies["session"])
    assert path_of(other.get("/sign-in/code")) == "/sign-in"


def test_r3_without_a_live_designation_nobody_comes_in_and_nothing_is_used_up(door: Door) -> None:
    signer, browser = door.signer(), door.browser()
    door.password(browser, signer)
    with door.stage.database.unit() as unit:
        at = door.stage.clock.now()
        register.end_designation(unit.connection, signer.designation.id, by="CEO-1", reason="left", at=at)
    door.password(browser, signer)
    answer = browser.post("/sign-in/code", data={"code": signer.codes[0]})
    assert (answer.status_code, "You are not designated" in answer.text) == (403, True)
    assert not door.inside(browser)
    with door.stage.database.reading() as connection:
        assert proofs.proofs_of(connection, signer.person.id).codes_left == 10


def test_r3_ending_the_designation_ends_the_session_at_once(door: Door) -> None:
    signer, browser = door.signer(), door.browser()
    door.enter(browser, signer)
    with door.stage.database.unit() as unit:
        register.end_designation(unit.connection, signer.designation.id, by="CEO-1", reason="left", at=door.stage.clock.now())
    assert not door.inside(browser)
    assert browser.get("/").status_code == 401


def test_a_session_in_another_browser_is_refused_and_ended_for_both(door: Door) -> None:
    signer, browser = door.signer(), door.browser()
    door.enter(browser, signer)
    thief = door.browser("Another browser")
    thief.cookies.update(browser.cookies)
    assert not door.inside(thief)
    assert not door.inside(browser)


def test_a_session_ends_when_nobody_uses_it_for_an_hour(door: Door) -> None:
    signer, browser = door.signer(), door.browser()
    door.enter(browser, signer)
    for _ in range(3):
        door.stage.clock.move(IDLE - timedelta(minutes=1))
        assert door.inside(browser)
    door.stage.clock.move(IDLE + timedelta(minutes=1))
    assert not door.inside(browser)
    door.stage.clock.move(-timedelta(minutes=3))
    assert not door.inside(browser)


def test_a_session_ends_after_twelve_hours_however_busy(door: Door) -> None:
    signer, browser = door.signer(), door.browser()
    door.enter(browser, signer)
    for _ in range(15):
        door.stage.clock.move(SESSION_LIVES / 15 - timedelta(seconds=1))
        assert door.inside(browser)
    door.stage.clock.move(timedelta(seconds=20))
    assert not door.inside(browser)


def test_every_sign_in_has_a_new_secret_and_ends_the_browsers_earlier_one(door: Door) -> None:
    signer, browser = door.signer(), door.browser()
    door.enter(browser, signer)
    old = browser.cookies["session"]
    door.enter(browser, signer)
    assert browser.cookies["session"] != old
    replay = door.browser()
    replay.cookies.set("session", old)
    assert not door.inside(replay)
    assert door.inside(browser)


def test_cookies_are_out_of_reach_of_scripts_and_of_other_sites(door: Door) -> None:
    answer = door.enter(door.browser(), door.signer())
    set_by = answer.headers.get_list("set-cookie")
    assert {each.partition("=")[0] for each in set_by} == {"session", "known", "step"}
    assert all("httponly" in each.lower() and "samesite=strict" in each.lower() and "path=/" in each.lower() for each in set_by)


def test_another_site_cannot_sign_anybody_in_or_out(door: Door) -> None:
    signer = door.signer()
    evil = door.browser(**{"Sec-Fetch-Site": "cross-site"})
    assert door.password(evil, signer).status_code == 403
    browser = door.browser()
    door.enter(browser, signer)
    evil.cookies.update(browser.cookies)
    for path in ("/sign-out", "/security/everywhere", "/security/codes", "/prove", "/enrol/app", "/set-up", "/invited/x"):
        assert evil.post(path).status_code == 403
    assert door.inside(browser)


@pytest.mark.parametrize(
    "asked",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/a b",
        "javascript:alert(1)",
        "evil.example",
        "",
        "//[",
    ],
)
def test_no_path_of_ours_leads_to_another_site(asked: str) -> None:
    assert own_path(asked) == "/"


def test_there_is_no_open_redirect(door: Door) -> None:
    assert path_of(door.enter(door.browser(), door.signer(), next="//evil.example/")) == "/"


def test_the_way_back_to_a_page_of_ours_is_kept(door: Door) -> None:
    browser = door.browser()
    refused = browser.get("/items/7?from=mail&x=1")
    assert refused.status_code == 401
    assert "/sign-in?next=/items/7%3Ffrom%3Dmail%26x%3D1" in refused.text
    page = browser.get("/sign-in?next=/items/7%3Ffrom%3Dmail%26x%3D1").text
    assert 'value="/items/7?from=mail&amp;x=1"' in page
    assert path_of(door.enter(browser, door.signer(), next="/items/7?from=mail&x=1")) == "/items/7?from=mail&x=1"


def test_a_hash_of_older_parameters_is_made_anew_with_the_password_at_hand(door: Door) -> None:
    signer = door.signer()
    old = PasswordHasher(time_cost=2, memory_cost=512).hash(PASSWORD)
    with door.stage.database.unit() as unit:
        proofs.set_password(unit.connection, signer.person.id, old)
    door.enter(door.browser(), signer)
    with door.stage.database.reading() as connection:
        kept = proofs.proofs_of(connection, signer.person.id).password_hash
    assert kept != old
    assert not proofs.outdated(kept)
    assert proofs.matches(kept, PASSWORD)


def test_nothing_secret_lies_in_the_database(door: Door) -> None:
    signer, browser = door.signer(), door.browser()
    door.enter(browser, signer)
    with door.stage.database.reading() as connection:
        kept = str(connection.execute(sa.select(PEOPLE).where(PEOPLE.c.id == signer.person.id)).one())
        kept += str(connection.execute(sa.select(SIGN_INS)).all())
        kept += str(connection.execute(sa.select(proofs.RECOVERY_CODES)).all())
    for secret in (PASSWORD, signer.app.secret, *signer.codes, *browser.cookies.values()):
        assert secret not in kept


def test_a_link_is_good_once_and_proves_little_for_who_has_a_password(door: Door) -> None:
    from moderator.web.sign_in import new_link  # noqa: PLC0415 - only this test makes one

    for ready, fresh in ((True, False), (False, True)):
        signer, browser = door.signer(ready=ready), door.browser()
        link = new_link(door.stage.database, actor=signer.designation.reference, now=door.stage.clock.now(), base_url=door.url)
        secret = link.rpartition("/")[2]
        assert browser.get(f"/sign-in/{secret}").status_code == 200
        assert browser.post("/sign-in", data={"secret": secret}).status_code == 303
        assert browser.post("/sign-in", data={"secret": secret}).status_code == 403
        assert (browser.post("/security/codes").status_code == 200) is fresh
        assert "known" not in browser.cookies
        assert door.lines(signer.designation.reference)[0]["reason"] == "link"


def test_r3_a_link_does_not_outlive_the_designation(door: Door) -> None:
    from moderator.web.sign_in import new_link  # noqa: PLC0415 - as above

    signer, browser, now = door.signer(), door.browser(), door.stage.clock.now()
    link = new_link(door.stage.database, actor=signer.designation.reference, now=now, base_url=door.url)
    with door.stage.database.unit() as unit:
        ended = sa.update(register.DESIGNATIONS).where(register.DESIGNATIONS.c.id == signer.designation.id)
        unit.connection.execute(ended.values(ended_at=now, ended_by="CEO-1"))
    assert browser.post("/sign-in", data={"secret": link.rpartition("/")[2]}).status_code == 403
    with door.stage.database.unit() as unit:
        add(unit.connection, "a link of nobody", purpose=Purpose.LINK, expires_at=now + timedelta(hours=1))
    assert browser.post("/sign-in", data={"secret": "a link of nobody"}).status_code == 403


def test_a_known_browser_stays_known_and_is_not_made_known_twice(door: Door) -> None:
    signer, browser = door.signer(), door.browser()
    door.enter(browser, signer)
    known = browser.cookies["known"]
    door.enter(browser, signer)
    assert browser.cookies["known"] == known
    with door.stage.database.reading() as connection:
        found = find(connection, known, purpose=Purpose.KNOWN, at=door.stage.clock.now())
    assert found is not None
    assert found.person_id == signer.person.id


def test_pages_of_signing_in_work_for_a_client_without_a_browsers_name(door: Door) -> None:
    with httpx.Client(base_url=door.url, headers={"Origin": door.url, "User-Agent": ""}) as bare:
        assert bare.get("/sign-in").status_code == 200
