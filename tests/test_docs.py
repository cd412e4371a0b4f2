"""What is documented is what there is: every command, every setting, and an example file that loads."""

import re
from pathlib import Path

import pytest
import typer.main
from pydantic import BaseModel

from moderator.cli import app
from moderator.settings import Settings, load
from moderator.settings.tables import (
    BouncesTable,
    MailTable,
    OauthTable,
    OidcTable,
    SchoolTable,
    TimestampTable,
    TrustTable,
    VaultTable,
    XTable,
)

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
EXAMPLE = (ROOT / "ops" / "moderator.toml").read_text(encoding="utf-8")

INTERNAL = {"models_dir", "templates_dir", "sender"}
"""Settings that only tests and packagers touch."""


def commands() -> list[str]:
    group = typer.main.get_command(app)
    names = []
    for name, command in group.commands.items():  # type: ignore[attr-defined] # a click group
        names += [f"{name} {each}" for each in command.commands] if hasattr(command, "commands") else [name]
    return names


@pytest.mark.parametrize("name", commands())
def test_every_command_is_in_the_readme(name: str) -> None:
    assert re.search(rf"moderator {name}\b", README), name


@pytest.mark.parametrize(
    "table",
    [Settings, TrustTable, SchoolTable, XTable, MailTable, OauthTable, BouncesTable, OidcTable, TimestampTable, VaultTable],
)
def test_every_setting_is_in_the_example_file(table: type[BaseModel]) -> None:
    for name in set(table.model_fields) - INTERNAL:
        assert re.search(rf"^(# )?(\[+(\w+\.)?)?{name}\b", EXAMPLE, re.MULTILINE), name


def test_the_example_file_loads(tmp_path: Path) -> None:
    (tmp_path / "moderator.toml").write_text(EXAMPLE, encoding="utf-8")
    options = load(tmp_path / "moderator.toml")
    assert options.digest_hour == Settings.model_fields["digest_hour"].default
    assert options.mail is not None


def test_every_picture_and_page_the_readme_names_is_there() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


def test_a_path_in_any_table_counts_from_the_settings_file(tmp_path: Path) -> None:
    text = EXAMPLE.replace('# ca_file = "/etc/ssl/school-ca.pem"', 'ca_file = "school-ca.pem"', 1)
    text += '\n[[timestamps]]\nname = "authority"\nurl = "https://authority.example/tsr"\nchain_file = "chain.pem"\n'
    (tmp_path / "moderator.toml").write_text(text, encoding="utf-8")
    options = load(tmp_path / "moderator.toml")
    assert options.timestamps[0].chain_file == tmp_path / "chain.pem"
    assert options.mail is not None
    assert options.mail.ca_file == tmp_path / "school-ca.pem"
    assert options.data_dir == Path("/var/lib/moderator")
