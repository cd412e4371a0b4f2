"""People named with a title: "Mrs O'Brien", "Headteacher Jones", "Miss B". The first of the name finders; called by the classifier.

Choice: on a school's page a title with a surname is how pupils and parents speak of staff, so such a name is `staff`, source `honorific`.
A title that a well-known person or a made-up one carries ("Mr Bean", "Dr Who", "King Charles") is `public`. "Sir" and "Miss" with no name,
and a title before a word that is no name ("Dr appointment", "Miss you"), are nobody. A match on the roll beats all of this.
"""

import re

from moderator.domain.score import PersonKind, PersonSpan

TITLES = frozenset({"mr", "mrs", "ms", "miss", "mx", "dr", "sir", "dame", "prof", "professor", "rev", "revd", "father", "sister", "mister"})
ROLES = frozenset({"headteacher", "head", "headmaster", "headmistress", "principal", "teacher", "deputy", "governor", "nurse", "coach", "imam", "rabbi"})
PUBLIC_TITLES = frozenset({"king", "queen", "prince", "princess", "president", "senator", "lord", "lady", "pope", "saint"})
WORTH_A_LOOK = TITLES | ROLES | PUBLIC_TITLES
"""Normalised words without which a text needs no look."""

_NAME = r"[^\W\d_]['’ʼ]?[^\W\d_]+(?:[-'’ʼ][^\W\d_]+)*"
_TITLE = "|".join(sorted(TITLES - {"sir"}, key=len, reverse=True))
_TITLED = re.compile(
    rf"(?<![\w@#])(?P<title>{_TITLE}|sir)\b\.?[ \t]*(?P<first>(?:{_NAME}|[^\W\d_]\.?)[ \t]+)??(?P<name>{_NAME}|[^\W\d_]\b)", re.IGNORECASE
)
_ROLE = re.compile(rf"(?<![\w@#])(?i:{'|'.join(sorted(ROLES, key=len, reverse=True))})[ \t]+(?P<name>(?=[^\W\d_a-z]){_NAME})")
_GREAT = re.compile(
    rf"(?<![\w@#])(?i:{'|'.join(sorted(PUBLIC_TITLES))})[ \t]+(?P<name>(?=[^\W\d_a-z]){_NAME}(?:[ \t]+(?=[^\W\d_a-z]){_NAME})?)"
)

_FAMOUS = frozenset(
    {
        *("bean", "beast", "men", "tumble", "potato", "tickle", "darcy", "bennet", "bennett", "hyde", "jekyll", "fox", "claus", "bumble"),
        *("magoo", "t", "motivator", "bates", "spock", "trump", "biden", "starmer", "sunak", "johnson-pm", "farage", "khan-mayor"),
        *("who", "strange", "seuss", "dre", "evil", "watson", "frankenstein", "foster", "doolittle", "dolittle", "zhivago", "oetker", "pepper"),
        *("doubtfire", "brown-boys", "hinch", "twit", "tiggywinkle", "miggins", "bucket", "robinson", "thatcher", "doyle", "beaver"),
        *("trunchbull", "honey", "havisham", "marple", "world", "universe", "piggy", "moneypenny", "rabbit", "hannigan", "dior", "marvel"),
        *("attenborough", "keir", "elton", "mo", "alan", "christmas", "lancelot", "galahad", "gawain", "winston", "isaac", "judi", "edna"),
    }
)
"""Surnames that, with a title, are nearly always somebody known or made up; lower case."""

_NO_NAME = frozenset(
    """
    a about again all also an and any are as at be been being but by can could dear did do does doing done every for from get gets getting
    give go goes going gone got had has have her here hers him his how i if in into is it its just keep let like lot made make may me mine
    more most much must my near need never no none not now of off office on once one only or our out over please really right said saw say
    says see seeing she should since so some soon still such than thank thanks that the their them then there these they this those time to
    today told too two until up us very was we well went were what when where which while who why will with without would wow yes yesterday
    yet you your yours wait week weekend weeks last next first lunch lesson lessons school schools class bus buses train deadline match
    matches him them it everyone everybody anyone old those out point appointment appointments surgery shopping training degree letter
    letters note notes practice list forms teacher teachers sir miss mr mrs ms dr tomorrow everything being home kids children day days
    another because even lots loads out work match party christmas-party trip trips goal goals chance penalty target read understand hers
    happy who's what's that's it's we'll you'll he's she's i'm i've i'll you're they're don't can't won't didn't isn't wasn't haven't
    """.split()
)
"""Words that follow "miss", "dr" or "sir" without being a name."""

_BEFORE_MISS = frozenset({"by", "with", "from", "about", "hate", "thanks", "thank", "hi", "hello", "dear", "tell", "told", "ask", "asked", "mrs", "mr"})


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
    if word in _NO_NAME or (match["first"] and _bare(match["first"]) in _NO_NAME):
        return False
    if title.lower() in {"sir", "dame", "father", "sister", "mister"}:
        return name[0].isupper() and title[0].isupper()
    if len(word) == 1:
        return name.isupper() and title[0].isupper() and not match["first"] and word != "i"
    if name[0].isupper():
        return title.lower() != "miss" or title[0].isupper() or not match.string[: match.start()].strip()
    if title.lower() == "miss":
        return title == "miss" and _lower_miss(match)
    return title.lower() in {"mr", "mrs", "ms", "mx", "dr"} and len(word) > 2  # noqa: PLR2004 - two lower-case letters are rarely a surname


def _lower_miss(match: re.Match[str]) -> bool:
    """Return whether a lower-case "miss" with a lower-case word is a title: only where no verb can stand ("by miss begum")."""
    before = match.string[: match.start()].lower().split()
    return bool(before) and before[-1] in _BEFORE_MISS


def _proper(name: str) -> bool:
    return _bare(name) not in _NO_NAME and not name.isupper()


def _apart(spans: list[PersonSpan]) -> list[PersonSpan]:
    kept: list[PersonSpan] = []
    for span in spans:
        if not kept or span.start >= kept[-1].end:
            kept.append(span)
    return kept
