"""A school's own words on their way into its mails: nobody whom the roll names is ever in one (R28), and no mail waits for them."""

from collections.abc import Sequence
from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stage import NOON, SCHOOL, Stage
from structlog.testing import capture_logs

from moderator.domain.calendar import Span
from moderator.domain.decision import Severity
from moderator.domain.digest import AlertKind, AlertLine, AlertMail
from moderator.domain.errors import BadInput
from moderator.domain.mail_words import MailWords, Part, plain_words
from moderator.domain.person import RollEntry
from moderator.domain.score import PersonKind, PiiSpan, Score
from moderator.learn.classifier import ConstantClassifier
from moderator.learn.pii import personal_data
from moderator.learn.roll import RollMatcher, roll_tokens
from moderator.steps.digest import content_of, digest_for
from moderator.steps.words import personal, somebody_in, words_for
from moderator.store import mail_words
from moderator.text.normalise import normalise

DAY = Span.of(NOON.date())
KEY = b"k" * 32
FIRST, LAST = ("Anwen", "Tilly", "Jonah", "Zainab", "Piotr"), ("Thistlewood", "Marwood", "Bramwell", "Iqbal", "Nowakowski")


class RollClassifier(ConstantClassifier):
    """The shipped constant classifier with a real roll and the real finder of personal data; implements ports.Classifier."""

    def __init__(self, *names: tuple[str, str]) -> None:
        """Take the people of the roll."""
        super().__init__()
        entries = [RollEntry(f"P-{place}", PersonKind.PUPIL, first, last) for place, (first, last) in enumerate(names)]
        self._roll = RollMatcher([token for entry in entries for token in roll_tokens(entry, KEY)], KEY)

    def score(self, texts: Sequence[str], *, parents: Sequence[str] = ()) -> list[Score]:
        """Return a score a text, with whom the roll finds."""
        plain = super().score(texts, parents=parents)
        return [
            replace(score, people=self._roll.named(text, normalise(text).split(" ")), pii=self._pii(text))
            for text, score in zip(texts, plain, strict=True)
        ]

    @staticmethod
    def _pii(text: str) -> tuple[PiiSpan, ...]:
        return personal_data(text)


def keep(stage: Stage, part: Part, *paragraphs: str) -> None:
    with stage.database.unit() as unit:
        mail_words.put_words(
            unit.connection, school=SCHOOL.slug, part=part, words=paragraphs, author="HEAD-1", why="So that people know.", at=NOON
        )


def outbox(stage: Stage) -> list[EmailMessage]:
    with stage.database.reading() as connection:
        rows = connection.execute(sa.text("SELECT message FROM outbox ORDER BY id")).scalars()
        return [message_from_bytes(bytes(row), policy=default) for row in rows]


def part_of(message: EmailMessage, kind: str) -> str:
    body = message.get_body((kind,))
    assert body is not None
    return str(body.get_content())


def told(stage: Stage) -> None:
    """Let an alert and a digest be composed."""
    stage.run("poll", "score", "decide")
    with stage.database.unit() as unit:
        from moderator.steps.drain import tell_of_system  # noqa: PLC0415 - only this one alert needs it

        tell_of_system(unit, SCHOOL.slug, what="The disk is nearly full.", done="It waits.", at=stage.clock.now())
    stage.run("alert")
    digest_for(stage.tools, SCHOOL, DAY)


def test_r32_the_words_stand_in_every_alert_and_digest_at_their_two_places(any_stage: Stage) -> None:
    stage = any_stage
    keep(stage, Part.ALERT_OPENING, "Ring the office first.", "Then look.")
    keep(stage, Part.ALERT_CLOSING, "This is the old ending.")
    keep(stage, Part.ALERT_CLOSING, "Thank you & take care.")
    keep(stage, Part.DIGEST_OPENING, "Read this at eight.")
    keep(stage, Part.DIGEST_CLOSING, "Going now.")
    keep(stage, Part.DIGEST_CLOSING)
    told(stage)
    alert, digest = outbox(stage)
    text, page = part_of(alert, "plain"), part_of(alert, "html")
    order = [
        "needs attention",
        "What happened",
        "Oakfield Primary School adds:",
        "Ring the office first.",
        "Then look.",
        "Thank you",
        "Sent by the",
    ]
    assert [text.index(words) for words in order] == sorted(text.index(words) for words in order)
    assert "Thank you & take care." in text
    assert page.index("What happened") < page.index("Ring the office first.") < page.index("Thank you &amp; take care.")
    assert page.index("Thank you &amp; take care.") < page.index("About this message")
    assert "old ending" not in text + page
    assert "Read this at eight." in part_of(digest, "plain")
    assert "Going now." not in part_of(digest, "plain") + part_of(digest, "html")
    assert "Ring the office" not in part_of(digest, "plain"), "each mail has its own"
    assert all("left out" not in part_of(each, kind) for each in (alert, digest) for kind in ("plain", "html"))


def test_without_words_nothing_is_scored_and_nothing_added(stage: Stage) -> None:
    stage.classifier.breaks_on = " "
    assert words_for(stage.tools, SCHOOL.slug, "alert") == MailWords()
    assert "adds:" not in part_of(stage.tools.composer.digest(content_of(stage.tools, SCHOOL, DAY)), "plain")


