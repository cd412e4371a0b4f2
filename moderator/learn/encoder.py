"""The encoder tier: a small fine-tuned BERT (MiniLM, int8 ONNX) that reads the texts the linear tier is in doubt about.

One text at a time and on one thread: int8 scales then never depend on what stands beside a text, so the same text gets the same answer.
Made by `models/finetune.py`; read by `classifier` and `train`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from moderator.domain.errors import BadInput
from moderator.learn.load import ENCODER, load_bytes
from moderator.learn.screen import Floats

TOKENIZER = "tokenizer"
"""The key of the ONNX file's own notes under which it carries its tokenizer: one file, one hash."""

OWN_TOKENS = 126
"""The most tokens of the text itself in one window, as in training; a longer text is read in up to WINDOWS windows."""

PARENT_TOKENS = 40
WINDOWS = 4
OUTSIDE, BEGIN = 0, 1
"""Columns of the token tags: no name, and the first token of a name; the third is a name's later tokens."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the encoder makes of one normalised text.

    `logits` has one log-odds an output, in the order of OUTPUTS; of several windows the highest counts. `spans[i]` is the place of token i
    in the normalised text, `tags[i]` its chances of no name, a name's first token and a later one (each 0 to 1, sum 1).
    """

    logits: Floats
    spans: tuple[tuple[int, int], ...]
    tags: Floats


class Encoder:
    """The encoder in memory: about 60 MB with its runtime."""

    def __init__(self, body: bytes, version: str = "") -> None:
        """Take the bytes of the ONNX file. Raises BadInput when they are not an encoder of ours."""
        import onnxruntime  # noqa: PLC0415 - loads slowly; a service without the encoder never needs it
        from onnxruntime.capi import onnxruntime_pybind11_state as faults  # noqa: PLC0415 - as above
        from tokenizers import Tokenizer  # noqa: PLC0415 - as above

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.use_deterministic_compute = True
        options.enable_cpu_mem_arena = False
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(body, options, providers=["CPUExecutionProvider"])
            self._tokenizer: Tokenizer = Tokenizer.from_str(self._session.get_modelmeta().custom_metadata_map[TOKENIZER])
        except (faults.Fail, faults.InvalidProtobuf, faults.InvalidGraph, faults.InvalidArgument, KeyError, ValueError) as error:
            message = f"{ENCODER}: is not an encoder this service can run: {error}"
            raise BadInput(message) from error
        self._begin, self._end = self._tokenizer.token_to_id("[CLS]"), self._tokenizer.token_to_id("[SEP]")
        self.version = version

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return the encoder of a folder of models. Raises BadInput when a file is missing, damaged, or not what its manifest says."""
        body, manifest = load_bytes(folder, ENCODER)
        return cls(body, manifest.version)

    def read(self, normalised: str, parent: str = "") -> Reading:
        """Return what the encoder makes of one normalised text and its normalised parent post. Never fails; may be repeated."""
        coded = self._tokenizer.encode(normalised, add_special_tokens=False)
        context = self._tokenizer.encode(parent, add_special_tokens=False).ids[:PARENT_TOKENS] if parent else []
        windows = [coded.ids[begin : begin + OWN_TOKENS] for begin in range(0, max(len(coded.ids), 1), OWN_TOKENS)][:WINDOWS]
        answers = [self._run(window, context) for window in windows]
        logits = np.max([said for said, _ in answers], axis=0)
        tags = np.concatenate([tags for _, tags in answers])
        return Reading(np.asarray(logits, np.float32), tuple(coded.offsets[: len(tags)]), tags)

    def _run(self, window: Sequence[int], context: Sequence[int]) -> tuple[Floats, Floats]:
        ids = [self._begin, *window, self._end, *context, *([self._end] if context else [])]
        own = len(window) + 2
        kinds = np.zeros((1, len(ids)), np.int64)
        kinds[0, own:] = 1
        said, tags = self._session.run(None, {"ids": np.array([ids], np.int64), "kinds": kinds})
        return said[0], _chances(tags[0, 1 : own - 1])


def _chances(logits: Floats) -> Floats:
    raised = np.exp(logits - logits.max(axis=1, keepdims=True)) if logits.size else logits
    return np.asarray(raised / raised.sum(axis=1, keepdims=True), np.float32) if logits.size else raised
