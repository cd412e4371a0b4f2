"""Mail goes to the schools' and the trust's own domains alone (R26): a table of tricks, and a property over made-up addresses."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as some

from moderator.domain.mail_domains import allowed, is_domain

OURS = frozenset({"oakfield.example", "trust.example", "xn--schne-lua.example"})

MAY_GO = (
    "head@oakfield.example",
    "head@OAKFIELD.example",
    "HEAD@Oakfield.Example",
    "h.e-a_d+news@trust.example",
    "o'neil@oakfield.example",
    "head@xn--schne-lua.example",
)

TRICKS = {
    "": "nothing at all",
    "head": "no domain",
    "@oakfield.example": "no name",
    "head@": "an empty domain",
    "head@gmail.example": "another domain",
    "head@mail.oakfield.example": "a domain below ours is another domain",
    "head@oakfield.example.evil.example": "ours as its beginning",
    "head@evil-oakfield.example": "ours as its end",
    "head@evil.oakfield.example": "below ours",
    "head@oakfield.exampl": "one letter less",
    "head@oakfield.examplee": "one letter more",
    "head@0akfield.example": "a nought for an o",
    "head@oakfieId.example": "a capital I for an l",
    "head@oаkfield.example": "a Cyrillic letter",  # noqa: RUF001 - the look-alike is what is tested
    "head@oakfield。example": "an ideographic full stop, which some programs read as a dot",
    "head@schöne.example": "the letters of a domain that is listed in ASCII",
    "hëad@oakfield.example": "a name beyond ASCII",
    "head@oakfield.example.": "a dot at the end",
    "head@.oakfield.example": "a dot at the beginning",
    "head@oakfield..example": "two dots",
    "head@-oakfield.example": "a hyphen first",
    "head@oakfield.example-": "a hyphen last",
    "head@oakfield.example@evil.example": "several @, ours in the middle",
    "head@evil.example@oakfield.example": "several @, ours last",
    '"head@evil.example"@oakfield.example': "a quoted name with an @ in it",
    '"head"@oakfield.example': "a quoted name",
    "head(at home)@oakfield.example": "a comment in the name",
    "head@oakfield.example(evil.example)": "a comment after the domain",
    "head@(evil.example)oakfield.example": "a comment before the domain",
    "<head@oakfield.example>": "brackets",
    "Head <head@oakfield.example>": "a name before it",
    "head@oakfield.example>": "half a bracket",
    "head@oakfield.example,x@evil.example": "a second address",
    "head@oakfield.example;x@evil.example": "a second address, as Outlook writes it",
    "x@evil.example,head@oakfield.example": "a second address before ours",
    "head @oakfield.example": "a space before the @",
    "head@ oakfield.example": "a space after the @",
    " head@oakfield.example": "a space before",
    "head@oakfield.example ": "a space after",
    "head@oakfield.example\n": "a line break after",
    "head@oakfield.example\r\nBcc: x@evil.example": "a header",
    "head\x00@oakfield.example": "a NUL",
    "head@oakfield.example\x00.evil.example": "a NUL before another domain",
    "head%evil.example@oakfield.example@": "a trailing @",
    "evil.example!head@": "an old route, and nothing after it",
    "@evil.example:head@oakfield.example": "a route in front (RFC 822)",
    ".head@oakfield.example": "a dot first",
    "head.@oakfield.example": "a dot last in the name",
    "he..ad@oakfield.example": "two dots in the name",
    "head@[192.0.2.1]": "an address literal",
    "head@[IPv6:2001:db8::1]": "an address literal",
    "head@localhost": "no dot",
    "head＠oakfield.example": "a full-width @",  # noqa: RUF001 - the look-alike is what is tested
    "head%evil.example@oakfield.example": "a route some relays still follow",
    "evil.example!head@oakfield.example": "an older route",
    f"{'h' * 65}@oakfield.example": "a name that is too long",
}


@pytest.mark.parametrize("address", MAY_GO)
def test_r26_a_school_address_is_allowed(address: str) -> None:
    assert allowed(address, OURS)
    assert not allowed(address, frozenset())


@pytest.mark.parametrize("address", TRICKS)
def test_r26_no_trick_gets_by(address: str) -> None:
    assert not allowed(address, OURS)


_PARTS = some.sampled_from(
    (
        *("head", "oakfield", "example", "oakfield.example", "trust.example", "evil.example", "gmail.com", "@", ".", "-", "+", "'", '"'),
        *("(", ")", "<", ">", ",", ";", ":", "%", "!", " ", "\r\n", "\x00", "\u2028", "\u200b", "о", "е", "ﬁ", "xn--", "[", "]", "\\"),  # noqa: RUF001 - look-alikes
    )
)


@given(some.lists(_PARTS, min_size=1, max_size=8).map("".join))
@example("head@oakfield.example")
def test_r26_what_is_allowed_is_one_plain_address_on_our_domain_and_nothing_else(address: str) -> None:
    """Whatever a mail program makes of an address that is allowed, it ends in one of our domains after its only @."""
    if allowed(address, OURS):
        name, domain = address.split("@")
        assert name
        assert domain.lower() in OURS
        assert address.isascii()
        assert not set(address) & set('"()<>,;:\\[] \r\n\x00')


@given(some.emails(), some.sampled_from(sorted(OURS)))
def test_r26_addresses_of_other_domains_are_never_allowed(address: str, own: str) -> None:
    domain = address.rpartition("@")[2].lower()
    assert allowed(address, OURS) is (domain in OURS)
    assert not allowed(f"{address.rpartition('@')[0]}@{own}.{domain}", OURS)


@pytest.mark.parametrize(
    ("text", "fine"),
    [
        ("oakfield.example", True),
        ("mail.oakfield.sch.uk", True),
        ("xn--schne-lua.example", True),
        ("@oakfield.example", False),
        ("*.oakfield.example", False),
        ("head@oakfield.example", False),
        ("oakfield", False),
        ("schöne.example", False),
        ("oakfield.example.", False),
        ("", False),
        (".".join(["a" * 63] * 4), False),
    ],
)
def test_what_a_domain_is(text: str, *, fine: bool) -> None:
    assert is_domain(text) is fine
