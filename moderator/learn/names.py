"""People named with a title: "Mrs O'Brien", "Headteacher Jones", "Miss B". The first of the name finders; called by the classifier.

Choice: on a school's page a title with a surname is how pupils and parents speak of staff, so such a name is `staff`, source `honorific`.
A title that a well-known person or a made-up one carries ("Mr Bean", "Dr Who", "King Charles") is `public`. "Sir" and "Miss" with no name,
and a title before a word that is no name ("Dr appointment", "Miss you"), are nobody. A match on the roll beats all of this.
"""
# ruff: noqa: RUF001 - names carry curly apostrophes

import re
import tomllib
from importlib import resources

from moderator.domain.score import PersonKind, PersonSpan

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
_FAMOUS, _NO_NAME, _BEFORE_MISS = (frozenset(_WORDS[key].split()) for key in ("famous", "no_name", "before_miss"))


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
    kind = PersonKind.PUBLIC if _bare(match["name"]) in _FAMOUS or _bare(match["first"] or "") in _FAMOUS else PersonKind.STAFF
    if match["title"].lower() in {"sir", "dame"}:
        kind = PersonKind.PUBLIC
    return PersonSpan(start, end, text[start:end], kind, "honorific")


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
