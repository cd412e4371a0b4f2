"""The cast of the evidence tests: a school, comments, a web site on loopback, one warm Chromium, a real timestamp authority."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from moderator.domain.account import Account, Approval, Mode, School
from moderator.domain.decision import Decision, Outcome, Severity
from moderator.domain.errors import NotAllowed
from moderator.domain.events import GENESIS, Event, Head, LedgerEvent, chain
from moderator.domain.item import Author, Item, ItemKind, MediaCount, Page, Post, SeenComment
from moderator.domain.record import Evidence, SealedRecord, record_id
from moderator.domain.score import Guard, GuardHit, Label, PersonKind, PersonSpan, PiiSpan, Reason, Score
from moderator.evidence.capture.browser import Browser
from moderator.evidence.recorder import StillRecorder
from moderator.evidence.seal.authority import HttpAuthority
from moderator.evidence.seal.sealing import Sealing
from moderator.evidence.seal.signer import Signer
from moderator.evidence.vault.folder import FolderVault
from moderator.ports import RecordKeys, TimestampAuthority

TEMPLATES = Path(__file__).parents[2] / "templates"
SOFTWARE = "moderator 0.0-test"


class TickingClock:
    """A clock that starts at a given time and moves a millisecond with each look."""

    def __init__(self, start: datetime | None = None) -> None:
        """Start at `start`, or now."""
        self.moment = start or datetime.now(UTC)

    def now(self) -> datetime:
        """Return the time, a millisecond later than last time."""
        self.moment += timedelta(milliseconds=1)
        return self.moment


SCHOOL = School("oakfield", "Oakfield Primary", "100001", "head@oakfield.example", ("oakfield.example",), "Valley Trust")
ACCOUNT = Account(
    1,
    SCHOOL,
    "x",
    "@oakfield",
    "900",
    "social@oakfield.example",
    1000,
    Approval("AP-1", "Head of Oakfield", date(2026, 9, 1), "news for parents", Mode.HIDE, date(2027, 8, 31)),
)
PARENT = Post("11", Author("900", "oakfield", "Oakfield Primary"), "Sports day moves to Friday.", datetime(2026, 10, 24, 9, 0, tzinfo=UTC))


def make_evidence(
    text: str = "You are a useless lot, Mr Brindle.", *, comment_id: str = "12", place: str = "", school: School = SCHOOL
) -> Evidence:
    """Return the evidence of one flagged comment by an invented author."""
    place = place or f"http://127.0.0.1:9/grumbler/status/{comment_id}"
    comment = SeenComment(
        comment_id,
        ItemKind.REPLY,
        Author("77", "grumbler", "A. Grumbler"),
        text,
        datetime(2026, 10, 25, 1, 30, tzinfo=UTC),
        place,
        conversation_id="11",
        media=(MediaCount("photo", 2), MediaCount("video", 1)),
        thread=(PARENT,),
    )
    item = Item(int(comment_id), 1, school.slug, "x", comment, datetime(2026, 10, 25, 1, 31, tzinfo=UTC))
    score = Score(
        labels=dict.fromkeys(Label, 0.1) | {Label.INSULT: 0.93},
        model="abuse-1 sha256:abc",
        people=(PersonSpan(27, 37, "Mr Brindle", PersonKind.STAFF, "roll", "S-004"),),
        pii=(PiiSpan(0, 3, "phone"),),
        guards=(GuardHit(Guard.COMPLAINT, 0, 3, "It reads as a complaint."),),
        reasons=(Reason("insult", 10, 17, "It insults somebody."),),
        normalised=text.lower(),
    )
    decision = Decision(Outcome.HIDE, Severity.ORDINARY, score.reasons, "policy-1", "3.2", {"flag.insult": 0.6}, ("A complaint.",))
    first = Page(
        (), "", more=False, reads=1, body=b'{"data":[{"id":"12"}]}', headers={"date": "Sun, 25 Oct 2026 01:31:00 GMT"}, request_id="req-1"
    )
    account = replace(ACCOUNT, school=school)
    return Evidence(
        record_id(school.slug, "x", comment_id, comment.version),
        item,
        account,
        score,
        decision,
        first,
        None,
        "the read budget is used up",
        mode="hide",
        delegation="DEL-1",
        admin_on_duty="DES-2",
    )


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[FolderVault]:
    """Return an empty vault, made removable again at the end."""
    yield FolderVault(tmp_path / "vault")
    unlock(tmp_path)


def unlock(folder: Path) -> None:
    """Give the write bits back, so that a test can tamper and pytest can clean up."""
    subprocess.run(["chmod", "-R", "u+w", str(folder)], check=True)


@pytest.fixture(scope="session")
def signer() -> Signer:
    return Signer.generate()


class HeldKeys:
    """Record keys in memory; implements ports.RecordKeys."""

    def __init__(self) -> None:
        """Hold none."""
        self.keys: dict[str, bytes | None] = {}

    def make(self, record_id: str, school: str) -> bytes:
        """Return the record's key, made on first asking."""
        del school
        key = self.keys.setdefault(record_id, os.urandom(32))
        if key is None:
            message = f"{record_id} was disposed of"
            raise NotAllowed(message)
        return key

    def get(self, record_id: str) -> bytes | None:
        """Return the key, or None."""
        return self.keys.get(record_id)


