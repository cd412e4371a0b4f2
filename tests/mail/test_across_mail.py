"""The trust's digest and the reports as mails: one page, the worst first, a chart that survives, and a way to leave them."""

import re
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage

import pytest
from across import AT, BEFORE, NOW, WISHES, digest, full, mailed, quiet, report, standing

from moderator.domain.digest import AccountLine, AlertMail, Digest, DigestCounts
from moderator.domain.errors import BadInput
from moderator.domain.events import head_line, heads_from
from moderator.domain.report import Report, ReportKind, Tally
from moderator.domain.report_rows import ground_rows, rate_words, wait_told
from moderator.domain.small_counts import exact
from moderator.domain.trust_digest import Level, OwnDigest, TrustDigest
from moderator.mail.compose import JinjaComposer
from moderator.mail.trust_words import day_of, headline, own_digests, said_of


def composed(composer: JinjaComposer, told: TrustDigest | Report) -> EmailMessage:
    return composer.trust_digest(told) if isinstance(told, TrustDigest) else composer.report(told)


def plain(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def html(message: EmailMessage) -> str:
    body = message.get_body(("html",))
    assert body is not None
    return str(body.get_content())


@pytest.mark.parametrize("name", mailed())
def test_text_fits_72_columns_and_says_what_the_html_says(composer: JinjaComposer, name: str) -> None:
    told = mailed()[name]
    message = composed(composer, told)
    text, page = plain(message), html(message)
    assert not [line for line in text.splitlines() if len(line) > 72 and not re.search(r"[0-9]:[0-9a-f]{64}|https://", line)]
    words = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.partition("<body")[2].partition(">")[2]))
    said = {number for number in re.findall(r"\b\d[\d,]*\b", words) if number not in {"3", "f3"}}
    assert said <= set(re.findall(r"\b\d[\d,]*\b", re.sub(r"\s+", " ", text))) | {"7", "3"}
    assert message["List-Unsubscribe"] == f"<{WISHES}>"
    assert message["List-Unsubscribe-Post"] is None
    assert message["Auto-Submitted"] == "auto-generated"
    assert "<img" not in page
    assert "url(" not in page
    assert composed(composer, told)["Message-ID"] == message["Message-ID"]


def test_the_worst_school_is_first_and_quiet_ones_are_a_line() -> None:
    names = [each.school.slug for each in full().schools]
    assert names == ["saint2", "ashdown1", "eastmoor3", "northfield0"]
    assert [each.level for each in full().schools] == [Level.SERIOUS, Level.ATTENTION, Level.QUIET, Level.QUIET]


def test_a_quiet_day_says_so(composer: JinjaComposer) -> None:
    message = composer.trust_digest(quiet())
    assert str(message["Subject"]).startswith("Nothing to report at any school (trust digest, Northfield Trust, Sunday 22 November 2026)")
    assert "Every school's own digest was sent." in plain(message)
    assert "NOW:" not in plain(message)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"serious": 1, "waiting": 1}, "1 school needs somebody to look now"),
        ({"waiting": 2}, "1 school has something waiting"),
        ({"counts": DigestCounts(flagged=1)}, "Nothing waits at any school"),
        ({"accounts": 0}, "1 school has something waiting"),
        ({"unapproved": 2}, "1 school has something waiting"),
        ({"unapproved": 1}, "Nothing to report at any school"),
        ({"own_digest": OwnDigest.WAITING}, "1 school has something waiting"),
        ({"own_digest": OwnDigest.MISSING}, "1 school needs somebody to look now"),
        ({"own_digest": OwnDigest.LATER}, "Nothing to report at any school"),
        ({"overdue": ("A date has passed.",)}, "1 school has something waiting"),
        ({"undelivered": 1}, "1 school has something waiting"),
        ({"faults": 1}, "1 school needs somebody to look now"),
    ],
)
def test_the_headline_says_what_matters_most(changes: dict[str, object], said: str) -> None:
    assert headline(digest(standing(0), standing(1, **changes))) == said
    assert (
        headline(digest(standing(0, **changes), standing(1, **changes)))
        .replace("2 schools need", "1 school needs")
        .replace("2 schools have", "1 school has")
        == said
    )


def test_a_school_in_much_trouble_still_fits() -> None:
    lines = tuple(AccountLine(f"page{number}", "x", "hide", AT - timedelta(hours=9), 1, 2) for number in range(5))
    overdue = tuple(f"The password of @page{number} was due." for number in range(9))
    said = [each.text for each in said_of(standing(0, unchecked=lines, overdue=overdue, waiting=3, serious=3, unread=2), AT)]
    assert said[0] == "2 serious alerts that nobody has read."
    assert said[1] == "3 comments wait for a person, 3 of them serious."
    assert "And 2 accounts more like it." in said
    assert "And 6 dates more that have passed." in said
    assert len(said) == 10
    single = said_of(standing(0, waiting=1, serious=1, oldest=AT - timedelta(minutes=4)), AT)
    assert single[0].text.startswith("1 comment waits for a person, and it is serious. The oldest came 4 minutes ago:")
    assert single[0].serious
    assert said_of(standing(0), AT) == ()


