"""The network: MiniLM (a BERT of six layers) with two heads of ours, in plain torch. Used by the other files of this folder alone.

`said` gives one log-odds an output (see moderator.learn.abuse.OUTPUTS) from the mean over the text's own tokens; `tags` gives each token
the log-odds of no name, a name's first token and a name's later token. Tokens of kind 1 are the parent post: read, but neither averaged nor
tagged.
"""

import math
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

WIDTH, HEADS, INNER, LAYERS, VOCABULARY, PLACES = 384, 12, 1536, 6, 30_522, 512
TAGS = 3
_PARTS = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "o": "attention.output.dense",
    "after_attention": "attention.output.LayerNorm",
    "up": "intermediate.dense",
    "down": "output.dense",
    "after_inner": "output.LayerNorm",
}
_EMBEDDINGS = {
    "words": "embeddings.word_embeddings",
    "places": "embeddings.position_embeddings",
    "kinds": "embeddings.token_type_embeddings",
    "norm": "embeddings.LayerNorm",
}


class Layer(nn.Module):
    """One layer: attention among tokens, then a feed-forward part, each added and normalised."""

    def __init__(self) -> None:
        """Make a layer with random weights."""
        super().__init__()
        self.q, self.k, self.v, self.o = (nn.Linear(WIDTH, WIDTH) for _ in range(4))
        self.after_attention, self.after_inner = nn.LayerNorm(WIDTH, eps=1e-12), nn.LayerNorm(WIDTH, eps=1e-12)
        self.up, self.down = nn.Linear(WIDTH, INNER), nn.Linear(INNER, WIDTH)
        self.drop = nn.Dropout(0.1)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Return the tokens after this layer; `mask` is True where a token stands."""
        rows, tokens, _ = x.shape
        q, k, v = (part(x).view(rows, tokens, HEADS, WIDTH // HEADS).transpose(1, 2) for part in (self.q, self.k, self.v))
        weights = q @ k.transpose(-1, -2) / math.sqrt(WIDTH // HEADS)
        if mask is not None:
            weights = weights.masked_fill(~mask[:, None, None, :], -1e4)
        attended = (weights.softmax(-1) @ v).transpose(1, 2).reshape(rows, tokens, WIDTH)
        x = self.after_attention(x + self.drop(self.o(attended)))
        return self.after_inner(x + self.drop(self.down(nn.functional.gelu(self.up(x)))))


class Net(nn.Module):
    """The encoder with both heads."""

    def __init__(self, outputs: int) -> None:
        """Make a network with random weights and a number of outputs."""
        super().__init__()
        self.words, self.places, self.kinds = nn.Embedding(VOCABULARY, WIDTH), nn.Embedding(PLACES, WIDTH), nn.Embedding(2, WIDTH)
        self.norm, self.drop = nn.LayerNorm(WIDTH, eps=1e-12), nn.Dropout(0.1)
        self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))
        self.said, self.tags = nn.Linear(WIDTH, outputs), nn.Linear(WIDTH, TAGS)

    def forward(self, ids: Tensor, kinds: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return (log-odds by output, tag log-odds by token) of token ids and kinds, shape (rows, tokens)."""
        x = self.words(ids) + self.places(torch.arange(ids.shape[1], device=ids.device))[None] + self.kinds(kinds)
        x = self.drop(self.norm(x))
        for layer in self.layers:
            x = layer(x, mask)
        own = kinds == 0
        if mask is not None:
            own = own & mask
        weight = own.unsqueeze(-1).to(x.dtype)
        mean = (x * weight).sum(1) / weight.sum(1)
        return self.said(self.drop(mean)), self.tags(x)


def from_minilm(weights: Path, outputs: int) -> Net:
    """Return the network with MiniLM's weights (a safetensors file) and new heads. Raises ValueError when the file is another network's."""
    net = Net(outputs)
    raw = {name.removeprefix("bert."): value for name, value in load_file(str(weights)).items()}
    pairs = dict(_EMBEDDINGS)
    for layer in range(LAYERS):
        pairs |= {f"layers.{layer}.{ours}": f"encoder.layer.{layer}.{theirs}" for ours, theirs in _PARTS.items()}
    state = {f"{a}.{end}": raw[f"{b}.{end}"] for a, b in pairs.items() for end in ("weight", "bias") if f"{b}.{end}" in raw}
    missing, extra = net.load_state_dict(state, strict=False)
    if extra or any(not name.startswith(("said", "tags")) for name in missing):
        message = f"{weights}: is not the MiniLM of six layers: lacks {missing}, has {extra} too many"
        raise ValueError(message)
    return net