def sealing_on(
    vault: FolderVault, signer: Signer, *, authorities: tuple[TimestampAuthority, ...] = (), keys: RecordKeys | None = None
) -> Sealing:
    """Return the way into a vault."""
    return Sealing(vault=vault, signer=signer, authorities=authorities, software=SOFTWARE, keys=keys)


def still_on(
    vault: FolderVault,
    signer: Signer,
    *,
    clock: TickingClock | None = None,
    authorities: tuple[TimestampAuthority, ...] = (),
    keys: RecordKeys | None = None,
) -> StillRecorder:
    """Return a recorder that draws without a browser, on a vault."""
    sealing = sealing_on(vault, signer, authorities=authorities, keys=keys)
    return StillRecorder(sealing=sealing, clock=clock or TickingClock(), templates=TEMPLATES)


StillFor = Callable[..., StillRecorder]


@pytest.fixture
def still(vault: FolderVault, signer: Signer) -> Iterator[StillFor]:
    """Return a maker of still recorders on the test's vault."""
    made: list[StillRecorder] = []

    def make(
        *,
        authorities: tuple[TimestampAuthority, ...] = (),
        clock: TickingClock | None = None,
        key: Signer | None = None,
        keys: RecordKeys | None = None,
    ) -> StillRecorder:
        recorder = still_on(vault, key or signer, clock=clock, authorities=authorities, keys=keys)
        made.append(recorder)
        return recorder

    yield make
    for recorder in made:
        recorder.close()


@dataclass
class Notebook:
    """A ledger file beside a vault, written line by line as the service would."""

    path: Path
    school: str
    public_key: str
    head: Head = field(default_factory=lambda: Head(0, GENESIS))
    moment: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __post_init__(self) -> None:
        """Write the first line."""
        self.add(Event.OPENED, "ledger", public_key=self.public_key)

    def add(self, event: Event, subject: str, *, at: datetime | None = None, **facts: str | int | bool) -> Head:
        """Chain one event and return the new head."""
        self.moment += timedelta(milliseconds=5)
        line, self.head = chain(self.head, self.school, LedgerEvent(event, at or self.moment, subject, facts=facts))
        with self.path.open("a", encoding="ascii") as file:
            file.write(line + "\n")
        return self.head

    def sealed(self, record: SealedRecord, *, hide: bool = True) -> Head:
        """Write what the service writes for one sealed record."""
        self.add(Event.FLAGGED, record.record_id, at=record.captured_at)
        self.add(Event.CAPTURED, record.record_id, at=record.captured_at)
        facts: dict[str, str | int | bool] = {"manifest_sha256": record.manifest_sha256, "manifest_sha512": record.manifest_sha512}
        if record.found:
            facts["found"] = True
        head = self.add(Event.SEALED, record.record_id, at=record.sealed_at, **facts)
        if hide:
            head = self.add(Event.HIDE_INTENDED, record.record_id, at=record.sealed_at + timedelta(milliseconds=1))
        return head


@pytest.fixture
def notebook(vault: FolderVault, signer: Signer) -> Notebook:
    """Return the open ledger of the test's school, beside the vault."""
    return Notebook(vault.root.parent / "ledger.jsonl", SCHOOL.slug, signer.public_key)


