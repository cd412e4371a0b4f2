"""The accounts pages: asked for, approved, connected, attested, withdrawn; and not one request before the approval."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from accounts_stage import WHY, AccountsStage, on_accounts
from stage import Stage

from moderator.domain.access import Role
from moderator.domain.account_state import AccountState
from moderator.domain.attestation import Attested
from moderator.domain.errors import BadInput
from moderator.platforms.practice import Running, running
from moderator.store import accounts


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, Path]]:
    folder = tmp_path_factory.mktemp("net")
    (folder / "one.txt").write_text("A quiet start\n", encoding="utf-8")
    with running(comments=folder / "one.txt", log=folder / "log.jsonl") as found:
        yield found, folder / "log.jsonl"


@pytest.fixture
def pages(stage: Stage, net: tuple[Running, Path]) -> Iterator[AccountsStage]:
    with on_accounts(stage, *net) as made:
        yield made


def test_r1_not_one_request_leaves_before_the_approval_and_after_its_end(pages: AccountsStage) -> None:
    number = pages.asked()
    assert pages.polled() == []
    assert pages.standing(number).state is AccountState.REQUESTED
    pages.connect(number)
    assert pages.standing(number).state is AccountState.REQUESTED
    assert pages.polled() == []
    approved = pages.approve(number, mode="observe", ends_on="2026-11-20")
    assert approved.headers["location"] == f"/accounts/{number}?done=approved"
    assert any("search/recent" in request for request in pages.polled())
    assert pages.standing(number).state is AccountState.LIVE

    pages.later(timedelta(hours=2))
    assert pages.head.post(f"/accounts/{number}/withdraw", data={"why": WHY}).status_code == 303
    assert pages.polled() == []
    assert pages.standing(number).state is AccountState.WITHDRAWN

    assert pages.approve(number, ends_on="2026-11-20").status_code == 303
    assert pages.polled() != []
    pages.later(timedelta(days=3))
    assert pages.polled() == []
    assert pages.standing(number).state is AccountState.ENDED
    told = pages.head.get(f"/accounts/{number}").text
    assert "Its approval is over, so it is not read." in told
    assert "Approve it again" in told


def test_r1_approved_first_and_connected_later_is_read_only_then(pages: AccountsStage) -> None:
    number = pages.asked()
    assert pages.approve(number).status_code == 303
    assert pages.standing(number).state is AccountState.APPROVED
    assert pages.polled() == []
    assert "Nothing is read before it is." in pages.admin.get("/schools/oakfield/accounts").text
    pages.connect(number)
    assert pages.polled() != []
    assert pages.reasons(number) == [
        ("account_requested", "ADMIN-1"),
        ("not_personal_attested", "ADMIN-1"),
        ("password_attested", "ADMIN-1"),
        ("account_approved", "HEAD-1"),
        ("account_connected", "ADMIN-1"),
    ]
    page = pages.head.get(f"/accounts/{number}")
    assert "Connected to its platform" in page.text
    assert "HEAD-1 (Tamsin Okoro)" in page.text
    assert "Tamsin Okoro, Headteacher (HEAD-1)" in page.text
    ledger = (pages.served.stage.folder / "ledger.jsonl").read_text("utf-8")
    assert "Tamsin" not in ledger
    assert "News for families" not in ledger


def test_r1_a_request_that_is_turned_down_is_never_read_and_can_be_approved_later(pages: AccountsStage) -> None:
    number = pages.asked()
    page = pages.head.get(f"/accounts/{number}/withdraw")
    assert "Turn down the request" in page.text
    assert pages.head.post(f"/accounts/{number}/withdraw", data={"why": "no"}).status_code == 400
    assert pages.head.post(f"/accounts/{number}/withdraw", data={"why": WHY}).headers["location"].endswith("done=declined")
    assert pages.standing(number).state is AccountState.DECLINED
    told = pages.admin.get(f"/accounts/{number}").text
    assert WHY in told
    assert "Change it by" not in told
    assert pages.head.post(f"/accounts/{number}/withdraw", data={"why": WHY}).status_code == 400
    with pages.served.stage.database.unit() as unit, pytest.raises(BadInput, match="decided meanwhile"):
        accounts.decline(unit.connection, number, by="HEAD-1", why=WHY, at=pages.served.stage.clock.now())
    assert pages.approve(number).status_code == 303
    assert pages.standing(number).state is AccountState.APPROVED


NOT_ASKED: tuple[tuple[dict[str, str], str], ...] = (
    ({"contact_email": "petra@private.example"}, "is not a school address"),
    ({"contact_email": ""}, "Fill in the contact e-mail."),
    ({"not_personal": ""}, "Tick the box"),
    ({"platform": "facebook"}, "Choose the platform."),
    ({"handle": "@much too long for this"}, "A handle on X has up to 15"),
    ({"handle": "@" + "a" * 300}, "Keep the handle under 200"),
    ({"purpose": "News"}, "in at least 10 characters"),
    ({"purpose": "N" * 1001}, "under 1000 characters"),
    ({"monthly_reads": "lots"}, "from 1 to 10,000,000"),
    ({"monthly_reads": "0"}, "from 1 to 10,000,000"),
    ({"password_changed": "2026-11-19"}, "has not come yet"),
    ({"password_changed": "2026-02-30"}, "such as 2026-11-30"),
    ({"password_changed": "20261102"}, "such as 2026-11-30"),
)


def test_r2_what_cannot_be_asked_for_says_why_and_keeps_what_was_typed(pages: AccountsStage) -> None:
    assert "Ask for it" in pages.admin.get("/schools/oakfield/accounts/ask").text
    for changes, said in NOT_ASKED:
        answer = pages.ask(**changes)
        assert answer.status_code == 400, changes
        assert said in answer.text, changes
        assert changes.get("purpose", "News for families") in answer.text
    assert len(pages.listed()) == 1


def test_r2_an_account_is_asked_for_once_whatever_its_capitals(pages: AccountsStage) -> None:
    pages.asked("OakfieldNews")
    again = pages.ask("oakfieldnews")
    assert again.status_code == 400
    assert "was asked for already" in again.text
    listed = pages.admin.get("/schools/oakfield/accounts").text
    assert "Waits for approval" in listed
    assert "oakfieldprimary" in listed


def test_r2_and_r5_what_was_attested_is_shown_and_noted(pages: AccountsStage) -> None:
    number = pages.asked()
    page = pages.admin.get(f"/accounts/{number}").text
    assert "1 January 2027, in 44 days" in page
    assert "National Cyber Security Centre advises against" in page
    done = pages.admin.post(f"/accounts/{number}/attest", data={"kind": "password", "on": "2026-11-18"})
    assert done.headers["location"] == f"/accounts/{number}?done=password"
    assert "Noted." in pages.admin.get(done.headers["location"]).text
    assert "17 January 2027, in 60 days" in pages.admin.get(f"/accounts/{number}").text
    for form, said in (
        ({"kind": "password", "on": "2026-11-19"}, "has not come yet"),
        ({"kind": "password", "on": "soon"}, "such as 2026-11-30"),
        ({"kind": "else", "on": ""}, "Choose one of the buttons."),
    ):
        refused = pages.admin.post(f"/accounts/{number}/attest", data=form)
        assert refused.status_code == 400
        assert said in refused.text
    assert pages.admin.post(f"/accounts/{number}/attest", data={"kind": "not_personal"}).status_code == 303
    with pages.served.stage.database.reading() as connection:
        kinds = [each.kind for each in accounts.attestations(connection, number)]
    assert kinds == [Attested.NOT_PERSONAL, Attested.PASSWORD_CHANGED, Attested.PASSWORD_CHANGED, Attested.NOT_PERSONAL]


def test_r24_a_change_of_mode_says_why_and_tells_the_head(pages: AccountsStage) -> None:
    number = pages.asked()
    assert pages.approve(number, mode="observe").status_code == 303
    asked = ["An account was asked for. It is not read before you approve it."]
    assert pages.alerts() == asked
    form = pages.head.get(f"/accounts/{number}/approve").text
    assert "Why you change it" in form
    refused = pages.approve(number, mode="hide", why="because")
    assert refused.status_code == 400
    assert "because" in refused.text
    assert pages.approve(number, mode="hide", why=WHY).status_code == 303
    assert pages.alerts() == [*asked, "An account's mode was changed: flagged comments are now hidden."]
    assert pages.approve(number, mode="hide", why=WHY, ends_on="2027-07-31").status_code == 303
    assert len(pages.alerts()) == 2
    assert WHY in pages.admin.get(f"/accounts/{number}").text
    assert pages.head.post(f"/accounts/{number}/withdraw", data={"why": WHY}).status_code == 303
    assert pages.alerts()[2:] == ["An account's approval was withdrawn. Its comments are not read any more."]


NOT_APPROVED: tuple[tuple[dict[str, str], str], ...] = (
    ({"mode": "delete"}, "Choose what the service may do."),
    ({"reference": " "}, "Fill in your reference"),
    ({"purpose": ""}, "what the account is for in at least"),
    ({"ends_on": "2026-11-17"}, "17 November 2026 is over"),
    ({"ends_on": "never"}, "such as 2026-11-30"),
)


def test_r1_an_approval_without_its_parts_is_refused(pages: AccountsStage) -> None:
    number = pages.asked()
    for changes, said in NOT_APPROVED:
        answer = pages.approve(number, **changes)
        assert answer.status_code == 400, changes
        assert said in answer.text, changes
    assert pages.standing(number).state is AccountState.REQUESTED


def test_r3_only_who_may_approve_does_and_only_at_their_school(pages: AccountsStage) -> None:
    number = pages.asked()
    form = {"mode": "hide", "purpose": "News for families", "reference": "A-7", "ends_on": "2027-08-31"}
    for role in (Role.ADMIN, Role.DEPUTY, Role.AUDITOR):
        assert pages.served.clients[role].post(f"/accounts/{number}/approve", data=form).status_code == 403
    assert pages.served.others[Role.HEAD].get(f"/accounts/{number}").status_code == 404
    assert pages.served.others[Role.HEAD].post(f"/accounts/{number}/approve", data=form).status_code == 404
    assert pages.served.stranger.get(f"/accounts/{number}").status_code == 401
    assert pages.standing(number).state is AccountState.REQUESTED


def test_r3_an_approval_asks_for_a_fresh_proof(pages: AccountsStage) -> None:
    number = pages.asked()
    assert pages.head.get(f"/accounts/{number}").status_code == 200
    pages.served.stage.clock.move(timedelta(minutes=31))
    for answer, page in (
        (pages.approve(number), "approve"),
        (pages.head.post(f"/accounts/{number}/withdraw", data={"why": WHY}), "withdraw"),
        (pages.head.get(f"/accounts/{number}/approve"), "approve"),
    ):
        assert answer.status_code == 303
        assert answer.headers["location"] == f"/prove?next=%2Faccounts%2F{number}%2F{page}"
    assert pages.standing(number).state is AccountState.REQUESTED


def test_r4_what_is_wrong_with_a_live_account_is_said(pages: AccountsStage) -> None:
    number = pages.asked(monthly_reads="40")
    pages.approve(number)
    pages.connect(number)
    assert pages.polled() != []
    page = "/schools/oakfield/accounts"
    assert "Flagged comments are hidden." in pages.admin.get(page).text
    pages.later(timedelta(hours=3))
    assert "It was not read for a while." in pages.admin.get(page).text
    with pages.served.stage.database.unit() as unit:
        unit.reserve_reads(number, "2026-11", 36)
        unit.pause_account(number, until=None, trouble="An account's authorisation no longer works.")
    told = pages.served.clients[Role.AUDITOR].get(page).text
    assert "no longer lets the service in. Connect it again." in told
    assert "reads are nearly used up" in told
    with pages.served.stage.database.unit() as unit:
        unit.pause_account(number, until=pages.served.stage.clock.now(), trouble="The last poll failed: it rains")
    assert "The last poll failed: it rains" in pages.head.get(page).text
    pages.later(timedelta(days=46))
    late = pages.served.clients[Role.DEPUTY].get(page).text
    assert "Its password change is overdue. It was due by 1 January 2027." in late
