from datetime import UTC, datetime

import pytest

from moderator.domain.errors import BadInput
from moderator.domain.police import police_report
from moderator.domain.submission import (
    MAX_NAME,
    FileKind,
    Statement,
    SubmissionBegun,
    SubmittedFile,
    TwiceThatNightError,
    plain_name,
    stated_time,
    statement,
    submission_id,
)

NOW = datetime(2026, 11, 22, 14, 30, tzinfo=UTC)


def said(**changes: str) -> Statement:
    words = {"place": "https://social.example/p/1", "seen": "2026-11-22 14:05", "why": "A parent showed it to me.", "by": "DES-4"}
    return statement(**(words | changes), now=NOW)


def test_r13_what_a_person_states_is_kept_in_utc() -> None:
    made = said(
        posted="2026-07-01T09:30", author="  Fern \n Ashwick ", text="First line\r\nsecond\x07", place=" WhatsApp,\u200b 9B  parents "
    )
    assert made.seen_at == datetime(2026, 11, 22, 14, 5, tzinfo=UTC)
    assert made.posted_at == datetime(2026, 7, 1, 8, 30, tzinfo=UTC)
    assert (made.author, made.text) == ("Fern Ashwick", "First line\nsecond")
    assert made.place == "WhatsApp,\u200b 9B parents"
    assert said().posted_at is None


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"place": "  "}, "Place: this is needed"),
        ({"by": ""}, "Who hands it in: this is needed"),
        ({"why": "why not"}, "at least 10 characters"),
        ({"why": "x" * 4001}, "under 4,000 characters"),
        ({"text": "x" * 25_001}, "under 25,000 characters"),
        ({"place": "x" * 2001}, "under 2,000 characters"),
        ({"seen": ""}, "When it was seen: give date and time"),
        ({"seen": "22/11/2026 14:05"}, "as in 2026-11-22 14:05, in UK time"),
        ({"seen": "2026-13-22 14:05"}, "as in 2026-11-22 14:05"),
        ({"seen": "2026-11-22 14:36"}, "still to come"),
        ({"seen": "1926-11-22 14:05"}, "check the year"),
        ({"seen": "2026-03-29 01:30"}, "never was"),
        ({"posted": "2026-11-22 14:06"}, "cannot have been posted after it was seen"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(changes: dict[str, str], told: str) -> None:
    with pytest.raises(BadInput, match=told):
        said(**changes)


def test_r13_the_hour_that_comes_twice_is_asked_about() -> None:
    with pytest.raises(TwiceThatNightError, match="came twice"):
        stated_time("2026-10-25 01:30", what="When it was seen", now=NOW)
    first = stated_time("2026-10-25 01:30 BST", what="When it was seen", now=NOW)
    second = stated_time("2026-10-25T01:30:00 GMT", what="When it was seen", now=NOW)
    assert (first, second) == (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC))


def test_the_same_bytes_from_the_same_place_are_the_same_record() -> None:
    one, two = (SubmittedFile(f"submitted-0{n}.png", "a", FileKind.PNG, bytes([n])) for n in (1, 2))
    first = submission_id("oakfield", "https://a.example/1", (one, two))
    assert first == submission_id("oakfield", "https://a.example/1", (two, one))
    assert first != submission_id("oakfield", "https://a.example/2", (one, two))
    assert first != submission_id("elmfield", "https://a.example/1", (one, two))
    assert first != submission_id("oakfield", "https://a.example/1", (one,))


def test_a_record_lies_in_the_year_it_was_begun_in_utc() -> None:
    begun = SubmissionBegun("R-AAAAAAAAAAAAAAAA", "oakfield", "DES-4", datetime(2026, 12, 31, 23, 59, tzinfo=UTC))
    assert begun.path == "oakfield/2026/R-AAAAAAAAAAAAAAAA"


def test_a_files_own_name_is_made_plain() -> None:
    assert plain_name("C:\\Users\\fern\\Screen shot 1.png") == "Screen shot 1.png"
    assert plain_name("../../etc/passwd") == "passwd"
    assert plain_name("photo\u202egnp.exe\n") == "photognp.exe"
    assert plain_name("x" * 500 + ".png") == "x" * (MAX_NAME - 4) + ".png"
    assert plain_name("\x00/") == "(no name)"


def test_r17_a_police_report_says_something_and_not_too_much() -> None:
    made = police_report(3, by="D-1", at=NOW, reference="  AB  123 ", note=" Called 101.\r\nTold the DSL. ")
    assert (made.reference, made.note) == ("AB 123", "Called 101.\nTold the DSL.")
    for reference, note, told in (("", " ", "none given"), ("x" * 101, "", "under 100"), ("", "x" * 4001, "under 4000")):
        with pytest.raises(BadInput, match=told):
            police_report(3, by="D-1", at=NOW, reference=reference, note=note)
