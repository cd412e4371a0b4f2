"""What every vault keeps to, asked of both: the folder, and a bucket on a real S3 with Object Lock on loopback."""

import hashlib
import pickle
import secrets
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import locked_store
import pytest
from loosened import loosen

from moderator.domain.errors import BadInput, Refused, Transient
from moderator.evidence.check.reading import BagSource, NotPlain
from moderator.evidence.vault.folder import FolderVault
from moderator.evidence.vault.s3 import S3Vault
from moderator.evidence.vault.staging import STAGING
from moderator.ports import Vault

PATH = "oakfield/2026/R-AAAAAAAAAAAAAAAA"
OTHER = "oakfield/2027/R-BBBBBBBBBBBBBBBB"
ELSEWHERE = "birch/2026/R-CCCCCCCCCCCCCCCC"


class SourcedVault(Vault, Protocol):
    """A vault with what both shipped ones have beside the port."""

    @property
    def protection(self) -> str: ...

    def source(self, path: str) -> BagSource: ...

    def finish(self, path: str) -> None: ...


@dataclass(frozen=True)
class Case:
    """One vault under test, and a maker of drafts for it."""

    kind: str
    vault: SourcedVault
    drafts: Path

    def draft(self, picture: bytes = b"\x89PNG one", **more: bytes) -> Path:
        """Return a finished bag folder, where bags are built."""
        files = {
            "data/seal.json": b'{"format":2}',
            "data/VERIFY.txt": b"steps",
            "data/record.json.enc": b"facts",
            "data/screenshot.png.enc": picture,
        }
        manifest = "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in sorted(files.items())).encode()
        files |= {"bagit.txt": b"BagIt", "manifest-sha256.txt": manifest, **more}
        folder = self.drafts / secrets.token_hex(4)
        (folder / "data").mkdir(parents=True)
        for name, content in files.items():
            (folder / name).write_bytes(content)
        return folder

    def stored(self, path: str = PATH, picture: bytes = b"\x89PNG one") -> str:
        """Put a bag and return its manifest's hash."""
        return self.vault.put(self.draft(picture), path)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[locked_store.Store]:
    with locked_store.started(tmp_path_factory.mktemp("store")) as running:
        yield running


@pytest.fixture(params=["folder", "immutable folder", "bucket", "bucket without a prefix"])
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Case]:
    if request.param.startswith("bucket"):
        store: locked_store.Store = request.getfixturevalue("store")
        prefix = "" if "without" in request.param else "trust/records/"
        vault: SourcedVault = S3Vault(store.place(store.bucket(), prefix=prefix), working_folder=tmp_path / "vault")
    else:
        vault = FolderVault(tmp_path / "vault", immutable="immutable" in request.param)
    drafts = vault.working_folder / STAGING / "mine"
    drafts.mkdir(parents=True)
    yield Case(request.param, vault, drafts)
    loosen(tmp_path)


def test_what_is_put_is_there_whole(case: Case) -> None:
    draft = case.draft()
    wanted = {each.relative_to(draft).as_posix(): each.read_bytes() for each in draft.rglob("*") if each.is_file()}
    answered = case.vault.put(draft, PATH)
    assert answered == hashlib.sha256(wanted["manifest-sha256.txt"]).hexdigest() == case.vault.manifest_sha256(PATH)
    assert case.vault.names(PATH) == tuple(sorted(wanted))
    assert {name: case.vault.open(PATH, name) for name in case.vault.names(PATH)} == wanted
    assert not draft.exists()


def test_putting_the_same_bag_again_changes_nothing(case: Case) -> None:
    first = case.stored()
    assert case.stored() == first
    assert list(case.vault.paths()) == [PATH]
    case.vault.finish(PATH)
    assert case.vault.manifest_sha256(PATH) == first


def test_another_bag_at_the_same_path_is_refused_and_the_first_stays(case: Case) -> None:
    first = case.stored()
    with pytest.raises(Refused, match="another record"):
        case.stored(picture=b"\x89PNG two")
    assert case.vault.manifest_sha256(PATH) == first
    assert case.vault.open(PATH, "data/screenshot.png.enc") == b"\x89PNG one"


