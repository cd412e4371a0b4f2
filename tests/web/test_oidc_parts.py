"""What an ID token of Google or Microsoft must say, which providers can be set up, and a provider whose own papers are wrong."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, ClassVar

import pytest
from joserfc.jwk import ECKey, KeySet

from moderator.domain.errors import BadInput, Refused, Transient
from moderator.settings import Settings, make
from moderator.settings.tables import OidcTable
from moderator.web.providers import providers
from moderator.web.signing_in.oidc_claims import LEEWAY_SECONDS, claims_of, identity
from moderator.web.signing_in.oidc_provider import Directory, Errand, Provider

NOW = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)
TENANT = "7a1f0c52-3b4e-4d2a-9c11-0e5d6f7a8b90"
GOOGLE = Provider("google", "Google", "https://accounts.google.com", "us", "secret")
MICROSOFT = Provider("microsoft-365", "Microsoft 365", f"https://login.microsoftonline.com/{TENANT}/v2.0", "us", "secret")
DOMAINS = {"oakfield.example", "ashford.example"}


def claims(provider: Provider, **changes: object) -> dict[str, Any]:
    """Return the claims of a good token of that provider."""
    seconds = int(NOW.timestamp())
    made: dict[str, Any] = {"iss": provider.issuer, "aud": "us", "sub": "1", "nonce": "n", "iat": seconds, "exp": seconds + 300}
    made |= {"email": "head@oakfield.example"}
    made |= {"email_verified": True, "hd": "oakfield.example"} if provider is GOOGLE else {"tid": TENANT}
    return {name: value for name, value in (made | changes).items() if value is not None}


def believed(provider: Provider, **changes: object) -> str:
    """Return the address believed, or why it is not."""
    try:
        return identity(claims(provider, **changes), provider=provider, nonce="n", domains=DOMAINS, now=NOW).email
    except Refused as error:
        return str(error)


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({}, "head@oakfield.example"),
        ({"hd": "Ashford.Example"}, "head@oakfield.example"),
        ({"hd": None}, "domain"),
        ({"hd": "elsewhere.example"}, "domain"),
        ({"email_verified": "true"}, "unverified"),
        ({"email": None}, "domain"),
        ({"email": ["head@oakfield.example"]}, "domain"),
        ({"preferred_username": "head@oakfield.example", "email": "x@elsewhere.example"}, "domain"),
        ({"aud": ["us"]}, "head@oakfield.example"),
        ({"exp": int(NOW.timestamp()) - LEEWAY_SECONDS + 1}, "head@oakfield.example"),
        ({"exp": int(NOW.timestamp()) - LEEWAY_SECONDS}, "token"),
        ({"exp": "soon"}, "token"),
        ({"iat": int(NOW.timestamp()) + LEEWAY_SECONDS}, "token"),
        ({"sub": 7}, "token"),
        ({"sub": "s" * 256}, "token"),
    ],
)
def test_r26_what_google_must_say(changes: dict[str, object], outcome: str) -> None:
    assert believed(GOOGLE, **changes) == outcome


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({}, "head@oakfield.example"),
        ({"email": None, "preferred_username": "Head@oakfield.example"}, "head@oakfield.example"),
        ({"tid": None}, "unverified"),
        ({"tid": "another"}, "unverified"),
        ({"acct": 0}, "head@oakfield.example"),
        ({"acct": 1}, "unverified"),
        ({"xms_edov": False}, "unverified"),
        ({"xms_edov": "1"}, "head@oakfield.example"),
        ({"email_verified": False}, "unverified"),
        ({"email": "head@elsewhere.example"}, "domain"),
    ],
)
def test_r26_what_microsoft_must_say(changes: dict[str, object], outcome: str) -> None:
    assert believed(MICROSOFT, **changes) == outcome


@pytest.mark.parametrize(("methods", "asked"), [(["pwd", "mfa"], True), (["pwd"], False), ("mfa", False), (None, False)])
def test_a_second_factor_counts_only_where_the_token_says_so(methods: object, asked: bool) -> None:  # noqa: FBT001 - the table's column
    assert identity(claims(GOOGLE, amr=methods), provider=GOOGLE, nonce="n", domains=DOMAINS, now=NOW).multi_factor is asked


def test_what_is_no_token_has_no_claims() -> None:
    for text in ("", "a.b.c", "é", "e30.e30."):
        assert claims_of(text, KeySet([])) is None


TRUST = {"data_dir": "/srv/x", "secrets_dir": "/srv/y", "delegation": "D-1", "trust": {"name": "Trust"}}
SCHOOL = {"slug": "oakfield", "name": "Oakfield", "head_email": "head@oakfield.example", "email_domains": ["oakfield.example"]}


def settings(*tables: Mapping[str, object]) -> Settings:
    """Return settings with these `[[oidc]]` tables."""
    return make({**TRUST, "school": [SCHOOL], "oidc": list(tables)}, where="moderator.toml")


@pytest.mark.parametrize(
    ("issuer", "words"),
    [
        ("https://login.microsoftonline.com/common/v2.0", "your own tenant's issuer"),
        ("https://login.microsoftonline.com/organizations/v2.0", "your own tenant's issuer"),
        (f"https://login.microsoftonline.com/{TENANT}", "your own tenant's issuer"),
        ("http://accounts.google.com", "https address"),
        ("accounts.google.com", "https address"),
        ("https://accounts.google.com?x=1", "https address"),
    ],
)
def test_an_issuer_that_lets_strangers_in_is_refused(issuer: str, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        settings({"name": "Google", "issuer": issuer, "client_id": "us"})


def test_two_providers_have_names_of_their_own() -> None:
    google = {"name": "Google", "issuer": GOOGLE.issuer, "client_id": "us"}
    for other in ("google!", "Google", "…"):
        with pytest.raises(BadInput, match="a name of its own"):
            settings(google, {**google, "name": other})


def test_a_provider_takes_its_secret_from_the_file_named_for_it(tmp_path: Any) -> None:
    (tmp_path / "oidc-microsoft-365-secret").write_text("quiet\n", encoding="utf-8")
    (tmp_path / "oidc-microsoft-365-secret").chmod(0o600)
    table = {"name": "Microsoft 365", "issuer": MICROSOFT.issuer, "client_id": "us"}
    options = settings(table).model_copy(update={"secrets_dir": tmp_path})
    [found] = providers(options)
    assert (found.slug, found.client_secret, found.trusts_mfa) == ("microsoft-365", "quiet", False)
    assert "quiet" not in repr(found)
    with pytest.raises(BadInput, match="oidc-google-secret"):
        providers(options.model_copy(update={"oidc": [OidcTable(name="Google", issuer=GOOGLE.issuer, client_id="us")]}))


class Papers(BaseHTTPRequestHandler):
    """Answers each path with what the test laid there: a status and a body."""

    laid: ClassVar[dict[str, tuple[int, bytes]]] = {}

    def do_GET(self) -> None:
        status, body = self.laid.get(self.path, (404, b""))
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        del format, args


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    """Yield the address of a provider whose papers the tests lay out."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Papers)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def lay(place: str, path: str = "", *, status: int = 200, body: bytes | None = None, **changes: object) -> Directory:
    """Lay the provider's papers out, the one at `path` as told, and return the provider as the app sees it."""
    paper = {"issuer": place, "authorization_endpoint": f"{place}/a", "token_endpoint": f"{place}/t", "jwks_uri": f"{place}/k"}
    Papers.laid.clear()
    Papers.laid["/.well-known/openid-configuration"] = (200, json.dumps(paper | changes).encode())
    Papers.laid["/k"] = (200, b'{"keys": []}')
    if path:
        Papers.laid[path] = (status, body if body is not None else b"{}")
    return Directory(Provider("practice", "Practice", place, "us", "secret"))


