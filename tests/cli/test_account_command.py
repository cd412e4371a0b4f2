"""`moderator account` once people are designated: who acts is said, allowed, and written in the ledger (R1, R3)."""

import json
from pathlib import Path

import pytest

from moderator import build
from moderator.cli.account import add, approve, authorise, withdraw
from moderator.domain.access import Role
from moderator.domain.account import Mode
from moderator.domain.errors import BadInput
from moderator.domain.times import SystemClock, london_date
from moderator.platforms.practice import SCHOOL_HANDLE, demo_credentials, running
from moderator.settings import load
from moderator.store import accounts, register

SETTINGS = """
data_dir = "data"
secrets_dir = "secrets"
delegation = "D-1"
[trust]
name = "Oakfield Learning Trust"
[[school]]
slug = "oakfield"
name = "Oakfield Primary School"
head_email = "head@oakfield.example"
email_domains = ["oakfield.example"]
[x]
client_id = "{client}"
api_url = "{url}"
site_url = "{url}"
"""


def test_r3_what_is_done_at_the_console_has_a_name_in_the_ledger(tmp_path: Path) -> None:
    config, token = tmp_path / "moderator.toml", demo_credentials().token
    pair = tmp_path / "token.json"
    pair.write_text(json.dumps({"access_token": token.access, "refresh_token": token.refresh, "expires_in": 0}), encoding="utf-8")
    today = london_date(SystemClock().now())
    with running() as net:
        config.write_text(SETTINGS.format(client=demo_credentials().client_id, url=net.url), encoding="utf-8")
        options = load(config)
        build.make_keys(options.secrets_dir)
        add(
            SCHOOL_HANDLE, school="oakfield", contact_email="office@oakfield.example", token_file=pair, not_personal=True,
            password_changed=SystemClock().now(), config=config,
        )  # fmt: skip
        database = build.open_database(options)
        with database.unit() as unit:
            for role, mail in ((Role.HEAD, "head"), (Role.ADMIN, "admin")):
                person = register.add_person(unit.connection, name=f"The {mail}", email=f"{mail}@oakfield.example", at=SystemClock().now())
                register.designate(
                    unit.connection, person_id=person.id, role=role, school="oakfield", signed_by="CEO-1", signed_on=today, begins_on=today
                )
        form = {"approver": "The head", "purpose": "News", "reference": "A-1", "config": config}
        for by, said in (("", "say who does this with --by"), ("ADMIN-1", "no live designation"), ("HEAD-9", "no live designation")):
            with pytest.raises(BadInput, match=said):
                approve(SCHOOL_HANDLE, by=by, **form)  # type: ignore[arg-type] # the same words for each
        approve(SCHOOL_HANDLE, by="HEAD-1", **form)  # type: ignore[arg-type] # as above
        approve(SCHOOL_HANDLE, by="HEAD-1", mode=Mode.HIDE, why="The head is content.", **form)  # type: ignore[arg-type] # as above
        pair.write_text(json.dumps({"access_token": token.access, "refresh_token": token.refresh, "expires_in": 0}), encoding="utf-8")
        authorise(SCHOOL_HANDLE, token_file=pair, by="ADMIN-1", config=config)
        withdraw(SCHOOL_HANDLE, why="A rehearsal ends.", by="HEAD-1", config=config)
    lines = [json.loads(line) for line in (options.data_dir / "ledger.jsonl").read_text("utf-8").splitlines()]
    assert [(line["actor"], line["reason"]) for line in lines if line["subject"] == "account-1"] == [
        ("console", "account_requested"),
        ("console", "not_personal_attested"),
        ("console", "password_attested"),
        ("console", "account_connected"),
        ("HEAD-1", "account_approved"),
        ("HEAD-1", "account_approved"),
        ("ADMIN-1", "account_connected"),
        ("HEAD-1", "account_withdrawn"),
    ]
    with database.reading() as connection:
        entries = accounts.approvals(connection, 1)
    assert [(entry.why, entry.withdrawn_why) for entry in entries] == [
        ("The head is content.", "A rehearsal ends."),
        ("", "A rehearsal ends."),
    ]