@dataclass
class Site:
    """A small web site on loopback that notes every request. `pages` maps a path to status, content type and body."""

    base: str
    pages: dict[str, tuple[int, str, bytes]]
    asked: list[str]
    headers: dict[str, dict[str, str]] = field(default_factory=dict)
    delays: dict[str, float] = field(default_factory=dict)
    before: dict[str, Callable[[], None]] = field(default_factory=dict)

    def show(self, path: str, html: str, *, status: int = 200) -> str:
        """Serve a page and return its address."""
        self.pages[path] = (status, "text/html; charset=utf-8", html.encode("utf-8", "replace"))
        return self.base + path

    def comment(self, evidence: Evidence, extra: str = "") -> str:
        """Serve the public page of a comment under its parent post, and return its address."""
        text = escape(evidence.item.comment.text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))
        path = f"/grumbler/status/{evidence.item.comment.comment_id}"
        return self.show(
            path,
            "<!doctype html><html lang=en><head><title>A post</title><style>body{font:18px sans-serif;margin:24px}"
            "article{border:1px solid #ccc;padding:12px;margin:8px 0;white-space:pre-wrap;overflow-wrap:anywhere}</style></head><body>"
            f"<article>@oakfield\n{escape(PARENT.text)}</article><article dir=auto>@grumbler\n{text}</article>{extra}</body></html>",
        )


@pytest.fixture
def site() -> Iterator[Site]:
    class Door(BaseHTTPRequestHandler):
        """Serves `pages`; a missing one is 404."""

        def do_GET(self) -> None:
            here.asked.append(self.path)
            here.before.get(self.path, lambda: None)()
            time.sleep(here.delays.get(self.path, 0))
            status, kind, body = here.pages.get(self.path, (404, "text/html", b"<p>not found</p>"))
            try:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                for name, value in here.headers.get(self.path, {}).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)
            except OSError:
                return

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002, ARG002 - the base class's names
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    server.daemon_threads = True
    here = Site(f"http://127.0.0.1:{server.server_port}", {}, [])
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield here
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Return one warm Chromium for the whole session."""
    warm = Browser(timeout=5)
    yield warm
    warm.close()


@dataclass
class Authority:
    """A real RFC 3161 authority: `openssl ts` behind a small HTTP door."""

    folder: Path
    url: str
    asked: list[bytes]
    mode: str = "good"

    @property
    def chain(self) -> bytes:
        """The authority's root certificate."""
        return (self.folder / "chain.pem").read_bytes()

    def http(self, name: str = "tsa") -> HttpAuthority:
        """Return the service's client of this authority."""
        return HttpAuthority(name, self.url, self.chain, timeout=5)


def _openssl(folder: Path, *args: str) -> None:
    subprocess.run(["openssl", *args], cwd=folder, check=True, capture_output=True)


def make_authority(folder: Path, *, lives: timedelta = timedelta(days=30)) -> None:
    """Make a root and a time-stamping certificate that run out after `lives`."""
    folder.mkdir()
    ends = (datetime.now(UTC) + lives).strftime("%Y%m%d%H%M%SZ")
    (folder / "ca.cnf").write_text(
        "[ca]\ndefault_ca=d\n[d]\ndatabase=./index.txt\nserial=./serial\nnew_certs_dir=.\ncertificate=root.pem\nprivate_key=root.key\n"
        "default_md=sha256\npolicy=p\nunique_subject=no\n[p]\ncommonName=supplied\n"
        "[root]\nbasicConstraints=critical,CA:true\nkeyUsage=critical,keyCertSign\nsubjectKeyIdentifier=hash\n"
        "[tsa]\nbasicConstraints=critical,CA:false\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=critical,timeStamping\n"
    )
    (folder / "tsa.cnf").write_text(
        "[tsa]\ndefault_tsa=t\n[t]\nserial=./tsaserial\ncrypto_device=builtin\nsigner_cert=tsa.pem\nsigner_key=tsa.key\nsigner_digest=sha256\n"
        "default_policy=1.2.3.4.1\nother_policies=1.2.3.4.5\ndigests=sha256,sha512\naccuracy=secs:1\nordering=yes\ntsa_name=yes\n"
        "ess_cert_id_chain=no\ness_cert_id_alg=sha256\n"
    )
    (folder / "index.txt").touch()
    (folder / "serial").write_text("01\n")
    (folder / "tsaserial").write_text("01\n")
    starts = (datetime.now(UTC) - timedelta(days=1)).strftime("%Y%m%d%H%M%SZ")
    for name in ("root", "tsa"):
        _openssl(
            folder,
            "req",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-keyout",
            f"{name}.key",
            "-out",
            f"{name}.csr",
            "-subj",
            f"/CN={folder.name} {name}",
        )
    span = ["-startdate", starts, "-enddate", ends, "-batch", "-notext", "-config", "ca.cnf"]
    _openssl(folder, "ca", "-selfsign", "-keyfile", "root.key", "-in", "root.csr", "-out", "root.pem", "-extensions", "root", *span)
    _openssl(folder, "ca", "-in", "tsa.csr", "-out", "tsa.pem", "-extensions", "tsa", *span)
    shutil.copy(folder / "root.pem", folder / "chain.pem")


