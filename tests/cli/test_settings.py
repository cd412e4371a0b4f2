"""Settings: what is refused, and what each refusal says."""

from collections.abc import Callable
from pathlib import Path

import pytest

from moderator import logs
from moderator.domain.errors import BadInput
from moderator.settings import Settings, load

GOOD = """
data_dir = "data"
secrets_dir = "secrets"
delegation = "D-1 of 1 September 2026"
[trust]
name = "Oakfield Learning Trust"
[[school]]
slug = "oakfield"
name = "Oakfield Primary School"
urn = "123456"
head_email = "head@oakfield.example"
email_domains = ["oakfield.example"]
[x]
client_id = "abc"
"""


def read(tmp_path: Path, text: str) -> Settings:
    path = tmp_path / "moderator.toml"
    path.write_text(text)
    return load(path)


def test_a_good_file_is_read_and_paths_are_beside_it(tmp_path: Path) -> None:
    options = read(tmp_path, GOOD)
    assert options.data_dir == tmp_path / "data"
    assert options.database_url == f"sqlite:///{tmp_path / 'data' / 'moderator.db'}"
    assert options.public_url == "http://127.0.0.1:8080"
    assert options.mail_sender == "moderator@oakfield.example"
    assert [school.ledger for school in options.schools()] == ["ledger.jsonl"]


def test_each_of_several_schools_has_a_ledger_of_its_own(tmp_path: Path) -> None:
    second = GOOD.split("[[school]]")[1].split("[x]", maxsplit=1)[0].replace("oakfield", "elmtree")
    options = read(tmp_path, GOOD + "\n[[school]]" + second)
    assert [school.ledger for school in options.schools()] == ["ledger-oakfield.jsonl", "ledger-elmtree.jsonl"]


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODERATOR_DIGEST_HOUR", "9")
    assert read(tmp_path, "digest_hour = 8\n" + GOOD).digest_hour == 9


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text + "\ncolour = 1", "x.colour: there is no such setting"),
        (lambda text: text.replace('delegation = "D-1 of 1 September 2026"', ""), "delegation: this setting is needed"),
        (lambda text: text.replace("head@oakfield.example", "head@gmail.example"), "school addresses only"),
        (lambda text: text.replace("head@oakfield.example", "head"), "not an e-mail address"),
        (lambda text: text.replace("head@oakfield.example", "head@evil@oakfield.example"), "school addresses only"),
        (lambda text: text.replace('["oakfield.example"]', '["@oakfield.example"]'), "write what stands after the @"),
        (
            lambda text: text.replace("[trust]", '[trust]\nemail = "chair@trust.example"'),
            r"\[trust\] email 'chair@trust.example' is on no domain .* add its domain to email_domains under \[trust\]",
        ),
        (lambda text: text.replace("[trust]", '[trust]\nwitness_email = "x@mail.oakfield.example"'), r"\[trust\] witness_email"),
        (lambda text: text.replace("[trust]", '[trust]\nemail_domains = ["trust"]'), "is not a domain"),
        (lambda text: text.replace('slug = "oakfield"', 'slug = "Oak Field"'), "lower-case letters"),
        (lambda text: 'listen_host = "0.0.0.0"\n' + text, "set review_url to the https address"),
        (
            lambda text: text.replace('secrets_dir = "secrets"', 'secrets_dir = "data/vault/keys"'),
            "must not be kept with what they protect",
        ),
        (lambda text: text + "\n[[school]]" + text.split("[[school]]")[1].split("[x]")[0], "same slug"),
        (lambda text: text + "\n[mail", "not valid TOML"),
    ],
)
def test_what_cannot_be_used_is_one_line_that_says_what_to_mend(tmp_path: Path, change: Callable[[str], str], said: str) -> None:
    with pytest.raises(BadInput, match=said) as caught:
        read(tmp_path, change(GOOD))
    assert "\n" not in str(caught.value)
    assert "moderator.toml" in str(caught.value)


def test_r26_the_trusts_mailboxes_are_on_a_domain_of_a_school_or_of_the_trust(tmp_path: Path) -> None:
    trust = 'email = "chair@Trust.example"\nwitness_email = "it@oakfield.example"\nemail_domains = ["TRUST.example"]'
    options = read(tmp_path, GOOD.replace("[trust]", f"[trust]\n{trust}"))
    assert options.mail_domains == {"oakfield.example", "trust.example"}


def test_a_missing_file_says_where_to_look(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="README"):
        load(tmp_path / "none.toml")


def test_secrets_come_from_private_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = read(tmp_path, GOOD)
    with pytest.raises(BadInput, match="cannot be read"):
        options.secret("roll.key")
    assert options.optional_secret("roll.key") == ""
    (tmp_path / "secrets").mkdir()
    path = tmp_path / "secrets" / "roll.key"
    path.write_text("ab\n")
    path.chmod(0o644)
    with pytest.raises(BadInput, match="chmod 600"):
        options.secret("roll.key")
    path.chmod(0o600)
    assert options.secret("roll.key") == options.optional_secret("roll.key") == "ab"
    path.write_text("\n")
    with pytest.raises(BadInput, match="is empty"):
        options.secret("roll.key")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "creds"))
    assert read(tmp_path, GOOD.replace('secrets_dir = "secrets"', "")).secrets_dir == tmp_path / "creds"


def test_logs_carry_ids_only_and_trouble_by_default(capsys: pytest.CaptureFixture[str]) -> None:
    from moderator import observe  # noqa: PLC0415 - after the set-up below would be too late for nothing else

    logs.set_up()
    observe.happened("item_hidden", item=1)
    observe.went_wrong("hide_failed", item=1)
    said = capsys.readouterr().err
    assert "item_hidden" not in said
    assert '"event": "hide_failed"' in said
    logs.set_up(verbose=True)
    observe.happened("item_hidden", item=1)
    assert '"event": "item_hidden"' in capsys.readouterr().err
