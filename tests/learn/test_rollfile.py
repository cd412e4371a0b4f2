"""Rolls as SIMS, Arbor and Bromcom export them: layouts, encodings, delimiters, errors by row. The people are invented."""

import codecs
import zipfile
from datetime import date
from io import BytesIO
from pathlib import Path

import pytest

from moderator.domain.errors import BadInput
from moderator.domain.person import RollEntry
from moderator.domain.score import PersonKind
from moderator.learn.rollfile import NoHeaderError, headings_of, read_roll, read_roll_bytes, read_roll_file, system_of
from moderator.learn.rollfile.cells import Name, whole_name

PUPIL, STAFF, PARENT = PersonKind.PUPIL, PersonKind.STAFF, PersonKind.PARENT

SIMS = """Student Details Report,,,,,,,
Generated 01/09/2026,,,,,,,
,,,,,,,
Adno,UPN,Legal Surname,Legal Forename,Preferred Surname,Preferred Forename,Year,Reg,Date of Leaving
001234,Z123456789012,Marwood,Matilda,Marwood,Tilly,Year 7,7B,
001235,,O'Brien,Siobhán,Larkspur,Siobhán,Year 8,8C,31/07/2026
"""
ARBOR_PUPILS = """Student\tArbor Student ID\tRegistration Form\tPrimary Guardian\tGuardian 2 Title\tGuardian 2 Forename\tGuardian 2 Surname
Matilda Marwood (Tilly)\tA-1\t7B\tMrs Wanda Marwood\tMr\tDesmond\tLarkspur
"Bramwell, Jonah"\tA-2\t8C\t\t\t\t
"""
ARBOR_STAFF = """Staff member;Staff Code;Leaving date
Mr Gareth Pemberwick;GPE;
Dr. Imogen Quillfeather;IQU;2026-08-31
"""
BROMCOM = """StaffID,Prefix,FirstName,LastName,StaffCode,Role
17,Ms,Farida,Oakenshaw,FOA,Teacher of Science
18,Mr,Ewan,MacKinnon,EMA,Site team
"""
CONTACTS = """UPN,Surname,Forename,Title,Relationship,Priority
U1,Marwood,Wanda,Mrs,Mother,1
U1,Larkspur,Desmond,Mr,Step-father,2
U1,Marwood,Wanda,Mrs,Mother,1
"""


def test_a_sims_report_is_read_past_its_title() -> None:
    read = read_roll_file(SIMS)
    assert read.errors == {}
    assert read.entries == (
        RollEntry("Z123456789012", PUPIL, "Matilda", "Marwood", "", "Tilly"),
        RollEntry("001235", PUPIL, "Siobhán", "O'Brien", "", "", "Larkspur", date(2026, 7, 31)),
    )
    assert read.columns.ignored == ("Year", "Reg")
    assert read.columns.recognised["Legal Forename"] == "first_name"


def test_an_arbor_report_has_names_in_one_cell_and_contacts_in_the_row() -> None:
    read = read_roll_file(ARBOR_PUPILS)
    assert read.errors == {}
    assert read.delimiter == "\t"
    assert read.entries == (
        RollEntry("A-1", PUPIL, "Matilda", "Marwood", "", "Tilly"),
        RollEntry("A-1-C1", PARENT, "Wanda", "Marwood", "Mrs"),
        RollEntry("A-1-C2", PARENT, "Desmond", "Larkspur", "Mr"),
        RollEntry("A-2", PUPIL, "Jonah", "Bramwell"),
    )


def test_an_arbor_staff_list_with_semicolons() -> None:
    entries, wrong = read_roll(ARBOR_STAFF)
    assert not wrong
    assert entries == [
        RollEntry("GPE", STAFF, "Gareth", "Pemberwick", "Mr"),
        RollEntry("IQU", STAFF, "Imogen", "Quillfeather", "Dr.", left_on=date(2026, 8, 31)),
    ]


def test_a_bromcom_staff_list_says_what_people_do() -> None:
    entries, wrong = read_roll(BROMCOM)
    assert not wrong
    assert entries == [RollEntry("FOA", STAFF, "Farida", "Oakenshaw", "Ms"), RollEntry("EMA", STAFF, "Ewan", "MacKinnon", "Mr")]


