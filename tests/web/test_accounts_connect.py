"""Connecting an account: what is asked, the way to the platform and back, and everything that must not connect one."""

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from accounts_stage import AccountsStage, on_accounts
from stage import set_up

from moderator.domain.access import Role
from moderator.domain.errors import BadInput, Transient
from moderator.platforms.practice import SCHOOL_HANDLE, SCHOOL_ID, running
from moderator.platforms.practice.faults import Fault
from moderator.store import accounts
from moderator.store.database import Database
from moderator.store.engine import open_engine


@pytest.fixture(scope="module")
def made(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AccountsStage]:
    """Yield one app and one network for the whole file: each test asks for accounts of its own."""
    folder = tmp_path_factory.mktemp("accounts")
    (folder / "one.txt").write_text("A quiet start\n", encoding="utf-8")
    shutil.copyfile(migrated_file, folder / "moderator.db")
    engine = open_engine(f"sqlite:///{folder / 'moderator.db'}")
    stage = set_up(Database(engine), folder)
    with running(comments=folder / "one.txt", log=folder / "log.jsonl") as net, on_accounts(stage, net, folder / "log.jsonl") as found:
        yield found
    engine.dispose()


@pytest.fixture
def pages(made: AccountsStage) -> Iterator[AccountsStage]:
    made.fresh()
    yield made
    made.net.network.faults.clear()
    made.memory.revoked.clear()


def test_what_is_asked_is_said_before_anybody_leaves(pages: AccountsStage) -> None:
    number = pages.asked()
    page = pages.admin.get(f"/accounts/{number}/connect").text
    for words in ("Read the replies", "whose account it is", "Hide a reply", "Keep working", "It never sees the password."):
        assert words in page
    assert "authorize" not in page
    before = pages.requests()
    asked = {name: values[0] for name, values in parse_qs(urlsplit(pages.left(number)).query).items()}
    assert pages.requests() == before
    assert asked["scope"] == "tweet.read users.read tweet.moderate.write offline.access"
    assert asked["code_challenge_method"] == "S256"
    assert asked["redirect_uri"] == f"{pages.served.url}/connect/x/back"
    assert not pages.standing(number).connected


def test_coming_back_changes_nothing_before_the_button_is_pressed(pages: AccountsStage) -> None:
    number = pages.asked()
    sent = pages.allowed(pages.left(number))
    before = pages.requests()
    for client in (pages.served.stranger, pages.served.others[Role.ADMIN], pages.admin):
        page = client.get("/connect/x/back", params=sent)
        assert page.status_code == 200
        assert f'action="/accounts/{number}/connected"' in page.text
    assert pages.requests() == before
    assert not pages.standing(number).connected
    done = pages.finish(number, sent)
    assert done.headers["location"] == f"/accounts/{number}?done=connected"
    stands = pages.standing(number)
    assert (stands.connected, stands.needs_person, stands.trouble) == (True, False, "")
    assert stands.account.platform_id == str(SCHOOL_ID)
    assert "The platform says that it is the right account." in pages.admin.get(done.headers["location"]).text


def test_nothing_comes_back_that_was_not_sent(pages: AccountsStage) -> None:
    for platform, state in (
        ("x", ""),
        ("x", "1"),
        ("x", "1.short"),
        ("x", "0." + "a" * 43),
        ("x", "1." + "a" * 43 + "<"),
        ("y", "1." + "a" * 43),
    ):
        assert pages.served.stranger.get(f"/connect/{platform}/back", params={"state": state, "code": "c"}).status_code == 404


