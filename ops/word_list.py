"""Write moderator/text/words.txt, the words the normaliser takes as known, from counts over the public text in shared/data.

Run by hand when the public text changes: `python ops/word_list.py SHARED`. Only single words and how common they are are taken (facts);
the school words and the exceptions below are our own. The same input gives the same file.
"""

# ruff: noqa: INP001 - a script, run by its path

import csv
import json
import math
import re
import sys
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

TABLE = Path(__file__).resolve().parents[1] / "moderator" / "text" / "words.txt"
TIMES, SOURCES = 5, 3
"""A word must be met so often, and in so many sources."""
SLIP = 15
"""A rare word with a doubled letter is a slip when the word with a single one is so many times as common."""
RARE = 60
FIRST_NAMES, SURNAMES = 1_700, 3_200

REAL_DOUBLES = """
    thee coop inn latte allot goop loot steep noon booth hopping manny reed scarred moods holly bee deem hoot butt denny matte supper
    brooke ooh shh oof wee boo moo loo too kkk rapped ann lee foxx moore carr webb matt scott aa aaron
"""
SCHOOL = """
academies academy admissions assembly attainment attendance behaviour bursar canteen caretaker catchment classroom classrooms
comprehensive coursework cpoms curriculum detention detentions ehcp esafety exam exams exclusion exclusions eyfs firefly form fsm
gcse gcses governor governors headmaster headmistress headship headteacher headteachers homework hub inclusion infants inset
invigilator isolation juniors lanyard leavers lesson lessons librarian lunchbox lunchtime lunchtimes maths mentor minibus mocks
netball nursery nurseries ofsted parentmail parentpay parents paediatric phonics pickup playground playgroup playtime plimsolls
prefect prefects primary principal prospectus pshe pupil pupils reception registration rounders safeguarding sats satchel school
schools secondary senco sencos send sendco sixth sixthform stationery supply suspended suspension syllabus teacher teachers termly
timetable timetables toilets tombola trainers trust trustee trustees truancy tuck tutor tutors tutoring uniform uniforms vape
vapes vaping welfare wellbeing whiteboard year yearbook years zebra btec btecs alevel alevels alevel hwb eisteddfod ysgol plaid
cymru ks inset swimming rapping gala fayre fete raffle bake sale nativity panto pantomime trip trips residential
"""
NOT_WORDS = "ing ton ed er ers est ly ness ment sion tion able ible ism ist ity ous ful ess ap ive th st nd rd ll ve nt"
_WORD = re.compile(r"(?<!\w)[a-z]+(?!\w)")
_NOISE = re.compile(r"https?://\S+|www\.\S+|[@#]\w+|&\w+;")
_APOSTROPHES = re.compile("[\u0300-\u036f'\u2019\u2018`\u00b4]")


def texts(data: Path) -> Iterator[tuple[str, str]]:
    """Yield (source, text) of every public text but those kept for judging."""
    csv.field_size_limit(1 << 30)
    with (data / "abuse" / "train.csv").open(encoding="utf-8", newline="") as lines:
        yield from ((row["source"], row["text"]) for row in csv.DictReader(lines))
    for name in ("abuse/goemotions.txt", "comments/youtube.txt"):
        yield from ((name, line) for line in (data / name).read_text(encoding="utf-8").splitlines())
    for path in sorted((data / "names").glob("*.jsonl")):
        yield from ((path.name, " ".join(json.loads(line)["tokens"])) for line in path.read_text(encoding="utf-8").splitlines())


def counted(data: Path) -> dict[str, int]:
    """Return the words kept and how often each was met."""
    counts: Counter[str] = Counter()
    sources: defaultdict[str, set[str]] = defaultdict(set)
    for source, text in texts(data):
        plain = _APOSTROPHES.sub("", _NOISE.sub(" ", unicodedata.normalize("NFKD", text).lower()))
        for word in _WORD.findall(plain):
            counts[word] += 1
            sources[word].add(source)
    kept = {word: count for word, count in counts.items() if count >= TIMES and len(sources[word]) >= SOURCES and not _odd(word, counts)}
    return kept | {word: max(20, counts[word]) for word in SCHOOL.split()}


def _odd(word: str, counts: Counter[str]) -> bool:
    if word in NOT_WORDS.split() or (re.search(r"(.)\1\1", word) and word != "kkk"):
        return True
    singles = (word[: match.start()] + word[match.start() + 1 :] for match in re.finditer(r"(.)\1", word))
    return word not in REAL_DOUBLES.split() and counts[word] < RARE and any(counts[single] >= SLIP * counts[word] for single in singles)


def names(data: Path) -> set[str]:
    """Return the commonest first names and surnames of the UK, and every surname with a doubled letter."""
    found: set[str] = set()
    for name, column, most in (("uk_first_names", "name", FIRST_NAMES), ("uk_surnames", "surname", SURNAMES)):
        with (data / "names" / "lists" / f"{name}.csv").open(encoding="utf-8", newline="") as lines:
            rows = [row[column].lower() for row in csv.DictReader(lines)]
        found.update(rows[:most])
        found.update(row for row in rows[: 4 * most] if re.search(r"(.)\1", row))
    return {name for name in found if re.fullmatch(r"[a-z]{3,}", name)}


def main(shared: str) -> None:
    """Write the list: lines of words equally common, the commonest first; names last."""
    words = counted(Path(shared) / "data")
    total = sum(words.values())
    by_cost: defaultdict[int, list[str]] = defaultdict(list)
    for word, count in words.items():
        by_cost[round(2 * math.log(total / count))].append(word)
    lines = [f"{cost} {' '.join(sorted(by_cost[cost]))}\n" for cost in sorted(by_cost)]
    people = " ".join(sorted(names(Path(shared) / "data") - words.keys()))
    TABLE.write_text("".join([*lines, f"names {people}\n"]), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
