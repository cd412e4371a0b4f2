"""The digest's own words: its one thing, its days, its chart, what is usual, dates, undelivered mail, and that it is late."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage

import pytest

from moderator.domain.calendar import Span
from moderator.domain.checks import CheckSummary, EvidenceStanding
from moderator.domain.digest import AccountLine, Digest, DigestCounts, LateMail
from moderator.domain.dues import DueLine
from moderator.domain.usual import DayCount, Measure, Week
from moderator.mail.chart import BARS, chart, usual_words
from moderator.mail.compose import JinjaComposer
from moderator.mail.digest_words import done_words, late_words, mail_words, quiet_day, spent_words
from moderator.mail.moments import span_words, when_words
from moderator.mail.words import times
from moderator.mail.wrap import WIDTH

NOW = datetime(2026, 11, 22, 17, 0, tzinfo=UTC)
SUNDAY = date(2026, 11, 22)
DAY = timedelta(days=1)
DUE = DueLine("The policy's review is due by 1 December 2026 (in 9 days).", date(2026, 12, 1), 9, "", "policy", overdue=False)
LATE = LateMail("An alert", 1, NOW - timedelta(hours=2))


def text_of(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def html_of(message: EmailMessage) -> str:
    body = message.get_body(("html",))
    assert body is not None
    return str(body.get_content())


def both(message: EmailMessage) -> tuple[str, str]:
    """Return the words of the text part and of the HTML part, without the pages' own tags."""
    page = html_of(message).partition("<body")[2]
    return " ".join(text_of(message).split()), " ".join(re.sub(r"<[^>]+>", " ", page).split())


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({}, "Nothing to report"),
        ({"dues": (DUE,)}, "1 date is coming"),
        ({"dues": (DUE, DUE)}, "2 dates are coming"),
        ({"dues": (DUE, replace(DUE, overdue=True))}, "1 date has passed"),
        ({"dues": (replace(DUE, overdue=True),) * 2}, "2 dates have passed"),
        ({"undelivered": (LATE,), "dues": (replace(DUE, overdue=True),)}, "Mail did not arrive"),
        ({"undelivered": (LATE, LATE)}, "Mail did not arrive"),
        ({"accounts": (AccountLine("a", "x", "hide", None, 0, 10),) * 2, "undelivered": (LATE,)}, "2 accounts need attention"),
        ({"accounts": (), "undelivered": (LATE,)}, "Nothing is being checked"),
        ({"evidence": EvidenceStanding(sample=CheckSummary(NOW, NOW, 9, 0, 2)), "accounts": ()}, "The evidence needs attention"),
        ({"more_needing_you": 1, "evidence": EvidenceStanding(sample=CheckSummary(NOW, NOW, 9, 0, 2))}, "1 comment needs you"),
        ({"more_needing_you": 1_200}, "1,200 comments need you"),
        ({"counts": DigestCounts(seen=3, restored=1)}, "Nothing waits for you"),
    ],
)
def test_the_subject_and_the_first_words_say_the_one_thing(
    composer: JinjaComposer, empty_digest: Digest, changes: dict[str, object], says: str
) -> None:
    message = composer.digest(replace(empty_digest, **changes))  # type: ignore[arg-type] # fields of Digest, by name
    assert message["Subject"] == f"{says} (digest, Northfield Primary School, Sunday 22 November 2026)"
    assert f"{says}." in text_of(message)
    assert re.search(rf"<h1[^>]*>{says}</h1>", html_of(message))
    assert all(("None was flagged." in words) is (says == "Nothing to report") for words in both(message))


def test_a_digest_of_several_days_says_which(composer: JinjaComposer, weekend_digest: Digest) -> None:
    message = composer.digest(weekend_digest)
    days = "Friday 20 to Sunday 22 November 2026"
    assert message["Subject"] == f"1 comment needs you (digest, Northfield Primary School, {days})"
    for words in both(message):
        assert f"Digest for {days}" in words
        assert "the 3 days in numbers" in words.lower()
        assert "Fewer than usual for Friday to Sunday: 2 flagged, usually 9." in words
        assert "20 November, 17:00 GMT" in words, "the day beside the time, where it is another"
        assert "Nobody has opened its alert yet. It was sent on twice." in words
        assert "late" not in words.partition("Needs")[0].lower().partition("needs")[0]


