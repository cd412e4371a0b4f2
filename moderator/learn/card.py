"""The model card: what the model is, what it was made from, how well it does, and where it must not be trusted."""

from collections import Counter
from collections.abc import Mapping, Sequence

from moderator.domain.policy import Policy
from moderator.learn.corpus import Example
from moderator.learn.evaluate import Figure, mean_auc
from moderator.learn.load import Manifest
from moderator.learn.sources import SOURCES

_HEAD = """# Model card: the abuse model

Version `{version}` · file `{file}` · SHA-256 `{sha256}`

## What it is
Seven logistic regressions (scikit-learn) over hashed word (1 to 2) and character (3 to 5) n-grams of normalised text, one a label:
abusive, insult, threat, identity_attack, sexual, profanity, harassment.
A label that nobody gave a text is left out of that label's fit, never read as 0.
Probabilities are calibrated by Platt's method on text held out of the fit, with calm talk weighted up. It runs on the school's machine,
without a network, and the same text always gives the same score.

## What it is for
To bring comments on a school's own social accounts before a person, and to hide those over the policy's thresholds after a sealed record
is made. Every hide can be undone. It is not for judging people, for private messages, or for anything but comments on authorised accounts.

## What it was trained on
| source | rows | licence | published at | how it is used |
|---|---|---|---|---|
{sources}

Rights in single posts stay with their authors. No text of these sets is in this repository, but for the project's own school comments.
"""

_TAIL = """
## Limits
- It reads words, not the world: a threat without a threatening word, irony, a nickname or a picture pass it by.
- It does best on plain insults and threats; on text written to mislead models it is little better than chance.
- English only. Welsh, Polish, Urdu and other languages of school communities are scored as if they were English, mostly as harmless.
- The school comments were written by the project, and their held-out patterns by the same hand: their figures flatter.
- Labels of the public sets come from a few raters each, mostly in the USA, and carry their leanings. Benign sentences that name a group
  are balanced by school comments in which naming a group is harmless (R34); that must be measured again at each training.
- `sexual` and `harassment` rest on few examples: their probabilities are rough.
- Probabilities fit the mix of the held-out text. On one school's page the share of abuse is another.

## Make it again
`moderator train --data DIR --seed N`, with the sets above in DIR; the manifest holds the SHA-256 of every file read, the seed and versions.
"""


def card(manifest: Manifest, figures: Sequence[Figure], shares: Mapping[str, float], fitted: Sequence[Example], policy: Policy) -> str:
    """Return the card as Markdown."""
    head = _HEAD.format(version=manifest.version, file=manifest.file, sha256=manifest.sha256, sources=_sources(fitted))
    return head + _judged(figures, policy) + _shares(shares) + _TAIL


def _sources(fitted: Sequence[Example]) -> str:
    rows = Counter(example.source for example in fitted)
    return "\n".join(
        f"| {source.name} | {rows[source.name]:,} | {source.licence} | {source.published} | {source.care} |"
        for source in SOURCES
        if rows[source.name]
    )


def _judged(figures: Sequence[Figure], policy: Policy) -> str:
    lines = [
        "",
        "## How well it does",
        f"On the development sets and on school patterns held out of the fit, at the thresholds of policy {policy.version}. The model that",
        "ships was then fitted once more with those school patterns, so on them it does better than this table says.",
        f"Mean AUC of `abusive` over sources: **{mean_auc(figures):.3f}**.",
        "",
        "| source | label | rows | positive | AUC | Brier | found | falsely flagged |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {figure.source} | {figure.label} | {figure.rows:,} | {figure.positives:,} | {_three(figure.auc)} | {figure.brier:.3f} "
        f"| {_percent(figure.recall)} | {_percent(figure.false_flags)} |"
        for figure in figures
    ]
    return "\n".join([*lines, ""])


def _shares(shares: Mapping[str, float]) -> str:
    lines = ["", "## How much is flagged", "| text | flagged by the model at these thresholds |", "|---|---|"]
    return "\n".join([*lines, *(f"| {name} | {_percent(value)} |" for name, value in shares.items()), ""])


def _three(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _percent(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.1f} %"
