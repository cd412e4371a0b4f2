"""The folder vault's own ground: flags of the file system, links, full disks, and the place where bags are built."""

import errno
import fcntl
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from loosened import loosen

from moderator.domain.errors import BadInput, Refused, Transient
from moderator.evidence.vault import durable, immutable
from moderator.evidence.vault.durable import add_durably
from moderator.evidence.vault.folder import FolderVault
from moderator.evidence.vault.immutable import APPEND, IMMUTABLE, change_flags, why_not
from moderator.evidence.vault.staging import STAGING, Staging

PATH = "oakfield/2026/R-AAAAAAAAAAAAAAAA"
FILES = {"bagit.txt", "manifest-sha256.txt", "data/seal.json", "data/screenshot.png.enc"}


def draft(root: Path) -> Path:
    folder = root / STAGING / "mine"
    (folder / "data").mkdir(parents=True)
    for name in FILES:
        (folder / name).write_bytes(f"0  {name}\n".encode())
    return folder


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "vault"
    loosen(tmp_path)


@pytest.fixture
def vault(root: Path) -> FolderVault:
    return FolderVault(root)


@pytest.fixture
def stored(vault: FolderVault) -> Path:
    vault.put(draft(vault.root), PATH)
    return vault.folder(PATH)


# Flags of the file system


