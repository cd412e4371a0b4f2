"""People named in a text, and whose names they are: roll first, then titles, then what the tagger found. Called by the classifier.

`titled` finds names with a title: "Mrs O'Brien", "Headteacher Jones", "Miss B".
Choice: on a school's page a title with a surname is how pupils and parents speak of staff, so such a name is `staff`, source `honorific`.
A title that a well-known person or a made-up one carries ("Mr Bean", "Dr Who", "King Charles") is `public`. "Sir" and "Miss" with no name,
and a title before a word that is no name ("Dr appointment", "Miss you"), are nobody. A match on the roll beats all of this.
"""
# ruff: noqa: RUF001 - names carry curly apostrophes

import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from importlib import resources

from moderator.domain.score import PersonKind, PersonSpan
from moderator.learn.people.tagger import Mention
from moderator.learn.people.tiers import UNKNOWN, Tier, is_place, is_public, tier

TITLES = frozenset({"mr", "mrs", "ms", "miss", "mx", "dr", "sir", "dame", "prof", "professor", "rev", "revd", "father", "sister", "mister"})
ROLES = frozenset(
    {"headteacher", "head", "headmaster", "headmistress", "principal", "teacher", "deputy", "governor", "nurse", "coach", "imam", "rabbi"}
)
PUBLIC_TITLES = frozenset({"king", "queen", "prince", "princess", "president", "senator", "lord", "lady", "pope", "saint"})
WORTH_A_LOOK = TITLES | ROLES | PUBLIC_TITLES
"""Normalised words without which a text needs no look."""

_NAME = r"[^\W\d_]['’ʼ]?[^\W\d_]+(?:[-'’ʼ][^\W\d_]+)*"
_TITLE = "|".join(sorted(TITLES - {"sir"}, key=len, reverse=True))
_TITLED = re.compile(
    rf"(?<![\w@#])(?P<title>{_TITLE}|sir)\b\.?[ \t]*(?P<first>(?:{_NAME}|[^\W\d_]\.?)[ \t]+)??"
    rf"(?P<name>{_NAME}|[^\W\d_]\b(?!\.?[ \t]+(?-i:[A-Z])))",
    re.IGNORECASE,
)
_ROLE = re.compile(rf"(?<![\w@#])(?i:{'|'.join(sorted(ROLES, key=len, reverse=True))})[ \t]+(?P<name>(?=[^\W\d_a-z]){_NAME})")
_GREAT = re.compile(
    rf"(?<![\w@#])(?i:{'|'.join(sorted(PUBLIC_TITLES))})[ \t]+(?P<name>(?=[^\W\d_a-z]){_NAME}(?:[ \t]+(?=[^\W\d_a-z]){_NAME})?)"
)

_WORDS = tomllib.loads(resources.files("moderator.learn").joinpath("names.toml").read_text(encoding="utf-8"))
_FAMOUS, _NO_NAME, _BEFORE_MISS, _KNIGHTS = (frozenset(_WORDS[key].split()) for key in ("famous", "no_name", "before_miss", "knights"))


def people(text: str, mentions: Sequence[Mention], roll_spans: Sequence[PersonSpan] = ()) -> tuple[PersonSpan, ...]:
    """Return everybody named in a text, in order, not overlapping; spans are code points of `text`. Never fails.

    1. A strong match on the roll wins over all else. 2. A name with a title is staff, or public for a well-known one; the tagger may
    lengthen it. 3. What else the tagger found is told apart by `tiers`; a place is nobody. 4. A first name that weakly matches the roll
    takes its kind from there, and stays weak unless the words round it say whose it is.
    """
    kept = [span for span in roll_spans if span.strong]
    weak = [span for span in roll_spans if not span.strong]
    kept += [span for span in _lengthened(text, titled(text), mentions) if not _meets(span, kept)]
    for mention in mentions:
        if not _meets(mention, kept) and not is_place(text, mention.start, mention.end):
            kept.append(_told(text, mention, [span for span in weak if _meets(span, [mention])]))
    kept += [span for span in weak if not _meets(span, kept)]
    return tuple(sorted(kept, key=lambda span: span.start))


def _told(text: str, mention: Mention, weak: Sequence[PersonSpan]) -> PersonSpan:
    """Return the person of a mention; `weak` are first names on the roll within it."""
    start, end = mention.start, mention.end
    tag = _TAG.search(text, max(0, start - 40), start)
    title = _TAG_TITLE.match(text, start, end) if tag is not None else None
    if title is not None:
        kind = PersonKind.PUBLIC if is_public(f"{title[0]} {text[title.end() : end]}") else PersonKind.STAFF
        return PersonSpan(start, end, text[start:end], kind, "honorific")
    if tag is None and (called := _WITH_TITLE.match(text, start, end)) is not None:
        kind = _titled_kind(called["title"], "", called["name"])
        return PersonSpan(start, end, text[start:end], kind, "honorific")
    if tag is not None and tag[0][0] == "@":
        found = Tier(PersonKind.PUBLIC, strong=True) if mention.known else UNKNOWN
    else:
        found = tier(text, start, end, whole=mention.whole, known=mention.known)
    if weak and found == UNKNOWN:
        return weak[0]
    kind = weak[0].kind if weak and found.kind is PersonKind.OTHER else found.kind
    return PersonSpan(start, end, text[start:end], kind, "tagger", strong=found.strong)


