"""The parts of the pages by themselves: marking words, and the words for everything there is."""

import re

from hypothesis import given
from hypothesis import strategies as st

from moderator.domain.decision import Severity
from moderator.domain.events import Event
from moderator.domain.item import ItemKind
from moderator.domain.lifecycle import Stage
from moderator.domain.review import Verdict
from moderator.domain.score import Reason
from moderator.web import words
from moderator.web.marks import Piece, pieces


def test_flagged_words_are_marked_by_code_points_not_bytes() -> None:
    text = "👩‍👧 שלום idiot 🇬🇧"
    start = text.index("idiot")
    found = pieces(text, [Reason("insult", start, start + 5, "It insults.")])
    assert [piece.text for piece in found if piece.marked] == ["idiot"]


def test_overlapping_reasons_are_marked_once_and_numbered_where_each_ends() -> None:
    found = pieces("abcdef", [Reason("a", 0, 4, ""), Reason("b", 2, 6, ""), Reason("c", 0, 0, "")])
    assert found == (Piece("ab", marked=True), Piece("cd", marked=True, ends=(1,)), Piece("ef", marked=True, ends=(2,)))


def test_a_text_without_spans_is_one_piece() -> None:
    assert pieces("words", [Reason("abusive", 0, 0, "As a whole.")]) == (Piece("words", marked=False),)
    assert pieces("", []) == ()


SPANS = st.lists(st.tuples(st.integers(-3, 40), st.integers(-3, 40)), max_size=6)


@given(st.text(max_size=30), SPANS)
def test_marking_never_changes_the_text(text: str, spans: list[tuple[int, int]]) -> None:
    reasons = [Reason("abusive", start, end, "") for start, end in spans]
    found = pieces(text, reasons)
    assert "".join(piece.text for piece in found) == text
    inside = {at for start, end in spans for at in range(max(start, 0), min(end, len(text)))}
    assert sum(len(piece.text) for piece in found if piece.marked) == len(inside)
    numbers = [number for piece in found for number in piece.ends]
    assert sorted(numbers) == [at for at, (start, end) in enumerate(spans, 1) if max(start, 0) < min(end, len(text))]


def test_everything_that_can_be_shown_has_plain_words() -> None:
    said = [words.event_words(code.value) for code in (*Event, *Verdict)]
    said += [words.severity_words(each) for each in Severity] + [words.severity_short(each) for each in Severity]
    said += [words.waiting_words(each) for each in Stage] + [words.done_words(each.value) for each in Verdict]
    said += [words.place_words(each.value) for each in ItemKind]
    assert all(re.match(r"[A-Za-z]", text) and "_" not in text for text in said)
    assert len(set(said)) >= len(Event) + len(Verdict)


def test_codes_without_words_are_given_as_they_are_or_not_at_all() -> None:
    assert words.event_words("new_event") == "new_event"
    assert words.place_words("toot") == "toot"
    assert words.done_words("<b>") == ""
