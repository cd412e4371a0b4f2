"""What a mail may not hold, and how a mail is searched for it (R28). Called by the tests that let hostile words through the line."""

import html
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

from moderator.domain.score import Guard, GuardHit, Label, PersonKind, PersonSpan, Reason, Score

RUN = 12
"""Letters in a row that count as a quotation of a comment."""
SHORTEST = 3
"""Letters of a part of a name that counts."""

WORD = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*")


class NamingClassifier:
    """A classifier that knows a roll and tells as much as it can: its reasons quote the name and the comment. Implements Classifier."""

    version = "naming-1"

    def __init__(self, names: Sequence[str]) -> None:
        """Take the roll: the person at index n is P-n."""
        self._names = names

    def score(self, texts: Sequence[str], *, parents: Sequence[str] = ()) -> list[Score]:
        """Return a score a text: a name of the roll is found as it stands; words of the stage decide the rest."""
        del parents
        return [self._one(text) for text in texts]

    def _one(self, text: str) -> Score:
        labels = dict.fromkeys(Label, 0.01)
        reasons: list[Reason] = []
        for word, label in (("idiot", Label.INSULT), ("hurt you", Label.THREAT)):
            if word in text:
                labels[Label.ABUSIVE] = labels[label] = 0.95
                reasons.append(Reason(label.value, text.index(word), text.index(word) + len(word), f"It says: {text}"))
        spans = []
        for number, name in enumerate(self._names):
            if name in text:
                at = text.index(name)
                spans.append(PersonSpan(at, at + len(name), name, PersonKind.PUPIL, "roll", f"P-{number}"))
                reasons.append(Reason("name", at, at + len(name), f"It names {name}: {text}"))
        guards = tuple(GuardHit(guard, 0, len(text), f"It reads as {guard.value}: {text}") for guard in Guard if guard.value in text)
        return Score(labels=labels, model=self.version, people=tuple(spans), guards=guards, reasons=tuple(reasons), normalised=text.lower())


def opened(raw: bytes) -> EmailMessage:
    """Return a message as the standard library reads it."""
    return message_from_bytes(raw, policy=default)


@dataclass(frozen=True, slots=True)
class Said:
    """Everything that one message says: `text` as it is, `words` each once, `letters` run together."""

    text: str
    words: frozenset[str]
    letters: str


def said(raw: bytes) -> Said:
    """Return everything a message says: each header decoded, each part decoded and, of HTML, unescaped with and without its tags."""
    message = opened(raw)
    parts: list[str] = []
    for part in message.walk():
        parts += [f"{name}: {value}" for name, value in part.items()]
        parts.append(part.get_filename() or "")
        if not part.is_multipart():
            body = str(part.get_content())
            parts += [html.unescape(body), html.unescape(re.sub(r"<[^>]*>", " ", body)), html.unescape(re.sub(r"<[^>]*>", "", body))]
    parts.append(raw.decode("utf-8", "replace"))
    return heard("\n".join(parts))


def heard(text: str) -> Said:
    """Return a text in the three ways in which it is searched."""
    plain = folded(text)
    words = frozenset(piece for word in WORD.findall(plain) for piece in (word, *re.split(r"['\u2019-]", word)))
    return Said(plain, words, letters(plain))


def folded(text: str) -> str:
    """Return a text in one way of writing: composed, case-folded, each run of spaces one space."""
    return " ".join(unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold()).split())


def letters(text: str) -> str:
    """Return the letters and digits of a text alone."""
    return "".join(mark for mark in folded(text) if mark.isalnum())


def parts_of(name: str) -> Iterator[str]:
    """Yield the parts of a name that count: by spaces, hyphens and apostrophes."""
    for part in re.split(r"[\s'\u2019-]+", folded(name)):
        if len(letters(part)) >= SHORTEST:
            yield part


def runs(text: str) -> frozenset[str]:
    """Return every run of RUN letters of a comment; of a shorter one, the whole."""
    found = letters(text)
    return frozenset(found[start : start + RUN] for start in range(max(len(found) - RUN + 1, 1))) - {""}


@dataclass(frozen=True, slots=True)
class Secret:
    """What no mail may hold: names of the roll, comments, and the handles and display names of those who wrote them."""

    names: tuple[str, ...]
    comments: tuple[str, ...]
    authors: tuple[str, ...]

    def found_in(self, told: Said, *, ours: Said) -> list[str]:
        """Return what of it a message holds. `ours` is what our own templates and settings say anyway: that is nobody's name."""
        names = [part for name in (*self.names, *self.authors) for part in parts_of(name) if part not in ours.words]
        leaked = [part for part in names if part in told.words or (len(letters(part)) >= RUN // 2 and letters(part) in told.letters)]
        leaked += [name for name in (*self.names, *self.authors) if len(letters(name)) >= RUN // 2 and letters(name) in told.letters]
        quoted = {run for comment in self.comments for run in runs(comment) if len(run) >= RUN // 2}
        leaked += [run for run in quoted if run in told.letters]
        return [each for each in leaked if letters(each) not in ours.letters]


def pictures_and_attachments(raw: bytes) -> list[str]:
    """Return what in a message is no plain words: parts that are not text, file names, pictures, and what a mail program would fetch."""
    message = opened(raw)
    found = [part.get_content_type() for part in message.walk() if part.get_content_type() not in _PARTS]
    found += [str(part.get_filename()) for part in message.walk() if part.get_filename() or part.get_content_disposition()]
    for part in message.walk():
        if part.get_content_type() == "text/html":
            found += _FETCHED.findall(str(part.get_content()))
    return found


_PARTS = {"multipart/alternative", "text/plain", "text/html"}
_FETCHED = re.compile(
    r"(?i)<(?:img|svg|picture|video|audio|object|embed|iframe|link|script|base|form|input)\b|\bsrc\s*=|url\s*\(|@import|data:"
)


def links(raw: bytes) -> Iterable[str]:
    """Return where a message leads: every address in its HTML."""
    for part in opened(raw).walk():
        if part.get_content_type() == "text/html":
            yield from (html.unescape(found) for found in re.findall(r"(?i)href\s*=\s*[\"']?([^\"'\s>]+)", str(part.get_content())))
