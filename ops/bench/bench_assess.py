"""Benchmarks of the assessor: speed, memory, start-up, size and accuracy, beside its peers. Called by run.py; all rows are of one run.

`make bench NAME=assess` measures everything, prints the tables and keeps them in .cache/bench_assess.md; without NAME, bench.json gets
a row for each of the issue's targets. The whole assessor is measured as a trust runs it: with a roll of 50,000 people. For accuracy it has
none.
"""

import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from statistics import mean

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench import accuracy, peers, texts
from bench.accuracy import Abuse, Found, Span
from bench.contest import Cost, Entrant, answers, costs
from bench.invented import database, invented_roll
from bench.report import Line, report
from moderator.learn.load import bundled
from moderator.learn.people.marked import Marked

SCRIPTS = {
    "linear": "abuse",
    "both": "abuse",
    "names": "names",
    "pii": "pii",
    "both-finders": "names",
    "roll": "roll",
    "whole": "whole",
    "plain": "whole",
}
"""Which of the ours_*.py runs each of ours."""

ABUSE, NAMES, PII = ("linear", "both", "whole", "plain"), ("names", "both-finders", "whole", "plain"), ("pii", "both-finders", "whole")
"""Who of ours is judged on what."""

ABUSE_PEERS, PRESIDIO = ("alt-profanity-check", "better-profanity"), "presidio"
PRESIDIO_KINDS = frozenset({"phone", "email", "postcode", "nino", "nhs", "iban", "card", "ip", "plate"})
"""Kinds of personal data that presidio, with the recognisers it is given here, looks for."""

REPORT = texts.ROOT / ".cache" / "bench_assess.md"
MB = 1e6

Answers = Mapping[tuple[str, str], Sequence[Mapping[str, object]]]


@dataclass(frozen=True, slots=True)
class Measured:
    """Everything of one run, by contender: cost, size in bytes, and accuracy by set."""

    cost: Mapping[str, Cost]
    size: Mapping[str, int]
    abuse: Mapping[tuple[str, str], Abuse]
    names: Mapping[tuple[str, str], Found]
    pii: Mapping[tuple[str, str], Found]


@cache
def measured() -> Measured | None:
    """Measure once a process and write the tables; None, after one line that says so, when the public text is not here."""
    if not texts.at_hand():
        sys.stdout.write(f"bench: assess {texts.ABSENT}\n")
        return None
    engine = str(peers.engine(texts.for_engine()))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        roll = database(invented_roll(texts.SHARED / "names" / "lists"), folder)
        found = costs(_entrants(engine, str(roll)), texts.turns(folder))
        size = _sizes(Path(engine)) | {"roll": roll.stat().st_size}
        result = Measured(found, size, *_judged(engine, folder))
    body = report(_lines(result), abuse=result.abuse, names=result.names, pii=result.pii)
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(body, encoding="utf-8")
    sys.stdout.write(f"\n{body}\n")
    return result


def _entrants(engine: str, roll: str) -> list[Entrant]:
    """Return everybody whose cost is measured, in the order of a turn."""
    with_roll = {"roll", "whole", "plain"}
    return [*(_ours(name, *((roll,) if name in with_roll else ())) for name in SCRIPTS), *_peers(engine)]


def _ours(name: str, *arguments: str) -> Entrant:
    return Entrant(name, Path(sys.executable), texts.HERE / f"ours_{SCRIPTS[name]}.py", arguments)


def _peers(engine: str) -> list[Entrant]:
    python = peers.python()
    told = ((name, ()) for name in ABUSE_PEERS)
    return [Entrant(name, python, peers.CONTENDERS, arguments) for name, arguments in (*told, (PRESIDIO, (engine,)))]


