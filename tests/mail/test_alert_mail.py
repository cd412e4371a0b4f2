"""The alert mail's further parts: why it was sent on, the law as a hint, who can still see it, and a rehearsal that says so loudly."""

import re
from collections.abc import Callable
from dataclasses import replace
from email.message import EmailMessage

import pytest

from moderator.domain.decision import Severity
from moderator.domain.digest import AlertKind, AlertLine, AlertMail
from moderator.domain.law import BESIDE, MOST, hints
from moderator.domain.mail_words import MailWords
from moderator.domain.score import Label
from moderator.mail.compose import IN_FULL, JinjaComposer

SENT_ON = "This went to the Headteacher first. Nobody has opened it for 30 minutes, so it comes to you now."


def both(message: EmailMessage) -> tuple[str, str]:
    """Return the words of the text part and of the HTML part."""
    found = []
    for kind in ("plain", "html"):
        body = message.get_body((kind,))
        assert body is not None
        found.append(" ".join(re.sub(r"<[^>]+>", " ", str(body.get_content())).split()))
    return found[0], found[1]


def test_a_mail_that_was_sent_on_says_so_first(composer: JinjaComposer, alert_mail: AlertMail, line: Callable[..., AlertLine]) -> None:
    told = replace(alert_mail, lines=(replace(line(), sent_on=SENT_ON),))
    message = composer.alert(told)
    assert message["Subject"] == "Still unread: a comment was flagged (Northfield Primary School)"
    for words in both(message):
        assert words.index(SENT_ON) < words.index("What happened:")
    assert message["References"] == composer.alert(replace(told, lines=(line(),)))["References"], "in the thread of the first"
    mixed = composer.alert(replace(alert_mail, lines=(replace(line(), sent_on=SENT_ON), line(number=2))))
    assert str(mixed["Subject"]).startswith("Look now: ")
    assert all("Why you get this now" not in words for words in both(composer.alert(alert_mail)))


def test_the_law_is_a_hint_with_its_act_and_stands_once(
    composer: JinjaComposer, alert_mail: AlertMail, line: Callable[..., AlertLine]
) -> None:
    threats = tuple(replace(line(number=number), grounds=("threat", "abusive")) for number in range(1, 4))
    for words in both(composer.alert(replace(alert_mail, lines=threats))):
        for hint in hints(("threat", "abusive")):
            assert words.count(hint) == 1
        assert BESIDE in words
        assert words.index("Do this next:") < words.index("What the law says")
    for words in both(composer.alert(alert_mail)):
        assert "What the law says" not in words
        assert BESIDE not in words


def test_a_storm_gives_few_hints_and_those_of_what_it_tells_in_full(
    composer: JinjaComposer, alert_mail: AlertMail, line: Callable[..., AlertLine]
) -> None:
    labels = list(Label)
    storm = [replace(line(number=number + 1), grounds=(labels[number % len(labels)].value,)) for number in range(IN_FULL)]
    last = replace(line(number=50), grounds=("pii",), severity=Severity.ORDINARY)
    text, _ = both(composer.alert(replace(alert_mail, lines=(*storm, last))))
    assert (
        text.count("Act 1988") + text.count("Act 2023") + text.count("Act 1997") + text.count("Act 1986") + text.count("Act 2003")
        <= MOST + 1
    )
    assert "UK GDPR" not in text


def test_r12_who_can_still_see_it_is_told_of_hidden_comments_alone(
    composer: JinjaComposer, alert_mail: AlertMail, line: Callable[..., AlertLine]
) -> None:
    for kind in AlertKind:
        for words in both(composer.alert(replace(alert_mail, lines=(line(kind=kind),)))):
            assert ("Who can still see a hidden comment" in words) is (kind is AlertKind.FLAGGED)


@pytest.mark.parametrize("severity", Severity)
def test_a_rehearsal_says_so_loudly_and_first(
    composer: JinjaComposer, alert_mail: AlertMail, line: Callable[..., AlertLine], severity: Severity
) -> None:
    rehearsal = line(kind=AlertKind.REHEARSAL, severity=severity, subject="rehearsal-severe")
    message = composer.alert(replace(alert_mail, lines=(rehearsal,)))
    assert message["Subject"] == "Rehearsal: nothing happened (Northfield Primary School)"
    for words in both(message):
        assert words.upper().index("REHEARSAL: NOTHING HAPPENED") < words.index("What happened:")
        assert "Serious. Please look now." not in words
        assert "About rehearsal-severe" in words.replace("About: ", "About ")
    mixed = composer.alert(replace(alert_mail, lines=(rehearsal, line())))
    assert not str(mixed["Subject"]).startswith("Rehearsal")
    assert all("REHEARSAL: NOTHING HAPPENED" not in words.upper() for words in both(mixed)), "something did"


def test_r17_no_words_of_a_schools_own_stand_beside_an_indecent_image(
    composer: JinjaComposer, alert_mail: AlertMail, line: Callable[..., AlertLine]
) -> None:
    own = MailWords(opening=("Please look before you go home.",))
    for kinds, there in (((AlertKind.FLAGGED,), True), ((AlertKind.FLAGGED, AlertKind.WITHHELD), False)):
        lines = tuple(line(kind=kind, number=number) for number, kind in enumerate(kinds))
        for words in both(composer.alert(replace(alert_mail, lines=lines, words=own))):
            assert ("Please look before you go home." in words) is there
