"""Heads of ledgers as mails carry them, and as a check reads them back."""

import pytest

from moderator.domain.errors import BadInput
from moderator.domain.events import Head, head_line, heads_from

ONE, TWO = Head(12, "3f" * 32), Head(1234, "4a" * 32)


def test_a_head_line_is_read_back() -> None:
    assert heads_from(head_line("st-bede", ONE)) == {"st-bede": (ONE,)}


def test_a_whole_mail_may_be_pasted_quoted_or_not() -> None:
    quoted = f"> {head_line('oakfield', TWO)}\n> > - {head_line('oakfield', ONE)}.\n"
    mail = f"Oakfield Trust\n\nOakfield:\n{quoted}{ONE.seq}:{ONE.hash.upper()}\nBye\n"
    assert heads_from(mail) == {"oakfield": (ONE, TWO), "": (ONE,)}


def test_a_saved_mail_with_broken_lines_may_be_given() -> None:
    line = head_line("oakfield", TWO)
    assert heads_from(f"a\r\n{line[:70]}=\r\n{line[70:]}\r\n") == heads_from(f"{line[:30]}=\n{line[30:]}") == {"oakfield": (TWO,)}


@pytest.mark.parametrize(
    "text", ["", "no head", f"oakfield {ONE.hash}", f"oakfield 12:{ONE.hash}0", "oakfield 12:3f", f"Oak Field 1:{ONE.hash}"]
)
def test_a_text_without_a_head_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="no ledger head"):
        heads_from(text)


@pytest.mark.parametrize(("school", "said"), [("oakfield ", "of oakfield "), ("", "ledger comes")])
def test_two_hashes_for_one_line_are_refused(school: str, said: str) -> None:
    with pytest.raises(BadInput, match=f"{said}.*the mails disagree"):
        heads_from(f"{school}12:{ONE.hash}\n{school}12:{TWO.hash}\n")


def test_hostile_text_is_read_in_no_time() -> None:
    with pytest.raises(BadInput):
        heads_from("> " * 200_000 + "\n" + "a" * 200_000 + "\n" + "1" * 200_000)
