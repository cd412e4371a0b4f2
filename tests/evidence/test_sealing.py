"""Sealing under faults: repeats, damage, full disks, crashes, and the second renderer."""

import io
import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from PIL import Image

from moderator.domain.errors import BadInput, EvidenceFailed, Refused, Transient, Unanswered
from moderator.domain.record import CaptureKind, Evidence, SealedRecord
from moderator.domain.times import SystemClock
from moderator.evidence import recorder
from moderator.evidence.capture import typeface
from moderator.evidence.capture.panel import check_picture, png
from moderator.evidence.capture.still import draw_still
from moderator.evidence.capture.typeface import face, right_to_left
from moderator.evidence.check.verify import verify
from moderator.evidence.seal.authority import HttpAuthority, Patient
from moderator.evidence.seal.late import VaultStamper
from moderator.evidence.seal.signer import Signer
from moderator.evidence.vault.durable import remove_leftover, write_all_durably
from moderator.evidence.vault.folder import FolderVault
from moderator.evidence.vault.staging import Staging


def test_a_repeat_gives_the_same_record_and_makes_no_second(vault: FolderVault, still: Any, cast: Any) -> None:
    recorder = still()
    evidence = cast.make_evidence()
    first = recorder.seal(evidence)
    assert recorder.seal(evidence) == first
    assert still(clock=cast.TickingClock(datetime(2030, 1, 1, tzinfo=UTC))).seal(evidence) == first
    assert list(vault.paths()) == [first.path]
    assert first.path == f"oakfield/2026/{evidence.record_id}"
    assert first.captured_at <= first.sealed_at


def test_a_repeat_finishes_what_a_crash_after_the_rename_left_open(vault: FolderVault, still: Any, cast: Any) -> None:
    evidence = cast.make_evidence()
    first = still().seal(evidence)
    vault.folder(first.path).chmod(0o755)
    assert still().seal(evidence) == first
    assert vault.folder(first.path).stat().st_mode & 0o777 == 0o555


def test_a_damaged_record_is_not_taken_and_not_made_anew(vault: FolderVault, still: Any, cast: Any) -> None:
    evidence = cast.make_evidence()
    record = still().seal(evidence)
    cast.unlock(vault.root)
    (vault.folder(record.path) / "data" / "page.html").write_text("other")
    with pytest.raises(EvidenceFailed, match=r"damaged: data/page\.html is not what was sealed"):
        still().seal(evidence)


def test_a_record_signed_by_another_key_is_not_taken(vault: FolderVault, still: Any, cast: Any) -> None:
    evidence = cast.make_evidence()
    first = still(key=Signer.generate()).seal(evidence)
    with pytest.raises(EvidenceFailed, match="signature"):
        still().seal(evidence)
    assert vault.manifest_sha256(first.path) == first.manifest_sha256


def test_a_link_where_the_record_should_be_is_not_followed(vault: FolderVault, still: Any, cast: Any, tmp_path: Path) -> None:
    evidence = cast.make_evidence()
    record = still().seal(evidence)
    cast.unlock(vault.root)
    vault.folder(record.path).rename(tmp_path / "away")
    vault.folder(record.path).symlink_to(tmp_path / "away")
    with pytest.raises(EvidenceFailed, match="that can be read: Not a directory"):
        still().seal(evidence)
    with pytest.raises(BadInput, match="is a link"):
        vault.open(record.path, "data/record.json")


def test_a_clock_stepping_back_never_seals_before_the_capture(still: Any, cast: Any) -> None:
    class Back(cast.TickingClock):  # type: ignore[misc]  # the cast is found at run time
        """Each look is a minute earlier."""

        def now(self) -> datetime:
            self.moment: datetime = self.moment - timedelta(minutes=1)
            return self.moment

    record = still(clock=Back(datetime(2026, 11, 2, tzinfo=UTC))).seal(cast.make_evidence())
    assert record.captured_at <= record.sealed_at


