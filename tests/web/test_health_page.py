"""Health: every light, in words, with what to do; and the page over a real machine."""

import json
import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from lists_app import Listed
from stage import NOON

from moderator.domain.access import Role
from moderator.domain.checks import CheckSummary, EvidenceStanding
from moderator.domain.digest import AccountLine
from moderator.domain.events import Head
from moderator.domain.lifecycle import Stage
from moderator.domain.times import utc_text
from moderator.store.standing import Standing, Untold, Waiting
from moderator.store.undelivered import Undelivered, trouble_of
from moderator.web.health_facts import Light, Machine, Part, parts
from moderator.web.machine import Disk, disks, last_backup, lines_in

HOUR = timedelta(hours=1)
CHECKED = CheckSummary(NOON - HOUR, NOON - HOUR, 12, 0, 0)
ACCOUNT = AccountLine("oakfieldprimary", "x", "hide", NOON - timedelta(minutes=4), 100, 10_000)
WAITS = Undelivered("alert-1", "oakfield", "An alert", NOON, "answer 450", bounced=False)
RETURNED = Undelivered("alert-2", "oakfield", "An alert", NOON, trouble_of("5.2.2"), bounced=True)
WELL = Standing((ACCOUNT,), (), 0, Untold(), Untold(), EvidenceStanding(sample=CHECKED, full=CHECKED), Head(42, "0" * 64), NOON, NOON)
GIGABYTE = 1024**3
SOUND = Machine((Disk("records", 90 * GIGABYTE, 100 * GIGABYTE),), 42, NOON - HOUR, asked=True)


def lights(standing: Standing, machine: Machine = SOUND) -> dict[str, Light]:
    return {part.name: part.light for part in parts(standing, machine, now=NOON, silence=2 * HOUR)}


def part(name: str, standing: Standing, machine: Machine = SOUND) -> Part:
    return next(part for part in parts(standing, machine, now=NOON, silence=2 * HOUR) if part.name == name)


def test_all_is_well() -> None:
    assert set(lights(WELL).values()) == {Light.GOOD}
    assert list(lights(WELL)) == [
        "@oakfieldprimary on X", "Waiting work", "Stopped comments", "Alerts and mail", "Records", "Ledger", "Disk", "Backup", "Clock",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "light"),
    [
        ({}, Light.GOOD),
        ({"mode": "not approved"}, Light.LOOK),
        ({"trouble": "the platform refused"}, Light.NOW),
        ({"last_good_poll": None}, Light.NOW),
        ({"last_good_poll": NOON - 3 * HOUR}, Light.NOW),
        ({"reads_used": 8000}, Light.LOOK),
    ],
)
def test_r4_an_account_says_how_it_is_watched(changes: dict[str, object], light: Light) -> None:
    line = replace(ACCOUNT, **changes)  # type: ignore[arg-type] # the parameters name fields of AccountLine
    assert lights(replace(WELL, accounts=(line,)))["@oakfieldprimary on X"] is light


def test_no_account_is_told() -> None:
    assert lights(replace(WELL, accounts=()))["Accounts"] is Light.LOOK


@pytest.mark.parametrize(
    ("name", "changes", "light", "said"),
    [
        (
            "Waiting work",
            {"waiting": (Waiting(Stage.HIDE, 1, NOON - HOUR),)},
            Light.NOW,
            "1 comment waits to be hidden, the longest for 1 hour",
        ),
        ("Waiting work", {"waiting": (Waiting(Stage.SCORE, 3, NOON + HOUR),)}, Light.GOOD, "3 comments wait to be read."),
        ("Stopped comments", {"held": 1}, Light.LOOK, "1 comment is stopped"),
        ("Stopped comments", {"held": 2}, Light.LOOK, "2 comments are stopped"),
        ("Alerts and mail", {"alerts": Untold(1, NOON + HOUR)}, Light.GOOD, "1 alert waits to leave."),
        ("Alerts and mail", {"alerts": Untold(2, NOON - HOUR)}, Light.NOW, "2 alerts wait to leave, the oldest for 1 hour."),
        ("Alerts and mail", {"mail": Untold(1, NOON, "refused")}, Light.NOW, "The mail server did not take the oldest."),
        (
            "Alerts and mail",
            {"mail": Untold(3, NOON - HOUR, "answer 450"), "undelivered": (WAITS, WAITS, replace(WAITS, what="A daily digest"))},
            Light.NOW,
            "The mail server did not take the oldest. Tried and not taken: an alert (2), a daily digest.",
        ),
        (
            "Alerts and mail",
            {"undelivered": (RETURNED, RETURNED, replace(RETURNED, what="A daily digest"))},
            Light.LOOK,
            "3 mails came back: an alert (2), a daily digest. A mail server gave it back: the mailbox is full (5.2.2).",
        ),
        ("Records", {"evidence": EvidenceStanding(sample=replace(CHECKED, faults=2))}, Light.NOW, "2 faults"),
        ("Records", {"evidence": EvidenceStanding(sample=CHECKED, witness_waiting=1)}, Light.LOOK, "witness mailbox"),
        ("Clock", {"last_line_at": NOON + HOUR}, Light.NOW, "before the newest record"),
        ("Clock", {"last_line_at": None, "latest_seal": None}, Light.GOOD, "The service's clock says"),
    ],
)
def test_each_part_has_its_light(name: str, changes: dict[str, object], light: Light, said: str) -> None:
    found = part(name, replace(WELL, **changes))  # type: ignore[arg-type] # the parameters name fields of Standing
    assert found.light is light
    assert said in " ".join(found.said)
    assert (found.then == "") is (light is Light.GOOD)


