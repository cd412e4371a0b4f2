"""Settings: one `moderator.toml`, the environment, and secret files. Called by build and the command line."""

import os
import stat
import tomllib
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from moderator.domain.account import School
from moderator.domain.calendar import SchoolCalendar
from moderator.domain.errors import BadInput
from moderator.domain.mail_domains import allowed
from moderator.settings.tables import (
    LOOPBACK,
    Address,
    MailTable,
    OidcTable,
    SchoolTable,
    TimestampTable,
    TrustTable,
    VaultTable,
    XTable,
)

__all__ = ["ASSETS", "LOOPBACK", "PACKAGE", "Settings", "load", "make"]

PACKAGE = Path(__file__).parents[1]
ASSETS = PACKAGE / "assets" if (PACKAGE / "assets").is_dir() else PACKAGE.parent
"""Where `models/` and `templates/` are: inside the installed package, or beside it in a checkout."""

_PATHS = frozenset({"data_dir", "secrets_dir", "policy_file", "ca_file", "chain_file"})
"""Keys whose value is a path, which counts from where the file of settings lies."""


class Settings(BaseSettings):
    """Everything a run needs to know. Unknown keys are refused; secrets are never in here, only the folder they lie in."""

    model_config = SettingsConfigDict(env_prefix="MODERATOR_", env_nested_delimiter="__", extra="forbid", frozen=True)

    data_dir: Path
    secrets_dir: Path
    database: str = ""
    trust: TrustTable
    school: list[SchoolTable] = Field(min_length=1)
    x: XTable | None = None
    mail: MailTable | None = None
    timestamps: list[TimestampTable] = Field(default_factory=list, max_length=2)
    oidc: list[OidcTable] = Field(default_factory=list, max_length=4)
    vault: VaultTable = VaultTable()
    encrypt_records: bool = True
    hide_without_stamp: bool = True
    wacz: bool = False
    verify_sample: int = Field(default=200, ge=1, le=100_000)
    listen_host: str = "127.0.0.1"
    listen_port: int = Field(default=8080, ge=0, le=65535)
    review_url: str = ""
    digest_hour: int = Field(default=7, ge=0, le=23)
    weekly_report: bool = True
    termly_report: bool = True
    unread_minutes: int = Field(default=30, ge=5, le=1440)
    alert_batch_seconds: int = Field(default=300, ge=0, le=300)
    silence_hours: int = Field(default=2, ge=1, le=48)
    keep_cleared_hours: int = Field(default=24, ge=1, le=168)
    delegation: str = Field(min_length=1)
    admin_on_duty: str = ""
    policy_file: Path | None = None
    models_dir: Path = ASSETS / "models"
    encoder: bool = True
    templates_dir: Path = ASSETS / "templates"
    sender: Literal[""] | Address = ""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment win over the file; no `.env` files."""
        del settings_cls, dotenv_settings, file_secret_settings
        return env_settings, init_settings

    @model_validator(mode="after")
    def _safe(self) -> "Settings":
        slugs = [school.slug for school in self.school]
        if len(slugs) != len(set(slugs)):
            message = "two [[school]] tables have the same slug"
            raise ValueError(message)
        names = [each.name for each in self.timestamps]
        if len(names) != len(set(names)):
            message = "two [[timestamps]] tables have the same name"
            raise ValueError(message)
        providers = [each.slug for each in self.oidc]
        if len(providers) != len(set(providers)) or "" in providers:
            message = "each [[oidc]] table needs a name of its own, with letters or digits"
            raise ValueError(message)
        if not self.hide_without_stamp and not self.timestamps:
            message = "hide_without_stamp = false needs an authority in [[timestamps]]: without one nothing would ever be hidden"
            raise ValueError(message)
        if self.listen_host not in LOOPBACK and urlsplit(self.review_url).scheme != "https":
            message = "listen_host is open to the network: set review_url to the https address that people use, behind a TLS proxy"
            raise ValueError(message)
        if self.secrets_dir.resolve().is_relative_to(self.data_dir.resolve() / "vault"):
            message = "secrets_dir lies in the vault: keys must not be kept with what they protect"
            raise ValueError(message)
        for name, address in (("email", self.trust.email), ("witness_email", self.trust.witness_email)):
            if address and not allowed(address, self.mail_domains):
                message = (
                    f"[trust] {name} {address!r} is on no domain of a school or of the trust, and mail goes to no other (R26); "
                    "if it is the trust's own mailbox, add its domain to email_domains under [trust]"
                )
                raise ValueError(message)
        return self

    @property
    def database_url(self) -> str:
        """Return the database's URL; a file in `data_dir` unless set."""
        return self.database or f"sqlite:///{self.data_dir / 'moderator.db'}"

    @property
    def public_url(self) -> str:
        """Return the review app's address as people type it, without a slash at the end."""
        return (self.review_url or f"http://{self.listen_host}:{self.listen_port}").rstrip("/")

    @property
    def vault_dir(self) -> Path:
        """Return the vault's folder."""
        return self.data_dir / "vault"

    @property
    def mail_sender(self) -> str:
        """Return the address mail comes from."""
        if self.mail:
            return self.mail.sender
        return self.sender or f"moderator@{self.school[0].email_domains[0]}"

    def schools(self) -> list[School]:
        """Return the schools as nouns. One school's ledger is `ledger.jsonl`, several have `ledger-<slug>.jsonl`; each keeps its first."""
        alone = len(self.school) == 1
        return [
            School(
                slug=table.slug,
                name=table.name,
                urn=table.urn,
                head_email=table.head_email,
                email_domains=tuple(domain.lower() for domain in table.email_domains),
                trust_domains=tuple(domain.lower() for domain in self.trust.email_domains),
                trust=self.trust.name,
                ledger="ledger.jsonl" if alone else f"ledger-{table.slug}.jsonl",
            )
            for table in self.school
        ]

    def calendars(self) -> dict[str, SchoolCalendar]:
        """Return each school's hour of the digest and its closure days, by slug."""
        return {table.slug: table.calendar(self.digest_hour) for table in self.school}

    @property
    def mail_domains(self) -> frozenset[str]:
        """Return the domains that mail goes to, in lower case: the schools' and the trust's own (R26)."""
        listed = [self.trust.email_domains, *(each.email_domains for each in self.school)]
        return frozenset(name.lower() for names in listed for name in names)

    def secret(self, name: str) -> str:
        """Return a secret file's text, stripped. Raises BadInput when it is missing, empty, or readable by others."""
        path = self.secrets_dir / name
        try:
            mode = path.stat().st_mode
            text = path.read_text(encoding="utf-8").strip()
        except OSError as error:
            message = (
                f"secret {name}: {path} cannot be read ({error.strerror}); `moderator doctor --make-keys` makes the service's own keys"
            )
            raise BadInput(message) from error
        if mode & (stat.S_IRWXG | stat.S_IRWXO) and "CREDENTIALS_DIRECTORY" not in os.environ:
            message = f"secret {name}: {path} can be read by other users; run: chmod 600 {path}"
            raise BadInput(message)
        if not text:
            message = f"secret {name}: {path} is empty"
            raise BadInput(message)
        return text

    def optional_secret(self, name: str) -> str:
        """Return a secret file's text, or an empty string when there is no such file."""
        return self.secret(name) if (self.secrets_dir / name).exists() else ""