def test_a_way_back_is_for_one_person_one_account_once_and_for_a_while(pages: AccountsStage) -> None:
    number, other = pages.asked(), pages.asked("oakfieldnews")
    sent = pages.allowed(pages.left(number))
    refused = pages.finish(number, sent, pages.head)
    assert refused.status_code == 409
    assert "for the person who began it" in refused.text
    assert pages.finish(number, sent).status_code == 409

    sent = pages.allowed(pages.left(number))
    assert pages.finish(other, sent).status_code == 409
    assert pages.served.others[Role.ADMIN].post(f"/accounts/{number}/connected", data=sent).status_code == 404
    assert pages.served.clients[Role.DEPUTY].post(f"/accounts/{number}/connected", data=sent).status_code == 403
    assert pages.served.stranger.post(f"/accounts/{number}/connected", data=sent).status_code == 401
    assert pages.finish(number, sent).status_code == 303
    assert pages.finish(number, sent).status_code == 409

    late = pages.allowed(pages.left(number))
    pages.served.stage.clock.move(timedelta(minutes=15))
    assert pages.finish(number, late).status_code == 409
    assert pages.finish(number, {"state": "nonsense"}).status_code == 409


def test_r3_a_person_who_signs_in_again_on_the_way_can_finish_and_one_whose_designation_ended_cannot(pages: AccountsStage) -> None:
    number = pages.asked()
    sent = pages.allowed(pages.left(number))
    pages.later(timedelta(minutes=2))
    assert pages.finish(number, sent).status_code == 303
    sent = pages.allowed(pages.left(number))
    pages.change("UPDATE designations SET ended_at = begins_on, ended_by = 'HEAD-1' WHERE reference = 'ADMIN-1'")
    assert pages.finish(number, sent).status_code == 401
    pages.change("UPDATE designations SET ended_at = NULL WHERE reference = 'ADMIN-1'")


def test_saying_no_connects_nothing_and_says_so(pages: AccountsStage) -> None:
    number = pages.asked()
    sent = pages.allowed(pages.left(number), answer="no")
    assert sent["error"] == "access_denied"
    page = pages.admin.get("/connect/x/back", params=sent)
    assert "nothing was allowed" in page.text
    done = pages.finish(number, sent)
    assert done.status_code == 400
    assert "You said no" in done.text
    assert not pages.standing(number).connected


def test_r2_an_account_of_another_handle_is_refused_and_its_token_given_back(pages: AccountsStage) -> None:
    number = pages.asked("oakfieldnews")
    done = pages.finish(number, pages.allowed(pages.left(number)))
    assert done.status_code == 400
    assert f"@{SCHOOL_HANDLE}" in done.text
    assert not pages.standing(number).connected
    assert pages.requests()[-1] == "POST /2/oauth2/revoke"
    assert [reason for reason, _ in pages.reasons(number)][-1] == "password_attested"
    assert pages.polled() == []


def test_r2_another_account_under_the_same_handle_is_refused(pages: AccountsStage) -> None:
    number = pages.asked()
    pages.change("UPDATE accounts SET platform_id = '77' WHERE id = :number", number)
    done = pages.finish(number, pages.allowed(pages.left(number)))
    assert done.status_code == 400
    assert "another account than before, under the same name" in done.text
    assert not pages.standing(number).connected


def test_a_platform_that_is_away_or_refuses_connects_nothing(pages: AccountsStage) -> None:
    number = pages.asked()
    faults = pages.net.network.faults
    for fault, status, said in (
        (Fault("/2/oauth2/token", status=503), 503, "could not be reached"),
        (Fault("/2/oauth2/token", status=429), 503, "could not be reached"),
        (Fault("/2/oauth2/token", behaviour="garbled"), 503, "could not be reached"),
        (Fault("/2/oauth2/token", status=400), 400, "did not accept the answer"),
        (Fault("/2/users/me", status=403), 400, "X answered 403"),
        (Fault("/2/users/me", behaviour="garbled"), 503, "could not be reached"),
    ):
        sent = pages.allowed(pages.left(number))
        faults.add(fault)
        done = pages.finish(number, sent)
        assert (done.status_code, said in done.text) == (status, True), fault
        assert not pages.standing(number).connected


def test_less_than_was_asked_for_is_given_back(pages: AccountsStage) -> None:
    number = pages.asked()
    narrowed = pages.left(number).replace("+tweet.moderate.write", "")
    done = pages.finish(number, pages.allowed(narrowed))
    assert done.status_code == 400
    assert "tweet.moderate.write is missing" in done.text
    assert pages.requests()[-1] == "POST /2/oauth2/revoke"
    assert not pages.standing(number).connected


