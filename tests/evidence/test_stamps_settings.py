"""The settings of timestamps: what is refused, and what doctor says of an authority."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from authorities import Authority, make, running

from moderator.build import authorities
from moderator.cli.doctor import checks
from moderator.domain.errors import BadInput, Unanswered
from moderator.domain.times import SystemClock
from moderator.settings import Settings, load

SETTINGS = """
data_dir = "data"
secrets_dir = "secrets"
delegation = "D-1 of 1 September 2026"
{more}
[trust]
name = "Oakfield Learning Trust"
[[school]]
slug = "oakfield"
name = "Oakfield Primary School"
head_email = "head@oakfield.example"
email_domains = ["oakfield.example"]
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    with running(make(tmp_path_factory.mktemp("shop") / "tsa")) as here:
        yield here


def settings(folder: Path, *tables: dict[str, Any], more: str = "") -> Settings:
    """Return settings with these timestamp authorities."""
    lines = ["\n".join(["[[timestamps]]", *(f"{key} = {value!r}" for key, value in table.items()), ""]) for table in tables]
    path = folder / "moderator.toml"
    path.write_text(SETTINGS.format(more=more) + "".join(lines), encoding="utf-8")
    return load(path)


def one(shop: Authority, folder: Path, **changes: str) -> dict[str, Any]:
    """Return the table of one authority."""
    chain = folder / "chain.pem"
    chain.write_bytes(shop.chain)
    return {"name": "tsa", "url": shop.url, "chain_file": str(chain)} | changes


def doctor(options: Settings) -> str:
    """Return what doctor says of timestamps."""
    return dict(checks(options))["timestamps"]()


def test_an_authority_that_answers_is_good(shop: Authority, tmp_path: Path) -> None:
    said = doctor(settings(tmp_path, one(shop, tmp_path, policy="1.2.3.4.1")))
    assert said == f"tsa answers, its certificates last until {shop.ends.date()}"


def test_no_authority_is_said_so(tmp_path: Path) -> None:
    assert "no authority is set" in doctor(settings(tmp_path))


def test_an_authority_that_does_not_answer_well_fails_doctor(shop: Authority, tmp_path: Path) -> None:
    with pytest.raises(Unanswered, match="by policy"):
        doctor(settings(tmp_path, one(shop, tmp_path, policy="1.2.3.4.9")))


def test_a_chain_that_is_missing_or_none_is_bad_input(shop: Authority, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="chain_file cannot be read"):
        authorities(settings(tmp_path, one(shop, tmp_path, chain_file=str(tmp_path / "absent.pem"))), SystemClock())
    (tmp_path / "page.pem").write_text("<html>")
    with pytest.raises(BadInput, match="holds no certificate"):
        authorities(settings(tmp_path, one(shop, tmp_path, chain_file=str(tmp_path / "page.pem"))), SystemClock())


def test_two_authorities_of_one_name_are_refused(shop: Authority, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="same name"):
        settings(tmp_path, one(shop, tmp_path), one(shop, tmp_path))


def test_hiding_only_with_a_stamp_needs_an_authority(shop: Authority, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="needs an authority"):
        settings(tmp_path, more="hide_without_stamp = false")
    assert not settings(tmp_path, one(shop, tmp_path), more="hide_without_stamp = false").hide_without_stamp
