"""A pack or a bag as a ZIP: checked without unpacking, and what a hostile one can do, which is nothing."""

import hashlib
import io
import json
import os
import random
import struct
import time
import tracemalloc
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from moderator.domain.errors import BadInput
from moderator.domain.record import Verification
from moderator.evidence.check.archive import open_archive, pieces
from moderator.evidence.check.reading import NotPlain
from moderator.evidence.check.verify import verify
from moderator.evidence.vault.folder import FolderVault


@dataclass
class Packed:
    """A record and its ledger, and the ZIP they are put in."""

    folder: Path
    path: str
    ledger: Path
    zip: Path

    def write(self, more: Mapping[str, bytes] | None = None, *, inside: str = "", method: int = zipfile.ZIP_DEFLATED) -> Path:
        """Write the ZIP: the bag under its record id (or under `inside`), the ledger, and more files."""
        with zipfile.ZipFile(self.zip, "w", method) as out:
            for path in sorted(self.folder.rglob("*")):
                if path.is_file():
                    out.write(path, f"{inside or self.folder.name + '/'}{path.relative_to(self.folder)}")
            out.write(self.ledger, "ledger.jsonl")
            for name, content in (more or {}).items():
                out.writestr(name, content)
        return self.zip

    def sums(self) -> bytes:
        """Return sha256sums.txt over everything that `write` puts in."""
        lines = [
            f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {self.folder.name}/{path.relative_to(self.folder)}\n"
            for path in sorted(self.folder.rglob("*"))
            if path.is_file()
        ]
        return "".join([*lines, f"{hashlib.sha256(self.ledger.read_bytes()).hexdigest()}  ./ledger.jsonl\n"]).encode()


@pytest.fixture
def packed(vault: FolderVault, still: Any, notebook: Any, cast: Any, tmp_path: Path) -> Packed:
    record = still(keys=cast.HeldKeys()).seal(cast.make_evidence())
    notebook.sealed(record)
    return Packed(vault.folder(record.path), record.path, notebook.path, tmp_path / "pack.zip")


def codes(path: Path, **more: Any) -> set[str]:
    return {fault.code for fault in verify(path, **more).faults}


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])
def test_a_bag_in_a_zip_is_checked_with_the_ledger_in_it(packed: Packed, notebook: Any, method: int) -> None:
    found = verify(packed.write(method=method), head=notebook.head)
    assert found == Verification(1)
    assert not found.complete
    assert [each.school for each in found.ledgers] == ["oakfield"]
    assert verify(packed.zip, ledger=packed.ledger) == Verification(1)


def test_a_bag_with_its_place_in_the_vault_or_at_the_top_is_found(packed: Packed) -> None:
    assert verify(packed.write(inside=f"vault/{packed.path}/")) == Verification(1)
    assert codes(packed.write(inside=f"vault/elmfield/2026/{packed.folder.name}/")) == {"wrong_school", "no_ledger"}
    with zipfile.ZipFile(packed.zip, "w") as out:
        for path in packed.folder.rglob("*"):
            out.write(path, path.relative_to(packed.folder))  # folders too, as most programs write them
    assert verify(packed.zip) == Verification(1)
    assert verify(packed.zip, ledger=packed.ledger) == Verification(1)
    assert codes(packed.write(inside="R-BBBBBBBBBBBBBBBB/")) == {"wrong_record", "not_in_ledger"}


def test_half_a_character_in_the_id_of_a_bag_at_the_top_is_told(packed: Packed, cast: Any) -> None:
    cast.unlock(packed.folder)
    seal = packed.folder / "data" / "seal.json"
    seal.write_text(seal.read_text().replace(packed.folder.name, r"\ud800"))
    with zipfile.ZipFile(packed.zip, "w") as out:
        for path in packed.folder.rglob("*"):
            out.write(path, path.relative_to(packed.folder))
    found = verify(packed.zip, ledger=packed.ledger)
    assert {"altered", "not_in_ledger"} <= {fault.code for fault in found.faults}
    assert all(f"{fault.where}{fault.what}".isascii() for fault in found.faults)