def _sizes(engine: Path) -> dict[str, int]:
    """Return the bytes each needs beside shared libraries (numpy, scikit-learn, spaCy, onnxruntime): models, word lists, own package."""
    models = bundled()

    def files(*names: str) -> int:
        return peers.size(path for name in names for path in models.glob(f"{name}.*"))

    every = peers.size(path for path in models.iterdir() if path.is_file() and path.suffix != ".md")
    mine = {
        "linear": files("screen"),
        "both": files("screen", "encoder"),
        "names": files("people"),
        "pii": 0,
        "both-finders": files("people"),
        "whole": every,
        "plain": every - files("encoder"),
    }
    theirs = {name: peers.size([peers.package(name)]) for name in ("profanity_check", "better_profanity", "presidio_analyzer")}
    names = (*ABUSE_PEERS, PRESIDIO)
    return mine | dict(zip(names, theirs.values(), strict=True)) | {PRESIDIO: theirs["presidio_analyzer"] + peers.size([engine])}


def _judged(engine: str, folder: Path) -> tuple[dict[tuple[str, str], Abuse], dict[tuple[str, str], Found], dict[tuple[str, str], Found]]:
    """Return accuracy on abuse, names and personal data by (contender, set)."""
    abuse = {name: rows for name, rows in (("public", texts.public_abuse()), ("school", texts.school_abuse())) if rows}
    marked, private = texts.names(), texts.private()
    files = {f"abuse-{name}": texts.written([row.text for row in rows], folder / f"abuse-{name}.json") for name, rows in abuse.items()}
    files |= {f"names-{name}": texts.written([one.text for one in rows], folder / f"names-{name}.json") for name, rows in marked.items()}
    files["pii-own"] = texts.written([one.text for one in private], folder / "pii-own.json")
    judged = {"abuse": (*ABUSE, *ABUSE_PEERS), "names": (*NAMES, PRESIDIO), "pii": (*PII, PRESIDIO)}
    everybody = [_ours(name) for name in dict.fromkeys((*ABUSE, *NAMES, *PII))] + _peers(engine)
    asked = {
        entrant: [path for stem, path in files.items() if entrant.name in judged[stem.split("-")[0]]]
        for entrant in sorted(everybody, key=lambda entrant: entrant.name not in {"whole", "better-profanity"})
    }
    said = answers(asked, folder)
    return (
        {(who, name): _abuse(said[who, f"abuse-{name}"], rows) for who in judged["abuse"] for name, rows in abuse.items()},
        {(who, name): _names(said[who, f"names-{name}"], rows) for who in judged["names"] for name, rows in marked.items()},
        {(who, name): _pii(said[who, "pii-own"], private, kinds) for who in judged["pii"] for name, kinds in _KINDS.items()},
    )


def _abuse(said: Sequence[Mapping[str, object]], rows: Sequence[texts.Labelled]) -> Abuse:
    pairs = [one["abuse"] for one in said]
    return accuracy.abuse((row.source, row.abusive, *pair) for row, pair in zip(rows, pairs, strict=True))  # type: ignore[misc] # JSON


def _names(said: Sequence[Mapping[str, object]], rows: Sequence[Marked]) -> Found:
    found = ((one.text, one.spans, _spans(answer["people"])) for one, answer in zip(rows, said, strict=True))
    return accuracy.people(found, tags=rows[0].whole)


def _pii(said: Sequence[Mapping[str, object]], rows: Sequence[texts.Private], kinds: frozenset[str] | None) -> Found:
    """Judge all kinds of personal data, or some, when the others count neither way."""
    judged = []
    for one, answer in zip(rows, said, strict=True):
        wanted = [(start, end) for start, end, kind in one.spans if kinds is None or kind in kinds]
        aside = [(start, end) for start, end, kind in one.spans if kinds is not None and kind not in kinds]
        judged.append((wanted, aside, _spans(answer["pii"])))
    return accuracy.personal(judged)


_KINDS: dict[str, frozenset[str] | None] = {"kinds presidio knows": PRESIDIO_KINDS, "all kinds": None}


def _spans(found: object) -> list[Span]:
    return [(int(start), int(end)) for start, end in found]  # type: ignore[attr-defined] # JSON from our own worker


def _lines(result: Measured) -> dict[str, Line]:
    return {
        name: Line(cost.rate, cost.resident, cost.height, cost.start, result.size[name] / MB, min(cost.rates), max(cost.rates))
        for name, cost in result.cost.items()
    }


