"""What people do to accounts, on both engines: stored, written in the ledger, told."""

from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet
from stage import NOON, SCHOOL, Stage, approval

from moderator.domain.account import Mode
from moderator.domain.account_state import AccountState
from moderator.domain.attestation import Attested
from moderator.domain.errors import BadInput
from moderator.ports import Token
from moderator.steps.alert import alert
from moderator.steps.sweep import sweep
from moderator.store import account_acts, account_history, accounts, people
from moderator.store.outbox import ALERTS, OUTBOX
from moderator.store.sealed import Sealer

WHY = "The governors asked for it on Monday."


def asked(stage: Stage, handle: str = "oakfieldnews") -> int:
    """Ask for an account and return its number."""
    with stage.database.unit() as unit:
        return account_acts.ask(
            unit, school=SCHOOL, platform="memory", handle=handle, contact_email="office@oakfield.example",
            purpose="News", monthly_reads=100, by="ADMIN-1", at=NOON,
        )  # fmt: skip


def test_r1_an_account_goes_from_asked_for_to_withdrawn(any_stage: Stage) -> None:
    stage, number = any_stage, asked(any_stage)
    sealer = Sealer([Fernet.generate_key().decode()])
    with pytest.raises(BadInput, match="asked for already"):
        asked(stage, "OAKFIELDNEWS")
    states = []
    with stage.database.unit() as unit:
        account = people.account(unit.connection, number)
        states.append(accounts.standing(unit.connection, number, NOON).state)
        account_acts.decline(unit, account, why=WHY, by="HEAD-1", at=NOON)
        states.append(accounts.standing(unit.connection, number, NOON).state)
        with pytest.raises(BadInput, match="decided meanwhile"):
            account_acts.decline(unit, account, why=WHY, by="HEAD-1", at=NOON)
        account_acts.approve(unit, account, approval(Mode.OBSERVE), why="", by="HEAD-1", at=NOON)
        states.append(accounts.standing(unit.connection, number, NOON).state)
        account_acts.connect(unit, sealer, account, token=Token("a", "r", NOON), platform_id="7", by="ADMIN-1", at=NOON)
        states.append(accounts.standing(unit.connection, number, NOON).state)
        account_acts.approve(unit, people.account(unit.connection, number), approval(), why=WHY, by="HEAD-1", at=NOON)
        account_acts.attest(unit, account, Attested.PASSWORD_CHANGED, on=date(2026, 11, 18), by="ADMIN-1", at=NOON)
        with pytest.raises(BadInput, match="another account than before"):
            account_acts.connect(unit, sealer, account, token=Token("b", "r", NOON), platform_id="8", by="ADMIN-1", at=NOON)
        account_acts.disconnect(unit, account, by="ADMIN-1", at=NOON)
        account_acts.withdraw(unit, account, why=WHY, by="HEAD-1", at=NOON)
        states.append(accounts.standing(unit.connection, number, NOON).state)
        with pytest.raises(BadInput, match="no approval to withdraw"):
            account_acts.withdraw(unit, account, why=WHY, by="HEAD-1", at=NOON)
    assert states == [AccountState.REQUESTED, AccountState.DECLINED, AccountState.APPROVED, AccountState.LIVE, AccountState.WITHDRAWN]
    with stage.database.reading() as connection:
        lines = account_history.history(connection, SCHOOL.slug, number)
        entries = accounts.approvals(connection, number)
        told = list(connection.execute(sa.select(ALERTS.c.kind).order_by(ALERTS.c.id)).scalars())
    assert [line.what for line in reversed(lines)] == [
        "account_requested", "not_personal_attested", "account_declined", "account_approved", "account_connected", "account_approved",
        "password_attested", "account_disconnected", "account_withdrawn",
    ]  # fmt: skip
    assert [(entry.why, entry.withdrawn_by, entry.withdrawn_why) for entry in entries] == [(WHY, "HEAD-1", WHY), ("", "HEAD-1", WHY)]
    assert told == ["account", "override", "override"]
    assert accounts.token_of(stage.database.engine, sealer, number) is None


def test_r24_the_mail_about_an_account_leads_to_its_page_and_tells_no_reason(stage: Stage) -> None:
    number = asked(stage)
    with stage.database.unit() as unit:
        account_acts.approve(unit, people.account(unit.connection, number), approval(Mode.OBSERVE), why="", by="HEAD-1", at=NOON)
        account_acts.approve(unit, people.account(unit.connection, number), approval(Mode.HIDE), why=WHY, by="HEAD-1", at=NOON)
    stage.clock.move(timedelta(minutes=6))
    assert alert(stage.tools) == 1
    with stage.database.reading() as connection:
        mail = connection.execute(sa.select(OUTBOX.c.message)).scalar_one().decode()
    assert f"/accounts/{number}" in mail.replace("=\r\n", "")
    assert "governors" not in mail


def test_r4_an_account_that_waits_to_be_connected_is_silent_only_after_the_limit(stage: Stage) -> None:
    number = asked(stage)
    with stage.database.unit() as unit:
        people.withdraw(unit.connection, stage.account.id, NOON)
        account_acts.approve(unit, people.account(unit.connection, number), approval(), why="", by="HEAD-1", at=NOON)
    for hours, silent in ((1, 0), (3, 1)):
        stage.clock.move(timedelta(hours=hours))
        sweep(stage.tools)
        with stage.database.reading() as connection:
            told = connection.execute(sa.select(sa.func.count()).where(ALERTS.c.what.like("An account has not been read%"))).scalar_one()
        assert told == silent


def test_dates_count_from_the_request_the_first_approval_or_today(stage: Stage) -> None:
    with stage.database.unit() as unit:
        number = people.add_account(
            unit.connection, school=SCHOOL, platform="memory", handle="old", platform_id="9", contact_email="office@oakfield.example",
            monthly_reads=9, at=NOON,
        )  # fmt: skip
        assert accounts.standing(unit.connection, number, NOON).dates.begun_on == date(2026, 11, 18)
        assert accounts.standing(unit.connection, stage.account.id, NOON).dates.begun_on == date(2026, 9, 1)
        assert [account.id for account, _ in accounts.dated(unit.connection, SCHOOL.slug)] == [stage.account.id]
