"""Settings: one `moderator.toml`, the environment, and secret files. Called by build and the command line."""

import os
import re
import stat
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from moderator.domain.account import School
from moderator.domain.errors import BadInput

PACKAGE = Path(__file__).parent
ASSETS = PACKAGE / "assets" if (PACKAGE / "assets").is_dir() else PACKAGE.parent
"""Where `models/` and `templates/` are: inside the installed package, or beside it in a checkout."""

_PATHS = frozenset({"data_dir", "secrets_dir", "policy_file", "ca_file", "chain_file"})
"""Keys whose value is a path, which counts from where the file of settings lies."""

_TENANT = re.compile(r"/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/v2\.0")
"""The path of one Microsoft tenant's issuer; `common`, `organizations` and `consumers` let every tenant's people in."""

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def _slug(value: str) -> str:
    if not value or not value.isascii() or not all(letter.islower() or letter.isdigit() or letter == "-" for letter in value):
        message = "a school's slug is lower-case letters, digits and hyphens"
        raise ValueError(message)
    return value


def _address(value: str) -> str:
    name, _, domain = value.rpartition("@")
    if not name or "." not in domain or any(letter.isspace() for letter in value):
        message = f"{value!r} is not an e-mail address"
        raise ValueError(message)
    return value


Slug = Annotated[str, AfterValidator(_slug)]
Address = Annotated[str, AfterValidator(_address)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SchoolTable(_Table):
    """One `[[school]]`: `head_email` must be on one of `email_domains` (R26)."""

    slug: Slug
    name: str = Field(min_length=1)
    urn: str = ""
    head_email: Address
    email_domains: list[str] = Field(min_length=1)

    @model_validator(mode="after")
    def _school_addresses_only(self) -> "SchoolTable":
        domain = self.head_email.rpartition("@")[2].lower()
        if domain not in {name.lower() for name in self.email_domains}:
            message = f"head_email {self.head_email!r} is not on the school's domains: alerts go to school addresses only (R26)"
            raise ValueError(message)
        return self


class TrustTable(_Table):
    """`[trust]`: `email` hears of evidence at fault; `witness_email` keeps every ledger head, apart from the Headteacher's digest."""

    name: str = Field(min_length=1)
    email: Literal[""] | Address = ""
    witness_email: Literal[""] | Address = ""


class VaultTable(_Table):
    """`[vault]`: where records are kept.

    `s3` is a bucket with versioning and Object Lock; its keys are the secrets `s3-access-key` and `s3-secret-key`. `immutable_files` sets
    the filesystem's own "never change" flag on a folder vault, where it may.
    """

    kind: Literal["folder", "s3"] = "folder"
    immutable_files: bool = False
    bucket: str = ""
    prefix: str = ""
    region: str = ""
    endpoint_url: str = ""
    ca_file: Path | None = None
    retain_days: int = Field(default=2557, ge=1, le=36_500)

    @model_validator(mode="after")
    def _bucket_named(self) -> "VaultTable":
        if self.kind == "s3" and not self.bucket:
            message = 'kind = "s3" needs the bucket\'s name'
            raise ValueError(message)
        return self


class XTable(_Table):
    """`[x]`: the app registered with X. `api_url` can point at a practice network."""

    client_id: str = Field(min_length=1)
    api_url: str = "https://api.x.com"
    site_url: str = "https://x.com"
    timeout_seconds: float = Field(default=20.0, gt=0, le=120)


class MailTable(_Table):
    """`[mail]`: without it, mail goes to `outbox/` as `.eml` files. The password is the secret file `smtp-password`."""

    host: str = Field(min_length=1)
    port: int = Field(default=587, ge=1, le=65535)
    username: str = ""
    sender: Address
    starttls: Literal["required", "implicit", "off"] = "required"
    timeout_seconds: float = Field(default=30.0, gt=0, le=300)
    ca_file: Path | None = None


class TimestampTable(_Table):
    """One `[[timestamps]]`: an RFC 3161 authority, at most two. `policy` is the dotted number its stamps must carry, if any."""

    name: Slug
    url: str
    chain_file: Path
    policy: str = ""


class OidcTable(_Table):
    """One `[[oidc]]`: people sign in with the school's own accounts. The client's secret is the secret file `oidc-<slug>-secret`.

    `trusts_mfa`: that provider asks everybody for a second factor, so the service does not ask for its own code.
    """

    name: str = Field(min_length=1, max_length=40)
    issuer: str
    client_id: str = Field(min_length=1)
    trusts_mfa: bool = False

    @field_validator("issuer")
    @classmethod
    def _one_issuer(cls, issuer: str) -> str:
        place = urlsplit(issuer)
        secure = place.scheme == "https" or (place.scheme == "http" and place.hostname in LOOPBACK)
        if not secure or not place.hostname or place.query:
            message = f"{issuer!r} is not the issuer's https address"
            raise ValueError(message)
        if place.hostname == "login.microsoftonline.com" and not _TENANT.fullmatch(place.path):
            message = (
                "give your own tenant's issuer, https://login.microsoftonline.com/<tenant id>/v2.0: with another, strangers could sign in"
            )
            raise ValueError(message)
        return issuer

    @property
    def slug(self) -> str:
        """Return the name as it stands in addresses and in the secret file's name: `microsoft-365`."""
        return "-".join(re.findall("[a-z0-9]+", self.name.lower()))

    @property
    def secret_name(self) -> str:
        """Return the name of the file with the client's secret."""
        return f"oidc-{self.slug}-secret"


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
                trust=self.trust.name,
                ledger="ledger.jsonl" if alone else f"ledger-{table.slug}.jsonl",
            )
            for table in self.school
        ]

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
    for part in (table, table.get("mail"), table.get("vault"), *(stamps if isinstance(stamps, list) else ())):
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
