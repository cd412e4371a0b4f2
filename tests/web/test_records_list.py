"""Records: what is found, for whom, page by page, and what the copy says."""

import csv
import io

import httpx
import pytest
from cast import NAMES
from lists_app import Listed

from moderator.domain.access import Role
from moderator.web import records_list

ALL = {"insult", "threat", "false", "named", "handed_in"}
"""What a Headteacher sees: a crisis is for the safeguarding leads."""


def copied(answer: httpx.Response) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))


def test_r28_a_row_has_no_name_and_no_text(listed: Listed) -> None:
    page = listed.get(Role.HEAD, "records")
    assert listed.named_on(page) == ALL
    for said in ("idiot", "hurt you", "Fern Ashwick", "fern_ashwick", "Marwood", "Wren Quill", *NAMES.values()):
        assert said not in page


def test_r15_a_disclosure_is_for_the_safeguarding_leads(listed: Listed) -> None:
    assert listed.named_on(listed.get(Role.DSL, "records")) == ALL | {"crisis"}
    assert listed.named_on(listed.get(Role.SAFEGUARDING_LEAD, "records")) == ALL | {"crisis"}
    for role in (Role.CEO, Role.HEAD, Role.ADMIN, Role.AUDITOR):
        assert "crisis" not in listed.named_on(listed.get(role, "records")), role


def test_r21_a_record_is_not_shown_to_the_person_it_names(listed: Listed) -> None:
    assert listed.named_on(listed.get(Role.DEPUTY, "records")) == ALL - {"named"}
    answer = listed.served.clients[Role.DEPUTY].post("/schools/oakfield/records.csv")
    assert {row["Record"] for row in copied(answer)} == {listed.records[name] for name in ALL - {"named"}}


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("severity=severe", {"threat"}),
        ("severity=ordinary", {"insult", "false", "named"}),
        ("outcome=hide", {"insult", "threat", "false", "named"}),
        ("outcome=route", set()),
        ("outcome=handed_in", {"handed_in"}),
        ("record_class=severe", {"threat"}),
        ("record_class=submitted", {"handed_in"}),
        ("keeping=kept", ALL),
        ("keeping=held", set()),
        ("verified=fault", set()),
        ("verified=sound", ALL),
        ("account=1", {"insult", "threat", "false", "named"}),
        ("account=2", set()),
        ("until=2026-11-18", {"insult", "threat"}),
        ("since=2026-11-19", {"false", "named", "handed_in"}),
        ("since=2026-11-18&until=2026-11-18&severity=severe", {"threat"}),
        ("severity=none-of-ours&account=x&keeping=?", ALL),
    ],
)
def test_a_search_finds_what_is_like_it(listed: Listed, asked: str, found: set[str]) -> None:
    assert listed.named_on(listed.get(Role.HEAD, f"records?{asked}")) == found


def test_a_record_is_found_by_its_number(listed: Listed) -> None:
    page = listed.get(Role.HEAD, f"records?number={listed.records['insult'].lower()}")
    assert page.count("/records/R-") == 1
    assert f'href="/records/{listed.records["insult"]}"' in page
    assert "No record is like that." in listed.get(Role.HEAD, f"records?number={listed.records['crisis']}")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("number=R-1", "A record number is R- and 16"),
        ("since=yesterday", "Give a day like"),
        ("since=2026-11-19&until=2026-11-18", "The last day is before"),
    ],
)
def test_what_cannot_be_understood_is_told_and_kept(listed: Listed, asked: str, said: str) -> None:
    answer = listed.served.head.get(f"/schools/oakfield/records?{asked}")
    assert answer.status_code == 400
    assert said in answer.text
    assert asked.split("&", maxsplit=1)[0].partition("=")[2] in answer.text
    assert listed.served.head.post(f"/schools/oakfield/records.csv?{asked}").status_code == 400


