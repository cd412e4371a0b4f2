"""Write moderator/text/confusables.txt from Unicode's confusables, for whoever moves the pinned table to a newer Unicode.

Run by hand, where the package confusable-homoglyphs is installed (it is no dependency of the product): `python ops/confusables_table.py`.
Kept are single letters of other alphabets, and of phonetic Latin, that pass for one Latin letter; what Unicode's compatibility forms
already undo (full-width, mathematical) is left out, and so is every script whose own readers would be the ones to suffer: Arabic, Hebrew,
Indic, Chinese, Japanese, Korean and their neighbours.
"""

# ruff: noqa: INP001 - a script, run by its path

import importlib.util
import json
import sys
import unicodedata
from collections import defaultdict
from pathlib import Path

TABLE = Path(__file__).resolve().parents[1] / "moderator" / "text" / "confusables.txt"
LISTED = """
LATIN CYRILLIC GREEK CHEROKEE COPTIC LISU ARMENIAN DESERET OSAGE TIFINAGH RUNIC OLD LYCIAN CARIAN LYDIAN ELBASAN MIAO WARANG CANADIAN
"""
SCRIPTS = frozenset(LISTED.split())
HEADER = """# Letters that pass for a Latin letter: Unicode Technical Standard 39, confusables data, Unicode 13.0, single letters only.
# Derived by ops/confusables_table.py from the copy in confusable-homoglyphs 3.3.1 (MIT).
# Unicode data: copyright 1991-2020 Unicode, Inc., Unicode License v3 (https://www.unicode.org/license.txt); the notice stands with it.
# One line a Latin letter: the letter, a space, all that passes for it. A capital is listed where it passes for another letter than its
# small form does. Read by moderator/text/confusables.py.
"""


def confusables() -> dict[str, str]:
    """Return Unicode's table: a character and the characters it is said to look like, first the prototype."""
    found = importlib.util.find_spec("confusable_homoglyphs")
    if found is None or found.origin is None:
        sys.exit("Install confusable-homoglyphs 3.3.1 first.")
    rows = json.loads(Path(found.origin).with_name("confusables.json").read_text(encoding="utf-8"))
    return {character: looks[0]["c"] for character, looks in rows.items() if len(character) == 1 and len(looks) == 1}


def latin(character: str, table: dict[str, str]) -> str:
    """Return the small Latin letter a character passes for, or ""."""
    seen: set[str] = set()
    while character not in seen and character in table and not character.isascii():
        seen.add(character)
        character = table[character]
    plain = unicodedata.normalize("NFKD", character).casefold()
    small = unicodedata.name(plain, "").removeprefix("LATIN LETTER SMALL CAPITAL ") if len(plain) == 1 else ""
    return small.lower() if len(small) == 1 else plain[0] if plain.isascii() and len(plain) == 1 and plain.isalpha() else ""


def main() -> None:
    """Write the table; the same input gives the same file."""
    table = confusables()
    passes: dict[str, str] = {}
    for character in table:
        plain = unicodedata.normalize("NFKD", character).casefold()
        script = unicodedata.name(character, "?").split()[0]
        if character.isascii() or plain.isascii() or not unicodedata.category(character).startswith("L") or script not in SCRIPTS:
            continue
        if letter := latin(character, table):
            passes[character] = letter
    by_letter: defaultdict[str, list[str]] = defaultdict(list)
    for character, letter in sorted(passes.items()):
        if passes.get(character.casefold()) != letter or character == character.casefold():
            by_letter[letter].append(character)
    lines = [f"{letter} {''.join(found)}\n" for letter, found in sorted(by_letter.items())]
    TABLE.write_text(HEADER + "".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