@pytest.mark.parametrize(
    ("name", "changes", "light", "said"),
    [
        ("Ledger", {"lines": 40}, Light.LOOK, "2 lines behind"),
        ("Ledger", {"lines": 43}, Light.NOW, "1 more"),
        ("Ledger", {"lines": None}, Light.NOW, "cannot be read"),
        ("Ledger", {"asked": False}, Light.GOOD, "nightly check"),
        ("Disk", {"disks": (Disk("records", GIGABYTE - 1, GIGABYTE),)}, Light.NOW, "1.0 GB free of 1.0 GB, for records."),
        ("Disk", {"disks": (Disk("records", 4 * GIGABYTE, 9 * GIGABYTE),)}, Light.LOOK, "4.0 GB free"),
        ("Backup", {"backup": None}, Light.LOOK, "No backup is known."),
        ("Backup", {"backup": NOON - 48 * HOUR}, Light.LOOK, "2 days ago"),
    ],
)
def test_the_machine_has_its_lights(name: str, changes: dict[str, object], light: Light, said: str) -> None:
    found = part(name, WELL, replace(SOUND, **changes))  # type: ignore[arg-type] # the parameters name fields of Machine
    assert found.light is light
    assert said in " ".join(found.said)


def test_a_disk_is_told_once_with_all_it_holds(tmp_path: Path) -> None:
    (found,) = disks({"the database": tmp_path, "records": tmp_path, "nothing": tmp_path / "gone"})
    assert found.holds == "the database and records"
    assert 0 < found.free <= found.total


def test_the_last_backup_is_read_from_its_file(tmp_path: Path) -> None:
    file = tmp_path / "last-backup"
    assert last_backup(tmp_path) is None
    file.write_text(json.dumps({"at": utc_text(NOON)}))
    assert last_backup(tmp_path) == NOON
    for broken in ("", "[]", "{}", '{"at": "yesterday"}', '{"at": 5}'):
        file.write_text(broken)
        assert last_backup(tmp_path) is None


def test_the_ledger_file_is_read_from_its_end(tmp_path: Path) -> None:
    file = tmp_path / "ledger.jsonl"
    assert lines_in(file) == 0
    file.write_text("")
    assert lines_in(file) == 0
    file.write_text("".join(f'{{"seq":{number},"x":"{"y" * 900}"}}\n' for number in range(1, 101)) + '{"seq":101')
    assert lines_in(file) == 100
    for broken in ("x\n", "{}\n", "[1]\n"):
        file.write_text(broken)
        assert lines_in(file) is None
    file.unlink()
    file.mkdir()
    assert lines_in(file) is None


def test_the_page_shows_it_and_what_to_do(listed: Listed) -> None:
    page = listed.get(Role.ADMIN, "health")
    assert "@oakfieldprimary on Memory" in page
    assert "Its file has every one of them." in page
    assert "No backup is known." in page
    assert "What to do:</strong> Ask your IT lead when the last one was made" in page
    assert "words-1" in page
    listed.get(Role.HEAD, "health")  # signs in, which writes to the ledger, before its file is cut
    file = listed.served.stage.folder / "ledger.jsonl"
    whole = file.read_bytes()
    os.truncate(file, whole[:-1].rfind(b"\n") + 1)
    try:
        assert "1 line behind" in listed.get(Role.HEAD, "health")
    finally:
        file.write_bytes(whole)
    assert listed.served.others[Role.HEAD].get("/schools/oakfield/health").status_code == 404
    assert listed.served.clients[Role.TRUSTEE].get("/schools/oakfield/health").status_code == 403


def test_without_a_data_folder_it_says_what_it_knows(listed: Listed) -> None:
    app = listed.served.app
    whole = app.state.site
    app.state.site = replace(whole, data_dir=None)
    try:
        page = listed.get(Role.HEAD, "health")
    finally:
        app.state.site = whole
    assert "Its file is checked by the nightly check." in page
    assert "Backup" not in page
    assert "All well.</strong> The service is running" in page