def test_a_full_disk_is_transient_and_leaves_nothing_half_written(tmp_path: Path, cast: Any) -> None:
    """A process that may write no file larger than 4 KB stands for the full disk: the kernel refuses the write itself."""
    program = f"""
import importlib.util, resource, signal, sys
from pathlib import Path
spec = importlib.util.spec_from_file_location("cast", {str(Path(cast.__file__))!r})
cast = importlib.util.module_from_spec(spec); sys.modules["cast"] = cast; spec.loader.exec_module(cast)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
vault = cast.FolderVault(Path({str(tmp_path / "vault")!r}))
recorder = cast.still_on(vault, cast.Signer.generate())
evidence = cast.make_evidence()
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
from moderator.domain.errors import Transient
try:
    recorder.seal(evidence)
except Transient as error:
    print("refused:", error)
print("left:", [str(p) for p in vault.root.rglob("*") if p.is_file() and p.suffix != ".lock"], list(vault.paths()))
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
print("then:", recorder.seal(evidence).path)
recorder.close()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "refused: the record could not be written: File too large" in done.stdout, done.stderr
    assert "left: [] []" in done.stdout
    assert "then: oakfield/2026/R-" in done.stdout
    cast.unlock(tmp_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small filesystem needs root")
def test_a_really_full_disk_is_transient_and_leaves_nothing_half_written(tmp_path: Path, cast: Any, signer: Signer) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(small)], capture_output=True, check=False)
    if mounted.returncode != 0:
        pytest.skip("this machine does not let us mount a small filesystem")
    try:
        vault = FolderVault(small / "vault")
        (small / "filler").write_bytes(b"x" * 480 * 1024)
        recorder = cast.still_on(vault, signer)
        with pytest.raises(Transient, match="No space left"):
            recorder.seal(cast.make_evidence())
        assert [path for path in vault.root.rglob("*") if path.is_file() and path.suffix != ".lock"] == []
        (small / "filler").unlink()
        assert recorder.seal(cast.make_evidence()).path in list(vault.paths())
        recorder.close()
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_a_crashed_runs_leftovers_are_swept_and_a_living_ones_are_not(vault: FolderVault, cast: Any) -> None:
    program = f"""
import os, sys
from pathlib import Path
from moderator.evidence.vault.staging import Staging
staging = Staging(Path({str(vault.root)!r}))
with staging.folder() as folder:
    (folder / "data").mkdir()
    (folder / "data" / "half").write_text("half")
    (folder / "data").chmod(0o555)
    print("ready", flush=True)
    if sys.stdin.readline() == "die\\n":
        os._exit(9)
