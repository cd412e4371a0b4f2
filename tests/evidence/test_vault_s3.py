"""The bucket vault on a real S3 with Object Lock on loopback; and, for what a good server never answers, a door that answers anything."""

import hashlib
import logging
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import locked_store
import pytest
from botocore.exceptions import ClientError  # type: ignore[import-untyped]  # the library has no types

from moderator.build import open_vault
from moderator.domain.errors import BadInput, Refused, Transient
from moderator.domain.events import Event
from moderator.domain.record import Verification
from moderator.domain.times import FrozenClock
from moderator.evidence.check.reading import NotPlain
from moderator.evidence.seal.signer import Signer
from moderator.evidence.stored_check import StoredCheck
from moderator.evidence.vault import bucket as bucket_module
from moderator.evidence.vault import s3_source
from moderator.evidence.vault.bucket import Bucket, S3Place
from moderator.evidence.vault.keyed import KeyedVault
from moderator.evidence.vault.s3 import S3Vault
from moderator.settings import make as make_settings

PATH = "oakfield/2026/R-AAAAAAAAAAAAAAAA"
ROOT = f"records/{PATH}/"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[locked_store.Store]:
    with locked_store.started(tmp_path_factory.mktemp("store")) as running:
        yield running


@dataclass(frozen=True)
class Here:
    """A vault in a bucket of its own, the store it lies in, and a folder for drafts."""

    store: locked_store.Store
    name: str
    vault: S3Vault
    folder: Path

    def versions(self, prefix: str = "") -> list[dict[str, Any]]:
        return list(self.store.client.list_object_versions(Bucket=self.name, Prefix=prefix).get("Versions", []))


@pytest.fixture
def fresh() -> Iterator[None]:
    """Let a test open its own connection, with the keys that the machine has just then."""
    bucket_module._client.cache_clear()  # noqa: SLF001 - the connections are kept for the process
    yield
    bucket_module._client.cache_clear()  # noqa: SLF001 - the same


@pytest.fixture
def here(store: locked_store.Store, name: str, vault: S3Vault, tmp_path: Path) -> Here:
    return Here(store, name, vault, tmp_path)


@pytest.fixture
def name(store: locked_store.Store) -> str:
    return store.bucket()


@pytest.fixture
def vault(store: locked_store.Store, name: str, tmp_path: Path) -> S3Vault:
    return S3Vault(store.place(name), working_folder=tmp_path / "work")


def draft(folder: Path, picture: bytes = b"picture", **more: bytes) -> Path:
    files = {"data/seal.json": b"{}", "data/VERIFY.txt": b"steps", "data/screenshot.png.enc": picture, "bagit.txt": b"BagIt", **more}
    (folder / "data").mkdir(parents=True)
    for each, content in files.items():
        (folder / each).write_bytes(content)
    lines = [f"{hashlib.sha256(content).hexdigest()}  {each}\n" for each, content in sorted(files.items()) if each.startswith("data/")]
    (folder / "manifest-sha256.txt").write_text("".join(lines))
    return folder


