"""What people hand in: known by content, refused whole when it is anything else, sealed byte for byte."""

import hashlib
import json
import subprocess
import tracemalloc
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageOps

from moderator.domain.account import School
from moderator.domain.errors import BadInput, EvidenceFailed
from moderator.domain.record import CaptureKind
from moderator.domain.submission import MAX_FILES, FileKind, Handed, Statement, Submission, SubmittedFile, submission_id
from moderator.evidence.capture.taken import MAX_HEIGHT
from moderator.evidence.check.verify import verify
from moderator.evidence.seal.sealing import Sealing
from moderator.evidence.seal.signer import Signer
from moderator.evidence.submission import intake, pictures
from moderator.evidence.submission.intake import SealedIntake
from moderator.evidence.submission.kinds import kind_of
from moderator.evidence.submission.pictures import copy_for_screen, size_of
from moderator.evidence.submission.sheet import draw_sheet, sheet_rows, site_of
from moderator.evidence.vault.folder import FolderVault
from moderator.evidence.vault.keyed import KeyedVault

TEMPLATES = Path(__file__).parents[2] / "templates"
SCHOOL = School("oakfield", "Oakfield Primary", "100001", "head@oakfield.example", ("oakfield.example",), "Valley Trust")
NOW = datetime.now(UTC).replace(microsecond=0)
HTML = b"<!doctype html><script>alert(1)</script>"


def drawn(kind: str = "PNG", *, size: tuple[int, int] = (40, 30), **options: Any) -> bytes:
    out = BytesIO()
    Image.effect_noise(size, 80).convert("RGB").save(out, kind, **options)
    return out.getvalue()


PNG, JPEG, WEBP = drawn(), drawn("JPEG"), drawn("WEBP")
PDF = b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
EMAIL = b"From: fern@parents.example\r\nSubject: The assembly\r\nDate: Wed, 18 Nov 2026 09:00:00 +0000\r\n\r\nYou useless lot.\r\n"
TEXT = "18/11/2026, 09:01 - Fern: you useless lot \U0001f984\n".encode()


def chunk(name: bytes, content: bytes) -> bytes:
    return len(content).to_bytes(4, "big") + name + content + zlib.crc32(name + content).to_bytes(4, "big")


def png_that_says(width: int, height: int) -> bytes:
    """Return a small PNG that claims to be large, as a decompression bomb does."""
    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\x02\0\0\0"
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")


class Clock:
    """A clock that moves a millisecond with each look."""

    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> datetime:
        self.at += timedelta(milliseconds=1)
        return self.at