"""

    def begin() -> subprocess.Popen[str]:
        child = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        return child

    dying, living = begin(), begin()
    dying.communicate("die\n")
    assert len(list((vault.root / ".tmp").glob("*/*/data/half"))) == 2
    old, young = vault.root / ".tmp" / "a.draft", vault.root / ".tmp" / "b.draft"
    old.touch()
    young.touch()
    os.utime(old, (0, 0))
    here = Staging(vault.root)
    assert len(list((vault.root / ".tmp").glob("*/*/data/half"))) == 1, "only the dead process's leftovers are swept"
    assert not old.exists()
    assert young.exists()
    living.communicate("end\n")
    here.close()
    here.close()
    cast.unlock(vault.root)


def test_the_vault_away_is_transient(tmp_path: Path, still: Any, vault: FolderVault, cast: Any) -> None:
    recorder = still()
    cast.shutil.rmtree(vault.root)
    with pytest.raises(Transient, match="cannot be reached"):
        recorder.seal(cast.make_evidence())
    with pytest.raises(Transient, match="cannot be written"):
        still()
    (tmp_path / "file").touch()
    with pytest.raises(Transient, match="cannot be reached"):
        FolderVault(tmp_path / "file" / "vault")
    with pytest.raises(Transient, match="could not finish"):
        vault.finish("oakfield/2026/R-AAAAAAAAAAAAAAAA")
    vault.root.mkdir()


def test_a_disk_that_reads_back_something_else_is_noticed(
    vault: FolderVault, still: Any, cast: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FolderVault, "open", lambda *_: b"rot")
    with pytest.raises(EvidenceFailed, match="reads back differently"):
        still().seal(cast.make_evidence())
    assert vault.root.is_dir()


def test_when_both_renderers_fail_no_record_is_made(vault: FolderVault, still: Any, cast: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("moderator.evidence.recorder.draw_still", fail)
    with pytest.raises(EvidenceFailed, match="no picture of the comment could be made"):
        still().seal(cast.make_evidence())
    assert list(vault.paths()) == []


def test_blank_and_broken_pictures_are_refused() -> None:
    with pytest.raises(EvidenceFailed, match="blank"):
        check_picture(png(Image.new("RGB", (10, 10), (255, 255, 255))))
    with pytest.raises(EvidenceFailed, match="does not open"):
        check_picture(b"not a picture")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\U0001f600" * 280,
        "\U0001f468\u200d\U0001f469\u200d\U0001f467" * 60,
        "\u0645\u0631\u062d\u0628\u0627 " * 40,
        "<b>markup</b>",
        "a\u200bb\u200dc\ufeff e\u0301",
        "x" * 25_000,
        "the gate is shut again " * 1087,
        "\ud83d half",
        "\n\n\t tab",
        "\U00020000\U0010fffd rare",
        "\u2066\u202eturned\u2069",
        "123 456",
    ],
)
def test_the_still_renderer_draws_any_text(vault: FolderVault, still: Any, cast: Any, text: str) -> None:
    record = still().seal(cast.make_evidence(text))
    assert record.capture_kind is CaptureKind.RENDERED_FROM_API
    assert cast.facts_of(vault, record)["text"] == text
    assert record.blocked_requests == 0


def test_the_still_picture_is_cut_at_a_bound(cast: Any) -> None:
    picture, cut = draw_still(cast.make_evidence("line\n" * 5000))
    assert cut
    assert picture.startswith(b"\x89PNG")


def test_r13_r14_the_still_picture_shows_the_parent_and_the_times(cast: Any) -> None:
    whole = Image.open(io.BytesIO(draw_still(cast.make_evidence())[0]))
    evidence = cast.make_evidence()
    alone = replace(evidence, item=replace(evidence.item, comment=replace(evidence.item.comment, thread=())))
    assert whole.height > Image.open(io.BytesIO(draw_still(alone)[0])).height + 60


def test_letters_without_fonts_are_written_as_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typeface, "_found", dict)
    bare = typeface.Face(16)
    assert bare.width("\u0645") == bare.width("[U+0645]")
    assert bare._picture("\U0001f600").size == (20, 20)  # noqa: SLF001 - an emoji font may be missing
    assert bare.wrap("one two three", 60)[0] == "one two"
    assert bare.wrap("", 60) == [""]


def test_wrapping_loses_nothing_and_never_parts_an_emoji() -> None:
    letters = face(20)
    family = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
    lines = letters.wrap(family * 50, 400)
    assert "".join(lines) == family * 50
    assert all(line.startswith("\U0001f468") for line in lines)
    text = "some words " + "w" * 300 + " and more"
    lines = letters.wrap(text, 300)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(letters.width(line) <= 300 for line in lines)
    letters._widths.update({(0, str(at)): 1.0 for at in range(20_001)})  # noqa: SLF001 - fills the cache to its bound
    assert letters.width("fresh text") > 0
    assert len(letters._widths) < 100  # noqa: SLF001 - the bound held


def test_the_direction_of_a_line_is_that_of_its_first_strong_letter() -> None:
    assert right_to_left("12 \u05e9 x")
    assert not right_to_left("x \u05e9")
    assert not right_to_left("12 :)")


def test_a_different_record_in_the_same_place_is_refused(vault: FolderVault, still: Any, cast: Any, tmp_path: Path) -> None:
    record = still().seal(cast.make_evidence())
    other = tmp_path / "other"
    write_all_durably(other.parent, {"other/manifest-sha256.txt": b"other", "other/x": b"1"})
    with pytest.raises(Refused, match="another record is already kept"):
        vault.put(other, record.path)
    same = tmp_path / "same"
    cast.shutil.copytree(vault.folder(record.path), same)
    assert vault.put(same, record.path) == record.manifest_sha256
    assert not same.exists()
    with pytest.raises(Transient, match="could not take"):
        vault.put(tmp_path / "absent", record.path)


@pytest.mark.parametrize("damaged", [False, True])
def test_r10_a_bag_that_another_worker_sealed_meanwhile_is_taken_only_when_it_is_whole(
    vault: FolderVault,
    still: Any,
    cast: Any,
    monkeypatch: pytest.MonkeyPatch,
    damaged: bool,  # noqa: FBT001 - a parametrised case
) -> None:
    records: list[SealedRecord] = []

    def overtaken(evidence: Evidence) -> tuple[bytes, bool]:
        """Let another worker go the whole way while this one draws."""
        monkeypatch.setattr(recorder, "draw_still", draw_still)
        records.append(still().seal(evidence))
        if damaged:
            cast.unlock(vault.folder(records[0].path))
            (vault.folder(records[0].path) / "data" / "page.html").write_bytes(b"other")
        return draw_still(evidence)

    late = still()
    monkeypatch.setattr(recorder, "draw_still", overtaken)
    if damaged:
        with pytest.raises(EvidenceFailed, match="is damaged"):
            late.seal(cast.make_evidence())
    else:
        found = late.seal(cast.make_evidence())
        assert [found] == records
        assert found.found
        assert verify(vault.root).checked == 1


def test_a_vault_that_refuses_a_record_is_told_as_such(vault: FolderVault, still: Any, cast: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(*_: object) -> str:
        message = "the bucket says no"
        raise Refused(message)

    monkeypatch.setattr(vault, "put", refuses)
    with pytest.raises(Refused, match="says no"):
        still().seal(cast.make_evidence())


def test_a_rename_that_loses_a_race_is_a_repeat(
    vault: FolderVault, still: Any, cast: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = still().seal(cast.make_evidence())
    same = tmp_path / "same"
    cast.shutil.copytree(vault.folder(record.path), same)
    cast.unlock(same)
    real = Path.exists
    looks = iter([False])
    monkeypatch.setattr(Path, "exists", lambda self, **more: next(looks, None) is not False and real(self, **more))
    assert vault.put(same, record.path) == record.manifest_sha256


def test_a_rename_that_fails_otherwise_is_transient(vault: FolderVault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_all_durably(tmp_path, {"bag/manifest-sha256.txt": b"m"})

    def refuse(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(Transient, match="cross-device"):
        vault.put(tmp_path / "bag", "oakfield/2026/R-AAAAAAAAAAAAAAAA")


@pytest.mark.parametrize(
    "path", ["", "a/b", "../2026/R-AAAAAAAAAAAAAAAA", "Oak/2026/R-AAAAAAAAAAAAAAAA", "oak/26/R-AAAAAAAAAAAAAAAA", "oak/2026/x"]
)
def test_a_path_that_leaves_the_vault_is_bad_input(vault: FolderVault, path: str) -> None:
    with pytest.raises(BadInput, match="no place in the vault"):
        vault.folder(path)


def test_files_are_read_by_plain_names_only(vault: FolderVault, still: Any, cast: Any) -> None:
    record = still().seal(cast.make_evidence())
    for name in ("../x", "data/../bagit.txt", "/etc/hostname", "data/", ""):
        with pytest.raises(BadInput, match="not a file of a record"):
            vault.open(record.path, name)
    with pytest.raises(BadInput, match="there is no data/absent"):
        vault.open(record.path, "data/absent")
    cast.unlock(vault.root)
    os.mkfifo(vault.folder(record.path) / "pipe")
    with pytest.raises(BadInput, match="there is no pipe"):
        vault.open(record.path, "pipe")
    assert vault.manifest_sha256("oakfield/2026/R-AAAAAAAAAAAAAAAA") is None
    assert list(FolderVault(vault.root / "none").paths()) == []
    cast.shutil.rmtree(vault.root / "none")
    assert list(vault.paths()) == [record.path]


def test_paths_skip_a_vault_that_went_away(vault: FolderVault) -> None:
    vault.root.rmdir()
    assert list(vault.paths()) == []


def test_a_record_is_stamped_by_a_real_authority(vault: FolderVault, still: Any, cast: Any, authority: Any, notebook: Any) -> None:
    recorder = still(authorities=(authority.http("first"), authority.http("second")))
    recorder._clock.moment = datetime.now(UTC)  # noqa: SLF001 - the test's own clock
    record = recorder.seal(cast.make_evidence())
    notebook.sealed(record)
    assert not record.stamp_pending
    assert len(authority.asked) == 2
    assert verify(vault.root, trusted_chain=authority.chain).ok
    assert recorder.seal(cast.make_evidence()) == record


def late(vault: FolderVault, authority: Any) -> VaultStamper:
    """Return what adds a late stamp by this authority."""
    return VaultStamper(vault, [Patient(authority.http(), SystemClock())])


@pytest.mark.parametrize("mode", ["busy", "junk", "huge", "stale"])
def test_an_authority_that_fails_leaves_the_stamp_pending(vault: FolderVault, still: Any, cast: Any, authority: Any, mode: str) -> None:
    authority.http().stamp(b"an earlier question")
    authority.mode = mode
    recorder = still(authorities=(authority.http(),))
    record = recorder.seal(cast.make_evidence())
    assert record.stamp_pending
    assert recorder.seal(cast.make_evidence()).stamp_pending
    with pytest.raises(Unanswered):
        late(vault, authority).add(record.path, "tsa")
    authority.mode = "good"
    (added,) = late(vault, authority).add(record.path, "tsa")
    assert (added.stamp.authority, added.stamp.round, added.found) == ("tsa", 1, False)
    assert not recorder.seal(cast.make_evidence()).stamp_pending
    assert vault.folder(record.path).stat().st_mode & 0o777 == 0o555


def test_an_authority_that_is_not_there_or_not_trusted_is_transient(authority: Any, cast: Any, tmp_path: Path) -> None:
    with pytest.raises(Transient, match="does not answer"):
        HttpAuthority("tsa", "http://127.0.0.1:9/", authority.chain, timeout=1).stamp(b"x")
    cast.make_authority(tmp_path / "other")
    with pytest.raises(Transient, match="does not hold"):
        HttpAuthority("tsa", authority.url, (tmp_path / "other" / "chain.pem").read_bytes()).stamp(b"x")
    with pytest.raises(BadInput, match="cannot name"):
        HttpAuthority("../x", authority.url, authority.chain)


def test_a_stamp_that_cannot_be_kept_is_transient(
    vault: FolderVault, still: Any, cast: Any, authority: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority.mode = "busy"
    record = still(authorities=(authority.http(),)).seal(cast.make_evidence())
    authority.mode = "good"

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("moderator.evidence.vault.folder.add_durably", full)
    with pytest.raises(Transient, match="No space left"):
        late(vault, authority).add(record.path, "tsa")
    assert [path.name for path in vault.folder(record.path).glob("*tsa*")] == []


def test_keys_are_read_from_pem_and_never_shown() -> None:
    signer = Signer.generate()
    again = Signer(signer.pem)
    assert again.public_key == signer.public_key
    assert repr(signer) == "Signer(…)"
    with pytest.raises(BadInput, match="cannot be read"):
        Signer(b"nonsense")
    other = X25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(BadInput, match="another kind"):
        Signer(other)


def test_a_leftover_that_cannot_be_opened_does_not_stop_the_sweep(tmp_path: Path) -> None:
    remove_leftover(tmp_path / "absent")
    (tmp_path / ".tmp").mkdir()
    (tmp_path / ".tmp" / "bad.lock").symlink_to(tmp_path)
    Staging(tmp_path).close()
    assert (tmp_path / ".tmp" / "bad.lock").is_symlink()
