"""A school's own words in its alerts and digests: plain, short, and nobody's name. Called by the words page, the steps and the composer."""

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from moderator.domain.errors import BadInput

LONGEST = 300
"""Letters of one part at most (our choice): a mail is read in a minute, and begins with what happened."""
PARAGRAPHS = 2
"""Paragraphs of one part at most."""
LONGEST_WORD = 40
"""Letters of one word at most: a longer one would push a phone's screen aside, and could pass for a code of the ledger."""


class Part(StrEnum):
    """Where a school's own words may stand. Everything else of a mail is the service's."""

    ALERT_OPENING = "alert-opening"
    ALERT_CLOSING = "alert-closing"
    DIGEST_OPENING = "digest-opening"
    DIGEST_CLOSING = "digest-closing"


MAILS = ("alert", "digest")
"""The mails that have parts of a school's own."""

PART_WORDS: Mapping[Part, str] = {
    Part.ALERT_OPENING: "In every alert, after what happened",
    Part.ALERT_CLOSING: "At the end of every alert",
    Part.DIGEST_OPENING: "At the top of every digest",
    Part.DIGEST_CLOSING: "At the end of every digest",
}


@dataclass(frozen=True, slots=True)
class MailWords:
    """What a school adds to one kind of mail, paragraph by paragraph.

    `opening` stands under a digest's headline, or after what an alert tells; `closing` at the end.

    `left_out` says that there are words which are not in this mail, since they name somebody of the roll by now.
    """

    opening: tuple[str, ...] = ()
    closing: tuple[str, ...] = ()
    left_out: bool = False

    def __bool__(self) -> bool:
        """Return whether there is anything to say."""
        return bool(self.opening or self.closing)


@dataclass(frozen=True, slots=True)
class MailWordsVersion:
    """One version of one part, as it was kept (R32). Empty `words` took the part away."""

    part: Part
    words: tuple[str, ...]
    author: str
    at: datetime
    why: str


_LINK = re.compile(r"https://(?P<host>[a-z0-9.-]+)(?:[/?][\w./?=&%~+-]*)?", re.IGNORECASE | re.ASCII)
_MAIL = re.compile(r"(?P<name>[\w.+-]+)@(?P<host>[a-z0-9.-]+)", re.IGNORECASE | re.ASCII)
_ADDRESS = re.compile(r"\S*://\S*|\bwww\.\S*|\bmailto:\S*|\S*@\S*|(?:[\w-]+\.)+[^\W\d_]{2,}\S*", re.IGNORECASE)
"""Whatever a mail program could make a link of, or that reads as an address or an account's name."""
_MARKUP = re.compile(r"[<>`]|\{[{%#]|\]\(|&#|&\w+;")
_STOPS = ".,;:!?"
_BEFORE = " (\"'\u201c\u2018"
_AFTER = re.compile(f"[{re.escape(_STOPS)})\"'\u201d\u2019]*(?: |$)")
"""What may stand right before an address, and from its end up to the next word."""
_TELEPHONE = re.compile(r"\+?\d(?:[ ()./-]{0,2}\d){8,}")
"""Nine digits or more: a number somebody can be rung at. Short ones are everybody's: 999, 101, Childline's 0800 1111."""
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories of what cannot be seen, or steers what is."""


def paragraphs(text: str) -> tuple[str, ...]:
    """Return a text as paragraphs of one line each; a line break begins a new one, runs of spaces are one space. Pure, repeatable."""
    lines = (" ".join(line.split()) for line in text.splitlines())
    return tuple(line for line in lines if line)


def plain_words(text: str, *, domains: Collection[str]) -> tuple[str, ...]:
    """Return what a school typed for one part, as paragraphs; empty when nothing was typed. `domains` are the school's own. Pure.

    Raises BadInput, in one line, for what is too long, markup, what cannot be seen, telephone numbers, and addresses that are not the
    school's own. Whether somebody is named the classifier says, not this.
    """
    found = paragraphs(text)
    whole = " ".join(found)
    if len(found) > PARAGRAPHS or len(whole) > LONGEST:
        message = f"keep it to {LONGEST} letters, in one paragraph or two; this has {len(whole)} in {len(found)}"
        raise BadInput(message)
    if any(unicodedata.category(mark) in _UNSEEN for mark in whole):
        message = "it holds a character that cannot be seen: type the words anew, and do not paste them"
        raise BadInput(message)
    if _MARKUP.search(whole):
        message = "write plain words: no markup, and no < > or `"
        raise BadInput(message)
    for paragraph in found:
        _refuse_addresses(_as_read(paragraph), {domain.lower() for domain in domains})
    return found


def own_addresses(paragraph: str, *, domains: Collection[str]) -> tuple[tuple[int, int], ...]:
    """Return where a paragraph gives an address of the school's own: a web page with https, or an e-mail. Start and end, in order. Pure."""
    own = {domain.lower() for domain in domains}
    return tuple(sorted({*_own(_LINK, paragraph, own), *_own(_MAIL, paragraph, own)}))


def _own(pattern: re.Pattern[str], text: str, domains: Collection[str]) -> Iterator[tuple[int, int]]:
    for match in pattern.finditer(text):
        host, end = match["host"].lower().rstrip("."), match.end()
        begins = match.start() == 0 or text[match.start() - 1] in _BEFORE
        if begins and _AFTER.match(text, end) and any(host == domain or host.endswith(f".{domain}") for domain in domains):
            yield match.start(), match.start() + len(match[0].rstrip(_STOPS))


def _as_read(text: str) -> str:
    """Return a text as a mail program may read it: letters and full stops of other scripts' making as the plain ones."""
    return unicodedata.normalize("NFKC", text).replace("\u3002", ".")


def _refuse_addresses(text: str, domains: Collection[str]) -> None:
    """Raise BadInput for any address that is not the school's own, a telephone number, and a word that is too long."""
    rest = list(text)
    for start, end in own_addresses(text, domains=domains):
        rest[start:end] = " " * (end - start)
    left = "".join(rest)
    other = _ADDRESS.search(left)
    if other:
        message = (
            f"“{other[0]}” reads as an address that is not the school's own: only https:// pages and e-mails of "
            f"{', '.join(sorted(domains))} may stand here, and a full stop wants a space after it"
        )
        raise BadInput(message)
    long = next((word for word in left.split() if len(word) > LONGEST_WORD), "")
    if long:
        message = f"“{long[:LONGEST_WORD]}…” is too long for one word"
        raise BadInput(message)
    telephone = _TELEPHONE.search(left)
    if telephone:
        message = f"“{telephone[0]}” reads as a telephone number: give a page or an e-mail of the school instead"
        raise BadInput(message)


def spread(text: str) -> str:
    """Return a text with every address and joined word taken apart, so that a name inside one can be found: `JoBloggs` is `Jo Bloggs`.

    Pure. For the check alone: nobody reads it.
    """
    parted = re.sub(r"%[0-9a-fA-F]{2}|[\W_]+", " ", _as_read(text))
    return " ".join(re.sub(r"(?<=[^\W\d_A-Z])(?=[A-Z])|(?<=\d)(?=[^\W\d_])|(?<=[^\W\d_])(?=\d)", " ", parted).split())