def test_disconnecting_throws_the_token_away_and_connecting_again_goes_on(pages: AccountsStage) -> None:
    number = pages.asked()
    pages.approve(number)
    pages.connect(number)
    assert pages.polled() != []
    pages.later(timedelta(hours=2))
    done = pages.admin.post(f"/accounts/{number}/disconnect")
    assert done.headers["location"] == f"/accounts/{number}?done=disconnected"
    assert pages.requests()[-1] == "POST /2/oauth2/revoke"
    assert pages.polled() == []
    engine = pages.served.stage.database.engine
    assert accounts.token_of(engine, pages.sealer, number) is None
    assert pages.admin.post(f"/accounts/{number}/disconnect").status_code == 303
    pages.connect(number)
    assert pages.polled() != []

    pages.later(timedelta(hours=2))
    pages.net.network.pairs.revoke()
    pages.polled()
    assert pages.standing(number).needs_person
    assert "Connect it again" in pages.admin.get(f"/accounts/{number}").text
    pages.connect(number)
    assert not pages.standing(number).needs_person
    assert pages.polled() != []

    pages.net.network.faults.add(Fault("/2/oauth2/revoke", status=500))
    assert pages.admin.post(f"/accounts/{number}/disconnect").status_code == 303
    assert not pages.standing(number).connected


def test_a_token_that_no_key_opens_can_still_be_thrown_away(pages: AccountsStage) -> None:
    number = pages.asked()
    pages.connect(number)
    pages.change("UPDATE credentials SET sealed = X'00' WHERE account_id = :number", number)
    with pytest.raises(BadInput):
        accounts.token_of(pages.served.stage.database.engine, pages.sealer, number)
    assert pages.admin.post(f"/accounts/{number}/disconnect").status_code == 303
    assert not pages.standing(number).connected


def test_a_platform_without_a_page_of_its_own_takes_what_is_typed_and_never_shows_it(pages: AccountsStage) -> None:
    number = pages.asked("oakfieldnews", platform="memory")
    form = f"/accounts/{number}/connect"
    assert 'type="password" id="field-app_password" name="app_password" value=""' in pages.admin.get(form).text
    assert "Fill in: App password." in pages.admin.post(form, data={}).text
    for typed, said in (("unknown-1", "does not know this app password"), ("ash-app-1", "is @ashfordnews")):
        refused = pages.admin.post(form, data={"app_password": typed})
        assert refused.status_code == 400
        assert said in refused.text
        assert typed not in refused.text
    assert pages.memory.revoked == ["ash-app-1"]
    assert pages.admin.post(form, data={"app_password": " oak-app-1 "}).headers["location"].endswith("done=connected")
    token = accounts.token_of(pages.served.stage.database.engine, pages.sealer, number)
    assert token is not None
    assert token.access == "oak-app-1"
    for page in (form, f"/accounts/{number}"):
        assert "oak-app-1" not in pages.admin.get(page).text


def test_an_account_whose_platform_is_not_set_up_cannot_be_connected(pages: AccountsStage) -> None:
    number = pages.asked("oakfieldnews", platform="memory")
    pages.change("UPDATE accounts SET platform = 'elsewhere' WHERE id = :number", number)
    for answer in (pages.admin.get(f"/accounts/{number}/connect"), pages.admin.post(f"/accounts/{number}/connect")):
        assert answer.status_code == 409
        assert "Its platform is not set up" in answer.text
    assert pages.finish(number, {"state": "1.x"}).status_code == 409
    assert "Ask your IT lead: Elsewhere is not set up" in pages.admin.get(f"/accounts/{number}").text
    assert pages.admin.post(f"/accounts/{number}/disconnect").status_code == 303


def test_a_connector_that_cannot_give_a_token_back_is_no_reason_to_keep_it(pages: AccountsStage, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_token: object) -> None:
        message = "away"
        raise Transient(message)

    monkeypatch.setattr(pages.memory, "revoke", away)
    number = pages.asked("oakfieldnews", platform="memory")
    assert pages.admin.post(f"/accounts/{number}/connect", data={"app_password": "ash-app-1"}).status_code == 400
    assert not pages.standing(number).connected
