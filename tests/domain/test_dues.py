"""Dates by which somebody must act: what each says before and after, its key, its page, and which digest tells of which reminder (R5)."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from moderator.domain.dues import (
    OVERDUE,
    REMIND_BEFORE,
    TOLD_ELSEWHERE,
    Dated,
    Deadline,
    Due,
    line_of,
    page_of,
    said,
    said_to_holder,
    to_do,
)

ON = date(2026, 12, 15)
SUBJECTS = {
    Dated.PASSWORD: "account 3",
    Dated.NOT_PERSONAL: "account 3",
    Dated.APPROVAL: "account 3",
    Dated.CONNECTION: "account 3",
    Dated.NEVER_READ: "account 3",
    Dated.DESIGNATION: "designation DSL-1",
    Dated.ROLE: "designation DSL-1",
    Dated.DELEGATION: "delegation DELEGATION-oakfield-1",
    Dated.POLICY_REVIEW: "policy",
    Dated.API_TOKEN: "token 4",
    Dated.WEBHOOK: "webhook 5",
    Dated.RECORD_REVIEW: "records",
}
ONLY_PASSED = TOLD_ELSEWHERE | {Dated.ROLE, Dated.RECORD_REVIEW}


def deadline(what: Dated, on: date = ON) -> Deadline:
    thing = "Designated Safeguarding Lead" if "designation" in SUBJECTS[what] else "oakfieldprimary"
    return Deadline("oakfield", Due(what, on), SUBJECTS[what], thing, count=2)


@pytest.mark.parametrize("what", Dated)
def test_every_kind_of_date_has_its_sentences_and_its_page(what: Dated) -> None:
    each = deadline(what)
    for day in (ON - timedelta(days=7), ON + timedelta(days=1)):
        if (day <= ON and what in ONLY_PASSED) or (day > ON and what is Dated.DESIGNATION):  # then it is a ROLE that is empty, or nothing
            with pytest.raises(KeyError):
                said(each, day)
            continue
        sentence = said(each, day)
        assert "15 December 2026" in sentence
        assert sentence.endswith((".", "?"))
        assert "{" not in sentence
        assert ("in 7 days" in sentence) is (day <= ON)
    assert to_do(each).endswith(".")
    assert page_of(each.subject, "oakfield")


def test_a_digest_names_the_trusts_own_account_and_an_alert_does_not() -> None:
    each = deadline(Dated.PASSWORD)
    line = line_of(each, ON - timedelta(days=1), link="https://review.example/accounts/3")
    assert line.what == "The password of @oakfieldprimary is due to be changed by 15 December 2026 (tomorrow)."
    assert (line.on, line.days_left, line.overdue, line.subject) == (ON, 1, False, "account 3")
    assert "oakfieldprimary" not in said(each, ON)
    page = line_of(replace(each, thing="Oakfield Primary School"), ON, link="").what
    assert page == "The password of Oakfield Primary School is due to be changed by 15 December 2026 (today)."


def test_r30_records_are_counted_and_never_numbered() -> None:
    day = ON + timedelta(days=1)
    each = deadline(Dated.RECORD_REVIEW)
    assert said(each, day) == "2 records are past the day on which somebody looks at them again, the oldest since 15 December 2026."
    assert said(replace(each, count=1), day).startswith("1 record is past")
    assert said(replace(each, count=1200), day).startswith("1,200 records are past")
    assert each.key(day) == "record-review-oakfield-2026-12", "one a month, however many days it goes on"
    assert each.key(date(2027, 1, 1)) == "record-review-oakfield-2027-01"


def test_the_key_holds_the_thing_its_date_and_how_long_before() -> None:
    others = [what for what in Dated if what is not Dated.RECORD_REVIEW]
    dates = [(what, on, left) for what in others for on in (ON, ON + timedelta(days=60)) for left in (14, 8, 7, 2, 1, 0, -1, -9)]
    keys = {(what, on, left): deadline(what, on).key(on - timedelta(days=left)) for what, on, left in dates}
    assert len(set(keys.values())) == len(others) * 2 * 4, "14, 7, 1 and passed, once each for every date"
    assert {keys[each] for each in dates if each[2] in {14, 7, 1, -1}} == set(keys.values())
    assert deadline(Dated.PASSWORD).key(ON - timedelta(days=5)) == "account-3-password-2026-12-15-7"
    assert deadline(Dated.POLICY_REVIEW).key(ON + timedelta(days=1)) == "policy-review-oakfield-2026-12-15-0"
    assert deadline(Dated.ROLE).key(ON + timedelta(days=1)) == "designation-DSL-1-oakfield-role-2026-12-15-0"
    assert deadline(Dated.DESIGNATION).key(ON) == "designation-DSL-1-designation-2026-12-15-1"


def test_the_holder_of_a_designation_is_told_of_that_alone() -> None:
    assert said_to_holder(deadline(Dated.DESIGNATION), ON - timedelta(days=14)) == (
        "Your own designation as Designated Safeguarding Lead, DSL-1, ends on 15 December 2026 (in 14 days)."
    )


@pytest.mark.parametrize(
    ("subject", "school", "page"),
    [
        ("account 3", "", "/accounts/3"),
        ("account x", "oakfield", ""),
        ("account", "oakfield", ""),
        ("designation DSL-1", "oakfield", "/schools/oakfield/people"),
        ("designation CEO-1", "", ""),
        ("delegation DELEGATION-oakfield-1", "oakfield", "/schools/oakfield/delegation"),
        ("policy", "oakfield", "/schools/oakfield/policy"),
        ("token 4", "oakfield", "/schools/oakfield/readers"),
        ("webhook 5", "oakfield", "/schools/oakfield/readers"),
        ("records", "oakfield", "/schools/oakfield/records"),
        ("the service", "oakfield", ""),
        ("", "oakfield", ""),
    ],
)
def test_which_page_a_message_leads_to(subject: str, school: str, page: str) -> None:
    assert page_of(subject, school) == page


@given(some.dates(date(2026, 1, 1), date(2030, 1, 1)), some.lists(some.integers(1, 20), min_size=1, max_size=20))
def test_r5_each_reminder_falls_on_one_span_of_digests_and_only_one(on: date, spans: list[int]) -> None:
    """However many days each digest tells of (weekends, holidays, an outage): each day that reminds is in one of the spans."""
    due, first = Due(Dated.PASSWORD, on), on - timedelta(days=20)
    told = []
    for length in spans:
        last = first + timedelta(days=length - 1)
        inside = [before for before in REMIND_BEFORE if first <= on - timedelta(days=before) <= last]
        assert due.told_between(first, last) is bool(inside)
        told += inside
        first = last + timedelta(days=1)
    reached = (first - timedelta(days=1) - on).days
    assert told == [before for before in REMIND_BEFORE if -before <= reached]
    assert due.reminder(on + timedelta(days=1)) == OVERDUE
