"""The register: accounts, approvals, tokens (R1, R2)."""

from dataclasses import replace
from datetime import date, datetime

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet
from stage import NOON, SCHOOL, Stage, approval

from moderator.domain.errors import BadInput, Transient, Unauthorised
from moderator.ports import Token
from moderator.store import people
from moderator.store.columns import UtcDateTime
from moderator.store.engine import translate
from moderator.store.people import StoredCredentials
from moderator.store.sealed import Sealer

KEY = Fernet.generate_key().decode()


def add(stage: Stage, **changes: object) -> int:
    facts: dict[str, object] = {
        "school": SCHOOL,
        "platform": "x",
        "handle": "oakfield_news",
        "platform_id": "2",
        "contact_email": "office@oakfield.example",
        "monthly_reads": 100,
        "at": NOON,
    }
    with stage.database.unit() as unit:
        return people.add_account(unit.connection, **(facts | changes))  # type: ignore[arg-type] # the facts of one account


def test_r2_an_account_off_the_schools_domains_is_refused(any_stage: Stage) -> None:
    for address in ("office@gmail.example", "nobody", "office@sub.oakfield.example"):
        with pytest.raises(BadInput, match="not a school address"):
            add(any_stage, contact_email=address)
    assert add(any_stage, contact_email="Office@OAKFIELD.example") > 1


def test_an_account_is_registered_once_with_a_budget(any_stage: Stage) -> None:
    add(any_stage)
    with pytest.raises(BadInput, match="registered already"):
        add(any_stage)
    with pytest.raises(BadInput, match="at least 1"):
        add(any_stage, handle="other", monthly_reads=0)
    with any_stage.database.reading() as connection:
        assert [account.handle for account in people.accounts(connection)] == ["oakfield_news", "oakfieldprimary"]
        assert people.find_account(connection, "x", "nobody") is None


def test_r1_the_newest_approval_counts_and_can_be_withdrawn(any_stage: Stage) -> None:
    number = any_stage.account.id
    with any_stage.database.unit() as unit:
        people.approve(unit.connection, number, replace(approval(), reference="A-2"))
    found = any_stage.database.account(number).approval
    assert found is not None
    assert found.reference == "A-2"
    with any_stage.database.unit() as unit:
        people.withdraw(unit.connection, number, NOON)
    assert not any_stage.database.account(number).pollable(date(2026, 11, 18))
    with pytest.raises(BadInput, match="no approval to withdraw"), any_stage.database.unit() as unit:
        people.withdraw(unit.connection, number, NOON)


def test_an_approval_that_ends_before_it_begins_is_refused(stage: Stage) -> None:
    with pytest.raises(BadInput, match="before it begins"), stage.database.unit() as unit:
        people.approve(unit.connection, stage.account.id, approval(ends=date(2026, 1, 1)))


def test_a_schools_details_are_brought_up_to_date(stage: Stage) -> None:
    with stage.database.unit() as unit:
        people.put_school(unit.connection, replace(SCHOOL, head_email="newhead@oakfield.example"))
    assert [school.head_email for school in stage.database.schools()] == ["newhead@oakfield.example"]
    with stage.database.reading() as connection, pytest.raises(BadInput, match="no school 'elsewhere'"):
        people.school(connection, "elsewhere")


def test_tokens_are_encrypted_at_rest(any_stage: Stage) -> None:
    kept = StoredCredentials(any_stage.database.engine, Sealer([KEY]), any_stage.account.id)
    with pytest.raises(Unauthorised, match="not connected"):
        kept.load()
    token = Token("access-zebra", "refresh-zebra", NOON)
    with pytest.raises(Unauthorised, match="not connected"):
        kept.save(token)
    with any_stage.database.unit() as unit:
        kept.store(unit.connection, Sealer([KEY]), any_stage.account.id, token)
    assert kept.load() == token
    newer = replace(token, access="access-yak")
    kept.save(newer)
    assert kept.load() == newer
    with any_stage.database.reading() as connection:
        stored = connection.execute(sa.select(people.CREDENTIALS.c.sealed)).scalar_one()
    assert b"zebra" not in stored
    assert b"yak" not in stored


def test_keys_can_be_rotated_and_a_wrong_key_says_so() -> None:
    sealed = Sealer([KEY]).seal("secret")
    newer = Fernet.generate_key().decode()
    assert Sealer([newer, KEY]).open(sealed) == "secret"
    with pytest.raises(BadInput, match="add the old key"):
        Sealer([newer]).open(sealed)
    for keys in ([], ["short"]):
        with pytest.raises(BadInput, match="one Fernet key a line"):
            Sealer(keys)


def test_a_naive_time_is_never_stored(stage: Stage) -> None:
    with pytest.raises(Exception, match="naive time"), stage.database.engine.begin() as connection:
        connection.execute(sa.update(people.ACCOUNTS).values(next_poll_at=datetime(2026, 1, 1)))  # noqa: DTZ001 - the fault under test
    assert UtcDateTime().process_result_value(None, stage.database.engine.dialect) is None


def test_database_errors_are_translated() -> None:
    assert isinstance(translate(sa.exc.OperationalError("x", {}, Exception())), Transient)
    kept = sa.exc.IntegrityError("x", {}, Exception())
    assert translate(kept) is kept


def test_a_statement_that_breaks_a_rule_is_not_called_transient(stage: Stage) -> None:
    with pytest.raises(sa.exc.IntegrityError), stage.database.unit() as unit:
        unit.connection.execute(sa.insert(people.BUDGETS).values(account_id=999, month="2026-11", reads=0))
    with pytest.raises(Transient), stage.database.reading() as connection:
        connection.exec_driver_sql("SELECT * FROM no_such_table")
    assert stage.database.latest_seal() is None
