"""The tagger's part of the model card: what it was made from, and how well it finds names by set, by case and by origin."""

from collections.abc import Mapping, Sequence
from typing import cast

_HEAD = """## The person tagger

File `{file}` · SHA-256 `{sha256}` · trained {date}

A linear-chain conditional random field over words: their letters and shape, their neighbours, how common a name each is in public name
lists, how comments capitalise it, and clusters of words used alike. Weights are whole numbers, so the same text gives the same answer on
every machine. It was fitted on the tagged sets WNUT 2017, Broad Twitter Corpus, Tweebank (training parts) and WikiGold, on the project's
own school comments, and on copies of both without capitals and with names of other origins put in place.
Names of these origins were kept out of the fit and of its lists, to judge by: {held}.

Judged on the development sets and on a tenth of the school comments kept out of the fit. Names in handles and hashtags count only for the
school comments. `met` is the share of names that some mention meets; `text F1` is for whether a text names anybody. The rows by origin are
the same texts with names of that origin in place of those that stood there.

| set | names | precision | recall | F1 | met | text F1 |
|---|---|---|---|---|---|---|
{rows}
"""


def people_card(manifest: Mapping[str, object]) -> str:
    """Return the section as Markdown, from the tagger's manifest (`people.json`). Called when the whole card is written."""
    figures = cast("Sequence[Mapping[str, object]]", manifest["figures"])
    held = ", ".join(cast("Sequence[str]", manifest["held out origins"]))
    rows = "\n".join(map(_row, figures))
    return _HEAD.format(file=manifest["file"], sha256=manifest["sha256"], date=manifest["date"], held=held, rows=rows)


def _row(figure: Mapping[str, object]) -> str:
    shares = " | ".join(f"{100 * cast('float', figure[key]):.1f}" for key in ("precision", "recall", "f1", "touched", "text_f1"))
    return f"| {figure['source']} | {figure['names']:,} | {shares} |"
