"""`moderator doctor`: what it says of the nightly check and of the trust's two mailboxes."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from moderator.build import open_database
from moderator.cli.doctor import checks
from moderator.domain.checks import CheckKind, CheckRun
from moderator.domain.errors import BadInput
from moderator.settings import Settings, make

NOW = datetime.now(UTC)


def options(folder: Path, **trust: str) -> Settings:
    schools = [
        {"slug": slug, "name": slug, "head_email": f"head@{slug}.example", "email_domains": [f"{slug}.example"]}
        for slug in ("ash", "birch")
    ]
    table = {"data_dir": folder, "secrets_dir": folder / "s", "school": schools, "delegation": "D-1"}
    table["trust"] = {"name": "T", "email_domains": ["trust.example"], **trust}
    return make(table, where="a test")


def said(settings: Settings, name: str) -> str:
    return dict(checks(settings))[name]()


def keep(settings: Settings, school: str, kind: CheckKind, *, at: datetime = NOW, faults: int = 0) -> None:
    with open_database(settings).unit() as unit:
        unit.check_kept(CheckRun(school, kind, at, finished_at=at, checked=7, faults=faults))


def test_the_first_check_is_waited_for(tmp_path: Path) -> None:
    settings = options(tmp_path)
    keep(settings, "ash", CheckKind.SAMPLE)
    assert said(settings, "evidence") == "none yet for birch: the first check comes in the first night"


def test_a_good_night_is_told(tmp_path: Path) -> None:
    settings = options(tmp_path)
    for school in ("ash", "birch"):
        keep(settings, school, CheckKind.SAMPLE)
    assert said(settings, "evidence") == "14 records in the last nightly check, nothing wrong"


def test_a_check_that_does_not_run_is_not_well(tmp_path: Path) -> None:
    settings = options(tmp_path)
    keep(settings, "ash", CheckKind.SAMPLE, at=NOW - timedelta(days=2, hours=1))
    with pytest.raises(BadInput, match=r"ash were last checked on .*the service must run"):
        said(settings, "evidence")


@pytest.mark.parametrize("kind", list(CheckKind))
def test_faults_of_the_last_checks_are_not_well(tmp_path: Path, kind: CheckKind) -> None:
    settings = options(tmp_path)
    keep(settings, "birch", kind, faults=2)
    with pytest.raises(BadInput, match="the last checks of birch found 2 faults; run moderator verify"):
        said(settings, "evidence")


def test_the_witness_is_advice_until_it_is_set(tmp_path: Path) -> None:
    assert said(options(tmp_path), "witness").startswith("advice: set in [trust] email (hears of evidence at fault")
    assert "witness_email" in said(options(tmp_path, email="it@trust.example"), "witness")
    both = options(tmp_path, email="it@trust.example", witness_email="keep@trust.example")
    assert said(both, "witness") == "every ledger's head goes to keep@trust.example each day; faults are told to it@trust.example"


def test_an_address_no_mail_can_go_to_is_not_well(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"\[trust\] witness_email"):
        said(options(tmp_path, witness_email="nö@trust.example"), "witness")