def test_what_happened_is_one_sentence() -> None:
    assert day_of(DigestCounts()) == ""
    assert day_of(DigestCounts(flagged=2)) == "2 flagged."
    assert day_of(DigestCounts(flagged=2, hidden=2)) == "2 flagged: 2 hidden."
    assert day_of(DigestCounts(restored=1)) == "1 restored by a person."


def test_which_own_digests_went_out() -> None:
    late = digest(standing(0), standing(1, own_digest=OwnDigest.LATER))
    assert own_digests(late) == "Own digests sent: 1 of 2 schools. At its own hour or on the next school day it comes at Ashdown School."


def test_every_schools_head_can_be_pasted_from_the_mail(composer: JinjaComposer) -> None:
    told = full()
    heads = {each.school.slug: (each.head,) for each in told.schools}
    assert heads_from(plain(composer.trust_digest(told))) == heads
    page = html(composer.trust_digest(told))
    assert all(head_line(each.school.slug, each.head) in page for each in told.schools)


def test_a_trust_without_schools_and_a_bad_address_are_refused(composer: JinjaComposer) -> None:
    with pytest.raises(BadInput, match="no school"):
        composer.trust_digest(replace(full(), schools=()))
    with pytest.raises(BadInput, match="recipient"):
        composer.trust_digest(replace(full(), to="nobody"))
    with pytest.raises(BadInput, match="recipient"):
        composer.report(replace(report(ReportKind.WEEKLY), to="a@b.example\nBcc: c@d.example"))


@pytest.mark.parametrize(
    "link",
    [
        "http://127.0.0.1:8080/mail-wishes",
        "",
        "https://x.example/a b",
        "https://" + "x" * 60 + ".example/",
        "https://x.example/>,<https://y",
    ],
)
def test_the_way_to_leave_it_is_an_https_address_on_one_line_or_none(composer: JinjaComposer, link: str) -> None:
    assert composer.report(replace(report(ReportKind.WEEKLY), wishes_link=link))["List-Unsubscribe"] is None


def test_alerts_and_digests_cannot_be_left(composer: JinjaComposer, alert_mail: AlertMail, full_digest: Digest) -> None:
    for message in (composer.alert(alert_mail), composer.digest(full_digest)):
        assert message["List-Unsubscribe"] is None
        assert message["Auto-Submitted"] == "auto-generated"


def test_r35_no_small_count_is_in_a_rounded_report(composer: JinjaComposer) -> None:
    few = Tally(
        read=9, flagged=4, hidden=1, routed=3, kept=2, restored=1, undecided=1, waits=3, wait=timedelta(hours=1), grounds=(("threat", 2),)
    )
    told = report(ReportKind.TERMLY, coarse=True, now=few, before=None, trust=True)
    message = composer.report(told)
    assert str(message["Subject"]).startswith("Fewer than 5 comments were flagged (report for Autumn 2026, Northfield Trust)")
    said = plain(message)
    assert "- Flagged: fewer than 5" in said
    assert "not told: too few" in said
    assert "The time to a decision is not told: there were too few." in said
    assert not re.findall(r": [1-4]\b(?! of)", said.partition("WHAT WAS COUNTED")[2].partition("HOW IT WENT")[0])


@pytest.mark.parametrize(
    ("now", "before", "said"),
    [
        (Tally(), None, "Nothing was flagged"),
        (Tally(flagged=1), None, "1 comment was flagged"),
        (Tally(flagged=1), Tally(flagged=9), "1 comment was flagged, 9 the week before"),
        (Tally(flagged=3), Tally(), "3 comments were flagged, none the week before"),
    ],
)
def test_a_reports_headline(composer: JinjaComposer, now: Tally, before: Tally | None, said: str) -> None:
    message = composer.report(report(ReportKind.WEEKLY, now=now, before=before))
    assert str(message["Subject"]).startswith(f"{said} (report for Monday 16 to Sunday 22 November 2026")


def test_missed_periods_are_named(composer: JinjaComposer) -> None:
    message = composer.report(replace(report(ReportKind.WEEKLY), missed=("Week 44 of 2026",), link="", wishes_link=""))
    assert "WARNING: no report was made for Week 44 of 2026" in plain(message)
    assert "See it in the service" not in plain(message)


def test_what_a_reader_may_be_told() -> None:
    assert rate_words(Tally(), coarsely=False) == "nothing was decided yet"
    assert rate_words(NOW, coarsely=False) == "11%: 3 of 27"
    assert rate_words(NOW, coarsely=True) == "11%"
    assert rate_words(BEFORE, coarsely=True) == "not told: too few"
    assert wait_told(Tally(waits=7, wait=timedelta(1)), coarsely=True) is None
    assert wait_told(Tally(waits=8, wait=timedelta(1)), coarsely=True) == timedelta(1)
    assert wait_told(Tally(waits=1, wait=timedelta(1)), coarsely=False) == timedelta(1)
    grounds = ground_rows(replace(NOW, grounds=(("threat", 1), ("new_label", 5))), BEFORE, exact)
    assert [(row.what, row.now.words, row.before.words if row.before else "") for row in grounds] == [
        ("new label", "5", "0"), ("Threats", "1", "2"), ("Insults", "0", "9"),
    ]  # fmt: skip