def test_contacts_of_one_pupil_are_told_apart_and_repeats_taken_once() -> None:
    read = read_roll_file(CONTACTS)
    assert read.errors == {}
    assert read.repeated == 1
    assert [(entry.reference, entry.kind, entry.first_name) for entry in read.entries] == [
        ("U1", PARENT, "Wanda"),
        ("U1-C2", PARENT, "Desmond"),
    ]


def test_two_people_with_one_reference_are_an_error() -> None:
    entries, wrong = read_roll("reference,first_name,last_name\nP1,Zofia,Nowak\nP1,Jonah,Bramwell\nP1,Zofia,Nowak\n")
    assert len(entries) == 1
    assert list(wrong) == [3]
    assert "already that of line 2" in wrong[3]


@pytest.mark.parametrize(
    ("encoding", "mark", "told"),
    [
        ("utf-8", b"", "utf-8"),
        ("utf-8", codecs.BOM_UTF8, "utf-8-sig"),
        ("utf-16-le", codecs.BOM_UTF16_LE, "utf-16"),
        ("utf-16-be", codecs.BOM_UTF16_BE, "utf-16"),
        ("utf-16-le", b"", "utf-16-le"),
        ("utf-16-be", b"", "utf-16-be"),
        ("cp1252", b"", "cp1252"),
    ],
)
def test_encodings_are_found_out(tmp_path: Path, encoding: str, mark: bytes, told: str) -> None:
    path = tmp_path / "roll.csv"
    path.write_bytes(mark + "first_name,last_name\nSiobhán,Brontë\n".encode(encoding))
    read = read_roll_file(path)
    assert read.encoding == told
    assert [(entry.first_name, entry.last_name) for entry in read.entries] == [("Siobhán", "Brontë")]


@pytest.mark.parametrize("raw", [b"\x00\x01\x02first_name", b"first_name,last_name\n\x81\x8d\x9d,x\n"])
def test_bytes_that_are_no_text_are_refused(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "roll.csv"
    path.write_bytes(raw)
    with pytest.raises(BadInput, match="cannot be read as text"):
        read_roll(path)


def test_a_roll_is_read_by_tolerant_headers() -> None:
    text = "\ufeffUPN,Type,Forename,Surname,Title,Preferred Name\nU1,Student,Zofia,Nowak,,Zosia\n,Teacher,Gethin,Pritchard,Mr,\n"
    entries, wrong = read_roll(text)
    assert not wrong
    assert entries == [
        RollEntry("U1", PUPIL, "Zofia", "Nowak", "", "Zosia"),
        RollEntry("line-3", STAFF, "Gethin", "Pritchard", "Mr", ""),
    ]


def test_kinds_are_read_from_the_columns() -> None:
    for header, kind in (("Parent Name", PARENT), ("Guardian", PARENT), ("Staff Name", STAFF), ("Name,Reg", PUPIL), ("Name,Adno", PUPIL)):
        entries, wrong = read_roll(f"{header}\nDesmond Larkspur\n")
        assert not wrong
        assert entries[0].kind is kind, header
    entries, _ = read_roll("Legal Name,Tutor group\nDesmond Larkspur,7B\n")
    assert entries[0].kind is PUPIL


def test_only_preferred_names_will_do() -> None:
    entries, wrong = read_roll("PreferredFirstName,PreferredLastName,TutorGroup\nTilly,Marwood,7B\n")
    assert not wrong
    assert entries == [RollEntry("line-2", PUPIL, "Tilly", "Marwood")]


def test_whole_names_are_split_either_way_round() -> None:
    entries, wrong = read_roll('name,kind\n"Nowak, Zofia",pupil\nAna Maria Costa,parent\nOakfield,other\n')
    assert not wrong
    assert [(entry.first_name, entry.last_name) for entry in entries] == [("Zofia", "Nowak"), ("Ana Maria", "Costa"), ("Oakfield", "")]


@pytest.mark.parametrize(
    ("cell", "name"),
    [
        ("Marwood, Matilda (Tilly)", Name("Matilda", "Marwood", "", "Tilly")),
        ('Matilda "Tilly" Marwood', Name("Matilda", "Marwood", "", "Tilly")),
        ("Pemberwick, Mr Gareth", Name("Gareth", "Pemberwick", "Mr")),
        ("Mrs Begum", Name("", "Begum", "Mrs")),
        ("Oakfield", Name("Oakfield", "")),
        ("", Name("", "")),
    ],
)
def test_a_name_in_one_cell(cell: str, name: Name) -> None:
    assert whole_name(cell) == name


def test_rows_that_do_not_say_are_of_the_kind_given() -> None:
    entries, _ = read_roll("first_name,last_name\nDesmond,Larkspur\n", kind=PersonKind.GOVERNOR)
    assert entries[0].kind is PersonKind.GOVERNOR
    entries, _ = read_roll("first_name,last_name,kind\nDesmond,Larkspur,Trustees\n")
    assert entries[0].kind is PersonKind.GOVERNOR


def test_errors_are_told_by_line_and_the_rest_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "roll.csv"
    text = "first_name,last_name,kind,left_on\nZofia,Nowak,pupil,\n\n,,pupil,\nIan,Grant,pirate,\nIan,Grant,pupil,soon\nIan\n"
    path.write_text(text, encoding="utf-8")
    entries, wrong = read_roll(path)
    assert [entry.first_name for entry in entries] == ["Zofia", "Ian"]
    assert set(wrong) == {4, 5, 6}
    assert "no name" in wrong[4]
    assert "pirate" in wrong[5]
    assert "31/07/2026" in wrong[6]


@pytest.mark.parametrize(
    "cell", ["31/07/2026", "2026-07-31", "31-Jul-2026", "31 July 2026", "31/07/2026 00:00:00", "31.07.2026", "31/07/26"]
)
def test_leaving_dates_in_many_forms(cell: str) -> None:
    entries, wrong = read_roll(f"forename,surname,DOL\nZofia,Nowak,{cell}\n")
    assert not wrong
    assert entries[0].left_on == date(2026, 7, 31)


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", 'first_name,last_name\n"broken', "\n" * 30])
def test_a_roll_that_cannot_be_used_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match=r"header line|not valid CSV"):
        read_roll(text)


