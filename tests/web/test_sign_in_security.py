"""A fresh proof before what matters, and a person's own password, app, codes and sessions."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import httpx
import pyotp
import pytest
from fastapi import APIRouter, Depends
from signing import PASSWORD, WRONG, Door, Signer, door_in, path_of

from moderator.domain.access import Role
from moderator.store import proofs
from moderator.store.sign_in import digest_of
from moderator.web.need import open_to_signed_in
from moderator.web.sign_in import new_link
from moderator.web.signing_in.fresh import FRESH, FreshProof, fresh_proof

NEW = "thimble-walrus-canopy"


@pytest.fixture(scope="module")
def door(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """Yield one served app for all tests here, with a page and two acts that need a fresh proof."""
    with door_in(tmp_path_factory.mktemp("security"), migrated_file) as made:
        router = APIRouter()

        @router.get("/acts/{name}")
        @open_to_signed_in
        def page(name: str, _: Annotated[None, Depends(fresh_proof)]) -> str:
            return name

        @router.post("/acts/{name}", dependencies=[Depends(FreshProof("/acts/{name}"))])
        @open_to_signed_in
        def act(name: str) -> str:
            return name

        @router.post("/other-acts", dependencies=[Depends(fresh_proof)])
        @open_to_signed_in
        def other() -> str:
            return "done"

        made.app.router.routes[:0] = router.routes
        yield made


def entered(door: Door, role: Role = Role.ADMIN) -> tuple[httpx.Client, Signer]:
    """Return a browser that is signed in, and who it is."""
    browser, signer = door.browser(), door.signer(role)
    assert door.enter(browser, signer).status_code == 303
    return browser, signer


def later(door: Door, browser: httpx.Client) -> None:
    """Let a busy hour half pass, so that the proof is no longer fresh."""
    door.stage.clock.move(FRESH + timedelta(seconds=1))
    assert door.inside(browser)


def prove(  # noqa: PLR0913 - a form
    door: Door, browser: httpx.Client, signer: Signer, *, password: str = PASSWORD, code: str = "", to: str = "/x"
) -> httpx.Response:
    return browser.post("/prove", data={"password": password, "code": code or door.code(signer), "next": to})


def test_an_act_needs_a_proof_of_the_last_half_hour_and_comes_back_to_its_page(door: Door) -> None:
    browser, signer = entered(door)
    assert browser.post("/acts/one").text == '"one"'
    later(door, browser)
    assert path_of(browser.post("/acts/o%20ne")) == "/prove?next=%2Facts%2Fo%2520ne"
    assert path_of(browser.get("/acts/one?page=2")) == "/prove?next=%2Facts%2Fone%3Fpage%3D2"
    assert path_of(browser.get("/acts/one")) == "/prove?next=%2Facts%2Fone"
    assert path_of(browser.post("/other-acts")) == "/prove?next=%2F"
    assert "Is it still you?" in browser.get("/prove?next=/acts/one").text
    assert path_of(prove(door, browser, signer, to="/acts/one")) == "/acts/one"
    assert browser.post("/acts/one").text == '"one"'
    assert browser.post("/other-acts").text == '"done"'


def test_a_stranger_is_not_asked_for_a_proof_but_to_sign_in(door: Door) -> None:
    stranger = door.browser()
    for answer in (stranger.post("/acts/one"), stranger.get("/prove"), stranger.post("/prove"), stranger.get("/security")):
        assert answer.status_code == 401


def test_a_proof_changes_the_sessions_secret_and_not_its_end(door: Door) -> None:
    browser, signer = entered(door)
    old = browser.cookies["session"]
    later(door, browser)
    answer = prove(door, browser, signer)
    assert browser.cookies["session"] != old
    seconds = int(re.search(r"session=.*?Max-Age=(\d+)", str(answer.headers.get_list("set-cookie")))[1])  # type: ignore[index] # it is there
    assert seconds <= 11.5 * 3600
    replay = door.browser()
    replay.cookies.set("session", old)
    assert not door.inside(replay)


def test_a_wrong_proof_is_refused_and_ten_end_the_session(door: Door) -> None:
    browser, signer = entered(door)
    later(door, browser)
    assert prove(door, browser, signer, password=WRONG).status_code == 403
    assert prove(door, browser, signer, code="000000").status_code == 403
    reference = digest_of(browser.cookies["session"])[:16]
    for _ in range(7):
        door.app.state.site.throttle.wrong_in(reference)
    assert door.inside(browser)
    assert path_of(prove(door, browser, signer, code="000000")) == "/sign-in"
    assert not door.inside(browser)
    assert door.lines(signer.designation.reference)[-1]["reason"] == "refused"


def test_a_session_with_too_many_wrong_proofs_is_not_asked_again(door: Door) -> None:
    browser, signer = entered(door)
    for _ in range(10):
        door.app.state.site.throttle.wrong_in(digest_of(browser.cookies["session"])[:16])
    assert path_of(prove(door, browser, signer)) == "/sign-in"
    assert not door.inside(browser)


def test_the_next_path_of_a_proof_is_ours(door: Door) -> None:
    browser, signer = entered(door)
    assert path_of(prove(door, browser, signer, code=signer.codes[0], to="https://evil.example/")) == "/"
    assert 'value="/"' in browser.get("/prove?next=//evil.example").text


def test_whoever_came_by_a_link_and_has_nothing_is_told_what_to_do(door: Door) -> None:
    signer, browser = door.signer(ready=False), door.browser()
    link = new_link(door.stage.database, actor=signer.designation.reference, now=door.stage.clock.now(), base_url=door.url)
    browser.post("/sign-in", data={"secret": link.rpartition("/")[2]})
    assert "or you cannot sign in again" in browser.get("/security").text
    assert path_of(browser.post("/security/app")) == "/enrol/app"
    assert path_of(browser.get("/enrol/app")) == "/enrol/password"
    assert path_of(browser.post("/enrol/app", data={"code": "1"})) == "/enrol/password"
    later(door, browser)
    assert "Ask your IT lead for a new link" in browser.get("/prove").text
    assert prove(door, browser, signer).status_code == 403


def test_a_new_password_counts_at_once_and_signs_out_everywhere_else(door: Door) -> None:
    browser, signer = entered(door)
    other = door.browser()
    door.enter(other, signer)
    answer = browser.post("/security/password", data={"password": NEW, "again": NEW})
    assert path_of(answer) == "/security?done=password_changed"
    assert "Your new password counts" in browser.get("/security?done=password_changed").text
    assert not door.inside(other)
    assert door.password(other, signer).status_code == 403
    assert door.password(other, signer, NEW).status_code == 303
    (line,) = door.lines(signer.designation.reference, "registered")
    assert line["reason"] == "password_changed"


def test_a_bad_new_password_changes_nothing(door: Door) -> None:
    browser, signer = entered(door)
    answer = browser.post("/security/password", data={"password": signer.person.email, "again": signer.person.email})
    assert (answer.status_code, "your address" in answer.text) == (400, True)
    assert door.password(door.browser(), signer).status_code == 303


def test_no_change_without_a_fresh_proof(door: Door) -> None:
    browser, _ = entered(door)
    later(door, browser)
    for path in ("/security/password", "/security/app", "/security/codes"):
        assert path_of(browser.post(path, data={"password": NEW, "again": NEW})) == "/prove?next=%2Fsecurity"


def test_another_app_replaces_the_old_one_only_once_it_has_shown_a_code(door: Door) -> None:
    browser, signer = entered(door)
    assert path_of(browser.post("/security/app")) == "/enrol/app"
    door.stage.clock.move(timedelta(seconds=30))
    assert path_of(prove(door, browser, signer)) == "/x"
    secret = re.search(r'id="secret">([A-Z2-7 ]+)<', browser.get("/enrol/app").text)
    assert secret
    app = pyotp.TOTP(secret[1].replace(" ", ""))
    page = browser.post("/enrol/app", data={"code": app.at(door.stage.clock.now())})
    assert 'href="/security"' in page.text
    assert door.inside(browser)
    door.stage.clock.move(timedelta(seconds=30))
    assert prove(door, browser, signer).status_code == 403
    assert prove(door, browser, signer, code=app.at(door.stage.clock.now())).status_code == 303


def test_new_recovery_codes_end_the_old_ones(door: Door) -> None:
    browser, signer = entered(door)
    page = browser.post("/security/codes")
    codes = re.findall(r"<code>([0-9A-Z-]+)</code>", page.text)
    assert len(codes) == 10
    assert not set(codes) & set(signer.codes)
    assert prove(door, browser, signer, code=signer.codes[0]).status_code == 403
    assert prove(door, browser, signer, code=codes[0]).status_code == 303
    assert "9 unused recovery codes" in browser.get("/security").text
    assert [line["reason"] for line in door.lines(signer.designation.reference, "registered")] == ["recovery_codes_made"]


def test_sessions_are_listed_and_ended_one_by_one(door: Door) -> None:
    browser, signer = entered(door)
    other = door.browser("Another browser")
    door.enter(other, signer)
    page = browser.get("/security").text
    assert page.count("This browser") == 1
    assert page.count("Another browser") == 1
    (path,) = re.findall(r'action="(/security/sessions/[0-9a-f]{16}/end)"', page)
    _, stranger = entered(door), entered(door)[0]
    assert stranger.post(path).status_code == 404
    assert door.inside(other)
    assert path_of(browser.post(path)) == "/security?done=session_ended"
    assert not door.inside(other)
    assert door.inside(browser)
    assert browser.post(path).status_code == 404


def test_signing_out_everywhere_ends_every_session_and_forgets_the_browsers(door: Door) -> None:
    browser, signer = entered(door)
    other = door.browser()
    door.enter(other, signer)
    assert path_of(browser.post("/security/everywhere")) == "/sign-in"
    assert not door.inside(browser)
    assert not door.inside(other)
    door.password(other, signer, WRONG)
    with door.stage.database.reading() as connection:
        assert proofs.proofs_of(connection, signer.person.id).failures == 1


def test_signing_out_ends_this_session_alone(door: Door) -> None:
    browser, signer = entered(door)
    other = door.browser()
    door.enter(other, signer)
    secret = browser.cookies["session"]
    assert path_of(browser.post("/sign-out")) == "/sign-in"
    browser.cookies.set("session", secret)
    assert not door.inside(browser)
    assert door.inside(other)
