"""A folder that ONNX Runtime runs without torch: the decoder of `OnnxEngine`, tower and projector in one."""

from __future__ import annotations

import dataclasses
import json
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from llava_agent.errors import ConfigError, WeightsError
from llava_agent.vlm.build.decoder import Precision, export_decoder
from llava_agent.vlm.build.embedded import LEAST_COSINE
from llava_agent.vlm.build.probe import cosines
from llava_agent.vlm.build.tower import export_tower
from llava_agent.vlm.engines.onnx_engine import OnnxEngine
from llava_agent.vlm.engines.session import open_session
from llava_agent.vlm.fusion import expand_placeholders
from llava_agent.vlm.llava import LlavaModel, Row
from llava_agent.vlm.weights.store import Manifest, Progress, quiet, room_for, whole_folder
from training.export.probe import picture, prompt

#: Tower and projector: `image` `[views, 3, H, W]` to `tokens` `[views, N, D]`.
VISION = "vision.onnx"
#: How an image is brought to that size, and the id that stands for one.
VISION_CONFIG = "vision.json"

#: Positions at the end of the probe whose logits are compared, each after a step of its own over the cache.
_STEPS = 6

#: Bytes a parameter at the largest: the fp32 folder and both copies of the exported decoder.
_BYTES = 12


@dataclass(frozen=True, slots=True)
class ExportedOnnx:
    """Attributes:
    folder: what was written.
    cosine: least cosine of the logits with the model's, over the compared positions.
    difference: largest difference of the image tokens, as a fraction of the largest one.
    """

    folder: Path
    cosine: float
    difference: float


class _Vision(nn.Module):
    def __init__(self, model: LlavaModel) -> None:
        super().__init__()
        self.tower, self.projector = model.tower, model.projector
        self._tokens = model.image_features

    def forward(self, image: Tensor) -> Tensor:
        return self._tokens(image)


def export_onnx(
    model: LlavaModel, out: Path, precision: Precision = "int8", progress: Progress = quiet
) -> ExportedOnnx:
    """Write `out` whole or not at all, after its logits were compared with the model's.

    Args:
        model: at full precision on the CPU; its language model has its adapter merged.
        precision: of the decoder; tower and projector stay fp32.

    Raises:
        ConfigError: a part has no place in these files; or `out` exists.
        WeightsError: the model builder refuses the language model, or the files compute something else.
    """
    if out.exists():
        raise ConfigError(f"{out} exists", "name a folder that does not")
    _require(model)
    room_for(out.parent, _BYTES * sum(one.numel() for one in model.parameters()))
    log = out.parent / f"{out.name}.export.log"
    log.unlink(missing_ok=True)
    scratch = tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.hf-")
    with scratch as work, whole_folder(out) as part:
        language = model.language
        progress("write the language model", 0, 4)
        language.model.save_pretrained(work, max_shard_size="10TB")  # the builder's reader wants one file
        language.tokenizer.save_pretrained(work)
        progress(f"export the {precision} decoder", 1, 4)
        export_decoder(Path(work), part, precision, log)
        language.tokenizer.save_pretrained(part)
        progress("export tower and projector", 2, 4)
        difference = _export_vision(model, part)
        progress("compare the logits", 3, 4)
        cosine = _least_cosine(model, part)
        if not cosine >= LEAST_COSINE[precision]:
            raise WeightsError(
                f"the {precision} files' logits differ from the model's (cosine {cosine:.4f}, allowed "
                f"{LEAST_COSINE[precision]})",
                "export with --precision fp32, or through its preset",
            )
        notes = {
            "made_with": f"onnxruntime-genai {version('onnxruntime-genai')}",
            "cosine": cosine,
            "difference": difference,
        }
        Manifest.of(part, {"precision": precision}, notes).save(part)
    log.unlink(missing_ok=True)
    progress("exported", 4, 4)
    return ExportedOnnx(out, cosine, difference)


def _require(model: LlavaModel) -> None:
    language = model.language
    kind = type(language.model).__name__
    if not language.head_is_plain:
        raise ConfigError(
            f"{kind} scales or caps its logits, which the ONNX engine's head does not",
            "use the model through its preset",
        )
    if "model.embed_tokens.weight" not in language.model.state_dict():
        raise ConfigError(
            f"{kind} is laid out in a way that the ONNX engine's builder does not read",
            "use the model through its preset, or a language model of Llama's layout",
        )
    if not language.tokenizer.is_fast:
        raise ConfigError(
            f"the tokenizer {type(language.tokenizer).__name__} has no tokenizer.json, which the files need",
            "use a fast tokenizer",
        )
    if language.dtype != torch.float32 or language.device.type != "cpu":
        raise ConfigError("ONNX files are made from fp32 weights on the CPU", "set device: cpu in the preset")


def _export_vision(model: LlavaModel, part: Path) -> float:
    size = model.tower.image_size
    sample = torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(0))
    # The fused kernel of torch's own attention has no ONNX operator.
    fused = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        difference = export_tower(_Vision(model), sample, part / VISION, ("tokens",))
    except torch.onnx.errors.OnnxExporterError as error:
        raise ConfigError(
            f"the tower {model.tower.identity.id!r} cannot be written as ONNX "
            f"({str(error).strip().splitlines()[0]})",
            "use the model through its preset",
        ) from error
    finally:
        torch.backends.mha.set_fastpath_enabled(fused)
    how: dict[str, Any] = {
        "preprocessing": dataclasses.asdict(model.tower.preprocessing),
        "image_token": model.placeholder,
        "tokens_per_view": model.projector.tokens((model.tower.grid.rows, model.tower.grid.cols)),
    }
    (part / VISION_CONFIG).write_text(json.dumps(how, indent=1) + "\n")
    return difference


@torch.no_grad()
def _least_cosine(model: LlavaModel, folder: Path) -> float:
    """The files and the model on one prompt with an image, the last positions one by one."""
    ids, image = prompt(model.placeholder), picture(model.tower.image_size)
    batch = model.batch([Row(ids, [image])])
    wanted = torch.zeros_like(batch.ids, dtype=torch.bool)
    wanted[:, -_STEPS:] = True
    expected = model.language.logits_at(model.embeddings(batch), batch.mask, wanted).numpy()
    pixels, _ = model.tower.preprocess(image)
    session = open_session(folder / VISION, 2)
    (tokens,) = session.run(["tokens"], {"image": pixels.numpy()})
    flat = tokens.reshape(-1, tokens.shape[-1])
    expanded = expand_placeholders(ids, [len(flat)], model.placeholder)
    engine = OnnxEngine(folder)
    embeddings = engine.embed(np.asarray(expanded.ids, np.int64))
    embeddings[np.asarray(expanded.ids) == model.placeholder] = flat
    found: list[NDArray[np.float32]] = []
    first = len(embeddings) - _STEPS + 1
    for part in (embeddings[:first], *embeddings[first:, None]):
        found.append(engine.forward(part)[1])
    return float(cosines(np.stack(found), expected).min())