Row = dict[str, object]


def _row(ours: float, theirs: float, unit: str, against: str, *, target: float = 1.0) -> Row:
    return {"ours": ours, "theirs": theirs, "ratio": ours / theirs, "target": target, "unit": unit, "against": against}


def _best(result: Measured, figure: Callable[[Abuse], float], name: str) -> tuple[float, str]:
    return max((figure(result.abuse[peer, name]), peer) for peer in ABUSE_PEERS)


def finders(result: Measured) -> Row:
    """Comments a second of names and personal data, against presidio, which finds just these."""
    against = "presidio-analyzer, the same job: names and personal data"
    return _row(result.cost["both-finders"].rate, result.cost[PRESIDIO].rate, "comments/s", against)


def floor(result: Measured) -> Row:
    """Comments a second of the whole assessor, against the 500 that are asked."""
    return _row(result.cost["whole"].rate, 500.0, "comments/s", "the 500 asked of both tiers on one core")


def plain_floor(result: Measured) -> Row:
    """Comments a second without the encoder, against the 1,200 that are asked."""
    return _row(result.cost["plain"].rate, 1200.0, "comments/s", "the 1,200 asked without the encoder on one core")


def memory(result: Measured) -> Row:
    """Resident memory of the whole assessor with its roll, against the 400 MB allowed."""
    return _row(result.cost["whole"].resident, 400.0, "MB", "the 400 MB allowed, with a roll of 50,000 (at most)")


def files(result: Measured) -> Row:
    """Size of the model files, against the 40 MB allowed."""
    return _row(result.size["whole"] / MB, 40.0, "MB", "the 40 MB allowed (at most)")


def abuse_auc(result: Measured, *, name: str) -> Row:
    """Area under the curve on a set, against the better peer."""
    theirs, peer = _best(result, lambda found: found.auc, name)
    return _row(result.abuse["whole", name].auc, theirs, "AUC", f"{peer}, abuse, {name} text")


def abuse_f1(result: Measured, *, name: str) -> Row:
    """F1 at each one's own threshold on a set, against the better peer."""
    theirs, peer = _best(result, lambda found: found.f1, name)
    return _row(result.abuse["whole", name].f1, theirs, "F1", f"{peer}, abuse at its own threshold, {name} text")


def names_f1(result: Measured, *, school: bool) -> Row:
    """F1 by span on names, against presidio: on our school comments, or the mean over the public tweets."""
    sets = [name for who, name in result.names if who == "whole" and (name == "school") is school]
    ours, theirs = (mean(result.names[who, name].span_f1 for name in sets) for who in ("whole", PRESIDIO))
    return _row(ours, theirs, "F1", f"presidio-analyzer, names by span, {'school' if school else 'public'} text")


def pii_f1(result: Measured) -> Row:
    """F1 by span on personal data of the kinds that both look for, against presidio."""
    ours, theirs = (result.pii[who, "kinds presidio knows"].span_f1 for who in ("whole", PRESIDIO))
    return _row(ours, theirs, "F1", "presidio-analyzer, personal data of the kinds it knows")


def _bench(figure: Callable[[Measured], Row]) -> Row:
    result = measured()
    if result is None:
        return {"ours": None, "theirs": None, "ratio": None, "target": None, "unit": "", "against": texts.ABSENT}
    return figure(result)


FIGURES: dict[str, Callable[[Measured], Row]] = {
    "assess": floor,
    "assess_finders": finders,
    "assess_plain_floor": plain_floor,
    "assess_memory": memory,
    "assess_files": files,
    "assess_abuse_auc": partial(abuse_auc, name="public"),
    "assess_abuse_f1": partial(abuse_f1, name="public"),
    "assess_school_auc": partial(abuse_auc, name="school"),
    "assess_school_f1": partial(abuse_f1, name="school"),
    "assess_names_f1": partial(names_f1, school=False),
    "assess_school_names_f1": partial(names_f1, school=True),
    "assess_pii_f1": pii_f1,
}
BENCHES = {name: partial(_bench, figure) for name, figure in FIGURES.items()}