def test_pages_go_on_where_the_last_one_ended(listed: Listed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records_list, "A_PAGE", 2)
    head, address, met = listed.served.head, "/schools/oakfield/records", []
    while address:
        page = head.get(address).text
        met.append(listed.named_on(page))
        older = page.partition('">Older</a>')[0].rpartition('href="')[2].replace("&amp;", "&")
        address = older if "Older</a>" in page else ""
    assert [len(each) for each in met] == [2, 2, 1]
    assert set.union(*met) == ALL
    for broken in ("x", "2026-11-18T12:00:00.000000Y_R-A", "_"):
        assert head.get(f"/schools/oakfield/records?after={broken}").status_code == 404


def test_r13_the_copy_has_time_date_and_place_and_no_text(listed: Listed) -> None:
    before = len(listed.lines("exported"))
    answer = listed.served.head.post("/schools/oakfield/records.csv?until=2026-11-18")
    rows = copied(answer)
    assert {row["Record"] for row in rows} == {listed.records["insult"], listed.records["threat"]}
    for row in rows:
        assert row["Posted (UTC)"].startswith("2026-11-18T11:55:00")
        assert row["Posted (London)"] == "2026-11-18 11:55:00+00:00 GMT"
        assert row["Captured (UTC)"].startswith("2026-11-18T13:")
        assert row["Sealed (London)"].startswith("2026-11-18 13:")
        assert row["Place"].startswith("https://social.example/")
        assert row["School"] == "Oakfield Primary School"
    assert "idiot" not in answer.text
    assert "Fern Ashwick" not in answer.text
    assert answer.headers["content-disposition"] == 'attachment; filename="records-oakfield-2026-11-19.csv"'
    told = listed.lines("exported")[before:]
    assert [(line["actor"], line["subject"], line["rows"]) for line in told] == [("HEAD-1", "records-list", 2)]


def test_r13_what_was_handed_in_has_the_place_that_was_stated(listed: Listed) -> None:
    (row,) = copied(listed.served.head.post("/schools/oakfield/records.csv?outcome=handed_in"))
    assert row["Place"] == "https://social.example/groups/9b/4411"
    assert (row["Posted (UTC)"], row["Handed in by"]) == ("", "HEAD-1")


def test_a_record_that_cannot_be_read_is_listed_without_its_place(listed: Listed) -> None:
    (folder,) = (listed.served.stage.folder / "vault").glob(f"*/*/{listed.records['handed_in']}")
    away = folder.rename(folder.with_name("away"))
    try:
        (row,) = copied(listed.served.head.post("/schools/oakfield/records.csv?outcome=handed_in"))
    finally:
        away.rename(folder)
    assert (row["Record"], row["Place"]) == (listed.records["handed_in"], "")


def test_a_copy_that_is_too_long_is_asked_for_in_parts(listed: Listed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records_list, "MOST", 3)
    before = len(listed.lines("exported"))
    answer = listed.served.head.post("/schools/oakfield/records.csv")
    assert answer.status_code == 400
    assert "That is more than 3 records" in answer.text
    assert len(listed.lines("exported")) == before


def test_an_admin_sees_the_list_and_copies_none(listed: Listed) -> None:
    assert "Copy as CSV" in listed.get(Role.HEAD, "records")
    assert "Copy as CSV" not in listed.get(Role.ADMIN, "records")
    assert listed.served.clients[Role.ADMIN].post("/schools/oakfield/records.csv").status_code == 403


def test_no_record_of_one_school_is_found_at_another(listed: Listed) -> None:
    ashford = listed.served.others[Role.HEAD]
    assert ashford.get("/schools/oakfield/records").status_code == 404
    assert ashford.post("/schools/oakfield/records.csv").status_code == 404
    page = ashford.get(f"/schools/ashford/records?number={listed.records['insult']}")
    assert page.status_code == 200
    assert page.text.count("/records/R-") == 0
    assert copied(ashford.post("/schools/ashford/records.csv")) == []