def test_nothing_in_a_pack_can_write_over_the_screen(packed: Packed, cast: Any) -> None:
    escapes = "\x1b[2K1 record checked, nothing wrong.\x1b[8m\u202e"
    cast.unlock(packed.folder)
    seal = packed.folder / "data" / "seal.json"
    seal.write_text(seal.read_text().replace('"format": 2', f'"format": {json.dumps(escapes)}'))
    pack = packed.write({"sha256sums.txt": packed.sums() + f"{'0' * 64}  {escapes}\n".encode()})
    found = verify(pack)
    assert {"missing", "format"} <= {fault.code for fault in found.faults}
    assert all((text := f"{fault.where}{fault.what}").isascii() and text.isprintable() for fault in found.faults)


def test_a_packs_list_of_hashes_covers_every_file(packed: Packed) -> None:
    sums = packed.sums()
    assert verify(packed.write({"sha256sums.txt": sums})) == Verification(1)
    assert codes(packed.write({"sha256sums.txt": sums, "cover letter (1).pdf": b"x"})) == {"unlisted"}
    letter = f"{hashlib.sha256(b'x').hexdigest()}  cover.pdf\n".encode()
    assert codes(packed.write({"sha256sums.txt": sums + letter, "cover.pdf": b"x"})) == set()
    assert codes(packed.write({"sha256sums.txt": sums + letter, "cover.pdf": b"y"})) == {"altered"}
    assert codes(packed.write({"sha256sums.txt": sums + letter})) == {"missing"}
    assert codes(packed.write({"sha256sums.txt": sums + b"no line\n"})) == {"manifest"}
    assert codes(packed.write({"sha256sums.txt": b"x" * 5_000_000})) == {"unreadable", "unlisted"}
    assert codes(packed.write({"cover.pdf": b"x"})) == {"stray"}


def test_changed_bytes_and_strange_folders_in_a_zipped_bag_are_told(packed: Packed, cast: Any) -> None:
    name = f"{packed.folder.name}/data/deeper/x"
    assert codes(packed.write({name: b"x"})) == {"not_plain"}
    cast.unlock(packed.folder)
    picture = packed.folder / "data" / "screenshot.png.enc"
    picture.write_bytes(picture.read_bytes()[:-1] + b"!")
    assert codes(packed.write()) == {"altered"}
    picture.unlink()
    (packed.folder / "bagit.txt").unlink()
    assert codes(packed.write()) == {"missing", "altered"}
    (packed.folder / "bag-info.txt").write_bytes(b"x" * 1_100_000)
    assert "not_plain" in codes(packed.write())


def test_a_zip_without_a_record_or_none_at_all_is_said(packed: Packed, tmp_path: Path) -> None:
    with zipfile.ZipFile(packed.zip, "w") as out:
        out.write(packed.ledger, "ledger.jsonl")
    assert codes(packed.zip) == {"no_record"}
    with zipfile.ZipFile(packed.zip, "w"):
        pass
    assert codes(packed.zip) == {"no_record"}
    text = tmp_path / "notes.txt"
    text.write_text("not a ZIP")
    with pytest.raises(BadInput, match="is not a ZIP file"):
        verify(text)
    text.write_bytes(b"PK")
    assert codes(text) == {"zip"}
    (tmp_path / "link.zip").symlink_to(packed.zip)
    with pytest.raises(BadInput, match="is not a folder or a ZIP"):
        verify(tmp_path / "link.zip")
    pipe = tmp_path / "pipe.zip"
    os.mkfifo(pipe)
    with pytest.raises(BadInput):
        verify(pipe)