class Hooked:
    """Does something of the test's just before a key is stored, and may fail it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.before: Callable[[str], None] = lambda _: None
        put = Bucket.put

        def hooked(own: Bucket, key: str, body: Any, **more: Any) -> str:
            self.before(key)
            return put(own, key, body, **more)

        monkeypatch.setattr(Bucket, "put", hooked)


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Hooked:
    return Hooked(monkeypatch)


# What the bucket must be


@pytest.mark.parametrize("kind", ["none", "plain", "versions only", "compliance"])
def test_a_bucket_that_does_not_lock_is_refused_in_one_line(store: locked_store.Store, tmp_path: Path, kind: str) -> None:
    bucket = "no-such-bucket" if kind == "none" else store.bucket(lock=kind == "compliance")
    if kind == "versions only":
        store.client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    if kind == "compliance":
        rule = {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 1}}
        store.client.put_object_lock_configuration(Bucket=bucket, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": rule})
    with pytest.raises(BadInput) as told:
        S3Vault(store.place(bucket), working_folder=tmp_path / "work")
    said = str(told.value)
    assert "\n" not in said
    assert bucket in said
    assert {"none": "no bucket", "plain": "versions", "versions only": "Object Lock", "compliance": "compliance"}[kind] in said


def test_the_keys_are_read_from_their_files(store: locked_store.Store, tmp_path: Path) -> None:
    place = replace(store.place("vault-x"), access_key_file=str(tmp_path / "gone"))
    with pytest.raises(BadInput, match=r"gone cannot be read .*bucket's key"):
        S3Vault(place, working_folder=tmp_path / "work")


@pytest.mark.usefixtures("fresh")
def test_without_any_key_the_line_says_so(store: locked_store.Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", str(tmp_path))
    place = replace(store.place("vault-x"), access_key_file="", secret_key_file="")
    with pytest.raises(BadInput, match="has no key"):
        S3Vault(place, working_folder=tmp_path / "work")


def test_an_address_that_is_none_is_told(store: locked_store.Store, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be reached"):
        S3Vault(replace(store.place("vault-x"), endpoint_url="not an address"), working_folder=tmp_path / "work")


def test_an_unencrypted_address_on_a_network_is_refused(store: locked_store.Store, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="use https"):
        S3Vault(replace(store.place("vault-x"), endpoint_url="http://store.valley.example"), working_folder=tmp_path / "work")


def test_a_working_folder_that_cannot_be_made_is_told(store: locked_store.Store, name: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Transient, match="working folder"):
        S3Vault(store.place(name), working_folder=tmp_path / "file" / "work")


def test_a_bucket_that_does_not_answer_means_try_later(tmp_path: Path, store: locked_store.Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bucket_module, "_TRIES", 1)
    with pytest.raises(Transient, match="does not answer"):
        S3Vault(replace(store.place("vault-x"), endpoint_url="http://127.0.0.1:9"), working_folder=tmp_path / "work")


@pytest.mark.usefixtures("fresh")
@pytest.mark.parametrize("keys", [True, False])
def test_the_settings_open_it(store: locked_store.Store, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, keys: bool) -> None:
    (tmp_path / "secrets").mkdir()
    if keys:
        for which, text in (("s3-access-key", "test-access"), ("s3-secret-key", "test-secret")):
            (tmp_path / "secrets" / which).touch(mode=0o600)
            (tmp_path / "secrets" / which).write_text(text)
    else:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "the-machines-own")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "also")
    school = {"slug": "oakfield", "name": "Oakfield", "head_email": "head@oakfield.example", "email_domains": ["oakfield.example"]}
    settings = make_settings(
        {
            "data_dir": tmp_path / "data",
            "secrets_dir": tmp_path / "secrets",
            "trust": {"name": "Valley Trust"},
            "school": [school],
            "delegation": "DEL-1",
            "vault": {"kind": "s3", "bucket": name, "region": locked_store.REGION, "endpoint_url": store.url, "retain_days": 3},
        },
        where="here",
    )
    vault = open_vault(settings)
    assert vault.protection == "files are locked in the bucket for 3 days (Object Lock, governance mode)"
    assert vault.working_folder == tmp_path / "data" / "vault"
    assert list(vault.paths()) == []


# What the lock does


def test_every_object_is_locked_in_governance_mode_and_never_in_compliance_mode(here: Here) -> None:
    here.vault.put(draft(here.folder / "d"), PATH)
    here.vault.add(PATH, {"tsa-chain.pem": b"chain", "manifest-sha256.txt.tsa.tsr": b"token"})
    stored = here.versions()
    assert len(stored) == 7
    for each in stored:
        which = {"Bucket": here.name, "Key": each["Key"], "VersionId": each["VersionId"]}
        retention = here.store.client.get_object_retention(**which)["Retention"]
        assert retention["Mode"] == "GOVERNANCE"
        assert timedelta(days=29) < retention["RetainUntilDate"] - datetime.now(UTC) <= timedelta(days=30)
        with pytest.raises(ClientError, match="AccessDenied"):
            here.store.client.delete_object(**which)
        with pytest.raises(ClientError, match="AccessDenied"):
            here.store.client.put_object_retention(
                **which, Retention={"Mode": "GOVERNANCE", "RetainUntilDate": datetime.now(UTC) + timedelta(days=1)}
            )


def test_r30_under_a_legal_hold_nothing_is_disposed_of(here: Here) -> None:
    here.vault.put(draft(here.folder / "d"), PATH)
    here.vault.hold(PATH, on=True)
    for each in here.versions():
        which = {"Bucket": here.name, "Key": each["Key"], "VersionId": each["VersionId"]}
        assert here.store.client.get_object_legal_hold(**which)["LegalHold"]["Status"] == "ON"
        with pytest.raises(ClientError, match="AccessDenied"):
            here.store.client.delete_object(**which, BypassGovernanceRetention=True)
    with pytest.raises(Refused, match="legal hold"):
        here.vault.dispose(PATH)
    assert len(here.vault.names(PATH)) == 5
    here.vault.hold(PATH, on=False)
    here.vault.dispose(PATH)
    assert here.vault.names(PATH) == ("bagit.txt", "data/VERIFY.txt", "data/seal.json", "manifest-sha256.txt")


def test_a_later_upload_or_deletion_neither_replaces_nor_hides_a_record(here: Here) -> None:
    sealed = here.vault.put(draft(here.folder / "d"), PATH)
    here.vault.add(PATH, {"tsa-chain.pem": b"chain"})
    for key in ("data/screenshot.png.enc", "manifest-sha256.txt", "data/screenshot.png.enc", "tsa-chain.pem"):
        here.store.client.put_object(Bucket=here.name, Key=ROOT + key, Body=b"another")
    for key in ("data/screenshot.png.enc", "bagit.txt", "manifest-sha256.txt"):
        here.store.client.delete_object(Bucket=here.name, Key=ROOT + key)
    assert here.vault.manifest_sha256(PATH) == sealed
    assert list(here.vault.paths()) == list(here.vault.paths("oakfield")) == [PATH]
    assert len(here.vault.names(PATH)) == 6
    assert here.vault.open(PATH, "data/screenshot.png.enc") == b"picture"
    assert here.vault.open(PATH, "bagit.txt") == b"BagIt"
    with here.vault.source(PATH).open() as reader:
        found = reader.listing()
        assert reader.digest("data/screenshot.png.enc", keep=10, sha512=False).content == b"picture"
    assert [(code, which) for code, _, which in found.faults] == [
        ("deletion_marker", "bagit.txt"),
        ("deletion_marker", "data/screenshot.png.enc"),
        ("deletion_marker", "manifest-sha256.txt"),
        ("second_version", "tsa-chain.pem"),
    ]
    assert found.payload == {"seal.json", "VERIFY.txt", "screenshot.png.enc"}


def test_r30_disposal_removes_every_version_of_the_payload(here: Here) -> None:
    here.vault.put(draft(here.folder / "d"), PATH)
    here.store.client.put_object(Bucket=here.name, Key=ROOT + "data/screenshot.png.enc", Body=b"another")
    here.store.client.delete_object(Bucket=here.name, Key=ROOT + "data/screenshot.png.enc")
    here.vault.dispose(PATH)
    left = here.store.client.list_object_versions(Bucket=here.name, Prefix=ROOT + "data/screenshot")
    assert "Versions" not in left
    assert "DeleteMarkers" not in left


def test_a_record_sealed_into_a_bucket_is_checked_there(here: Here, signer: Signer, cast: Any, authority: Any) -> None:
    keys = cast.HeldKeys()
    notebook = cast.Notebook(here.folder / "ledger.jsonl", "oakfield", signer.public_key)
    recorder = cast.still_on(here.vault, signer, keys=keys, authorities=(authority.http(),))
    record = recorder.seal(cast.make_evidence())
    notebook.sealed(record)
    assert recorder.seal(cast.make_evidence()) == record
    recorder.close()
    assert list(here.folder.rglob("*.png*")) == []
    check = StoredCheck(here.vault, lambda _: notebook.path, workers=1)
    assert check.check("oakfield", [record.path]) == Verification(1)
    opened = KeyedVault(here.vault, keys)
    assert opened.open(record.path, "data/screenshot.png").startswith(b"\x89PNG")
    here.store.client.put_object(Bucket=here.name, Key=f"records/{record.path}/data/page.html.enc", Body=b"another page")
    here.store.client.delete_object(Bucket=here.name, Key=f"records/{record.path}/data/record.json.enc")
    assert [fault.code for fault in check.check("oakfield", [record.path]).faults] == ["second_version", "deletion_marker"]
    opened.dispose(record.path)
    notebook.add(Event.DISPOSED, record.record_id, approved_by="DES-2")
    after = check.check("oakfield", [record.path])
    assert (after.faults, after.disposed) == ((), 1)


# Uploads cut short


def fail_at(key: str) -> Callable[[str], None]:
    def before(found: str) -> None:
        if found.endswith(key):
            message = "the line broke"
            raise Transient(message)

    return before


def nothing_is_believed(vault: S3Vault) -> None:
    assert vault.manifest_sha256(PATH) is None
    assert vault.names(PATH) == ()
    assert list(vault.paths()) == []
    with pytest.raises(FileNotFoundError), vault.source(PATH).open():
        pass
    with pytest.raises(BadInput, match="no record"):
        vault.add(PATH, {"tsa-chain.pem": b"chain"})


@pytest.mark.parametrize("key", ["manifest-sha256.txt", "bagit.txt"])
def test_an_upload_cut_short_is_taken_back_and_the_repeat_stores_its_own(here: Here, hook: Hooked, key: str) -> None:
    hook.before = fail_at(key)
    with pytest.raises(Transient, match="the line broke"):
        here.vault.put(draft(here.folder / "one"), PATH)
    assert here.versions() == []
    hook.before = lambda _: None
    nothing_is_believed(here.vault)
    here.vault.put(draft(here.folder / "two", b"another picture"), PATH)
    assert here.vault.open(PATH, "data/screenshot.png.enc") == b"another picture"


def test_what_could_not_be_taken_back_is_cleared_by_the_repeat(here: Here, hook: Hooked, monkeypatch: pytest.MonkeyPatch) -> None:
    remove = Bucket.remove

    def down(own: Bucket, key: str, version_id: str) -> None:
        del own, key, version_id
        message = "the line is still broken"
        raise Transient(message)

    hook.before = fail_at("manifest-sha256.txt")
    monkeypatch.setattr(Bucket, "remove", down)
    with pytest.raises(Transient, match="the line broke"):
        here.vault.put(draft(here.folder / "one"), PATH)
    assert len(here.versions()) == 4
    monkeypatch.setattr(Bucket, "remove", remove)
    hook.before = lambda _: None
    nothing_is_believed(here.vault)
    other = S3Vault(here.store.place(here.name), working_folder=here.folder / "work")
    with pytest.raises(Transient, match="by another process, or was until just now"):
        other.put(draft(here.folder / "two"), PATH)
    here.vault.put(draft(here.folder / "three", b"another picture"), PATH)
    assert other.open(PATH, "data/screenshot.png.enc") == b"another picture"
    assert len(here.versions()) == 5


def test_what_a_dead_process_left_is_cleared_after_five_minutes(store: locked_store.Store, name: str, tmp_path: Path) -> None:
    store.client.put_object(Bucket=name, Key=ROOT + "bagit.txt", Body=b"half")
    clock = FrozenClock(datetime.now(UTC) + timedelta(minutes=6))
    vault = S3Vault(store.place(name), working_folder=tmp_path / "work", clock=clock)
    vault.put(draft(tmp_path / "one"), PATH)
    assert vault.open(PATH, "bagit.txt") == b"BagIt"


def test_what_was_left_and_may_not_be_removed_waits_for_a_person(store: locked_store.Store, name: str, tmp_path: Path) -> None:
    store.client.put_object(Bucket=name, Key=ROOT + "bagit.txt", Body=b"half", ObjectLockLegalHoldStatus="ON")
    clock = FrozenClock(datetime.now(UTC) + timedelta(minutes=6))
    vault = S3Vault(store.place(name), working_folder=tmp_path / "work", clock=clock)
    with pytest.raises(Refused, match=r"cut short, and what it left may not be removed.*AccessDenied"):
        vault.put(draft(tmp_path / "one"), PATH)


def test_a_draft_that_cannot_be_read_is_not_stored(here: Here, hook: Hooked) -> None:
    mine = draft(here.folder / "one")
    hook.before = lambda key: (mine / "manifest-sha256.txt").unlink(missing_ok=True) if key.endswith("bagit.txt") else None
    with pytest.raises(Transient, match="could not take"):
        here.vault.put(mine, PATH)
    assert here.versions() == []


def test_a_stranger_in_the_bag_while_it_is_stored_is_noticed(here: Here, hook: Hooked) -> None:
    def intrude(key: str) -> None:
        if key.endswith("manifest-sha256.txt"):
            here.store.client.put_object(Bucket=here.name, Key=ROOT + "data/extra.txt", Body=b"extra")

    hook.before = intrude
    with pytest.raises(Refused, match="changed while it was being stored"):
        here.vault.put(draft(here.folder / "one"), PATH)


def test_another_process_that_was_first_is_noticed(here: Here, hook: Hooked) -> None:
    def first(key: str) -> None:
        if key.endswith("manifest-sha256.txt"):
            here.store.client.put_object(Bucket=here.name, Key=key, Body=b"theirs")

    hook.before = first
    with pytest.raises(Transient, match="by another process"):
        here.vault.put(draft(here.folder / "one"), PATH)
    assert [each["Key"] for each in here.versions()] == [ROOT + "manifest-sha256.txt"]


@pytest.mark.parametrize("theirs", [b"chain", b"other"])
def test_a_stamp_that_another_process_adds_at_the_same_time(here: Here, hook: Hooked, theirs: bytes) -> None:
    here.vault.put(draft(here.folder / "one"), PATH)
    hook.before = lambda key: here.store.client.put_object(Bucket=here.name, Key=key, Body=theirs)
    if theirs == b"chain":
        here.vault.add(PATH, {"tsa-chain.pem": b"chain"})
    else:
        with pytest.raises(Refused, match="other bytes"):
            here.vault.add(PATH, {"tsa-chain.pem": b"chain"})
    assert here.vault.open(PATH, "tsa-chain.pem") == theirs


def test_what_does_not_belong_in_a_bag_is_told_and_not_opened(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    here.vault.put(draft(here.folder / "one"), PATH)
    for key in (f"{ROOT}data/sub/x", f"{ROOT}odd name", "records/oakfield/2026/elsewhere/manifest-sha256.txt", "records/stray"):
        here.store.client.put_object(Bucket=here.name, Key=key, Body=b"x")
    assert list(here.vault.paths()) == [PATH]
    assert len(here.vault.names(PATH)) == 5
    with here.vault.source(PATH).open() as reader:
        assert [code for code, _, _ in reader.listing().faults] == ["not_plain", "not_plain"]
    monkeypatch.setattr(s3_source, "MAX_NAMES", 1)
    with here.vault.source(PATH).open() as reader:
        assert [code for code, _, _ in reader.listing().faults].count("too_many") == 1
        assert len(reader.listing().tags) == 1
    monkeypatch.setattr(s3_source, "_MANY", 1)
    with pytest.raises(FileNotFoundError), here.vault.source(PATH).open():
        pass


def test_long_lists_come_in_pages(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    for number, letter in enumerate("ABC"):
        here.vault.put(draft(here.folder / letter), f"oakfield/2026/R-{letter * 16}")
        here.store.client.put_object(Bucket=here.name, Key=f"records/oakfield/2026/R-{letter * 16}/bagit.txt", Body=b"%d" % number)
    monkeypatch.setattr(bucket_module, "PAGE", 2)
    assert list(here.vault.paths()) == [f"oakfield/2026/R-{letter * 16}" for letter in "ABC"]
    assert len(here.vault.names("oakfield/2026/R-BBBBBBBBBBBBBBBB")) == 5
    assert here.vault.open("oakfield/2026/R-CCCCCCCCCCCCCCCC", "bagit.txt") == b"BagIt"


def test_memory_stays_small_for_a_large_file(vault: S3Vault, tmp_path: Path) -> None:
    big = draft(tmp_path / "one", b"\0" * 40_000_000)
    tracemalloc.start()
    vault.put(big, PATH)
    with vault.source(PATH).open() as reader:
        assert reader.digest("data/screenshot.png.enc", keep=0, sha512=True).size == 40_000_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 12_000_000


def test_no_key_is_ever_in_a_log_or_a_message(
    vault: S3Vault, store: locked_store.Store, tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    vault.put(draft(tmp_path / "one"), PATH)
    with pytest.raises(Refused) as told:
        vault.put(draft(tmp_path / "two", b"another"), PATH)
    said = caplog.text + str(told.value) + repr(store.place("x")) + "".join(capsys.readouterr())
    assert "test-access" not in said
    assert "test-secret" not in said


def test_the_client_library_is_not_loaded_for_a_folder() -> None:
    look = "import sys, moderator.build, moderator.evidence.vault.folder; sys.exit('boto3' in sys.modules or 'botocore' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", look], check=False).returncode == 0


# A server that answers anything


class Door:
    """An HTTP server on loopback with canned answers: a status, an error code, and what to do beside."""

    def __init__(self) -> None:
        self.status, self.code, self.body, self.claims = 200, "", b"", 0
        self.asked: list[tuple[str, str, bool]] = []
        door = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                door.asked.append((self.command, self.path, "If-None-Match" in self.headers))
                status, code = door.status, door.code
                if code == "NotImplemented" and "If-None-Match" not in self.headers:
                    status, code = 200, ""
                body = f"<Error><Code>{code}</Code></Error>".encode() if code else door.body
                self.send_response(status)
                self.send_header("x-amz-version-id", "v1")
                self.send_header("Content-Length", str(max(len(body), door.claims)))
                self.end_headers()
                self.wfile.write(body)
                self.close_connection = len(body) < door.claims

            do_GET = do_PUT = do_DELETE = do_HEAD = answer  # noqa: N815 - the base class's names

            def log_message(self, *_: object) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()


@pytest.fixture(scope="module")
def server() -> Iterator[Door]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bucket_module, "_TRIES", 1)
        made = Door()
        yield made
        made.server.shutdown()
        made.server.server_close()


@pytest.fixture
def door(server: Door) -> Door:
    server.status, server.code, server.body, server.claims = 200, "", b"", 0
    server.asked.clear()
    return server


@pytest.fixture
def behind(door: Door, store: locked_store.Store) -> Bucket:
    """Return a bucket behind the door."""
    return Bucket(replace(store.place("vault"), endpoint_url=f"http://127.0.0.1:{door.server.server_port}"))


VERSION = bucket_module.Version("records/x", "v1", 5, datetime(2026, 11, 1, tzinfo=UTC), marker=False)


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (403, "AccessDenied", Refused),
        (403, "RequestTimeTooSkewed", Transient),
        (400, "InvalidRequest", Refused),
        (409, "OperationAborted", Transient),
        (409, "ConditionalRequestConflict", Transient),
        (429, "TooManyRequests", Transient),
        (500, "InternalError", Transient),
        (503, "SlowDown", Transient),
        (404, "NoSuchVersion", FileNotFoundError),
    ],
)
def test_each_answer_decides_what_happens_next(door: Door, behind: Bucket, status: int, code: str, error: type[Exception]) -> None:
    door.status, door.code = status, code
    with pytest.raises(error), behind.read(VERSION):
        pass
    with pytest.raises(error):
        behind.remove("records/x", "v1")
    with pytest.raises(error):
        behind.put("records/x", b"x", sha256=b"0" * 32, until=datetime(2030, 1, 1, tzinfo=UTC))


def test_a_bucket_that_may_not_be_looked_at_is_told(door: Door, behind: Bucket) -> None:
    door.status, door.code = 403, "AccessDenied"
    with pytest.raises(Refused, match="AccessDenied"):
        behind.check()


def test_a_lock_setting_that_may_not_be_read_is_told(door: Door, behind: Bucket) -> None:
    door.status, door.code = 403, "AccessDenied"
    with pytest.raises(Refused, match="AccessDenied"):
        behind.check()
    with pytest.raises(ClientError):
        behind._lock_settings()  # noqa: SLF001 - reached only behind a readable versioning


def test_a_server_without_conditional_uploads_is_still_used(door: Door, behind: Bucket, tmp_path: Path) -> None:
    door.status, door.code = 501, "NotImplemented"
    (tmp_path / "x").write_bytes(b"five!")
    until = datetime(2030, 1, 1, tzinfo=UTC)
    assert behind.put("records/x", b"five!", sha256=b"0" * 32, until=until) == "v1"
    with (tmp_path / "x").open("rb") as body:
        assert behind.put("records/x", body, sha256=b"0" * 32, until=until) == "v1"
    assert [conditional for _, _, conditional in door.asked] == [True, False, True, False]


def test_an_answer_cut_off_in_the_middle_means_try_later(door: Door, behind: Bucket) -> None:
    door.body, door.claims = b"fiv", 5
    with pytest.raises(Transient), behind.read(VERSION) as chunks:
        b"".join(chunks)


def test_a_file_that_may_not_be_read_is_told_as_one(door: Door, behind: Bucket) -> None:
    door.status, door.code = 403, "AccessDenied"
    reader = s3_source.S3Reader(behind, {"bagit.txt": VERSION})
    with pytest.raises(NotPlain, match="AccessDenied"):
        reader.small("bagit.txt")


def test_keys_lie_under_the_prefix_or_at_the_root() -> None:
    assert S3Place("b", prefix="/a/b/").key("c", "d") == "a/b/c/d"
    assert S3Place("b").key("c") == "c"
    assert (S3Place("b").under(), S3Place("b", prefix="a").under("c")) == ("", "a/c/")