def stamp_by(folder: Path, data: bytes) -> bytes:
    """Return a stamp over `data`, now, by the authority in `folder`."""
    (folder / "data").write_bytes(data)
    _openssl(folder, "ts", "-query", "-data", "data", "-sha256", "-cert", "-out", "mine.tsq")
    _openssl(folder, "ts", "-reply", "-queryfile", "mine.tsq", "-config", "tsa.cnf", "-out", "mine.tsr")
    return (folder / "mine.tsr").read_bytes()


@pytest.fixture(scope="session")
def authority_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("authorities") / "tsa"
    make_authority(folder)
    return folder


@pytest.fixture
def authority(authority_folder: Path) -> Iterator[Authority]:
    """Return a running authority; `mode` makes it misbehave."""
    one_at_a_time = threading.Lock()

    class Door(BaseHTTPRequestHandler):
        """Passes each query to `openssl ts -reply`."""

        def do_POST(self) -> None:
            query = self.rfile.read(int(self.headers["Content-Length"]))
            here.asked.append(query)
            if here.mode == "busy":
                self.send_error(503)
                return
            with one_at_a_time:
                if here.mode != "stale":
                    (authority_folder / "q.tsq").write_bytes(query)
                _openssl(authority_folder, "ts", "-reply", "-queryfile", "q.tsq", "-config", "tsa.cnf", "-out", "r.tsr")
                answer = (authority_folder / "r.tsr").read_bytes()
            body = {"junk": b"not a stamp", "huge": b"\0" * 300_000}.get(here.mode, answer)
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002, ARG002 - the base class's names
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    here = Authority(authority_folder, f"http://127.0.0.1:{server.server_port}/", [])
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield here
    server.shutdown()
    server.server_close()
    thread.join()


def reseal(folder: Path, signer: Signer | None = None) -> str:
    """Recompute all manifests of a bag as an attacker would, sign with `signer` if given; return SHA-256 of the new manifest."""
    unlock(folder)
    kinds = [kind for kind in ("sha256", "sha512") if (folder / f"manifest-{kind}.txt").exists()]

    def write(name: str, kind: str, names: list[str]) -> None:
        lines = [f"{hashlib.new(kind, (folder / each).read_bytes()).hexdigest()}  {each}\n" for each in sorted(names)]
        (folder / f"{name}-{kind}.txt").write_text("".join(lines))

    payload = [f"data/{path.name}" for path in (folder / "data").iterdir()]
    total = sum((folder / name).stat().st_size for name in payload)
    info = (folder / "bag-info.txt").read_text().splitlines()
    info = [f"Payload-Oxum: {total}.{len(payload)}" if line.startswith("Payload-Oxum") else line for line in info]
    (folder / "bag-info.txt").write_text("\n".join(info) + "\n")
    for kind in kinds:
        write("manifest", kind, payload)
    if signer is not None:
        (folder / "manifest-sha256.txt.sig").write_bytes(signer.sign((folder / "manifest-sha256.txt").read_bytes()))
        (folder / "signing-key.pem").write_bytes(signer.public_pem)
    tags = ["bagit.txt", "bag-info.txt", *(f"manifest-{kind}.txt" for kind in kinds), "manifest-sha256.txt.sig", "signing-key.pem"]
    for kind in kinds:
        write("tagmanifest", kind, tags)
    return hashlib.sha256((folder / "manifest-sha256.txt").read_bytes()).hexdigest()


@pytest.fixture(scope="session")
def cast() -> Any:
    """Return this file itself: its makers and helpers."""
    return sys.modules[__name__]


def facts_of(vault: FolderVault, record: SealedRecord) -> dict[str, object]:
    """Return record.json of a sealed record."""
    found: dict[str, object] = json.loads(vault.open(record.path, "data/record.json"))
    return found
