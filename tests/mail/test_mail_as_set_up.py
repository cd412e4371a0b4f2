"""Mail as the settings say: which parts are built, what is refused at start, and what `moderator doctor` says of them."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from certificates import Authority, new_key, pem_of
from imap_server import PASSWORD, Server, imap_server
from token_endpoint import Endpoint, endpoint

from moderator.build import mailbox, mailer, make_keys, sealer
from moderator.build.mailing import TOKEN_FILE, SealedToken, token_source
from moderator.cli.doctor import checks
from moderator.domain.errors import BadInput, Refused, Transient
from moderator.mail.imap import ImapMailbox
from moderator.mail.outbox import FolderMailer
from moderator.mail.smime import SigningMailer
from moderator.mail.smtp import SmtpMailer
from moderator.ports import NoMailbox
from moderator.settings import Settings, load, make

SENDER = "moderator@trust.example"
SMTP = {"host": "127.0.0.1", "port": 1, "sender": SENDER, "username": SENDER}
OAUTH = {"kind": "client_credentials", "token_url": "https://id.example/token", "client_id": "app-1"}


@pytest.fixture
def options(tmp_path: Path) -> Callable[..., Settings]:
    """Return how settings are made with a `[mail]` table and secrets, which are private files."""
    (tmp_path / "data").mkdir()
    make_keys(tmp_path / "secrets")

    def given(mail: dict[str, Any] | None = None, **secrets: str) -> Settings:
        for name, text in secrets.items():
            file = tmp_path / "secrets" / name.replace("_", "-")
            file.write_text(text, encoding="utf-8")
            file.chmod(0o600)
        table: dict[str, Any] = {
            "data_dir": tmp_path / "data",
            "secrets_dir": tmp_path / "secrets",
            "delegation": "D-1",
            "trust": {"name": "T"},
            "school": [{"slug": "ash", "name": "Ash", "head_email": "head@ash.example", "email_domains": ["ash.example"]}],
        }
        return make(table | ({"mail": mail} if mail is not None else {}), where="a test")

    return given


Options = Callable[..., Settings]


def said(settings: Settings, name: str) -> str:
    return dict(checks(settings))[name]()


@pytest.fixture
def desk() -> Iterator[Endpoint]:
    with endpoint() as here:
        yield here


@pytest.fixture
def imap(tmp_path: Path) -> Iterator[Server]:
    with imap_server(tmp_path) as running:
        yield running


def test_without_mail_there_is_a_folder_and_no_mailbox(options: Options) -> None:
    plain = options()
    assert isinstance(mailer(plain), FolderMailer)
    assert isinstance(mailbox(plain), NoMailbox)
    assert token_source(plain) is None
    assert "outbox as .eml files" in said(plain, "mail")
    assert said(plain, "mailbox").startswith("advice: set [mail.bounces]")
    assert said(plain, "mail tokens") == "none are needed: no [mail.oauth] is set"


def test_a_password_is_asked_for_where_somebody_signs_in_by_one(options: Options) -> None:
    with pytest.raises(BadInput, match="secret smtp-password"):
        mailer(options(SMTP))
    assert isinstance(mailer(options(SMTP, smtp_password="word")), SmtpMailer)  # noqa: S106 - of a test
    assert isinstance(mailer(options(SMTP | {"username": ""})), SmtpMailer)
    bounced = SMTP | {"bounces": {"host": "127.0.0.1"}}
    with pytest.raises(BadInput, match="secret imap-password"):
        mailbox(options(bounced))
    assert isinstance(mailbox(options(bounced, imap_password="word")), ImapMailbox)  # noqa: S106 - of a test


def test_tokens_take_the_place_of_both_passwords(options: Options, imap: Server, desk: Endpoint) -> None:
    table = SMTP | {
        "oauth": OAUTH | {"token_url": desk.url},
        "bounces": {"host": "127.0.0.1", "port": imap.port, "ca_file": imap.ca_file},
    }
    with pytest.raises(BadInput, match="secret smtp-oauth-secret"):
        mailer(options(table))
    settings = options(table, smtp_oauth_secret="only for tests")  # noqa: S106 - of a test
    desk.gives("token-1")
    assert isinstance(mailer(settings), SmtpMailer)
    assert said(settings, "mail tokens") == f"{desk.url} gives one"
    assert "signed in by XOAUTH2" in said(settings, "mailbox")
    desk.says((400, {"error": "invalid_client"}))
    for name in ("mail tokens", "mail", "mailbox"):
        with pytest.raises(Refused, match="invalid_client"):
            said(settings, name)


def test_a_mailbox_of_its_own_password_uses_that_beside_tokens(options: Options, imap: Server) -> None:
    table = SMTP | {"oauth": OAUTH, "bounces": {"host": "127.0.0.1", "port": imap.port, "ca_file": imap.ca_file}}
    assert ", signed in, " in said(options(table, imap_password=PASSWORD, smtp_oauth_secret="s"), "mailbox")  # noqa: S106 - of a test
    imap.folder.no = {"AUTHENTICATE": "NO no"}
    with pytest.raises(Refused, match="refused the user name or password"):
        said(options(table), "mailbox")


def test_a_service_account_acts_for_its_mailbox(options: Options) -> None:
    table = SMTP | {"oauth": OAUTH | {"kind": "service_account", "subject": SENDER}}
    with pytest.raises(BadInput, match="no RSA key"):
        mailer(options(table, smtp_oauth_secret="none"))  # noqa: S106 - of a test


def test_a_renewed_refresh_token_is_kept_encrypted_and_used_after_a_restart(options: Options, desk: Endpoint) -> None:
    table = SMTP | {"oauth": OAUTH | {"kind": "refresh_token", "token_url": desk.url}}
    with pytest.raises(BadInput, match="secret smtp-oauth-refresh-token"):
        mailer(options(table))
    settings = options(table, smtp_oauth_refresh_token="agreed-1")  # noqa: S106 - of a test
    desk.gives("token-1", renewed="agreed-2")
    for _ in range(2):
        source = token_source(settings)
        assert source is not None
        source.token()
    assert [form["refresh_token"] for form in desk.asked] == ["agreed-1", "agreed-2"]
    kept = settings.data_dir / TOKEN_FILE
    assert b"agreed" not in kept.read_bytes()
    assert kept.stat().st_mode & 0o077 == 0
    assert [each.name for each in settings.data_dir.iterdir()] == [TOKEN_FILE]
    again = token_source(options(table, smtp_oauth_refresh_token="agreed-9"))  # noqa: S106 - of a test
    assert again is not None
    again.token()
    assert "agreed-9" in desk.asked[-1].values(), "who put a new one there wins"


@pytest.mark.parametrize("content", [b"", b"not sealed", None])
def test_a_kept_token_that_cannot_be_read_is_none(options: Options, content: bytes | None) -> None:
    settings = options()
    file = settings.data_dir / TOKEN_FILE
    if content is not None:
        file.write_bytes(content)
    keeper = SealedToken(file, sealer(settings))
    assert keeper.newest("agreed-1") == ""
    keeper.keep("agreed-1", newest="agreed-2")
    assert (keeper.newest("agreed-1"), keeper.newest("agreed-0")) == ("agreed-2", "")


def test_a_kept_token_that_is_sealed_but_no_longer_whole_is_none(options: Options) -> None:
    settings = options()
    (settings.data_dir / TOKEN_FILE).write_bytes(sealer(settings).seal("{"))
    assert SealedToken(settings.data_dir / TOKEN_FILE, sealer(settings)).newest("agreed-1") == ""


def test_signed_mail_refuses_to_start_with_what_readers_would_not_accept(options: Options, monkeypatch: pytest.MonkeyPatch) -> None:
    table = SMTP | {"username": "", "smime": True}
    with pytest.raises(BadInput, match="secret smime-key"):
        mailer(options(table))
    root, key = Authority.new(), new_key()
    signing = mailer(options(table, smime_key=pem_of(key), smime_cert=root.gives(key)))
    assert isinstance(signing, SigningMailer)
    assert isinstance(signing.mailer, SmtpMailer)
    over = options(table, smime_cert=root.gives(key, lasts=timedelta(days=-2)))
    assert isinstance(mailer(over), SigningMailer), "alerts must go out after a restart, though unsigned"
    monkeypatch.setattr(SmtpMailer, "check", lambda _self: "it answers")
    with pytest.raises(BadInput, match=r"mail leaves unsigned: .* it ended on"):
        said(over, "mail")
    with pytest.raises(BadInput, match="it is for other@"):
        mailer(options(table, smime_cert=root.gives(key, "other@trust.example")))


@pytest.mark.parametrize(("days", "soon"), [(400, False), (29, True)])
def test_doctor_says_until_when_mail_is_signed(options: Options, monkeypatch: pytest.MonkeyPatch, days: int, *, soon: bool) -> None:
    root, key = Authority.new(), new_key()
    settings = options(
        SMTP | {"username": "", "smime": True}, smime_key=pem_of(key), smime_cert=root.gives(key, lasts=timedelta(days=days))
    )
    with pytest.raises(Transient, match="ConnectionRefusedError"):
        said(settings, "mail")
    monkeypatch.setattr(SmtpMailer, "check", lambda _self: "it answers")
    words = said(settings, "mail")
    ends = (datetime.now(UTC) + timedelta(days=days)).date()
    assert words.startswith(f"it answers; mail is signed, the certificate lasts until {ends}")
    assert ("WARNING" in words) == soon
    monkeypatch.setattr(SmtpMailer, "check", lambda _self: "unsigned")
    assert said(options(SMTP | {"username": ""}), "mail") == "unsigned"


@pytest.mark.parametrize(
    ("mail", "key", "said_"),
    [
        ({"oauth": OAUTH | {"token_url": "http://id.example/token"}}, "mail.oauth.token_url", "not the https address"),
        ({"oauth": OAUTH | {"token_url": "https://a:b@id.example/token"}}, "mail.oauth.token_url", "not the https address"),
        ({"oauth": OAUTH | {"token_url": "https:///token"}}, "mail.oauth.token_url", "not the https address"),
        ({"oauth": OAUTH | {"kind": "password"}}, "mail.oauth.kind", "client_credentials"),
        ({"oauth": OAUTH | {"subject": SENDER}}, "mail.oauth", "subject is the mailbox that a service account acts for"),
        ({"oauth": OAUTH | {"kind": "service_account"}}, "mail.oauth", "subject is the mailbox that a service account acts for"),
        ({"oauth": OAUTH, "username": ""}, "mail", "needs username"),
        ({"bounces": {"host": ""}}, "mail.bounces.host", "at least 1 character"),
        ({"bounces": {"host": "a", "folder": "IN\r\nBOX"}}, "mail.bounces.folder", "pattern"),
        ({"bounces": {"host": "a", "password": "word"}}, "mail.bounces.password", "there is no such setting"),
    ],
)
def test_settings_that_cannot_work_are_told_in_one_line(options: Options, mail: dict[str, Any], key: str, said_: str) -> None:
    with pytest.raises(BadInput, match=f"^a test: {re.escape(key)}: .*{said_}") as told:
        options(SMTP | mail)
    assert "\n" not in str(told.value)


def test_the_mailboxs_certificates_count_from_the_settings_file(tmp_path: Path) -> None:
    (tmp_path / "moderator.toml").write_text(
        'data_dir = "d"\nsecrets_dir = "s"\ndelegation = "D-1"\n[trust]\nname = "T"\n'
        '[[school]]\nslug = "ash"\nname = "Ash"\nhead_email = "head@ash.example"\nemail_domains = ["ash.example"]\n'
        '[mail]\nhost = "h"\nsender = "a@ash.example"\n[mail.bounces]\nhost = "h"\nca_file = "ca.pem"\n',
        encoding="utf-8",
    )
    found = load(tmp_path / "moderator.toml").mail
    assert found is not None
    assert found.bounces is not None
    assert found.bounces.ca_file == tmp_path / "ca.pem"
