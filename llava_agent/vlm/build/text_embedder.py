"""all-MiniLM-L6-v2 as one int8 ONNX file, from its safetensors. torch runs in a process of its own.

Runs as `python -m llava_agent.vlm.build.text_embedder WEIGHTS TOKENIZER OUT`.
"""

from __future__ import annotations

import json
import shutil
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from llava_agent.errors import WeightsError
from llava_agent.vlm.build.step import run_step
from llava_agent.vlm.text_embedder import MODEL, TOKENIZER, TextEmbedder
from llava_agent.vlm.weights.store import Manifest, Progress, quiet, room_for, sha256_of, whole_folder

if TYPE_CHECKING:
    from torch import Tensor

#: Raised when the files of a built folder change, so that older folders are built again.
FORMAT = "1"

#: Width of an attention head of MiniLM; all else is told by the shapes of the weights.
HEAD = 32

#: The fp32 export and its quantised copy, at their largest.
BUILD_BYTES = 250_000_000

#: Least cosine of a probe's int8 embedding with torch's: a bound for a broken build. MiniLM reaches 0.990.
LEAST_COSINE = 0.97

#: Sentences of very different length and kind.
PROBES = (
    "Error E14: discharge pressure is too low.",
    "Close the suction valve before you open the housing, then drain the oil into a pan and wipe the magnet.",
    "42",
    "Wie oft wird der Filter gewechselt?",
    "The bearings are greased every 2000 hours or once a year, whichever comes first. " * 12,
)


def build_text_embedder(
    out_dir: Path, weights: Path, tokenizer: Path, progress: Progress = quiet
) -> Manifest:
    """Weights -> ONNX -> int8, checked against torch. `out_dir` appears whole or not at all.

    Raises:
        WeightsError: damaged weights, a full disk, or a result that does not compute what torch computes.
    """
    room_for(out_dir.parent, BUILD_BYTES)
    log = out_dir.parent / f"{out_dir.name}.build.log"
    log.unlink(missing_ok=True)
    with whole_folder(out_dir) as part:
        progress("export the text embedder", 0, 2)
        run_step("llava_agent.vlm.build.text_embedder", [weights, tokenizer, part], log)
        progress("write checksums", 1, 2)
        notes = json.loads((part / "notes.json").read_text())
        (part / "notes.json").unlink()
        manifest = Manifest.of(part, {"format": FORMAT, "source": sha256_of(weights)}, notes)
        manifest.save(part)
    log.unlink(missing_ok=True)
    progress("built", 2, 2)
    return manifest


def export(weights: Path, tokenizer: Path, out: Path) -> float:
    """Write the model and its tokenizer into `out`; gives the least cosine with torch on the probes."""
    import warnings

    import torch
    from onnxruntime.quantization import QuantType, quantize_dynamic

    module = _module(weights)
    shutil.copyfile(tokenizer, out / TOKENIZER)
    whole = out / "fp32.onnx"
    ids = torch.ones(2, 8, dtype=torch.long)
    axes = {0: "texts", 1: "tokens"}
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module, (ids, ids), str(whole), dynamo=False, opset_version=18, input_names=["ids", "mask"],
            output_names=["embedding"], dynamic_axes={"ids": axes, "mask": axes, "embedding": {0: "texts"}},
        )  # fmt: skip
    quantize_dynamic(whole, out / MODEL, weight_type=QuantType.QInt8, per_channel=True)
    whole.unlink()
    cosine = _least_cosine(module, TextEmbedder(out))
    if not cosine >= LEAST_COSINE:
        raise WeightsError(
            f"the int8 text embedder differs from torch (cosine {cosine:.3f})",
            "install the locked package versions and pull again",
        )
    return cosine


def _module(weights: Path) -> Any:
    """The encoder with its pooling: token ids and mask to unit vectors."""
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file
    from transformers import BertConfig, BertModel

    class Pooled(torch.nn.Module):
        def __init__(self, bert: BertModel) -> None:
            super().__init__()
            self.bert = bert

        def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
            states = self.bert(input_ids=ids, attention_mask=mask).last_hidden_state
            share = mask.unsqueeze(-1).to(states.dtype)
            mean = (states * share).sum(1) / share.sum(1)
            return torch.nn.functional.normalize(mean, dim=1)

    try:
        state = load_file(weights)
        state.pop("embeddings.position_ids", None)
        vocabulary, hidden = state["embeddings.word_embeddings.weight"].shape
        config = BertConfig(
            vocab_size=vocabulary,
            hidden_size=hidden,
            num_hidden_layers=sum(name.endswith("intermediate.dense.weight") for name in state),
            num_attention_heads=hidden // HEAD,
            intermediate_size=state["encoder.layer.0.intermediate.dense.weight"].shape[0],
        )
        config._attn_implementation = "eager"  # the fused kernels do not export
        bert = BertModel(config, add_pooling_layer=True)
        bert.load_state_dict(state, strict=True)
    except (OSError, SafetensorError, RuntimeError, KeyError) as error:
        raise WeightsError(f"{weights.name} cannot be loaded ({error})", "pull it again") from error
    return Pooled(bert).eval()


def _least_cosine(module: Any, embedder: TextEmbedder) -> float:
    import torch

    found = embedder.embed(list(PROBES))
    least = 1.0
    for text, vector in zip(PROBES, found, strict=True):
        ids = torch.tensor([embedder.tokens(text)])
        with torch.no_grad():
            wanted = module(ids, torch.ones_like(ids))[0].numpy()
        least = min(least, float(np.dot(wanted, vector)))
    return least


if __name__ == "__main__":
    folder = Path(sys.argv[3])
    found = export(Path(sys.argv[1]), Path(sys.argv[2]), folder)
    notes = {"cosine": round(found, 4), "made_with": f"onnxruntime {version('onnxruntime')}"}
    (folder / "notes.json").write_text(json.dumps(notes))
