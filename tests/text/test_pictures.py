"""The English names of emoji, as the guards read them."""

import pytest

from moderator.text.pictures import name


@pytest.mark.parametrize(
    ("picture", "words"),
    [("\U0001f40d", "snake"), ("\U0001f44d\U0001f3fd", "thumbs up"), ("\u2764\ufe0f", "red heart"), ("a", ""), ("", "")],
)
def test_a_picture_has_its_plain_name_whatever_its_skin(picture: str, words: str) -> None:
    assert name(picture) == words