def one_file(name: str, content: bytes = b"x", *, mode: int = 0o644, **more: int) -> bytes:
    """Return a ZIP of one file, with fields of its directory entry set to anything."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as out:
        info = zipfile.ZipInfo(name)
        info.create_system, info.external_attr, info.compress_type = 3, mode << 16, zipfile.ZIP_DEFLATED
        out.writestr(info, content)
    data = bytearray(buffer.getvalue())
    at = data.index(b"PK\x01\x02")
    places = {
        "flags": (8, "<H"),
        "method": (10, "<H"),
        "crc": (16, "<I"),
        "packed": (20, "<I"),
        "size": (24, "<I"),
        "disk": (34, "<H"),
        "offset": (42, "<I"),
    }
    for field, value in more.items():
        struct.pack_into(places[field][1], data, at + places[field][0], value)
    return bytes(data)


@pytest.mark.parametrize(
    "name",
    [
        "../evil.txt",
        "/etc/passwd",
        "a/../../b",
        "C:evil",
        "a\\b",
        "a//b",
        "./a",
        "x\x01y",
        "caf\u00e9",
        "a/b/c/d/e/f/g/h/i",
        "n" * 300,
        "trick. ",
        ".hidden",
    ],
)
def test_names_that_could_lead_outside_are_told_and_nothing_is_written(tmp_path: Path, name: str) -> None:
    path = tmp_path / "in" / "evil.zip"
    path.parent.mkdir()
    path.write_bytes(one_file(name))
    before = sorted(tmp_path.rglob("*"))
    assert codes(path) == {"outside"}
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(("mode", "code"), [(0o120777, "link"), (0o020666, "not_plain"), (0o010644, "not_plain"), (0o060600, "not_plain")])
def test_links_and_devices_in_a_zip_are_told(tmp_path: Path, mode: int, code: str) -> None:
    path = tmp_path / "evil.zip"
    path.write_bytes(one_file("bagit.txt", b"/etc/passwd", mode=mode))
    assert codes(path) == {code}


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("flags", 1, "zip"), ("flags", 0x2000, "zip"), ("method", 99, "zip"), ("disk", 3, "zip"), ("size", 0xFFFFFFFF, "zip"),
        ("packed", 0xFFFFFFFF, "zip"), ("offset", 0xFFFFFFFF, "zip"), ("size", 1_500_000_000, "zip"), ("size", 900_000_000, "bomb"),
        ("packed", 5_000, "bomb"), ("offset", 5, "bomb"), ("size", 2, "not_plain"), ("size", 0, "not_plain"), ("crc", 7, "not_plain"),
        ("method", 0, "zip"), ("packed", 1, "not_plain"),
    ],
)  # fmt: skip
def test_a_directory_that_lies_is_told(tmp_path: Path, field: str, value: int, code: str) -> None:
    path = tmp_path / "evil.zip"
    path.write_bytes(one_file("bagit.txt", b"BagIt-Version: 1.0\n", **{field: value}))
    assert code in codes(path)


def test_bombs_are_refused_in_little_time_and_memory(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    zeros = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = b"".join(zeros.compress(b"\0" * 1_000_000) for _ in range(300)) + zeros.flush()
    assert len(packed) < 400_000
    header = struct.pack("<4s5H3I2H", b"PK\x03\x04", 20, 0, 8, 0, 0, 0, len(packed), 300_000_000, 9, 0) + b"bagit.txt"

    def entry(name: bytes, size: int, offset: int = 0) -> bytes:
        return struct.pack("<4s6H3I5H2I", b"PK\x01\x02", 20, 20, 0, 8, 0, 0, 0, len(packed), size, len(name), 0, 0, 0, 0, 0, offset) + name

    def bomb(*entries: bytes) -> None:
        directory = b"".join(entries)
        end = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, len(entries), len(entries), len(directory), len(header) + len(packed), 0)
        path.write_bytes(header + packed + directory + end)

    tracemalloc.start()
    start = time.monotonic()
    bomb(entry(b"bagit.txt", 300_000_000))
    assert codes(path) == {"bomb"}, "what it says it unpacks to is too much"
    bomb(entry(b"bagit.txt", 19))
    assert {"not_plain"} <= codes(path), "it says little and unpacks to much: it is left as soon as it has lied"
    bomb(*[entry(b"bagit.txt", 19), entry(b"two.txt", 19), entry(b"three.txt", 19)])
    assert "bomb" in codes(path), "files over one another"
    bomb(*[entry(b"file%d.txt" % number, 19) for number in range(10_001)])
    assert codes(path) == {"zip"}
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 30_000_000
    assert time.monotonic() - start < 20


def test_all_together_must_not_be_larger_than_a_pack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("moderator.evidence.check.archive.MAX_TOTAL", 1000)
    path = tmp_path / "many.zip"
    with zipfile.ZipFile(path, "w") as out:
        for number in range(3):
            out.writestr(f"{number}.bin", os.urandom(500))
    assert codes(path) == {"bomb"}


def test_a_zip_in_a_zip_is_never_opened(tmp_path: Path, packed: Packed) -> None:
    inner = packed.write().read_bytes()
    with zipfile.ZipFile(tmp_path / "outer.zip", "w") as out:
        out.writestr("inner.zip", inner)
    assert codes(tmp_path / "outer.zip") == {"stray", "no_record"}


def test_the_same_name_twice_and_bytes_added_are_told(packed: Packed) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        packed.write({"ledger.jsonl": b"{}"})
    assert "zip" in codes(packed.zip)
    good = packed.write().read_bytes()
    for bad in (good + b"x", b"PK" + good, good[:-1], good[:-30], good[: len(good) // 2]):
        packed.zip.write_bytes(bad)
        assert codes(packed.zip) == {"zip"}
    with zipfile.ZipFile(packed.zip, "a") as out:
        out.comment = b"a second end may hide here"
    assert codes(packed.zip) == {"zip"}
    many = bytearray(good)
    at = many.rindex(b"PK\x05\x06")
    struct.pack_into("<2H", many, at + 8, 60, 60)
    packed.zip.write_bytes(bytes(many))
    assert "zip" in codes(packed.zip), "the end says that there are more files than there are"


def test_a_zip64_end_is_refused(packed: Packed) -> None:
    good = packed.write().read_bytes()
    at = good.rindex(b"PK\x05\x06")
    packed.zip.write_bytes(good[:at] + b"PK\x06\x07" + b"\0" * 16 + good[at:])
    assert codes(packed.zip) == {"zip"}


def test_a_zip_with_bits_flipped_never_raises(packed: Packed) -> None:
    good = packed.write(method=zipfile.ZIP_STORED).read_bytes()
    chance = random.Random(4)  # noqa: S311 - no secret, the same bits each time
    caught = 0
    for _ in range(60):
        bad = bytearray(good)
        for _ in range(3):
            bad[chance.randrange(len(bad))] ^= 1 << chance.randrange(8)
        packed.zip.write_bytes(bytes(bad))
        try:
            caught += not verify(packed.zip).ok
        except BadInput:
            caught += 1
    assert caught > 50, "flips in times and attributes of the directory change nothing that counts"


def test_more_files_than_a_record_has_are_told(packed: Packed) -> None:
    with zipfile.ZipFile(packed.write(), "a") as out:
        for number in range(1100):
            out.writestr(f"{packed.folder.name}/data/x{number}", b"")
    assert "too_many" in codes(packed.zip)


def test_a_member_is_left_as_soon_as_it_is_not_what_its_directory_says(tmp_path: Path) -> None:
    path = tmp_path / "one.zip"
    content = os.urandom(2000)
    path.write_bytes(one_file("bagit.txt", content))
    (good,) = open_archive(path).members
    assert b"".join(pieces(str(path), good)) == content
    data = path.read_bytes()
    start = good.offset + 30 + len("bagit.txt")
    lies = [
        (data, replace(good, offset=len(data) - 5)),
        (data, replace(good, name="other.txt")),
        (data, replace(good, end=good.end - 1)),
        (data, replace(good, packed=good.packed - 20)),
        (data[: start + 10], good),
        (data[:start] + b"\xff" * 40 + data[start + 40 :], good),
        (data[:6] + b"\x01" + data[7:], good),
        (b"XX" + data[2:], good),
    ]
    early = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = early.compress(content) + early.flush() + b"more"
    header = struct.pack("<4s5H3I2H", b"PK\x03\x04", 20, 0, 8, 0, 0, 0, len(packed), len(content), 9, 0) + b"bagit.txt"
    lies.append((header + packed, replace(good, packed=len(packed), end=len(header) + len(packed))))
    for number, (bad, member) in enumerate(lies):
        path.write_bytes(bad)
        with pytest.raises(NotPlain, match="damaged in the ZIP"):
            b"".join(pieces(str(path), member))
        assert number >= 0
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(NotPlain, match="not a plain file"):
        b"".join(pieces(str(path), good))
    with pytest.raises(BadInput, match="cannot be read"):
        open_archive(path)


def test_a_damaged_file_that_a_pack_lists_is_told(packed: Packed) -> None:
    content = os.urandom(5000)
    letter = f"{hashlib.sha256(content).hexdigest()}  cover.pdf\n".encode()
    data = bytearray(packed.write({"sha256sums.txt": packed.sums() + letter, "cover.pdf": content}).read_bytes())
    at = bytes(data).index(content[100:140])
    data[at] ^= 1
    packed.zip.write_bytes(bytes(data))
    assert codes(packed.zip) == {"unreadable"}