def test_a_roll_with_far_too_many_rows_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("moderator.learn.rollfile.reading.MAX_ROWS", 3)
    assert len(read_roll_file("first_name,last_name\n" + "Zofia,Nowak\n" * 3).entries) == 3
    with pytest.raises(BadInput, match="more than 3 rows"):
        read_roll_file("first_name,last_name\n" + "Zofia,Nowak\n" * 4)


def test_headings_of_a_broken_file_are_refused() -> None:
    with pytest.raises(BadInput, match="not valid CSV"):
        headings_of(b'a,b\n"open')
    assert headings_of(b"Report\na;b\n1;2\n").cells == ("a", "b")


def test_the_system_is_told_by_its_headings() -> None:
    told = {
        "Adno,UPN,Legal Surname,Legal Forename,Preferred Surname,Preferred Forename,Year,Reg": "SIMS",
        "Staff Code,Title,Forename,Surname,Payroll Number": "SIMS",
        "Arbor Student ID,Legal First Name,Legal Last Name,Registration Form": "Arbor",
        "Student,Year Group,Registration Form,Primary Guardian": "Arbor",
        "UPN,Legal Surname,Preferred Forename,Tutor Group,MIS ID": "Bromcom",
        "StaffID,Prefix,FirstName,LastName,StaffCode,Role": "Bromcom",
        "reference,kind,first_name,last_name": "this service's own layout",
        "Nom,Prenom": "",
        "Year Group": "",
    }
    assert {header: system_of(header.split(",")) for header in told} == told


def _zip() -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        made.writestr("roll.csv", SIMS)
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (_zip(), "an Excel workbook, not a CSV"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "an Excel workbook, not a CSV"),
        (b"%PDF-1.7\n", "a PDF"),
        (b"\x1f\x8b\x08", "a compressed file"),
        (b"<html><table><tr><td>Surname</td></tr></table>", "a web page"),
        (b"first_name,last_name\nAn\0n,Lee\n", "read as text"),
        (b"\x00\x01\x02\x03", "read as text"),
        (b"first_name,last_name\n" + b"x" * 200_000 + b",y\n", "not valid CSV"),
        (b'first_name,last_name\n"open', "not valid CSV"),
        (b"", "the file is empty"),
        (b"\n\n\n", "the file is empty"),
    ],
)
def test_what_is_no_list_of_people_is_refused_in_one_line(content: bytes, said: str) -> None:
    with pytest.raises(BadInput) as told:
        read_roll_bytes(content)
    if isinstance(told.value, NoHeaderError):  # then a person is asked what the columns are, if there are any
        with pytest.raises(BadInput) as told:
            headings_of(content)
    assert said in str(told.value)


def test_a_roll_that_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be read"):
        read_roll(tmp_path / "none.csv")