class Flags:
    """The flags of a file system that has them, kept in memory: for machines whose file system or user has none."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, error: int = 0) -> None:
        self.held: dict[int, int] = {}
        self.error = error
        monkeypatch.setattr(fcntl, "ioctl", self.ioctl)

    def ioctl(self, handle: int, request: int, argument: Any, *_: object) -> int:
        """Answer as the kernel would, with the flags in the first bytes."""
        if self.error:
            raise OSError(self.error, os.strerror(self.error))
        node = os.fstat(handle).st_ino
        if request == immutable._GET:  # noqa: SLF001 - the kernel's side of the call
            argument[:4] = self.held.get(node, 0).to_bytes(4, sys.byteorder)
        else:
            self.held[node] = int.from_bytes(argument[:4], sys.byteorder)
        return 0

    def of(self, path: Path) -> int:
        """Return the flags of a file or folder."""
        return self.held.get(path.stat().st_ino, 0)


def test_with_flags_files_are_immutable_and_the_bag_only_grows(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flags = Flags(monkeypatch)
    vault = FolderVault(root, immutable=True)
    assert "chattr +i" in vault.protection
    vault.put(draft(root), PATH)
    bag = vault.folder(PATH)
    assert {name: flags.of(bag / name) for name in FILES} == dict.fromkeys(FILES, IMMUTABLE)
    assert (flags.of(bag / "data"), flags.of(bag)) == (IMMUTABLE, APPEND)
    assert flags.of(bag.parent) == 0
    vault.add(PATH, {"tsa-chain.pem": b"chain"})
    assert (flags.of(bag / "tsa-chain.pem"), flags.of(bag)) == (IMMUTABLE, APPEND)
    vault.dispose(PATH)
    assert not (bag / "data" / "screenshot.png.enc").exists()
    assert (flags.of(bag / "data" / "seal.json"), flags.of(bag / "data"), flags.of(bag)) == (IMMUTABLE, IMMUTABLE, APPEND)


def test_a_bag_without_payload_is_flagged_and_disposed_of_too(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flags = Flags(monkeypatch)
    vault = FolderVault(root, immutable=True)
    (root / "bare").mkdir()
    (root / "bare" / "manifest-sha256.txt").write_bytes(b"")
    vault.put(root / "bare", PATH)
    vault.dispose(PATH)
    assert vault.names(PATH) == ("manifest-sha256.txt",)
    assert flags.of(vault.folder(PATH)) == APPEND


def test_flags_set_before_the_setting_was_turned_off_are_lifted_and_set_again(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flags = Flags(monkeypatch)
    FolderVault(root, immutable=True).put(draft(root), PATH)
    plain = FolderVault(root)
    plain.add(PATH, {"tsa-chain.pem": b"chain"})
    plain.dispose(PATH)
    bag = plain.folder(PATH)
    assert (flags.of(bag), flags.of(bag / "data"), flags.of(bag / "bagit.txt")) == (APPEND, IMMUTABLE, IMMUTABLE)


@pytest.mark.parametrize(
    ("error", "said"),
    [(errno.ENOTTY, "no such flag"), (errno.EPERM, "CAP_LINUX_IMMUTABLE"), (errno.EIO, "could not be tried")],
)
def test_where_flags_cannot_be_set_the_vault_goes_on_and_says_why(
    root: Path, monkeypatch: pytest.MonkeyPatch, error: int, said: str
) -> None:
    Flags(monkeypatch, error=error)
    vault = FolderVault(root, immutable=True)
    assert said in vault.protection
    vault.put(draft(root), PATH)
    vault.add(PATH, {"tsa-chain.pem": b"chain"})
    vault.dispose(PATH)
    assert "tsa-chain.pem" in vault.names(PATH)
    assert "data/screenshot.png.enc" not in vault.names(PATH)
    assert list((root / STAGING).glob("*.trial")) == []


def test_a_flag_that_is_refused_later_is_logged_and_the_record_stands(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = Flags(monkeypatch)
    vault = FolderVault(root, immutable=True)
    flags.error = errno.EPERM
    vault.put(draft(root), PATH)
    assert "record_not_flagged" in capsys.readouterr().out
    assert len(vault.names(PATH)) == len(FILES)


def test_without_the_setting_no_flag_is_tried(vault: FolderVault) -> None:
    assert "immutable_files is off" in vault.protection


def test_the_kernel_keeps_flagged_files_from_root_too_or_says_why_not(root: Path) -> None:
    """On a file system and for a user that may: nothing of the bag can be changed, and after the vault's own `dispose` it still holds."""
    vault = FolderVault(root, immutable=True)
    reason = why_not(root / STAGING)
    assert (reason == "") == ("chattr +i" in vault.protection)
    vault.put(draft(root), PATH)
    bag = vault.folder(PATH)
    acts: list[Callable[[], object]] = [
        lambda: (bag / "bagit.txt").chmod(0o644),
        (bag / "bagit.txt").unlink,
        lambda: (bag / "data" / "seal.json").rename(bag / "data" / "other"),
        (bag / "data" / "more").touch,
        lambda: bag.rename(bag.with_name("R-BBBBBBBBBBBBBBBB")),
    ]
    if reason:
        assert reason in vault.protection
        return
    for act in acts:
        with pytest.raises(PermissionError):
            act()
    vault.add(PATH, {"tsa-chain.pem": b"chain"})
    vault.dispose(PATH)
    with pytest.raises(PermissionError):
        (bag / "tsa-chain.pem").unlink()
    assert change_flags(bag) & APPEND


def test_who_may_not_set_flags_is_told_by_the_kernel_itself(root: Path) -> None:
    """The same in a process without the right: as nobody, on this very file system."""
    root.mkdir()
    root.chmod(0o777)
    look = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from moderator.evidence.vault.immutable import why_not\n"
        "os.geteuid() == 0 and os.setuid(65534)\n"
        "print(why_not(Path(sys.argv[1])))\n"
    )
    for parent in root.parents:  # pytest's folders are its user's own
        with suppress(PermissionError):
            parent.chmod(parent.stat().st_mode | 0o711)
    told = subprocess.run([sys.executable, "-c", look, str(root)], capture_output=True, text=True, check=True).stdout.strip()
    assert told in {"the service has no right to set it (CAP_LINUX_IMMUTABLE)", "this file system has no such flag"}


# Links and strangers


def test_everything_stored_is_read_only(stored: Path) -> None:
    assert {oct(path.stat().st_mode & 0o777) for path in [stored, stored / "data"]} == {"0o555"}
    assert {oct((stored / name).stat().st_mode & 0o777) for name in FILES} == {"0o444"}


