"""Tables that leave as CSV: what a spreadsheet reads is what was written, and nothing in it is ever worked out."""

import csv
import io
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as some

from moderator.web.sheet import download, safe, sheet

SIGNS = "=+-@\t\r\n＝＋－＠"  # noqa: RUF001 - a spreadsheet reads the wide ones too
cells = some.one_of(some.text(), some.tuples(some.sampled_from(["", " ", "\u00a0 "]), some.sampled_from(SIGNS), some.text()).map("".join))


def read(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


@given(some.lists(some.lists(cells, min_size=2, max_size=2), max_size=4))
def test_what_is_read_is_what_was_written_and_no_formula(rows: list[list[str]]) -> None:
    found = read(sheet(("One", "Two"), rows))
    assert found[0] == ["One", "Two"]
    assert len(found) == len(rows) + 1
    for before, after in zip(chain(*rows), chain(*found[1:]), strict=True):
        written = before.replace("\0", "\ufffd")
        assert after in {written, f"'{written}"}
        assert not after.lstrip().startswith(tuple(SIGNS))
        assert after == safe(after) == safe(before)


@pytest.mark.parametrize("cell", ["=1+1", "+44 20", "-2", "@here", "\t=1", "\r=1", "  =HYPERLINK()", "＝1"])  # noqa: RUF001 - as above
def test_a_formula_becomes_text(cell: str) -> None:
    assert safe(cell) == f"'{cell}"


def test_plain_cells_stay_as_they_are() -> None:
    assert read(sheet(("A",), [["R-ABC"], [12], ["it's"], ['say "no", twice']])) == [
        ["A"],
        ["R-ABC"],
        ["12"],
        ["it's"],
        ['say "no", twice'],
    ]
    assert safe("half \ud800 \0") == "half \ufffd \ufffd"


@pytest.mark.parametrize(
    ("name", "kept"), [("records-oakfield.csv", "records-oakfield.csv"), ('a"; b\r\nX: y/../z.csv', "a-b-X-y-..-z.csv"), ("é", "list")]
)
def test_a_file_is_saved_under_a_plain_name(name: str, kept: str) -> None:
    answer = download(b"x", name=name)
    assert answer.headers["content-disposition"] == f'attachment; filename="{kept}"'
    assert answer.headers["content-type"].startswith("text/csv; charset=utf-8")
