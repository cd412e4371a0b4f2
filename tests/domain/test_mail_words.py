"""A school's own words: plain, short, no address that is not its own. What names somebody is tested with the roll (tests/steps)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderator.domain.errors import BadInput
from moderator.domain.mail_words import (
    LONGEST,
    LONGEST_WORD,
    PARAGRAPHS,
    MailWords,
    own_addresses,
    paragraphs,
    plain_words,
    spread,
)
from moderator.mail.clean import one_line

OWN = ("oakfield.example", "Oakfield-Trust.example")


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("", ()),
        (" \r\n \n", ()),
        ("Ring the office,  please.", ("Ring the office, please.",)),
        ("Ring the office.\r\n\r\nThank you.", ("Ring the office.", "Thank you.")),
        ("One line.\nAnother line.", ("One line.", "Another line.")),
        (
            "See https://www.oakfield.example/safe?page=2, or write to office@oakfield.example.",
            ("See https://www.oakfield.example/safe?page=2, or write to office@oakfield.example.",),
        ),
        ("(https://oakfield-trust.example) “office@OAKFIELD.example”!", ("(https://oakfield-trust.example) “office@OAKFIELD.example”!",)),
        (
            "In danger now? Call 999. Not urgent: 101. E.g. at 10.30am, on 3.11.2026.",
            ("In danger now? Call 999. Not urgent: 101. E.g. at 10.30am, on 3.11.2026.",),
        ),
        ("Caf\u00e9, \u00a35 \u2013 and \u2018quotes\u2019\u2026 fine.", ("Caf\u00e9, \u00a35 \u2013 and \u2018quotes\u2019\u2026 fine.",)),
        ("x" * LONGEST_WORD, ("x" * LONGEST_WORD,)),
    ],
)
def test_plain_words_are_kept_as_they_are_meant(typed: str, kept: tuple[str, ...]) -> None:
    assert plain_words(typed, domains=OWN) == kept


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("a " * (LONGEST // 2 + 1), "300 letters"),
        ("One.\nTwo.\nThree.", "one paragraph or two"),
        ("Ring <b>now</b>", "no markup"),
        ("Ring {{ school }}", "no markup"),
        ("[page](https://oakfield.example)", "no markup"),
        ("Ring&nbsp;us", "no markup"),
        ("Ring\u200bus", "cannot be seen"),
        ("Ring\u202eus", "cannot be seen"),
        ("Ring\x07us", "cannot be seen"),
        ("Ring\ud800us", "cannot be seen"),
        ("http://oakfield.example", "the school's own"),
        ("https://elsewhere.example/oakfield.example", "the school's own"),
        ("https://oakfield.example.elsewhere.example", "the school's own"),
        ("https://evil-oakfield.example", "the school's own"),
        ("https://oakfield.example@elsewhere.example", "the school's own"),
        ("https://oakfield.example:8443/", "the school's own"),
        ("https://oakfield.example/#part", "the school's own"),
        ("xhttps://oakfield.example", "the school's own"),
        ("javascript://oakfield.example", "the school's own"),
        ("www.oakfield.example", "the school's own"),
        ("oakfield.example", "the school's own"),
        ("mailto:office@oakfield.example", "the school's own"),
        ("office@elsewhere.example", "the school's own"),
        ("office@oakfield.example.elsewhere.example", "the school's own"),
        ("@fern_ashwick", "the school's own"),
        ("elsewhere\uff0eexample", "the school's own"),
        ("elsewhere\u3002example", "the school's own"),
        ("Ring us.Thank you", "a full stop wants a space"),
        ("Ring 01632 960 123 now", "telephone"),
        ("Ring +44 (0)1632-960123", "telephone"),
        ("x" * (LONGEST_WORD + 1), "too long for one word"),
        ("0123456789abcdef" * 4, "too long for one word"),
    ],
)
def test_r26_r28_what_could_lead_away_or_hide_something_is_refused_in_one_line(typed: str, said: str) -> None:
    with pytest.raises(BadInput) as refused:
        plain_words(typed, domains=OWN)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


@given(st.text(max_size=LONGEST + 20))
def test_whatever_is_kept_is_short_and_no_mail_would_change_it(typed: str) -> None:
    try:
        kept = plain_words(typed, domains=OWN)
    except BadInput:
        return
    assert len(kept) <= PARAGRAPHS
    assert len(" ".join(kept)) <= LONGEST
    assert all(paragraph and one_line(paragraph) == paragraph for paragraph in kept)
    assert plain_words("\n\n".join(kept), domains=OWN) == kept == paragraphs(typed)


@given(st.text(alphabet="ab.@:/-h tpsw", max_size=40))
def test_r26_no_address_gets_through_that_is_not_the_schools_own(typed: str) -> None:
    try:
        kept = plain_words(typed, domains=OWN)
    except BadInput:
        return
    left = " ".join(kept)
    assert "@" not in left
    assert "://" not in left


def test_addresses_of_the_school_are_found_where_they_stand() -> None:
    text = "See https://oakfield.example/a. Or office@oakfield.example, or https://elsewhere.example."
    assert [text[start:end] for start, end in own_addresses(text, domains=OWN)] == [
        "https://oakfield.example/a",
        "office@oakfield.example",
    ]


def test_joined_words_are_taken_apart_for_the_check() -> None:
    assert spread("https://oakfield.example/JoBloggs?who=tilly%20marwood&n=Tilly2Marwood_x") == (
        "https oakfield example Jo Bloggs who tilly marwood n Tilly 2 Marwood x"
    )


def test_words_say_whether_there_are_any() -> None:
    assert not MailWords()
    assert not MailWords(left_out=True)
    assert MailWords(("One.",))
    assert MailWords(closing=("One.",))
