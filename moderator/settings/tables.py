"""The tables of `moderator.toml`, each checked by itself. Called by `Settings`."""

import re
from datetime import date
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from moderator.domain.calendar import Closure, SchoolCalendar
from moderator.domain.mail_domains import allowed, is_domain

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


def _domain(value: str) -> str:
    if not is_domain(value):
        message = f"{value!r} is not a domain: write what stands after the @, like school.example"
        raise ValueError(message)
    return value


def _closure(value: str) -> Closure:
    first, _, last = value.partition("/")
    try:
        return Closure(date.fromisoformat(first), date.fromisoformat(last or first))
    except ValueError as error:
        message = f"{value!r} is no day: write 2026-12-25, or 2026-12-21/2027-01-01 for the first and the last of several"
        raise ValueError(message) from error


Slug = Annotated[str, AfterValidator(_slug)]
Address = Annotated[str, AfterValidator(_address)]
Domain = Annotated[str, AfterValidator(_domain)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SchoolTable(_Table):
    """One `[[school]]`: `head_email` must be on one of `email_domains` (R26).

    `digest_hour` is this school's own; `closed` lists its holidays, a day or `first/last` each; with `digest_while_closed = false` the
    digest of closed days and weekends comes with the next school day's.
    """

    slug: Slug
    name: str = Field(min_length=1)
    urn: str = ""
    head_email: Address
    email_domains: list[Domain] = Field(min_length=1)
    digest_hour: int | None = Field(default=None, ge=0, le=23)
    closed: list[str] = Field(default_factory=list, max_length=400)
    digest_while_closed: bool = True

    @field_validator("closed")
    @classmethod
    def _days(cls, closed: list[str]) -> list[str]:
        for each in closed:
            _closure(each)
        return closed

    def calendar(self, hour: int) -> SchoolCalendar:
        """Return when the school gets its digests; `hour` counts where it has none of its own."""
        return SchoolCalendar(
            hour=hour if self.digest_hour is None else self.digest_hour,
            closures=tuple(_closure(each) for each in self.closed),
            while_closed=self.digest_while_closed,
        )

    @model_validator(mode="after")
    def _school_addresses_only(self) -> "SchoolTable":
        if not allowed(self.head_email, {name.lower() for name in self.email_domains}):
            message = f"head_email {self.head_email!r} is not on the school's domains: alerts go to school addresses only (R26)"
            raise ValueError(message)
        return self


class TrustTable(_Table):
    """`[trust]`: `email` hears of evidence at fault; `witness_email` keeps every ledger head, apart from the Headteacher's digest.

    `email_domains` are the trust's own, where they are not a school's: mail goes to no other (R26).
    """

    name: str = Field(min_length=1)
    email: Literal[""] | Address = ""
    witness_email: Literal[""] | Address = ""
    email_domains: list[Domain] = Field(default_factory=list)


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


class OauthTable(_Table):
    """`[mail.oauth]`: sign in to the mail server with tokens (XOAUTH2) instead of a password.

    `client_credentials` is the app in its own name (Microsoft 365), `refresh_token` a person who agreed once (Gmail, Microsoft),
    `service_account` a key that acts for `subject` (Google Workspace). The secret files are `smtp-oauth-secret` (the client's secret, or
    the service account's key) and `smtp-oauth-refresh-token`.
    """

    kind: Literal["client_credentials", "refresh_token", "service_account"]
    token_url: str
    client_id: str = Field(min_length=1)
    scope: str = ""
    subject: str = ""

    @field_validator("token_url")
    @classmethod
    def _secure(cls, token_url: str) -> str:
        place = urlsplit(token_url)
        secure = place.scheme == "https" or (place.scheme == "http" and place.hostname in LOOPBACK)
        if not secure or not place.hostname or place.username or place.fragment:
            message = f"{token_url!r} is not the https address of a token endpoint"
            raise ValueError(message)
        return token_url

    @model_validator(mode="after")
    def _somebody_to_act_for(self) -> "OauthTable":
        if (self.kind == "service_account") != bool(self.subject):
            message = 'subject is the mailbox that a service account acts for: it belongs to kind = "service_account", and only there'
            raise ValueError(message)
        return self


class BouncesTable(_Table):
    """`[mail.bounces]`: the mailbox that undelivered mail comes back to, over IMAP with TLS.

    `username` is the sender's address unless set. The password is the secret file `imap-password`; without that file, the tokens of
    `[mail.oauth]` are used.
    """

    host: str = Field(min_length=1)
    port: int = Field(default=993, ge=1, le=65535)
    username: str = ""
    folder: str = Field(default="INBOX", pattern=r"^[\x20-\x7e]{1,200}$")
    timeout_seconds: float = Field(default=30.0, gt=0, le=300)
    ca_file: Path | None = None


class MailTable(_Table):
    """`[mail]`: without it, mail goes to `outbox/` as `.eml` files. The password is the secret file `smtp-password`.

    With `smime`, mail is signed; the key and its certificate are the secret files `smime-key` and `smime-cert`.
    """

    host: str = Field(min_length=1)
    port: int = Field(default=587, ge=1, le=65535)
    username: str = ""
    sender: Address
    starttls: Literal["required", "implicit", "off"] = "required"
    timeout_seconds: float = Field(default=30.0, gt=0, le=300)
    ca_file: Path | None = None
    smime: bool = False
    oauth: OauthTable | None = None
    bounces: BouncesTable | None = None

    @model_validator(mode="after")
    def _somebody_signs_in(self) -> "MailTable":
        if self.oauth is not None and not self.username:
            message = "[mail.oauth] needs username in [mail]: the mailbox that mail is sent from"
            raise ValueError(message)
        return self


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