class Keys:
    """Keys in memory; implements ports.RecordKeys."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def make(self, record_id: str, school: str) -> bytes:
        del school
        return self.kept.setdefault(record_id, hashlib.sha256(record_id.encode()).digest())

    def get(self, record_id: str) -> bytes | None:
        return self.kept.get(record_id)


def submission(files: tuple[SubmittedFile, ...], *, at: datetime = NOW, text: str = "You useless lot.", posted: bool = True) -> Submission:
    said = Statement(
        place="https://social.example/fern/status/12",
        seen_at=NOW - timedelta(hours=1),
        posted_at=NOW - timedelta(hours=2) if posted else None,
        author="Fern Ashwick" if posted else "",
        text=text,
        why="A parent showed it to me at the gate.",
        by="DES-4",
    )
    return Submission(submission_id("oakfield", said.place, files), SCHOOL, said, files, at, at, "Delegation D-1")


Take = Callable[..., SealedIntake]


@pytest.fixture
def taking(vault: FolderVault, signer: Signer) -> Any:
    made: list[Sealing] = []

    def make(keys: Keys | None = None) -> SealedIntake:
        made.append(Sealing(vault=vault, signer=signer, authorities=(), software="moderator 0.0-test", keys=keys))
        return SealedIntake(sealing=made[-1], clock=Clock(), templates=TEMPLATES)

    yield make
    for sealing in made:
        sealing.close()


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (PNG, FileKind.PNG),
        (JPEG, FileKind.JPEG),
        (drawn("JPEG", progressive=True, comment=b"a note"), FileKind.JPEG),
        (JPEG + b"\0\0SEFH a camera's own notes", FileKind.JPEG),
        (JPEG[:-2] + b"\xff\xff\xff\xd9", FileKind.JPEG),
        (WEBP, FileKind.WEBP),
        (drawn("WEBP", lossless=True, size=(7, 5)), FileKind.WEBP),
        (PDF, FileKind.PDF),
        (EMAIL, FileKind.EMAIL),
        (EMAIL + b"\xe9 in an old coding", FileKind.EMAIL),
        (TEXT, FileKind.TEXT),
        ("\ufeffGr\u00fc\u00dfe".encode("utf-16"), FileKind.TEXT),
        (b"5 < 6 and to: nobody", FileKind.TEXT),
        (EMAIL.replace(b"\r\n\r\n", b"\r\n"), FileKind.TEXT),
        (EMAIL.replace(b"The assembly", b"The\r\n assembly\r\n\tof Friday"), FileKind.EMAIL),
    ],
)
def test_a_file_is_known_by_its_content(content: bytes, kind: FileKind) -> None:
    assert kind_of(content, name="whatever.exe") is kind


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is empty"),
        (PNG[:-20], "cut short or damaged"),
        (PNG[:-4], "cut short"),
        (PNG + HTML, "something else behind its end"),
        (PNG + PNG, "something else behind its end"),
        (JPEG[:-2], "cut short"),
        (JPEG[:4], "cut short"),
        (JPEG[:-2] + b"\xff", "cut short"),
        (JPEG + HTML, "something else behind its end"),
        (JPEG + b"PK\x03\x04 an archive", "something else behind its end"),
        (JPEG + b"\0\0\0\x18ftypmp42 a film", "something else behind its end"),
        (WEBP[:-30], "cut short"),
        (WEBP + HTML, "something else behind its end"),
        (PDF.replace(b"%%EOF", b""), "cut short"),
        (PDF + HTML, "something else behind its end"),
        (PDF + b"\n" * 2000, "something else behind its end"),
        (b"RIFF\x24\0\0\0WAVEfmt ", "of a kind that is not taken"),
        (HTML, "a web page or a drawing with code in it"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "a drawing with code"),
        (b"hello <SCRIPT>alert(1)</SCRIPT>", "a web page"),
        (b"<?xml version='1.0'?><svg/>", "a web page or a drawing"),
        (b"GIF89a;", "a GIF picture"),
        (b"PK\x03\x04word/document.xml", "a ZIP archive or an Office document"),
        (b"MZ\x90\0", "a program"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "save it as JPEG or PNG first"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0", "a film"),
        (b"\x00\x01\x02", "of a kind that is not taken"),
        (b"caf\xe9 in an old coding", "of a kind that is not taken"),
        (b"From: fern@parents.example\r\nSubject: x\r\n\r\n\0", "of a kind that is not taken"),
    ],
)
def test_anything_else_is_refused_with_one_clear_line(content: bytes, told: str) -> None:
    with pytest.raises(BadInput, match=told) as refused:
        kind_of(content, name="shot.png")
    assert str(refused.value).startswith("shot.png")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("line", [b"a:\n", b"a:\n \n", b"a:b\r\n"])
def test_a_text_of_nothing_but_header_lines_takes_little_memory(line: bytes) -> None:
    content = line * 20_000
    tracemalloc.start()
    try:
        assert kind_of(content, name="a.txt") is FileKind.TEXT
        assert tracemalloc.get_traced_memory()[1] < 10 * len(content)
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("content", "kind", "told"),
    [
        (png_that_says(6000, 6000), FileKind.PNG, "too large a picture: 6000 by 6000"),
        (png_that_says(100_000, 100_000), FileKind.PNG, "cut short or damaged"),
        (png_that_says(20_000, 8000), FileKind.PNG, "too large a picture"),
        (png_that_says(40_000, 2), FileKind.PNG, "too large a picture"),
        (png_that_says(60, 60), FileKind.PNG, "cut short or damaged"),
        (PNG[:60] + b"\0" * 40 + PNG[100:], FileKind.PNG, "cut short or damaged"),
        (JPEG[:200] + b"\xff\xd9", FileKind.JPEG, "cut short or damaged"),
        (PNG, FileKind.JPEG, "cut short or damaged"),
    ],
)
def test_bombs_and_damaged_pictures_are_refused(content: bytes, kind: FileKind, told: str) -> None:
    with pytest.raises(BadInput, match=told):
        size_of(content, kind, name="shot.png")


def test_a_moving_picture_is_refused() -> None:
    out = BytesIO()
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    frames[0].save(out, "PNG", save_all=True, append_images=frames[1:])
    with pytest.raises(BadInput, match="moving picture"):
        size_of(out.getvalue(), FileKind.PNG, name="a.png")


def test_the_copy_for_the_screen_carries_nothing_of_the_file_but_its_picture() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "taken at 12 Elm Lane"
    content = drawn("JPEG", exif=exif, comment=b"<script>alert(1)</script>", size=(60, 20))
    copy = copy_for_screen(content, FileKind.JPEG, name="a.jpg")
    assert copy.startswith(b"\x89PNG")
    assert b"Elm Lane" in content
    assert b"Elm Lane" not in copy
    assert b"script" not in copy
    with Image.open(BytesIO(copy)) as shown:
        assert shown.size == (20, 60), "turned as its notes say"
        assert (shown.info, dict(shown.getexif())) == ({}, {})


def test_copies_of_every_sort_of_picture_are_plain_and_small_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "WIDEST", 30)
    clear = BytesIO()
    Image.new("RGBA", (40, 20), (10, 20, 30, 0)).save(clear, "PNG")
    grey = BytesIO()
    Image.new("CMYK", (40, 20)).save(grey, "JPEG")
    for content, kind in ((clear.getvalue(), FileKind.PNG), (grey.getvalue(), FileKind.JPEG), (WEBP, FileKind.WEBP)):
        with Image.open(BytesIO(copy_for_screen(content, kind, name="x"))) as shown:
            assert (shown.mode, shown.width) == ("RGB", 30)
    with Image.open(BytesIO(copy_for_screen(clear.getvalue(), FileKind.PNG, name="x"))) as shown:
        assert shown.getpixel((0, 0)) == (255, 255, 255), "what is see-through is white"


def test_notes_that_cannot_be_read_do_not_stop_the_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: object) -> None:
        raise ValueError

    monkeypatch.setattr(ImageOps, "exif_transpose", broken)
    assert copy_for_screen(PNG, FileKind.PNG, name="x").startswith(b"\x89PNG")


def test_files_are_looked_over_together(taking: Take, monkeypatch: pytest.MonkeyPatch, vault: FolderVault) -> None:
    take = taking()
    found = take.look_over([Handed("C:\\shots\\a b.PNG", PNG), Handed("note.html", TEXT)])
    assert [(each.name, each.name_given, each.width, each.height) for each in found] == [
        ("submitted-01.png", "a b.PNG", 40, 30),
        ("submitted-02.txt", "note.html", 0, 0),
    ]
    with pytest.raises(BadInput, match="at least one file"):
        take.look_over([])
    with pytest.raises(BadInput, match="at most 10 files"):
        take.look_over([Handed(str(n), TEXT + bytes([48 + n])) for n in range(MAX_FILES + 1)])
    with pytest.raises(BadInput, match="there twice"):
        take.look_over([Handed("a", PNG), Handed("b", PNG)])
    monkeypatch.setattr(intake, "MAX_BYTES", len(PNG))
    with pytest.raises(BadInput, match="together are too large"):
        take.look_over([Handed("a", PNG), Handed("b", TEXT)])
    assert list(vault.paths()) == []


def test_what_is_handed_in_is_sealed_byte_for_byte_and_marked(taking: Take, vault: FolderVault, notebook: Any) -> None:
    take = taking()
    made = submission(take.look_over([Handed("a.png", PNG), Handed("talk.eml", EMAIL)]))
    record = take.take(made)
    notebook.sealed(record, hide=False)
    assert record.capture_kind is CaptureKind.SUBMITTED_BY_PERSON
    assert vault.open(record.path, "data/submitted-01.png") == PNG
    assert vault.open(record.path, "data/submitted-02.eml") == EMAIL
    facts = json.loads(vault.open(record.path, "data/record.json"))
    seal = json.loads(vault.open(record.path, "data/seal.json"))
    assert facts["origin"] == seal["origin"] == facts["capture_kind"] == "submitted_by_person"
    assert facts["submitted_by"] == "DES-4"
    assert facts["statements_source"].startswith("stated by the person")
    assert [each["sha256"] for each in facts["submitted_files"]] == [hashlib.sha256(each).hexdigest() for each in (PNG, EMAIL)]
    assert [each["name_given"] for each in facts["submitted_files"]] == ["a.png", "talk.eml"]
    assert verify(vault.root).ok
    guide = vault.open(record.path, "data/VERIFY.txt").decode()
    assert "A member of staff handed these files in. The service did not capture them." in guide
    assert "Handed in by a member of staff; the service did not capture it" in guide
    assert "page.html" not in guide
    assert "the site showed one browser" not in guide


def test_what_is_not_stated_stays_empty_in_the_facts(taking: Take, vault: FolderVault) -> None:
    take = taking()
    record = take.take(submission(take.look_over([Handed("a.png", PNG)]), posted=False))
    facts = json.loads(vault.open(record.path, "data/record.json"))
    assert (facts["posted_utc"], facts["posted_london"], facts["author_name"]) == ("", "", "")
    assert "Posted" not in vault.open(record.path, "data/VERIFY.txt").decode()


def test_a_repeat_finds_the_first_record_and_a_damaged_one_is_told(taking: Take, vault: FolderVault, cast: Any) -> None:
    take = taking()
    made = submission(take.look_over([Handed("a.png", PNG)]))
    first = take.take(made)
    assert take.take(made) == first
    assert take.taken(first.path) == first
    assert take.taken("oakfield/2026/R-AAAAAAAAAAAAAAAA") is None
    cast.unlock(vault.root)
    (vault.folder(first.path) / "data" / "submitted-01.png").write_bytes(JPEG)
    with pytest.raises(EvidenceFailed, match="damaged"):
        take.take(made)


def test_encrypted_as_any_other_and_nothing_personal_stays_in_clear(taking: Take, vault: FolderVault, notebook: Any) -> None:
    keys = Keys()
    take = taking(keys)
    made = submission(take.look_over([Handed("a.png", PNG), Handed("talk.txt", TEXT)]))
    record = take.take(made)
    notebook.sealed(record, hide=False)
    stored = {path.name: path.read_bytes() for path in vault.folder(record.path).rglob("*") if path.is_file()}
    assert {"submitted-01.png.enc", "submitted-02.txt.enc", "record.json.enc", "screenshot.png.enc"} <= stored.keys()
    for content in stored.values():
        for secret in (PNG[20:60], b"Fern", b"status/12", b"useless", b"at the gate"):
            assert secret not in content
    opened = KeyedVault(vault, keys)
    assert opened.open(record.path, "data/submitted-01.png") == PNG
    assert verify(vault.root).ok
    seal = json.loads(stored["seal.json"])
    key, counter = keys.kept[record.record_id].hex(), seal["encryption"]["files"]["submitted-02.txt"]
    command = ["openssl", "enc", "-d", "-aes-256-ctr", "-K", key, "-iv", counter, "-in", "data/submitted-02.txt.enc"]
    assert subprocess.run(command, cwd=vault.folder(record.path), capture_output=True, check=True).stdout == TEXT


def test_r13_the_sheet_says_time_date_and_place_and_who_says_so() -> None:
    files = (
        SubmittedFile("submitted-01.png", "a.png", FileKind.PNG, PNG, 40, 30),
        SubmittedFile("submitted-02.txt", "b", FileKind.TEXT, TEXT),
    )
    rows = {row.label: row.text for row in sheet_rows(submission(files))}
    assert rows["Place, stated"] == "https://social.example/fern/status/12"
    assert rows["Site"] == "social.example"
    for label in ("Seen, stated", "Posted, stated", "Handed in"):
        assert "UTC" in rows[label]
        assert "(London)" in rows[label]
    assert "40 by 30 pixels" in rows["File 1"]
    assert "pixels" not in rows["File 2"]
    bare = {row.label: row.text for row in sheet_rows(submission(files, posted=False, text=""))}
    assert (bare["Posted, stated"], bare["Author, stated"], bare["Words, stated"]) == ("not stated",) * 3
    assert site_of("WhatsApp, the 9B group") == site_of("http://[half") == ""


def test_the_sheet_opens_holds_any_script_and_has_an_end() -> None:
    files = (SubmittedFile("submitted-01.png", "a.png", FileKind.PNG, PNG, 40, 30),)
    picture, cut = draw_sheet(submission(files, text="\u0645\u0631\u062d\u0628\u0627 \U0001f984 \ud800"))
    with Image.open(BytesIO(picture)) as sheet:
        assert sheet.width == 1000
        assert sheet.getpixel((3, 3)) == (62, 62, 84)
    assert not cut
    picture, cut = draw_sheet(submission(files, text="\n" * 2000))
    with Image.open(BytesIO(picture)) as sheet:
        assert sheet.height <= MAX_HEIGHT
    assert cut