@pytest.mark.parametrize("trouble", ["named", "broken"])
def test_r28_words_that_name_somebody_by_now_leave_no_trace_and_hold_no_mail_back(stage: Stage, trouble: str) -> None:
    keep(stage, Part.ALERT_OPENING, "Tilly Marwood takes the calls.")
    keep(stage, Part.DIGEST_CLOSING, "Tell Tilly Marwood.")
    stage.classifier.breaks_on = "Tilly" if trouble == "broken" else ""
    with capture_logs() as logs:
        told(stage)
    for message in outbox(stage):
        for kind in ("plain", "html"):
            assert "Tilly" not in part_of(message, kind)
            assert "own words are left out" in " ".join(part_of(message, kind).split())
    left = [entry for entry in logs if entry["event"] == "mail_words_left_out"]
    assert {entry["mail"] for entry in left} == {"alert", "digest"}
    assert any(entry["event"] == "mail_words_not_read" for entry in logs) == (trouble == "broken")
    assert "Tilly" not in str(logs)


NAME = st.tuples(st.sampled_from(FIRST), st.sampled_from(LAST))
FORMS = (
    "{first} {last}", "{last}, {first}", "{first}", "{FIRST} {LAST}", "{lower} {last_lower}", "{initial}. {last}", "Mr {last}",
    "{first}{last}", "#{first}{last}", "https://oakfield.example/{first}{last}", "https://oakfield.example/?who={lower}-{last_lower}",
    "{lower}.{last_lower}@oakfield.example",
)  # fmt: skip
AROUND = ("Please ring {} first.", "{}", "Ask in the office.\n\n{} is there.", "Thank you,\n{}", "The office ({}) is open until four.")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(who=NAME, form=st.sampled_from(FORMS), around=st.sampled_from(AROUND), part=st.sampled_from(Part))
def test_r28_no_name_of_the_roll_ever_reaches_a_mail_through_the_words(
    stage: Stage, who: tuple[str, str], form: str, around: str, part: Part
) -> None:
    first, last = who
    forms = {"first": first, "last": last, "FIRST": first.upper(), "LAST": last.upper(), "lower": first.lower()}
    typed = around.format(form.format(**forms, last_lower=last.lower(), initial=first[0]))
    tools = replace(stage.tools, classifier=RollClassifier(who, ("Wren", "Quill")))
    try:
        kept = plain_words(typed, domains=SCHOOL.email_domains)
    except BadInput:
        kept = (" ".join(typed.split()),)  # even if it had been kept
    else:
        assert somebody_in(tools, kept), "the page refuses it"
    with stage.database.unit() as unit:
        unit.connection.execute(sa.delete(mail_words.MAIL_WORDS))
    keep(stage, part, *kept)
    words = words_for(tools, SCHOOL.slug, part.value.partition("-")[0])
    assert words == MailWords(left_out=True)
    if part.value.startswith("alert"):
        line = AlertLine(AlertKind.SYSTEM, Severity.SEVERE, "the service", "It stopped.", "It waits.", NOON)
        message = tools.composer.alert(AlertMail("alert-1", SCHOOL, SCHOOL.head_email, (line,), words=words))
    else:
        message = tools.composer.digest(content_of(tools, SCHOOL, DAY))
    whole = (part_of(message, "plain") + part_of(message, "html")).lower()
    assert first.lower() not in whole
    assert last.lower() not in whole


def test_words_that_name_nobody_pass_with_a_roll_too(stage: Stage) -> None:
    tools = replace(stage.tools, classifier=RollClassifier(*zip(FIRST, LAST, strict=True)))
    fine = ("Please look before eight. In danger now? Ring 999.", "See https://oakfield.example/safe, or write to office@oakfield.example.")
    assert somebody_in(tools, fine) == ""
    assert personal(tools, fine, domains=SCHOOL.email_domains) == ""
    keep(stage, Part.DIGEST_OPENING, *fine)
    assert words_for(tools, SCHOOL.slug, "digest") == MailWords(fine)
    assert "office@oakfield.example" in part_of(tools.composer.digest(content_of(tools, SCHOOL, DAY)), "plain")


def test_r26_what_is_somebodys_own_is_found_whatever_stands_beside_it(stage: Stage) -> None:
    tools = replace(stage.tools, classifier=RollClassifier(("Wren", "Quill")))
    assert personal(tools, ("Thank you.", "I live at 12 Heron Street, come by."), domains=SCHOOL.email_domains) == "12 Heron Street"
    assert personal(tools, ("Write to fern@elsewhere.example",), domains=SCHOOL.email_domains) == "fern@elsewhere.example"


def test_r32_every_version_is_kept_with_who_and_why(stage: Stage) -> None:
    keep(stage, Part.DIGEST_OPENING, "One.", "Two.")
    keep(stage, Part.DIGEST_OPENING)
    with stage.database.reading() as connection:
        newest, first = mail_words.versions(connection, SCHOOL.slug, limit=5)
        assert mail_words.words_of(connection, "ashford", "digest") == MailWords()
    assert (newest.words, first.words) == ((), ("One.", "Two."))
    assert (first.part, first.author, first.at, first.why) == (Part.DIGEST_OPENING, "HEAD-1", NOON, "So that people know.")
    with pytest.raises(BadInput, match="what counts already"):
        keep(stage, Part.DIGEST_OPENING)
    with stage.database.unit() as unit, pytest.raises(BadInput, match="say why"):
        mail_words.put_words(unit.connection, school=SCHOOL.slug, part=Part.ALERT_OPENING, words=("A",), author="HEAD-1", why=" ", at=NOON)