@pytest.mark.parametrize(
    ("first", "last", "says"),
    [
        (SUNDAY, SUNDAY, "Sunday 22 November 2026"),
        (date(2026, 11, 20), SUNDAY, "Friday 20 to Sunday 22 November 2026"),
        (date(2026, 10, 30), date(2026, 11, 1), "Friday 30 October to Sunday 1 November 2026"),
        (date(2026, 12, 18), date(2027, 1, 3), "Friday 18 December 2026 to Sunday 3 January 2027"),
        (date(2025, 11, 20), SUNDAY, "Thursday 20 November 2025 to Sunday 22 November 2026"),
    ],
)
def test_days_are_said_in_full(first: date, last: date, says: str) -> None:
    assert span_words(first, last) == says


def test_a_time_of_another_day_has_its_day() -> None:
    assert when_words(NOW, SUNDAY) == "17:00 GMT"
    assert when_words(NOW - DAY, SUNDAY) == "21 November, 17:00 GMT"
    assert when_words(NOW, date(2027, 1, 3)) == "22 November 2026, 17:00 GMT"


def test_a_late_digest_says_when_it_was_due(composer: JinjaComposer, empty_digest: Digest) -> None:
    on_time = replace(empty_digest, due_on=SUNDAY)
    assert late_words(on_time, NOW) == late_words(empty_digest, NOW) == ""
    for words in both(composer.digest(replace(empty_digest, day=SUNDAY - 2 * DAY, due_on=SUNDAY - DAY))):
        assert "This digest is late. It was due on Saturday 21 November 2026." in words