def test_a_link_is_never_followed(vault: FolderVault, stored: Path, tmp_path: Path) -> None:
    loosen(vault.root)
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    (stored / "bagit.txt").unlink()
    (stored / "bagit.txt").symlink_to(secret)
    (stored / "data" / "more.enc").symlink_to(secret)
    with pytest.raises(BadInput):
        vault.open(PATH, "bagit.txt")
    assert not {"bagit.txt", "data/more.enc"} & set(vault.names(PATH))
    vault.dispose(PATH)
    assert secret.read_bytes() == b"secret"
    assert not (stored / "data" / "more.enc").is_symlink()


def test_a_linked_bag_or_data_folder_is_no_record(vault: FolderVault, stored: Path) -> None:
    loosen(vault.root)
    (stored / "data").rename(stored.parent / "elsewhere")
    (stored / "data").symlink_to(stored.parent / "elsewhere")
    with pytest.raises(BadInput, match="a link"):
        vault.open(PATH, "data/seal.json")
    assert not any(name.startswith("data/") for name in vault.names(PATH))
    with pytest.raises(BadInput, match="a link"):
        vault.dispose(PATH)
    assert (stored.parent / "elsewhere" / "screenshot.png.enc").exists()
    other = stored.with_name("R-BBBBBBBBBBBBBBBB")
    other.symlink_to(stored)
    linked = "oakfield/2026/R-BBBBBBBBBBBBBBBB"
    assert vault.names(linked) == ()
    assert vault.manifest_sha256(linked) is None
    for act in (lambda: vault.open(linked, "bagit.txt"), lambda: vault.dispose(linked)):
        with pytest.raises(BadInput, match="a link"):
            act()
    assert list(vault.paths()) == [PATH]
    with pytest.raises(Refused):
        vault.put(draft(vault.root), linked)


def test_a_device_in_the_place_of_a_file_is_not_opened(vault: FolderVault, stored: Path) -> None:
    loosen(vault.root)
    os.mkfifo(stored / "pipe.txt")
    with pytest.raises(BadInput, match="there is no pipe"):
        vault.open(PATH, "pipe.txt")
    assert "pipe.txt" not in vault.names(PATH)


def test_what_lies_in_a_records_place_is_noticed_whole_or_not(vault: FolderVault, stored: Path) -> None:
    assert vault.taken(PATH)
    assert not vault.taken("oakfield/2026/R-BBBBBBBBBBBBBBBB")
    stored.with_name("R-BBBBBBBBBBBBBBBB").symlink_to("nowhere")
    assert vault.taken("oakfield/2026/R-BBBBBBBBBBBBBBBB")
    vault.root.rename(vault.root.with_name("away"))
    with pytest.raises(Transient, match="cannot be reached"):
        vault.taken(PATH)
    vault.root.with_name("away").rename(vault.root)


# Full and failing disks


class FailingDisk(durable.Disk):
    """A disk that fails one kind of call with one error."""

    def __init__(self, call: str, error: int) -> None:
        def fail(*_: object, **__: object) -> None:
            raise OSError(error, os.strerror(error))

        setattr(self, call, fail)


def with_disk(monkeypatch: pytest.MonkeyPatch, disk: durable.Disk) -> None:
    monkeypatch.setattr(durable, "disk", disk)
    for module in ("folder", "staging"):
        monkeypatch.setattr(f"moderator.evidence.vault.{module}.disk", disk)


