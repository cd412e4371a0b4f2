"""One word as it is meant to be read: digits and symbols for letters, masks, repeats, slips, shorthand, run-together words.

Called by `normalise` for each word that is not known, after folding; everything here is a function of the word alone.
"""

import itertools
import re
import unicodedata

from moderator.text.lexicon import Lexicon, lexicon, segment, word_set
from moderator.text.shorthand import SHORTHAND

_LETTERS = "o,il,z,e,a,s,gb,t,b,g,a,s,il,li,c,t,e,le,c,y,s,i,t"
_READINGS = dict(zip("0123456789@$!|(+€£¢¥§¡†", _LETTERS.split(","), strict=True))
_FIRST = str.maketrans({"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "@": "a", "$": "s", "!": "i", "|": "l"})
_SIGNS = frozenset("@$!|(+€£¢¥§¡†")
_WILD = frozenset("*#%^&@$!~?._-+=|\u00d7·•")
_FILLERS = frozenset("-._*~^|'`#%@·•")
_NO_GAP = frozenset("*#^~%|")
_ALONE = {2: "ass", 3: "fuck", 4: "fuck"}
_SHORT = 4
_LIKELIER = 5.0
"""How much cheaper a reading must be than what it is read instead of: about twelve times as common."""
_VERY_COMMON = 17.5
_EVERYDAY = 14.0
_SWEARING = 150
"""So many of the rude words, in their order, are what a long mask stands for."""
_LONG = 10
_MOST = 40
_TRIES = 256

_RUN = re.compile(r"([a-z])\1+")
_TRIPLE = re.compile(r"([^\W\d_])\1{2,}")
_SPELLING = re.compile(r"[aeiou]([bcdfgklmnprstz])\1(?:ed|ers?|ing|y|est|en|le)$")
"""Where English doubles a letter: hatter is no hater, rapped no worse."""
_JOINER = re.compile(r"([a-z]{3,})([24])([a-z]{3,})")
_MEASURE = re.compile(r"\d+(?:[a-z]{1,2}|hrs?|mins?|secs?|yrs?|pts?)|[a-z]{1,2}\d+|(?:[ypsu]|ks)\d{1,2}s")
"""Classes, roads, sizes, ordinals, times: 11a, y7, ks2, 3rd, 10k, y7s; no letters hide in these."""
_PLACE = re.compile(r"[a-z]{1,2}\d[a-z\d]?\d[a-z]{2}|[a-z]{2}\d\d[a-z]{3}")
"""A postcode or a car plate without its space."""
_HIDDEN = re.compile(r"(?<=[a-z])[013457]{1,2}(?=[a-z])")
_GUESSED = re.compile(r"(?<=[a-z])[@$|](?=[a-z])|^\$(?=[a-z]{4})")
_GUESSED_OPENLY = re.compile(r"(?<=[a-z])[@$|!](?=[a-z])|^\$(?=[a-z]{4})")
"""Signs read as letters though no word comes of it; ! only behind what is no word, or it ends a sentence."""
_PARTS = re.compile(r"[^\W_]+")
_STARS = re.compile(r"\*+")
_DOUBLE = frozenset("lsg")
_NEVER_DRAWN_OUT = frozenset({"to", "of"})
_LITTLE = word_set("a i hi oh ok ha ye uk tv pe pm ex id eu vs st")
_TALKS_TO = word_set("you your youre yourself yourselves my him his she they their we our")


def mend(word: str) -> str:
    """Return what a folded word of letters and digits stands for: itself, a known word, or several between spaces."""
    known = lexicon()
    if word in known.cost or len(word) > _MOST:
        return _TRIPLE.sub(_squeeze, word)
    if word in SHORTHAND:
        return SHORTHAND[word]
    if word.isascii() and word.isalpha():
        return _letters(word, known)
    if word.isascii() and not word.isdigit():
        return _with_digits(word, known)
    return _TRIPLE.sub(_squeeze, word)


def _squeeze(match: re.Match[str]) -> str:
    return match[1] * 2 if match[1] in _DOUBLE else match[1]


def _letters(word: str, known: Lexicon) -> str:
    """Undo repeats, then a slip of two neighbours, then gaps left out."""
    found = _unrepeated(word, known)
    if found:
        return found
    word = _TRIPLE.sub(_squeeze, word)
    return SHORTHAND.get(word) or _unswapped(word, known) or _apart(word, known) or word


def _unrepeated(word: str, known: Lexicon) -> str:
    """Return the likeliest known word with fewer repeats, or "": any known one for three of a letter, a common one for two."""
    runs = [match.span() for match in _RUN.finditer(word)]
    if not runs or len(runs) > 6:  # noqa: PLR2004 - 2**6 tries
        return ""
    tripled = any(end - start > 2 for start, end in runs)  # noqa: PLR2004 - two of a letter is spelling
    if not tripled and (len(word) < _SHORT or _SPELLING.search(word)):
        return ""
    tries = []
    for keeps in itertools.product((2, 1), repeat=len(runs)):
        pieces, done = [], 0
        for (start, end), keep in zip(runs, keeps, strict=True):
            pieces.append(word[done : start + keep])
            done = end
        tries.append("".join([*pieces, word[done:]]))
    tries = [found for found in tries if found not in _NEVER_DRAWN_OUT] or tries
    return known.best(found for found in tries if tripled or known.common(found)) or (
        next((SHORTHAND[found] for found in tries if found in SHORTHAND), "") if tripled else ""
    )


def _unswapped(word: str, known: Lexicon) -> str:
    """Return the rude or common word that two neighbouring letters, not at an end, were swapped in; "" when there is none."""
    if len(word) < _SHORT:
        return ""
    tries = [word[:at] + word[at + 1] + word[at] + word[at + 2 :] for at in range(1, len(word) - 1)]
    return known.best(found for found in tries if _likely(found, known))


def _likely(word: str, known: Lexicon) -> bool:
    """Return whether a word may be meant by a slip: the shorter it is, the commoner it must be."""
    if len(word) <= _SHORT + 1:
        return known.cost.get(word, 99.0) <= _VERY_COMMON + len(word) - _SHORT or (len(word) > _SHORT and word in known.rude)
    return known.common(word) or (len(word) >= 2 * _SHORT and word in known.cost)


def _apart(word: str, known: Lexicon) -> str:
    """Return the words a long run is made of when it says something of or to somebody, or ""."""
    if len(word) < _LONG:
        return ""
    found = segment(word, spare=4.2)
    telling = any((piece in known.rude and len(piece) >= _SHORT) or piece in _TALKS_TO for piece in found)
    return " ".join(found) if telling and len(found) * 2.5 <= len(word) else ""


def _with_digits(word: str, known: Lexicon) -> str:  # noqa: PLR0911 - rules in order, the first that fits is final
    """Read digits as letters where the outcome is a word, and as a guess inside longer words; never in classes, times and places."""
    core = "".join(part for part in word if part.isalpha())
    if _MEASURE.fullmatch(word):
        return word
    if _PLACE.fullmatch(word):
        found = _reading(word, core, known)
        return found if found in known.rude or known.common(found) else word
    found = _reading(word, core, known)
    if found:
        return found
    spelt = _letters(word.translate(_FIRST), known)
    if spelt in known.cost and word[0].isalpha() and (word[-1].isalpha() or spelt in known.rude) and known.common(spelt):
        return spelt
    joined = _JOINER.fullmatch(word)
    if joined and joined[1] in known.cost and joined[3] in known.cost:
        return f"{joined[1]} {'to' if joined[2] == '2' else 'for'} {joined[3]}"
    if all(_stands(part, known) for part in re.findall(r"\d+|[a-z]+", word)):
        return word
    guess = _HIDDEN.sub(lambda match: match[0].translate(_FIRST), word)
    if len(core) >= _SHORT and guess.isalpha():
        return guess
    return _TRIPLE.sub(_squeeze, word)


def _reading(word: str, core: str, known: Lexicon) -> str:
    """Return the likeliest word that digits stand in, or "": at an end only when what is left without them is no likelier a word."""
    found = known.best(_readings(word))
    if len(found) < 3:  # noqa: PLR2004 - no word of two letters is hidden by a digit
        return ""
    if word[0].isalpha() and word[-1].isalpha():
        return found if found in known.rude or known.common(found) or len(found) >= _SHORT else ""
    if found in known.rude and not word[0].isalpha():
        return found
    if len(found) - len(core) > 1 and len(found) > _SHORT and known.common(found):
        return found
    left = known.cost.get(core, 99.0) if len(core) > 2 else 99.0  # noqa: PLR2004 - two letters are hardly a word
    return found if len(found) >= _SHORT and left - known.cost[found] >= _LIKELIER else ""


def _readings(word: str) -> list[str]:
    choices = [_READINGS.get(part, part) for part in word]
    tries = 1
    for choice in choices:
        tries *= len(choice)
    return ["".join(spelt) for spelt in itertools.product(*choices)] if tries <= _TRIES else []


def mend_signs(token: str) -> str:
    """Return what a folded token with signs inside stands for: a word, or the token with what is read as a gap as a space.

    In order: signs as letters (d!ck), letters held apart (stu-pid, id*iot), letters masked (f*ck); else the parts as they stand.
    """
    if len(token) <= _MOST and all(part.isascii() or part in _SIGNS for part in token):
        known = lexicon()
        parts = _PARTS.findall(token)
        whole = all(_stands(part, known) for part in parts)
        found = _signed(token, known, whole=whole) or _filled(token, parts, known, whole=whole) or _masked(token, parts, known, whole=whole)
        if found:
            return found
        if not whole:
            guessed = _GUESSED if _stands(parts[0], known) else _GUESSED_OPENLY
            return _parted(guessed.sub(lambda match: match[0].translate(_FIRST), token))
    return _parted(token)


def _stands(part: str, known: Lexicon) -> bool:
    """Return whether a part between signs is likely a word in its own right."""
    return part in _LITTLE or part.isdigit() or (part in known.pieces and len(part) > 1)


def _signed(token: str, known: Lexicon, *, whole: bool) -> str:
    plain = token.replace("()", "0").replace("\\/", "v").rstrip("*") or token
    if (
        sum(map(str.isalpha, plain)) < 2  # noqa: PLR2004 - one letter is no word
        or not any(part in _SIGNS for part in plain + token)
        or not all(part.isalnum() or part in _SIGNS for part in plain)
    ):
        return ""
    found = known.best(_readings(plain))
    if found in known.rude:
        return found if len(found) > 2 else ""  # noqa: PLR2004 - too short to be sure
    if len(found) < (3 if plain[0].isalpha() else _SHORT) or (whole and any(part in "!(+" for part in token)):
        return ""
    if plain[0] in "(+!|@" and (whole or not known.common(found)):
        return ""
    return found if known.common(found) or (len(found) > _SHORT and not whole) else ""


def _filled(token: str, parts: list[str], known: Lexicon, *, whole: bool) -> str:
    joined = "".join(parts)
    signs = {part for part in token if not part.isalnum()}
    if len(parts) < 2 or (whole and not signs <= _NO_GAP):  # noqa: PLR2004 - one part is held apart by nothing
        return ""
    if not joined.isalpha():
        joined = _with_digits(joined, known)
    if joined in known.rude or (joined in known.cost and (known.common(joined) or len(joined) > _SHORT) and signs <= _FILLERS):
        return joined if len(joined) >= _SHORT or joined in known.rude else ""
    return SHORTHAND.get(joined, "") if len(joined) > 3 else ""  # noqa: PLR2004 - "f.c.k" is told by its mask


def _masked(token: str, parts: list[str], known: Lexicon, *, whole: bool) -> str:  # noqa: PLR0911 - rules in order
    shown = sum(map(len, parts))
    signs = {part for part in token if not part.isalnum()}
    if not signs <= _WILD or not signs:
        return ""
    stem = token.rstrip("*")
    if len(stem) < len(token) and stem.isalnum() and (len(stem) > _SHORT or (len(stem) > 1 and stem in known.cost and shown > 1)):
        return stem
    if signs == {"*"} and token[0] == "f" and shown == 1 and token.rstrip("*") == "f":
        return "fuck" if len(token) in {3, 4, 5} else ""
    if shown < 2 or len(token) < 3 or (whole and "*" not in signs):  # noqa: PLR2004 - too little shown to be sure
        return ""
    if signs & set("._-+=") and (len(signs) > 1 or sum(not part.isalnum() for part in token) > 1):
        return ""
    if len(token) == 3 and "*" not in signs:  # noqa: PLR2004 - "R&B"
        return ""
    least = _SWEARING if shown == 2 and len(token) > _SHORT + 1 else len(known.rude)  # noqa: PLR2004 - little is shown of a long word
    found = next((word for word, place in known.rude.items() if place < least and _fits(token, word)), "")
    if not found and "*" in signs and shown > 2:  # noqa: PLR2004 - a star may hide several letters when enough is shown
        loose = re.compile(_STARS.sub(lambda match: f"[a-z]{{{len(match[0])},{len(match[0]) + 2}}}", re.sub(r"[^a-z*]", ".", token)))
        found = next((word for word in known.rude if loose.fullmatch(word)), "")
    plain = _one_hidden(token, shown, known) if known.rude.get(found, len(known.rude)) >= _SWEARING else ""
    return plain if plain and (not found or known.cost[plain] <= _EVERYDAY) else found


def _one_hidden(token: str, shown: int, known: Lexicon) -> str:
    """Return the likeliest common word with one letter under a lone sign, or ""."""
    if shown < 3 or len(token) != shown + 1 or not token[0].isalpha() or any(part.isdigit() for part in token):  # noqa: PLR2004 - too little
        return ""
    at = next(place for place, part in enumerate(token) if not part.isalnum())
    tries = (token[:at] + letter + token[at + 1 :] for letter in "aeioubcdfghjklmnpqrstvwxyz")
    if not 0 < at < len(token) - 1:
        return ""
    fit = [found for found in tries if known.common(found) or (len(found) > _SHORT + 2 and found in known.cost)]
    return min(fit, key=lambda found: (known.cost[found], found), default="")


def _fits(token: str, word: str) -> bool:
    return len(token) == len(word) and all(
        letter in _READINGS.get(part, part) or not part.isalnum() for part, letter in zip(token, word, strict=True)
    )


def _parted(token: str) -> str:
    """Return a token with signs as gaps; ! and ? stand alone, a star that hides letters stays."""
    pieces = []
    for before, part in zip(" " + token, token, strict=False):
        if part.isalnum() or part == "\ufffd" or _mark(part):
            pieces.append(part)
        elif part == "*" and (before.isalpha() or before == "*"):
            pieces.append("*")
        else:
            pieces.append(f" {part} " if part in "!?" else " ")
    return re.sub(r"\*{2,}", "*", "".join(pieces))


def _mark(character: str) -> bool:
    return not character.isascii() and unicodedata.category(character).startswith("M")