_TAG = re.compile(r"[@#][\w.]*$")
_CALLED = {
    **dict.fromkeys(("coach", "chef", "cook", "nurse", "matron", "bursar", "ustadh", "ustadha", "headteacher", "head"), PersonKind.STAFF),
    **dict.fromkeys(("cllr", "councillor", "governor", "chair", "trustee"), PersonKind.GOVERNOR),
    **dict.fromkeys(("rev", "revd", "reverend", "father", "fr", "sister", "canon", "pastor", "imam", "rabbi"), PersonKind.OTHER),
}
"""Whose a name is by what stands before it, where `titled` does not look."""

_WITH_TITLE = re.compile(
    rf"(?P<title>(?-i:Miss|MISS|miss(?=[ \t]+[^\W\d_A-Z]))|mrs?|ms|mx|dr|prof|sir|{'|'.join(_CALLED)})\b\.?[ \t]+(?P<name>[^\W\d_].*)",
    re.IGNORECASE | re.DOTALL,
)
_TAG_TITLE = re.compile(r"(?:mrs|miss|mr|ms|mx|dr|sir|prof)[._]?", re.IGNORECASE)


def _lengthened(text: str, spans: Iterable[PersonSpan], mentions: Sequence[Mention]) -> list[PersonSpan]:
    """Return titled spans, each made as long as a mention that begins inside it."""
    found: list[PersonSpan] = []
    for span in spans:
        end = max([span.end, *(mention.end for mention in mentions if span.start <= mention.start < span.end)])
        found.append(span if end == span.end else _longer(span, text[span.start : end]))
    return _apart(found)


def _longer(span: PersonSpan, name: str) -> PersonSpan:
    """Return a titled span with more of the name; with that, a well-known person or a knight of two names may be told."""
    kind = PersonKind.OTHER if span.kind is PersonKind.STAFF and re.match(r"sir|dame", name, re.IGNORECASE) else span.kind
    return replace(span, end=span.start + len(name), text=name, kind=PersonKind.PUBLIC if is_public(name) else kind)


def _meets(one: PersonSpan | Mention, others: Iterable[PersonSpan | Mention]) -> bool:
    return any(one.start < other.end and other.start < one.end for other in others)


def titled(text: str) -> tuple[PersonSpan, ...]:
    """Return the people named with a title or a role, in order; spans are code points of `text`, title included. Never fails."""
    found = [_span(text, match) for match in _TITLED.finditer(text) if _is_name(match)]
    found += [PersonSpan(m.start(), m.end(), m[0], PersonKind.STAFF, "honorific") for m in _ROLE.finditer(text) if _proper(m["name"])]
    found += [PersonSpan(m.start(), m.end(), m[0], PersonKind.PUBLIC, "honorific") for m in _GREAT.finditer(text) if _proper(m["name"])]
    found.sort(key=lambda span: (span.start, -span.end))
    return tuple(_apart(found))


def _span(text: str, match: re.Match[str]) -> PersonSpan:
    start, end = match.span()
    end -= 2 if re.search(r"['’ʼ]s$", text[start:end], re.IGNORECASE) else 0
    return PersonSpan(start, end, text[start:end], _titled_kind(match["title"], match["first"] or "", match["name"]), "honorific")


def _titled_kind(title: str, first: str, name: str) -> PersonKind:
    """Return whose a titled name is: staff, unless it is well known; pupils say Sir and one name."""
    words = {_bare(first), _bare(name)}
    if not _FAMOUS.isdisjoint(words) or is_public(f"{title} {name}") or is_public(f"{first} {name}"):
        return PersonKind.PUBLIC
    if title.lower() in {"sir", "dame"} and not _KNIGHTS.isdisjoint(words):
        return PersonKind.PUBLIC
    return _CALLED.get(title.lower(), PersonKind.STAFF)


def _bare(name: str) -> str:
    return re.sub(r"['’ʼ]s$", "", name.strip(" \t.").lower())


def _is_name(match: re.Match[str]) -> bool:
    """Return whether what follows the title is a name: capitalised, or lower case where nothing speaks against it."""
    title, name = match["title"], match["name"]
    word = _bare(name)
    if word in _FAMOUS and name[0].isupper():
        return True
    if word in _NO_NAME or (match["first"] and _bare(match["first"]) in _NO_NAME):
        return False
    if title.lower() in _WORDS_TOO:
        return name[0].isupper() and title[0].isupper()
    if len(word) == 1:
        return name.isupper() and title[0].isupper() and not match["first"] and word != "i"
    return _is_cased_name(match, title, name)


def _is_cased_name(match: re.Match[str], title: str, name: str) -> bool:
    if name[0].isupper():
        return title.lower() != "miss" or title[0].isupper() or not _before(match).strip()
    if title.lower() == "miss":
        return title == "miss" and _lower_miss(match)
    return len(name) > 2  # noqa: PLR2004 - two lower-case letters are rarely a surname


_WORDS_TOO = frozenset({"sir", "dame", "father", "sister", "mister", "prof", "professor", "rev", "revd"})
"""Titles that are also everyday words or rare on a school's page: both title and name must be capitalised."""


def _lower_miss(match: re.Match[str]) -> bool:
    """Return whether a lower-case "miss" with a lower-case word is a title: only where no verb can stand ("by miss begum")."""
    before = _before(match).lower().split()
    return bool(before) and before[-1] in _BEFORE_MISS


def _before(match: re.Match[str]) -> str:
    """Return the few characters before a match: enough for the word before it."""
    return match.string[max(0, match.start() - 24) : match.start()]


def _proper(name: str) -> bool:
    return _bare(name) not in _NO_NAME and not name.isupper()


def _apart(spans: list[PersonSpan]) -> list[PersonSpan]:
    kept: list[PersonSpan] = []
    for span in spans:
        if not kept or span.start >= kept[-1].end:
            kept.append(span)
    return kept