@pytest.mark.parametrize("call", ["rename", "make_folder", "flush_folder"])
def test_a_disk_that_fails_while_a_bag_is_put_means_try_later(vault: FolderVault, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    mine = draft(vault.root)
    with monkeypatch.context() as patch:
        with_disk(patch, FailingDisk(call, errno.ENOSPC))
        with pytest.raises(Transient, match="No space left"):
            vault.put(mine, PATH)
    assert vault.manifest_sha256(PATH) is None
    vault.put(mine, PATH)
    assert len(vault.names(PATH)) == len(FILES)


@pytest.mark.parametrize("call", ["create", "write", "flush", "link", "flush_folder"])
def test_a_disk_that_fails_while_a_stamp_is_added_leaves_no_half_file(
    vault: FolderVault, stored: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    with monkeypatch.context() as patch:
        with_disk(patch, FailingDisk(call, errno.ENOSPC))
        with pytest.raises(Transient, match="could not be kept"):
            vault.add(PATH, {"tsa-chain.pem": b"chain"})
    assert oct(stored.stat().st_mode & 0o777) == "0o555"
    assert list((vault.root / STAGING).glob("*.draft")) == []
    vault.add(PATH, {"tsa-chain.pem": b"chain"})
    assert vault.open(PATH, "tsa-chain.pem") == b"chain"


def test_a_disk_that_fails_while_a_record_is_disposed_of_means_try_later(
    vault: FolderVault, stored: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        with_disk(patch, FailingDisk("unlink", errno.EIO))
        with pytest.raises(Transient, match="could not be disposed of"):
            vault.dispose(PATH)
    assert oct((stored / "data").stat().st_mode & 0o777) == "0o555"
    vault.dispose(PATH)
    assert "data/screenshot.png.enc" not in vault.names(PATH)


def test_finishing_where_the_disk_fails_means_try_later(vault: FolderVault, stored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert stored.is_dir()
    with_disk(monkeypatch, FailingDisk("flush_folder", errno.EIO))
    with pytest.raises(Transient, match="could not finish"):
        vault.finish(PATH)


def test_a_vault_that_cannot_be_made_means_try_later(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Transient, match="cannot be reached"):
        FolderVault(tmp_path / "file" / "vault")


def test_on_a_file_system_without_second_names_a_stamp_is_renamed_into_place(
    vault: FolderVault, stored: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert stored.is_dir()
    with_disk(monkeypatch, FailingDisk("link", errno.EPERM))
    vault.add(PATH, {"tsa-chain.pem": b"chain"})
    assert vault.open(PATH, "tsa-chain.pem") == b"chain"
    (vault.root / "there").write_bytes(b"there")
    with pytest.raises(OSError, match="not permitted"):
        add_durably(vault.root / "draft", vault.root / "there", b"other")
    assert (vault.root / "there").read_bytes() == b"there"


def test_another_process_that_put_the_same_bag_first_is_seen(vault: FolderVault, monkeypatch: pytest.MonkeyPatch) -> None:
    class Overtaken(durable.Disk):
        def rename(self, old: Path, new: Path) -> None:
            super().rename(old, new)
            old.mkdir()
            (old / "manifest-sha256.txt").write_bytes((new / "manifest-sha256.txt").read_bytes())
            raise OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY))

    with_disk(monkeypatch, Overtaken())
    mine = draft(vault.root)
    assert vault.put(mine, PATH) == vault.manifest_sha256(PATH)
    assert not mine.exists()


# Where bags are built


def test_the_place_of_a_dead_process_is_swept_and_that_of_a_living_one_is_not(vault: FolderVault) -> None:
    living = Staging(vault.working_folder)
    with living.folder() as mine:
        (mine / "half").write_bytes(b"half")
        dead = vault.root / STAGING / "1-dead"
        (dead / "bag").mkdir(parents=True)
        (dead.parent / "1-dead.lock").touch()
        old = dead.parent / "old.draft"
        old.touch()
        os.utime(old, (0, 0))
        young = dead.parent / "young.draft"
        young.touch()
        (dead.parent / "linked.lock").symlink_to(old)
        Staging(vault.working_folder).close()
        assert not dead.exists()
        assert not old.exists()
        assert young.exists()
        assert (mine / "half").exists()
    assert not mine.exists()
    for _ in range(2):
        living.close()


def test_a_place_swept_before_it_was_locked_is_taken_again(vault: FolderVault, monkeypatch: pytest.MonkeyPatch) -> None:
    flock = fcntl.flock
    seen: list[int] = []

    def swept_once(handle: int, kind: int) -> None:
        if not seen:
            seen.append(handle)
            next((vault.root / STAGING).glob("*.lock")).unlink()
        flock(handle, kind)

    monkeypatch.setattr(fcntl, "flock", swept_once)
    place = Staging(vault.working_folder)
    assert len(list((vault.root / STAGING).glob("*.lock"))) == 1
    place.close()