def load(path: Path) -> Settings:
    """Read `moderator.toml`. Raises BadInput with one line that says which key is wrong and how to mend it."""
    try:
        table: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        message = f"{path}: cannot be read ({error.strerror}); give it with --config or MODERATOR_CONFIG (see the README, 'A real school')"
        raise BadInput(message) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        message = f"{path}: not valid TOML: {error}"
        raise BadInput(message) from error
    here = path.resolve().parent
    stamps = table.get("timestamps")
    mail = table.get("mail")
    bounces = mail.get("bounces") if isinstance(mail, dict) else None
    for part in (table, mail, bounces, table.get("vault"), *(stamps if isinstance(stamps, list) else ())):
        for key in _PATHS & part.keys() if isinstance(part, dict) else ():
            if isinstance(part[key], str):
                part[key] = here / part[key]
    if "CREDENTIALS_DIRECTORY" in os.environ:
        table.setdefault("secrets_dir", Path(os.environ["CREDENTIALS_DIRECTORY"]))
    return make(table, where=str(path))


def make(table: dict[str, Any], *, where: str) -> Settings:
    """Return checked settings from a table. Raises BadInput with one line for the first thing that is wrong."""
    try:
        return Settings(**table)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        kind = first["type"]
        what = {"extra_forbidden": "there is no such setting", "missing": "this setting is needed"}.get(
            kind, first["msg"].removeprefix("Value error, ")
        )
        message = f"{where}: {key}: {what}" if key else f"{where}: {what}"
        raise BadInput(message) from error
