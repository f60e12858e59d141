"""A folder that `LlavaForConditionalGeneration.from_pretrained` loads."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from llava_agent.errors import ConfigError, WeightsError
from llava_agent.vlm.llava import LlavaModel, Row
from training.export.probe import picture, prompt
from training.export.vision_model import vision_model

#: Largest difference of a logit, as a fraction of the largest logit, between the model and its copy.
TOLERANCE = 1e-3


@dataclass(frozen=True, slots=True)
class Exported:
    """Attributes:
    folder: what was written.
    difference: largest difference of the logits, as a fraction of the largest one.
    """

    folder: Path
    difference: float


def export_hf(model: LlavaModel, out: Path) -> Exported:
    """Write `out` whole or not at all, after its logits were compared with the model's.

    Raises:
        ConfigError: the class has no place for a part of this model; or `out` exists.
        WeightsError: the copy computes something else.
    """
    if out.exists():
        raise ConfigError(f"{out} exists", "name a folder that does not")
    llava = to_llava(model)
    out.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name}."))
    try:
        llava.save_pretrained(part)
        model.language.tokenizer.save_pretrained(part)
        _processor(model).save_pretrained(part)
        difference = _difference(model, part)
        if not difference <= TOLERANCE:
            raise WeightsError(
                f"the copy's logits differ from the model's by {difference:.2g} (allowed {TOLERANCE:g})",
                "export with the locked package versions",
            )
        part.chmod(0o755)
        part.replace(out)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return Exported(out, difference)


def to_llava(model: LlavaModel) -> Any:
    """The model as a `LlavaForConditionalGeneration` around the same weights.

    Raises:
        ConfigError: the class has no place for a part; it is named.
    """
    from transformers import LlavaConfig, LlavaForConditionalGeneration

    _require(model)
    vision = vision_model(model)
    has_class_token = vision.config.model_type == "clip_vision_model"
    language = model.language.model
    config = LlavaConfig(
        vision_config=vision.config,
        text_config=language.config,
        image_token_index=model.placeholder,
        image_seq_length=model.projector.tokens((model.tower.grid.rows, model.tower.grid.cols)),
        vision_feature_layer=_feature_layer(model.tower.layer),
        vision_feature_select_strategy="default" if has_class_token else "full",
        projector_hidden_act="gelu",
    )
    with torch.device("meta"):
        llava: Any = LlavaForConditionalGeneration(config)
    llava.model.vision_tower = vision
    llava.model.language_model = language.get_decoder()
    llava.lm_head = language.get_output_embeddings()
    theirs = llava.model.multi_modal_projector
    theirs.linear_1, theirs.linear_2 = model.projector.layers[0], model.projector.layers[2]
    left = [name for name, parameter in llava.named_parameters() if parameter.is_meta]
    if left:
        raise ConfigError(
            f"the language model {type(language).__name__} keeps {left[0]!r} where LLaVA has none"
        )
    llava.generation_config = language.generation_config
    return llava.eval()


def _require(model: LlavaModel) -> None:
    kind = model.projector.config.kind
    if kind != "mlp2x_gelu":
        raise ConfigError(
            f"a projector of kind {kind} has no place in LlavaForConditionalGeneration", "only mlp2x_gelu has"
        )
    if model.tower.preprocessing.mode == "tiles":
        raise ConfigError(
            "LlavaForConditionalGeneration sees one view of an image, this model sees tiles",
            "use resize_mode pad",
        )
    if not model.language.head_is_plain:
        raise ConfigError(
            f"{type(model.language.model).__name__} scales or caps its logits, which LLaVA's head does not",
            "use the model through its preset",
        )


def _feature_layer(layer: int | tuple[int, ...]) -> int | list[int]:
    """As an index into `hidden_states`, whose first entry is the embeddings."""

    def index(one: int) -> int:
        return one if one < 0 else one + 1

    return index(layer) if isinstance(layer, int) else [index(one) for one in layer]


def _processor(model: LlavaModel) -> Any:
    """How transformers should bring an image to the tower's size."""
    from transformers import CLIPImageProcessor
    from transformers.models.llava import LlavaImageProcessor

    how = model.tower.preprocessing
    side = {"height": how.size, "width": how.size}
    resample = Image.Resampling.BICUBIC if how.interpolation == "bicubic" else Image.Resampling.BILINEAR
    common: dict[str, Any] = {
        "image_mean": how.mean,
        "image_std": how.std,
        "resample": resample,
        "crop_size": side,
    }
    if how.mode == "pad":
        return LlavaImageProcessor(size=side, do_pad=True, do_center_crop=False, **common)
    if how.mode == "stretch":
        return CLIPImageProcessor(size=side, do_center_crop=False, **common)
    return CLIPImageProcessor(size={"shortest_edge": how.size}, do_center_crop=True, **common)


@torch.no_grad()
def _difference(model: LlavaModel, folder: Path) -> float:
    """Load strictly, and compare the logits of a prompt with an image; 1 where the copy gives no numbers."""
    from transformers import LlavaForConditionalGeneration

    loaded: Any = LlavaForConditionalGeneration.from_pretrained(
        folder, dtype=model.language.dtype, output_loading_info=True
    )
    copy, report = loaded
    wrong = sorted([*report["missing_keys"], *report["unexpected_keys"]])
    if wrong:
        raise WeightsError(f"the copy does not load strictly, first {wrong[0]!r}")
    device = model.language.device
    image = picture(model.tower.image_size)
    batch = model.batch([Row(prompt(model.placeholder), [image])])
    everywhere = torch.ones_like(batch.ids, dtype=torch.bool)
    ours = model.language.logits_at(model.embeddings(batch), batch.mask, everywhere).float()
    pixels, _ = model.tower.preprocess(image)
    theirs = copy.to(device)(
        input_ids=batch.ids, attention_mask=batch.mask, pixel_values=pixels.to(device, copy.dtype)
    ).logits[0]
    found = ((ours - theirs.float()).abs().max() / ours.abs().max()).item()
    return found if found == found else 1.0