def test_two_at_once_leave_one_whole_bag(case: Case) -> None:
    drafts = [case.draft(b"\x89PNG one"), case.draft(b"\x89PNG one")]
    ended: list[object] = []

    def put(draft: Path) -> None:
        try:
            ended.append(case.vault.put(draft, PATH))
        except Exception as error:  # noqa: BLE001 - both ends are told below
            ended.append(error)

    threads = [threading.Thread(target=put, args=(draft,)) for draft in drafts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(isinstance(each, str | Transient) for each in ended), ended
    case.stored()
    assert case.vault.open(PATH, "data/screenshot.png.enc") == b"\x89PNG one"


def test_paths_come_in_order_of_one_school_or_all(case: Case) -> None:
    for path in (OTHER, PATH, ELSEWHERE):
        case.stored(path)
    assert list(case.vault.paths()) == [ELSEWHERE, PATH, OTHER]
    assert list(case.vault.paths("oakfield")) == [PATH, OTHER]
    assert list(case.vault.paths("oak")) == []
    with pytest.raises(BadInput):
        list(case.vault.paths("../oakfield"))


def test_where_there_is_no_bag_nothing_is_found(case: Case) -> None:
    assert case.vault.manifest_sha256(PATH) is None
    assert case.vault.names(PATH) == ()
    assert list(case.vault.paths()) == []
    for act in (
        lambda: case.vault.open(PATH, "bagit.txt"),
        lambda: case.vault.add(PATH, {"x-chain.pem": b"chain"}),
        lambda: case.vault.hold(PATH, on=True),
        lambda: case.vault.dispose(PATH),
    ):
        with pytest.raises(BadInput):
            act()
    with pytest.raises(FileNotFoundError), case.vault.source(PATH).open():
        pass


def test_a_path_that_is_none_is_refused(case: Case) -> None:
    for path in ("oakfield/2026", "../2026/R-AAAAAAAAAAAAAAAA", "oakfield/26/R-AAAAAAAAAAAAAAAA", "oakfield/2026/x", "a/b/c/d"):
        with pytest.raises(BadInput, match="no place in the vault"):
            case.vault.put(case.draft(), path)
        for ask in (case.vault.manifest_sha256, case.vault.names, case.vault.source):
            with pytest.raises(BadInput):
                ask(path)


def test_a_name_that_leaves_the_bag_is_refused(case: Case) -> None:
    case.stored()
    for name in ("../x", "data/../bagit.txt", "/etc/passwd", "data/sub/x", "", ".hidden", "a\nb"):
        with pytest.raises(BadInput):
            case.vault.open(PATH, name)
        with pytest.raises(BadInput):
            case.vault.add(PATH, {name: b"x"})
    assert len(case.vault.names(PATH)) == 6


def stamps(round_: bytes = b"one") -> Mapping[str, bytes]:
    return {"manifest-sha256.txt.tsa.tsr": b"token " + round_, "tsa-chain.pem": b"chain " + round_}


def test_stamps_are_added_and_may_be_added_again(case: Case) -> None:
    before = case.stored()
    for _ in range(2):
        case.vault.add(PATH, stamps())
    case.vault.add(PATH, {**stamps(), "renewal-0002-sha512.txt": b"list"})
    assert {name: case.vault.open(PATH, name) for name in stamps()} == stamps()
    assert len(case.vault.names(PATH)) == 9
    assert case.vault.manifest_sha256(PATH) == before


def test_a_stamp_is_never_replaced_and_then_nothing_is_added(case: Case) -> None:
    case.stored()
    case.vault.add(PATH, stamps())
    with pytest.raises(Refused, match="other bytes"):
        case.vault.add(PATH, {**stamps(b"two"), "another-chain.pem": b"chain"})
    assert case.vault.open(PATH, "tsa-chain.pem") == b"chain one"
    assert "another-chain.pem" not in case.vault.names(PATH)


def test_payload_is_never_added(case: Case) -> None:
    case.stored()
    with pytest.raises(BadInput, match="what was sealed stays"):
        case.vault.add(PATH, {"data/more.txt": b"more"})
    with pytest.raises(Refused):
        case.vault.add(PATH, {"bagit.txt": b"other"})


def test_r30_disposal_leaves_the_proof_and_nothing_else(case: Case) -> None:
    before = case.stored()
    case.vault.add(PATH, stamps())
    for _ in range(2):
        case.vault.dispose(PATH)
    assert case.vault.names(PATH) == tuple(sorted({"bagit.txt", "manifest-sha256.txt", "data/seal.json", "data/VERIFY.txt", *stamps()}))
    assert case.vault.manifest_sha256(PATH) == before
    assert list(case.vault.paths()) == [PATH]
    with pytest.raises(BadInput):
        case.vault.open(PATH, "data/record.json.enc")


def test_r30_a_hold_may_be_put_on_and_lifted_again_and_again(case: Case) -> None:
    case.stored()
    for on in (True, True, False, False):
        case.vault.hold(PATH, on=on)
    case.vault.dispose(PATH)
    assert "data/record.json.enc" not in case.vault.names(PATH)


def test_a_stamp_can_still_be_added_after_disposal(case: Case) -> None:
    case.stored()
    case.vault.dispose(PATH)
    case.vault.add(PATH, stamps())
    assert case.vault.open(PATH, "tsa-chain.pem") == b"chain one"


def test_the_source_reads_the_bag_from_another_process_as_it_is(case: Case) -> None:
    case.stored()
    case.vault.add(PATH, stamps())
    source: BagSource = pickle.loads(pickle.dumps(case.vault.source(PATH)))  # noqa: S301 - our own
    with source.open() as reader:
        found = reader.listing()
        assert found.tags == {"bagit.txt", "manifest-sha256.txt", *stamps()}
        assert found.payload == {"seal.json", "VERIFY.txt", "record.json.enc", "screenshot.png.enc"}
        assert found.faults == ()
        assert reader.small("bagit.txt") == b"BagIt"
        digest = reader.digest("data/screenshot.png.enc", keep=100, sha512=True)
        assert digest.sha256 == hashlib.sha256(b"\x89PNG one").hexdigest()
        assert digest.sha512 == hashlib.sha512(b"\x89PNG one").hexdigest()
        assert (digest.size, digest.content) == (8, b"\x89PNG one")
        assert reader.digest("data/screenshot.png.enc", keep=3, sha512=False).content == b""
        for name in ("data/gone", "gone"):
            with pytest.raises(FileNotFoundError):
                reader.small(name)


def test_a_tag_file_that_is_too_large_is_not_read(case: Case) -> None:
    case.stored()
    case.vault.add(PATH, {"huge-chain.pem": b"\0" * (1024 * 1024 + 1)})
    with case.vault.source(PATH).open() as reader, pytest.raises(NotPlain, match="larger"):
        reader.small("huge-chain.pem")


def test_a_large_picture_is_streamed(case: Case) -> None:
    picture = bytes(range(256)) * 12_000
    case.stored(picture=picture)
    with case.vault.source(PATH).open() as reader:
        assert reader.digest("data/screenshot.png.enc", keep=0, sha512=False).sha256 == hashlib.sha256(picture).hexdigest()
    assert case.vault.open(PATH, "data/screenshot.png.enc") == picture


def test_the_guard_is_told_in_plain_words(case: Case) -> None:
    assert case.vault.protection.startswith("files are ")
