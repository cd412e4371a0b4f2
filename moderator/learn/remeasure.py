"""Measuring a model that is already there, on the data at hand, so that it can be compared with a new one. Called by `moderator train`."""

from pathlib import Path

from moderator.domain.policy import Policy
from moderator.learn.evaluate import judge
from moderator.learn.guarded import Guarded, guarded, names_by_origin
from moderator.learn.stress import flags, strain
from moderator.learn.tiers import Tiers
from moderator.learn.train import gather, probabilities


def remeasure(folder: Path, data: Path, *, school: Path, test: Path | None, seed: int) -> list[Guarded]:
    """Return the guarded figures of the models in `folder`, on the same text that training judges a new one on.

    Raises BadInput when the models cannot be loaded by this version of the product.
    """
    corpora = gather(data, school, test=test, seed=seed)
    judged = [*corpora.development, *corpora.school_test]
    policy = Policy.bundled()
    both = Tiers.load(folder)
    tiers = {"encoder" if tier.reads_twice else "linear": tier for tier in (Tiers.load(folder, encoder=False), both)}
    figures = {name: judge(judged, probabilities(tier, judged), policy) for name, tier in tiers.items()}
    held = strain(flags(both, policy), corpora.development, corpora.school_test)
    return guarded(figures, held, names_by_origin(folder))