DISCOVERY = "/.well-known/openid-configuration"


@pytest.mark.parametrize(
    "paper",
    [
        {"issuer": "https://accounts.google.com"},
        {"token_endpoint": "http://127.0.0.1:9/t"},
        {"jwks_uri": "http://localhost/k"},
        {"authorization_endpoint": "https://elsewhere.example/a"},
        {"token_endpoint": None},
        {"path": DISCOVERY, "status": 500},
        {"path": DISCOVERY, "status": 302},
        {"path": DISCOVERY, "body": b"<p>no JSON</p>"},
        {"path": DISCOVERY, "body": b"[]"},
        {"path": DISCOVERY, "body": b" " * 300_000 + b"{}"},
        {"path": DISCOVERY, "body": b"[" * 200_000},
    ],
)
def test_a_provider_whose_papers_are_wrong_is_as_good_as_down(issuer: str, paper: dict[str, Any]) -> None:
    directory = lay(issuer, **paper)
    with pytest.raises(Transient):
        directory.leave_for(Errand.new(), state="s", back="http://localhost/back", now=NOW)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/k", b'{"keys": []}'),
        ("/k", b'{"keys": [{"kty": "RSA", "n": 1}]}'),
        ("/k", b"[]"),
        ("/k", b'{"keys": [{"kty": "EC", "crv": "P-999"}]}'),
    ],
)
def test_keys_that_cannot_be_read_are_as_good_as_none(issuer: str, path: str, body: bytes) -> None:
    directory = lay(issuer, path, body=body)
    with pytest.raises(Transient):
        directory.keys(now=NOW)


def test_keys_of_other_kinds_are_passed_over(issuer: str) -> None:
    good = ECKey.generate_key("P-256", {"kid": "good"}, private=False).as_dict()
    others = [{"kty": "oct", "k": "AA"}, {"kty": "RSA", "use": "enc"}, "none", {"kty": "OKP"}, good]
    directory = lay(issuer, "/k", body=json.dumps({"keys": others}).encode())
    assert [key.kid for key in directory.keys(now=NOW).keys] == ["good"]
    Papers.laid.clear()  # it is not asked again within the hour
    assert len(directory.keys(now=NOW + timedelta(minutes=59)).keys) == 1
    with pytest.raises(Transient):
        directory.keys(now=NOW + timedelta(minutes=61))


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (200, b'{"access_token": "a", "token_type": "bearer"}', Refused),
        (200, b'{"access_token": "a", "token_type": "bearer", "id_token": 7}', Refused),
        (400, b'{"error": "invalid_grant"}', Refused),
        (200, b'{"error": "invalid_grant"}', Refused),
        (200, b"<p>no JSON</p>", Transient),
        (200, b"[]", Transient),
        (500, b"", Transient),
        (302, b"", Transient),
    ],
)
def test_a_code_is_exchanged_or_it_is_not(issuer: str, status: int, body: bytes, error: type[Exception]) -> None:
    directory = lay(issuer, "/t", status=status, body=body)
    with pytest.raises(error):
        directory.id_token("code", Errand.new(), back="http://localhost/back", now=NOW)
