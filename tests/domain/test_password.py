import pytest

from moderator.domain.password import LONGEST, SHORTEST, normal, refusal

ABOUT = ("Hazel Oakenshaw", "h.oakenshaw@oakfield.example", "Oakfield Primary School", "Oakfield Learning Trust")


@pytest.mark.parametrize(
    "password",
    [
        "kettle-otter-marigold",
        "correcthorsebatterystaple",
        "849217463827",
        "hazel-otter-kettle",
        "tuesday kettle otter",
        "zażółć gęślą jaźń",
        "x" * 3 + "kettle-otter",
        "ok-kettle-otter",
    ],
)
def test_long_passwords_of_ones_own_are_taken_whatever_they_are_made_of(password: str) -> None:
    assert refusal(password, about=ABOUT) == ""


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("", "at least"),
        ("k" * (SHORTEST - 1), "at least"),
        ("kettle otte", "at least"),
        ("kettle-otter " * 30, "at most"),
        ("aaaaaaaaaaaa", "same few"),
        ("abcdabcdabcd", "same few"),
        ("kettleskettles", "same few"),
        ("!!!!!!!!!!!!!!", "same few"),
        ("abcdefghijkl", "a row of the keyboard"),
        ("lkjihgfedcba", "a row of the keyboard"),
        ("123456789012", "a row of the keyboard"),
        ("qwertyuiop12", "a row of the keyboard"),
        ("1qaz2wsx3edc", "a row of the keyboard"),
        ("HazelOakenshaw1", "your name"),
        ("h.oakenshaw@oakfield.example", "your name"),
        ("Oakfield2026!!", "your school"),
        ("0akf1eld-2026!!", "your school"),
        ("oakfieldprimary1", "your school"),
        ("Password12345", "guessed first"),
        ("P4ssw0rd1234!", "guessed first"),
        ("P@$$word-1234", "guessed first"),
        ("Summer2026!!!!", "guessed first"),
        ("MondayWelcome1", "guessed first"),
    ],
)
def test_what_is_guessed_first_is_refused_with_its_reason(password: str, why: str) -> None:
    assert why in refusal(password, about=ABOUT)


def test_the_longest_is_taken() -> None:
    words = "kettle-otter-marigold-thimble-walrus-canopy-lantern-pebble-harbour-"
    assert refusal((words * 9)[:LONGEST], about=()) == ""


def test_two_ways_to_type_one_letter_are_one_password() -> None:
    assert normal("cafe\u0301-kettle") == normal("caf\u00e9-kettle")