def test_the_chart_is_numbers_in_a_table_and_bars_of_marks_within_72_columns(
    composer: JinjaComposer, full_digest: Digest, storm_digest: Digest
) -> None:
    page = html_of(composer.digest(full_digest))
    assert re.findall(r'bgcolor="(#\w+)"', page) == ["#7c8a99"] * 5 + ["#2f7fd6"], "the day with none has no bar"
    assert re.findall(r'bgcolor="#\w+"[^>]* width="(\d+)%"', page) == ["38", "25", "12", "50", "38", "100"]
    table = page[page.index("<caption") : page.index("New comments seen")]
    assert re.findall(r"<th[^>]*>(?:<strong>)?(\w+ \d+)", table) == ["Mon 16", "Tue 17", "Wed 18", "Thu 19", "Fri 20", "Sat 21", "Sun 22"]
    assert table.count('role="presentation"') == 7, "the bars say nothing to a screen reader that the numbers do not"
    assert "Flagged comments, day by day" in table
    lines = [line for line in text_of(composer.digest(storm_digest)).splitlines() if re.match(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun) \d", line)]
    assert len(lines) == 7
    assert lines[-1] == f"Sun 22   6,307  {'#' * BARS}  usually 3"
    assert [line.count("#") for line in lines] == [0, 0, 0, 0, 1, 2, BARS]
    assert max(map(len, lines)) <= WIDTH


def test_no_chart_of_one_day_or_of_nothing() -> None:
    one = Week((DayCount(SUNDAY, 9),), 9)
    none = Week((DayCount(SUNDAY - DAY, 0), DayCount(SUNDAY, 0)))
    assert chart(one) == chart(none) == chart(Week()) == ()
    row = chart(Week((DayCount(SUNDAY - DAY, 1, 1_000, told=False), DayCount(SUNDAY, 1_000_000, 1_000_000)), 2))
    assert [each.width for each in row] == [1, 100]
    assert max(len(str(each)) for each in row) <= WIDTH


@pytest.mark.parametrize(
    ("flagged", "usual", "measure", "first", "says"),
    [
        (12, 3, Measure.MORE, SUNDAY, "More than usual for a Sunday: 12 flagged, usually 3."),
        (1, 3, Measure.FEWER, SUNDAY - 2 * DAY, "Fewer than usual for Friday to Sunday: 1 flagged, usually 3."),
        (3, 3, Measure.AS_USUAL, SUNDAY, "As usual for a Sunday: 3 flagged."),
        (0, 0, Measure.AS_USUAL, SUNDAY - 13 * DAY, "As usual for 14 such days: none flagged."),
        (4, 3, Measure.AS_USUAL, SUNDAY, "About as usual for a Sunday: 4 flagged, usually 3."),
        (4, None, Measure.UNKNOWN, SUNDAY, "It is too soon to say what is usual here: that takes 3 weeks."),
    ],
)
def test_the_usual_is_said_in_words(flagged: int, usual: int | None, measure: Measure, first: date, says: str) -> None:
    assert usual_words(Week((), flagged, usual, measure), Span(first, SUNDAY)) == says


def test_the_first_digest_says_so_and_that_it_is_too_soon(composer: JinjaComposer, first_digest: Digest) -> None:
    for words in both(composer.digest(first_digest)):
        assert "s first digest. Every day is told of in one, quiet days too." in words
        assert "It is too soon to say what is usual here" in words
        assert "day by day" not in words


def test_r5_r33_dates_are_told_the_passed_ones_marked(composer: JinjaComposer, full_digest: Digest) -> None:
    message = composer.digest(full_digest)
    assert "- OVERDUE: The password of @northfield_pe was due" in text_of(message)
    assert re.search(r"<strong[^>]*>Overdue:</strong>", html_of(message))
    without = composer.digest(replace(full_digest, dues=(DUE,)))
    assert all("The policy's review is due by 1 December 2026 (in 9 days)." in words.replace("&#39;", "'") for words in both(without))


def test_undelivered_mail_is_told_by_kind() -> None:
    assert mail_words(LATE) == (
        "An alert could not be delivered yet, since Sunday 22 November 2026, 15:00 GMT (15:00 UTC). The service keeps trying."
    )
    several = replace(LATE, count=3, trouble="the server asks us to wait")
    assert mail_words(several).startswith("An alert, and 2 more like it, could not be delivered yet, since Sunday")
    assert "The server asks us to wait. The service keeps trying." in mail_words(several)
    bounced = mail_words(replace(LATE, bounced=True))
    assert "An alert came back, on Sunday" in bounced
    assert bounced.endswith("Ask your IT lead to look at the address.")
    assert "came back, since" in mail_words(replace(LATE, bounced=True, count=2))


@pytest.mark.parametrize(("used", "budget", "says"), [(799, 1_000, ""), (800, 1_000, "80% of"), (1_000, 1_000, "100% of"), (0, 0, "")])
def test_an_account_warns_at_four_fifths_of_its_reads(used: int, budget: int, says: str) -> None:
    words = spent_words(AccountLine("a", "x", "hide", NOW, used, budget))
    assert words.startswith(says)
    assert bool(words) is bool(says)


def test_a_warning_of_reads_is_no_alarm(composer: JinjaComposer, empty_digest: Digest) -> None:
    tight = replace(empty_digest, accounts=(replace(empty_digest.accounts[0], reads_used=14_000),))
    message = composer.digest(tight)
    assert str(message["Subject"]).startswith("Nothing to report")
    assert 'class="card ordinary"' in html_of(message)
    assert all("93% of this month" in words for words in both(message))


def test_what_was_done_is_one_sentence() -> None:
    assert done_words(DigestCounts()) == ""
    assert done_words(DigestCounts(hidden=2)) == "2 hidden."
    assert done_words(DigestCounts(hidden=1_200, withheld=1)) == "1,200 hidden and 1 for the police only."
    every = DigestCounts(hidden=1, routed=2, withheld=3, restored=4, upheld=5)
    assert done_words(every) == (
        "1 hidden, 2 left showing for a person to decide, 3 for the police only, 4 restored by a person and 5 upheld by a person."
    )


def test_an_empty_day_is_told_in_few_words() -> None:
    assert quiet_day(0) == "No new comments came in."
    assert quiet_day(1) == "1 new comment came in. It was not flagged."
    assert quiet_day(1_200) == "1,200 new comments came in. None was flagged."
    assert [times(number) for number in (1, 2, 3)] == ["once", "twice", "3 times"]
