"""The fine-tuned network as one int8 ONNX file that carries its own tokenizer."""

import tempfile
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import onnx
import torch
from net import HEADS, WIDTH, Net
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.transformers import optimizer
from tokenizers import Tokenizer

from moderator.learn.encoder import TOKENIZER
from moderator.learn.load import ENCODER, Manifest, save_bytes


def export(net: Net, tokenizer: Tokenizer, out: Path, *, day: date, facts: Mapping[str, object]) -> Manifest:
    """Write `encoder.onnx` and `encoder.json` into `out` and return the manifest.

    Attention and gelu are fused, then the weights of matrix products and embeddings are held in 7 bits a channel (reduce_range), so that
    processors without VNNI compute the same sums without overflow. One text at a time: the graph has no mask.
    """
    net.eval()
    with tempfile.TemporaryDirectory() as folder:
        plain, fused, small = (str(Path(folder) / name) for name in ("plain.onnx", "fused.onnx", "small.onnx"))
        ids = torch.arange(1_000, 1_020)[None]
        axes = {"ids": {1: "tokens"}, "kinds": {1: "tokens"}, "tags": {1: "tokens"}}
        torch.onnx.export(
            net, (ids, torch.zeros_like(ids)), plain, input_names=["ids", "kinds"], output_names=["said", "tags"], dynamic_axes=axes,
            opset_version=17, dynamo=False,
        )  # fmt: skip
        optimizer.optimize_model(plain, model_type="bert", num_heads=HEADS, hidden_size=WIDTH, opt_level=0).save_model_to_file(fused)
        extra = {"MatMulConstBOnly": True, "DefaultTensorType": onnx.TensorProto.FLOAT}
        quantize_dynamic(fused, small, weight_type=QuantType.QInt8, per_channel=True, reduce_range=True, extra_options=extra)
        model = onnx.load(small)
    onnx.helper.set_model_props(model, {TOKENIZER: tokenizer.to_str()})
    return save_bytes(model.SerializeToString(deterministic=True), out, f"{ENCODER}.onnx", date=day.isoformat(), facts=facts)
