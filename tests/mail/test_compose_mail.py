"""The composer: what the messages say, and what they can never hold."""

import re
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moderator.domain.account import School
from moderator.domain.decision import Severity
from moderator.domain.digest import AccountLine, AlertKind, AlertLine, AlertMail, Digest, DigestLine, LateMail
from moderator.domain.dues import DueLine
from moderator.domain.errors import BadInput
from moderator.mail.compose import SILENCE, JinjaComposer

NOW = datetime(2026, 11, 22, 17, 0, tzinfo=UTC)
HEADERS = {
    "from", "to", "subject", "date", "message-id", "in-reply-to", "references", "importance", "auto-submitted",
    "x-auto-response-suppress", "content-language", "mime-version", "content-type",
}  # fmt: skip


def sent(message: EmailMessage) -> EmailMessage:
    """Return the message as a mail program reads it off the wire."""
    return message_from_bytes(message.as_bytes(), policy=policy.default)


def text_of(message: EmailMessage) -> str:
    body = sent(message).get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def html_of(message: EmailMessage) -> str:
    body = sent(message).get_body(("html",))
    assert body is not None
    return str(body.get_content())


def flat(text: str) -> str:
    return " ".join(text.split())


class Tags(HTMLParser):
    """Every tag with its attributes."""

    def __init__(self, page: str) -> None:
        """Read the page."""
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep a tag."""
        self.found.append((tag, dict(attrs)))


def both(message: EmailMessage) -> Iterator[str]:
    """Yield the words of the text part, then of the HTML part."""
    yield flat(text_of(message))
    yield flat(re.sub(r"<[^>]+>", " ", html_of(message)).replace("<wbr>", "").replace("&#39;", "'"))


def test_alert_is_text_then_html_with_a_stable_id(composer: JinjaComposer, alert_mail: AlertMail) -> None:
    first, again = composer.alert(alert_mail), composer.alert(alert_mail)
    assert first["Message-ID"] == again["Message-ID"]
    assert str(first["Message-ID"]).endswith("@trust.example>")
    assert composer.alert(replace(alert_mail, key="alert-northfield-2"))["Message-ID"] != first["Message-ID"]
    read = sent(first)
    assert read.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in read.iter_parts()] == ["text/plain", "text/html"]
    assert read["Auto-Submitted"] == "auto-generated"
    assert read["Date"].datetime == NOW
    assert read["Importance"] == "high"
    assert set(map(str.lower, read.keys())) <= HEADERS


def test_alerts_of_one_school_and_london_day_share_a_thread(
    composer: JinjaComposer, alert_mail: AlertMail, line: Callable[..., AlertLine]
) -> None:
    def thread(at: datetime, slug: str = "northfield") -> str:
        mail = replace(alert_mail, school=replace(alert_mail.school, slug=slug), lines=(replace(line(), at=at),))
        message = composer.alert(mail)
        assert message["References"] == message["In-Reply-To"] != message["Message-ID"]
        return str(message["References"])

    summer = datetime(2026, 7, 1, 22, 59, tzinfo=UTC)
    assert thread(summer) == thread(summer - timedelta(hours=12))
    assert thread(summer) != thread(summer + timedelta(minutes=1)), "23:00 UTC is the next day in London in summer"
    assert thread(summer) != thread(summer, slug="southfield")


def test_alert_tells_what_how_serious_what_was_done_and_what_next(composer: JinjaComposer, alert_mail: AlertMail) -> None:
    message = composer.alert(alert_mail)
    assert message["Subject"] == "Look now: a comment was flagged, and 1 more (Northfield Primary School)"
    for words in both(message):
        assert words.index("R-AAAABBBBCCCC0001") < words.index("R-AAAABBBBCCCC0002"), "the severe one first"
        assert "It threatens somebody." in words
        assert "Serious. Please look now." in words
        assert "Sealed a permanent record, then hid the reply." in words
        assert "Then uphold the decision, or restore the comment." in words
        assert "Sunday 22 November 2026, 16:59 GMT (16:59 UTC)" in words
    assert "https://moderator.trust.example/items/1\n" in text_of(message).replace("\r\n", "\n")
    assert 'href="https://moderator.trust.example/items/1"' in html_of(message)


def test_r12_mails_say_who_can_still_see_a_hidden_comment(
    composer: JinjaComposer, alert_mail: AlertMail, full_digest: Digest, empty_digest: Digest, line: Callable[..., AlertLine]
) -> None:
    for message in (composer.alert(alert_mail), composer.digest(full_digest)):
        assert all("hidden replies” under the post" in words for words in both(message))
    account = line(kind=AlertKind.ACCOUNT)
    for message in (
        composer.alert(replace(alert_mail, visible_after_hide=())),
        composer.alert(replace(alert_mail, lines=(account,))),
        composer.digest(empty_digest),
    ):
        assert all("who can still see" not in words.lower() for words in both(message))


@pytest.mark.parametrize("kind", AlertKind)
@pytest.mark.parametrize("severity", Severity)
def test_every_kind_of_alert_has_a_title_and_one_next_step(
    composer: JinjaComposer, alert_mail: AlertMail, line: Callable[..., AlertLine], kind: AlertKind, severity: Severity
) -> None:
    message = composer.alert(replace(alert_mail, lines=(line(kind=kind, severity=severity),)))
    assert ("Importance" in message) is (severity is Severity.SEVERE)
    for words in both(message):
        assert words.count("Do this next:") == 1


def test_r17_a_withheld_comment_sends_people_to_the_police_only(
    composer: JinjaComposer, alert_mail: AlertMail, line: Callable[..., AlertLine]
) -> None:
    message = composer.alert(replace(alert_mail, lines=(line(kind=AlertKind.WITHHELD),)))
    assert str(message["Subject"]).startswith("Look now: call the police about a comment")
    for words in both(message):
        assert "Do not look at it, copy it or forward it. Call the police: 999 if a child is in danger now, 101 if not." in words


def test_r15_a_routed_comment_names_the_designated_safeguarding_lead(
    composer: JinjaComposer, alert_mail: AlertMail, line: Callable[..., AlertLine]
) -> None:
    message = composer.alert(replace(alert_mail, lines=(line(kind=AlertKind.ROUTED),)))
    assert all("tell your Designated Safeguarding Lead now" in words for words in both(message))


def test_r7_a_storm_names_every_alert_and_stays_short(
    composer: JinjaComposer, alert_mail: AlertMail, line: Callable[..., AlertLine]
) -> None:
    storm = tuple(
        line(number=number, severity=Severity.ORDINARY, link="" if number % 2 else f"https://m.example/{number}") for number in range(300)
    )
    message = composer.alert(replace(alert_mail, lines=storm))
    assert "and 299 more" in str(message["Subject"])
    for words in both(message):
        assert {found.subject for found in storm} <= set(re.findall(r"R-[A-Z0-9]+", words))
        assert words.count("What the service did") == 5
        assert "The other 295" in words


def test_an_alert_without_lines_is_refused(composer: JinjaComposer, alert_mail: AlertMail) -> None:
    with pytest.raises(BadInput, match="nothing to tell"):
        composer.alert(replace(alert_mail, lines=()))


def test_a_link_that_is_not_a_web_address_is_left_out(
    composer: JinjaComposer, alert_mail: AlertMail, line: Callable[..., AlertLine]
) -> None:
    for link in ("", "javascript:alert(1)", "data:text/html,x", "https://a.example/ b"):
        message = composer.alert(replace(alert_mail, lines=(line(link=link),)))
        assert not [tag for tag, _ in Tags(html_of(message)).found if tag == "a"]
        assert "Open it here" not in text_of(message)


def test_digest_puts_what_needs_a_person_first(composer: JinjaComposer, full_digest: Digest) -> None:
    message = composer.digest(full_digest)
    assert message["Subject"] == "5 comments need you (digest, Northfield Primary School, Sunday 22 November 2026)"
    assert "References" not in message
    for words in both(message):
        lower = words.lower()
        places = [
            lower.index(part)
            for part in (
                "needs you",
                "what was done",
                "the day in numbers",
                "accounts",
                "dates",
                "mail that did not arrive",
                "evidence",
                "notes",
                "proof: keep",
            )
        ]
        assert places == sorted(places)
        assert "And 2 more on the review page." in words
        assert "And 1 more on the review page." in words
        assert "The policy review was due" in words
        assert "1,204" in words
        assert "The service decided: For a person, never hidden." in words
        assert words.count("The service decided:") == 2, "of what waits; what is done is one line each"
        assert "@northfield on X" in words


def test_digest_is_one_a_school_and_day(composer: JinjaComposer, full_digest: Digest, empty_digest: Digest) -> None:
    assert composer.digest(full_digest)["Message-ID"] == composer.digest(empty_digest)["Message-ID"]
    assert composer.digest(full_digest)["Message-ID"] != composer.digest(replace(full_digest, day=date(2026, 11, 23)))["Message-ID"]


def test_r4_digest_shows_last_good_poll_gap_and_reads(composer: JinjaComposer, full_digest: Digest) -> None:
    for words in both(composer.digest(full_digest)):
        assert "16:56 GMT (16:56 UTC), 4 minutes before this message" in words
        assert "1,310 of 15,000" in words
        assert "X no longer accepts this account's sign-in." in words
        assert re.search(r"ot (been )?checked for 5 hours", words)


def test_r4_an_empty_day_says_nothing_to_report_only_when_all_was_checked(composer: JinjaComposer, empty_digest: Digest) -> None:
    message = composer.digest(empty_digest)
    assert str(message["Subject"]).startswith("Nothing to report (digest,")
    for words in both(message):
        assert "12 new comments came in. None was flagged." in words
    good = empty_digest.accounts[0]
    for wrong in (
        replace(good, trouble="X does not answer."),
        replace(good, last_good_poll=None),
        replace(good, last_good_poll=NOW - SILENCE - timedelta(minutes=1)),
    ):
        troubled = composer.digest(replace(empty_digest, accounts=(wrong,)))
        assert str(troubled["Subject"]).startswith("1 account needs attention (digest,")
        assert all("Nothing to report" not in words for words in both(troubled))
    two = composer.digest(replace(empty_digest, accounts=(replace(good, trouble="x"), replace(good, handle="@b", trouble="x"))))
    assert str(two["Subject"]).startswith("2 accounts need attention")
    at_limit = replace(good, last_good_poll=NOW - SILENCE)
    assert str(composer.digest(replace(empty_digest, accounts=(at_limit,)))["Subject"]).startswith("Nothing to report")


def test_r4_the_silence_that_worries_is_a_setting(templates: Path, empty_digest: Digest) -> None:
    patient = JinjaComposer(
        templates=templates, sender="m@trust.example", trust_domain="trust.example", now=lambda: NOW, silence=timedelta(hours=6)
    )
    five_hours = replace(empty_digest.accounts[0], last_good_poll=NOW - timedelta(hours=5))
    assert str(patient.digest(replace(empty_digest, accounts=(five_hours,)))["Subject"]).startswith("Nothing to report")


def test_no_approved_account_is_not_called_a_quiet_day(composer: JinjaComposer, bare_digest: Digest) -> None:
    message = composer.digest(bare_digest)
    assert str(message["Subject"]).startswith("Nothing is being checked")
    for words in both(message):
        assert "No account is approved. Nothing is being checked." in words
        assert "Nothing to report" not in words
        assert "The ledger has no lines yet." in words


def test_a_day_with_work_done_and_nothing_waiting_says_so(composer: JinjaComposer, full_digest: Digest, empty_digest: Digest) -> None:
    busy = replace(full_digest, needs_you=(), more_needing_you=0, more_done=0, accounts=empty_digest.accounts, review_link="")
    busy = replace(busy, dues=(), undelivered=())
    message = composer.digest(busy)
    assert str(message["Subject"]).startswith("Nothing waits for you (digest,")
    for words in both(message):
        assert "more on the review page" not in words
        assert "Open the review page" not in words


def test_one_of_each_is_told_in_the_singular(composer: JinjaComposer, full_digest: Digest, empty_digest: Digest) -> None:
    one = replace(full_digest, needs_you=full_digest.needs_you[:1], more_needing_you=0)
    assert str(composer.digest(one)["Subject"]).startswith("1 comment needs you")
    quiet = replace(empty_digest, counts=replace(empty_digest.counts, seen=1))
    assert all("1 new comment came in." in words for words in both(composer.digest(quiet)))
    silent = replace(empty_digest, counts=replace(empty_digest.counts, seen=0))
    assert all("No new comments came in." in words for words in both(composer.digest(silent)))


def test_r10_the_ledger_head_stands_in_full_even_on_an_empty_day(
    composer: JinjaComposer, full_digest: Digest, empty_digest: Digest, bare_digest: Digest
) -> None:
    for digest in (full_digest, empty_digest, bare_digest):
        message = composer.digest(digest)
        assert f"\n{digest.head.hash}\n" in text_of(message).replace("\r\n", "\n")
        assert digest.head.hash in html_of(message).replace("<wbr>", "")
    named = replace(full_digest, school=replace(full_digest.school, ledger="northfield.jsonl"))
    for words in both(composer.digest(named)):
        assert "sed -n 1234p northfield.jsonl | sha256sum" in words


def test_a_row_without_a_link_is_told_without_one(composer: JinjaComposer, full_digest: Digest) -> None:
    rows = tuple(replace(row, link="") for row in full_digest.needs_you)
    message = composer.digest(replace(full_digest, needs_you=rows, done=(replace(full_digest.done[0], link=""),), dues=(), review_link=""))
    assert not [tag for tag, _ in Tags(html_of(message)).found if tag == "a"]
    assert "https:" not in text_of(message)


def test_text_is_wrapped_at_72_columns(composer: JinjaComposer, alert_mail: AlertMail, full_digest: Digest) -> None:
    for message in (composer.alert(alert_mail), composer.digest(full_digest)):
        for row in text_of(message).splitlines():
            assert len(row) <= 72 or " " not in row.strip()


def test_r28_mail_inputs_have_no_place_for_names_or_comment_text() -> None:
    allowed = {
        AlertLine: {"kind", "severity", "subject", "what", "done", "at", "link", "platform", "grounds", "sent_on"},
        AlertMail: {"key", "school", "to", "lines", "visible_after_hide", "words"},
        DigestLine: {"subject", "at", "outcome", "severity", "state", "link", "unread", "sent_on"},
        LateMail: {"what", "count", "since", "trouble", "bounced"},
        DueLine: {"what", "on", "days_left", "link", "subject", "overdue"},
        AccountLine: {"handle", "platform", "mode", "last_good_poll", "reads_used", "reads_budget", "trouble"},
    }
    for noun, names in allowed.items():
        assert {field.name for field in fields(cast("Any", noun))} == names


def test_r28_mails_carry_no_picture_no_tracking_and_nothing_remote(
    composer: JinjaComposer, alert_mail: AlertMail, full_digest: Digest, empty_digest: Digest
) -> None:
    for message in (composer.alert(alert_mail), composer.digest(full_digest), composer.digest(empty_digest)):
        page = html_of(message)
        tags = Tags(page).found
        assert not {tag for tag, _ in tags} & {"img", "script", "link", "iframe", "object", "embed", "video", "audio", "form", "svg"}
        assert not [attrs for _, attrs in tags if {"src", "background", "srcset", "action", "onload"} & attrs.keys()]
        assert "url(" not in page
        assert "@import" not in page
        assert all(str(attrs["href"]).startswith("https://moderator.trust.example/") for tag, attrs in tags if tag == "a")
        assert [part.get_content_maintype() for part in sent(message).walk()] == ["multipart", "text", "text"]


def test_styles_are_on_the_elements_and_dark_mode_stays_in_the_head(composer: JinjaComposer, full_digest: Digest) -> None:
    page = html_of(composer.digest(full_digest))
    tags = Tags(page).found
    assert all(attrs.get("style") for tag, attrs in tags if tag in {"body", "h1", "h2", "p", "table", "td"})
    assert page.count("@media (prefers-color-scheme: dark)") == 1
    assert ("meta", {"name": "color-scheme", "content": "light dark"}) in tags


def test_html_and_script_in_a_value_stay_words(composer: JinjaComposer, alert_mail: AlertMail, line: Callable[..., AlertLine]) -> None:
    nasty = '<script>alert(1)</script><img src=x onerror="1">'
    school = replace(alert_mail.school, name=nasty)
    message = composer.alert(replace(alert_mail, school=school, lines=(line(what=nasty, done=nasty, subject=nasty),)))
    assert not {tag for tag, _ in Tags(html_of(message)).found} & {"script", "img"}
    assert nasty in flat(text_of(message))


ANY_TEXT = st.text(st.characters(), max_size=60) | st.sampled_from(
    [
        "x\r\nBcc: thief@evil.example",
        "x\nSubject: other",
        "x\u2028y",
        "x\x00y",
        "\ud800",
        "a\r\n\r\n<b>body</b>",
        "=?utf-8?q?x=0D=0ABcc:_y?=",
        "\u202egpj",
    ]
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.tuples(*[ANY_TEXT] * 8))
def test_no_value_can_inject_a_header_or_a_part(
    composer: JinjaComposer, alert_mail: AlertMail, full_digest: Digest, line: Callable[..., AlertLine], values: tuple[str, ...]
) -> None:
    name, slug, key, subject, what, done, link, other = values
    school = replace(alert_mail.school, name=name, slug=slug)
    told = line(subject=subject, what=what, done=done, link=link)
    account = replace(full_digest.accounts[0], handle=other, platform=what, mode=done, trouble=subject)
    messages = (
        composer.alert(replace(alert_mail, school=school, key=key, lines=(told,), visible_after_hide=(other,))),
        composer.digest(replace(full_digest, school=school, notes=(what,), accounts=(account,), review_link=link)),
    )
    for message in messages:
        read = sent(message)
        assert len(read.keys()) == len(set(map(str.lower, read.keys()))), "no header twice"
        assert set(map(str.lower, read.keys())) <= HEADERS
        assert read["To"].addresses[0].addr_spec == "head@northfield.example"
        assert len(read["To"].addresses) == 1
        assert "\n" not in str(read["Subject"])
        assert "\r" not in str(read["Subject"])
        assert re.fullmatch(r"<[a-z0-9.-]+@trust\.example>", str(read["Message-ID"]).strip())
        assert [part.get_content_type() for part in read.walk()] == ["multipart/alternative", "text/plain", "text/html"]


@pytest.mark.parametrize(
    "to",
    [
        "", "head", "head@", "@northfield.example", "head@northfield.example\r\nBcc: x@evil.example", "head@north field.example",
        "head@northfield.example,", "head@northfield.example\n", "hëad@northfield.example", "head@-x.example", "a@b@c.example",
        'x@evil.example <head@northfield.example>, "', "=?utf-8?q?x=0D=0ABcc:_y?= <head@northfield.example>", "<head@northfield.example",
    ],
)  # fmt: skip
def test_a_bad_recipient_is_refused_by_name(composer: JinjaComposer, alert_mail: AlertMail, full_digest: Digest, to: str) -> None:
    with pytest.raises(BadInput, match="mail recipient"):
        composer.alert(replace(alert_mail, to=to))
    with pytest.raises(BadInput, match="mail recipient"):
        composer.digest(replace(full_digest, to=to))


def test_two_recipients_may_share_a_mail(composer: JinjaComposer, alert_mail: AlertMail) -> None:
    message = sent(composer.alert(replace(alert_mail, to="head@northfield.example, Lead <dsl@northfield.example>")))
    assert [found.addr_spec for found in message["To"].addresses] == ["head@northfield.example", "dsl@northfield.example"]
    assert [found.display_name for found in message["To"].addresses] == ["", "Lead"]


def _line(lines: list[bytes], name: str) -> str:
    (found,) = [line.decode() for line in lines if line.startswith(f"{name}:".encode())]
    return found


def test_long_slugs_and_domains_keep_ids_whole_and_on_one_line(templates: Path, alert_mail: AlertMail, school: School) -> None:
    domain = ".".join(["a-long-part-of-a-domain-name"] * 5)
    composer = JinjaComposer(templates=templates, sender="m@trust.example", trust_domain=domain)
    message = composer.alert(replace(alert_mail, key="k" * 300, school=replace(school, slug="s" * 80)))
    read = sent(message)
    lines = message.as_bytes(policy=policy.SMTP).partition(b"\r\n\r\n")[0].split(b"\r\n")
    for name in ("Message-ID", "In-Reply-To", "References"):  # as the bytes say: the library would decode an encoded word for us
        assert re.fullmatch(rf"{name}: <k*s*[a-z-]*\.[0-9a-f]{{16}}@a-long-part-of-a-domain-name>", _line(lines, name)), name
    other = JinjaComposer(templates=templates, sender="m@trust.example", trust_domain=f"b.{domain}")
    assert str(other.alert(replace(alert_mail, key="k" * 300))["Message-ID"]) != str(read["Message-ID"]), "what was cut off still counts"
    assert abs(read["Date"].datetime - datetime.now(UTC)) < timedelta(minutes=1), "the system's clock by default"


@pytest.mark.parametrize(
    ("given_settings", "says"),
    [
        ({"sender": "nobody"}, "mail sender"),
        ({"sender": "Moderator\r\nBcc: x@evil.example <m@trust.example>"}, "mail sender"),
        ({"trust_domain": "not a domain"}, "trust domain"),
        ({"trust_domain": "x>\r\nBcc: y"}, "trust domain"),
        ({"templates": Path("/nowhere")}, "mail templates"),
    ],
)
def test_bad_settings_are_refused_at_once(templates: Path, given_settings: dict[str, Any], says: str) -> None:
    settings_given: dict[str, Any] = {"templates": templates, "sender": "m@trust.example", "trust_domain": "trust.example"} | given_settings
    with pytest.raises(BadInput, match=says):
        JinjaComposer(**settings_given)
