"""LLaVA checkpoints of transformers (`LlavaForConditionalGeneration`), taken apart into our three parts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from llava_agent.errors import ConfigError, WeightsError
from llava_agent.vlm.language import (
    LanguageIdentity,
    LanguageModel,
    Quantisation,
    bitsandbytes_config,
    default_dtype,
)
from llava_agent.vlm.llava import LlavaModel
from llava_agent.vlm.vision.hf_tower import HfTower, hf_preprocess
from llava_agent.vlm.vision.preprocess import ResizeMode
from llava_agent.vlm.vision.tower import TowerIdentity
from projector import Projector, ProjectorConfig


def from_llava(
    llava: Any,
    tokenizer: Any,
    name: str,
    *,
    revision: str = "",
    resize_mode: ResizeMode = "pad",
    source: str | None = None,
) -> LlavaModel:
    """Our model over the modules of a `LlavaForConditionalGeneration`; weights are shared, not copied.

    Args:
        llava: the loaded model.
        tokenizer: its tokenizer, None where text is not needed.
        name: of the checkpoint, for fingerprints.
        revision: of the checkpoint.
        resize_mode: LLaVA 1.5 was trained with `pad`.
        source: folder or hub id whose `preprocessor_config.json` gives the normalisation.

    Raises:
        ConfigError: a class token among the features, or another activation.
    """
    config = llava.config
    has_class_token = config.vision_config.model_type == "clip_vision_model"
    if config.vision_feature_select_strategy != ("default" if has_class_token else "full"):
        raise ConfigError(f"{name!r} projects the class token too", "only patch features are supported")
    if config.projector_hidden_act != "gelu":
        raise ConfigError(f"{name!r} has projector activation {config.projector_hidden_act!r}, not gelu")
    vision = llava.model.vision_tower
    tower = HfTower(
        vision,
        TowerIdentity(f"{name}/vision_tower", revision),
        hf_preprocess(vision.config, source, resize_mode),
        layer=_layers(config.vision_feature_layer),
    )
    language = LanguageModel(_causal_lm(llava), tokenizer, LanguageIdentity(name, revision)).eval()
    return LlavaModel(tower, _projector(llava.model.multi_modal_projector), language, config.image_token_id)


def load_llava(
    source: str,
    *,
    quantisation: Quantisation = "none",
    revision: str | None = None,
    device: str = "cpu",
    dtype: torch.dtype | None = None,
    resize_mode: ResizeMode = "pad",
) -> LlavaModel:
    """Load a LLaVA checkpoint (hub id or folder), e.g. `llava-hf/llava-1.5-7b-hf`.

    Only the language model is quantised: tower and projector are small and carry all that is seen.

    Raises:
        WeightsError: the weights cannot be had or are incomplete.
    """
    from transformers import AutoTokenizer, LlavaForConditionalGeneration

    dtype = dtype or default_dtype(device)
    path = Path(source).expanduser()
    name = str(path) if path.is_dir() else source
    options: dict[str, Any] = {"dtype": dtype, "device_map": {"": device}}
    if quantisation != "none":
        options["quantization_config"] = bitsandbytes_config(
            quantisation, dtype, keep=(r".*vision_tower", r".*multi_modal_projector")
        )
    try:
        tokenizer = AutoTokenizer.from_pretrained(name, revision=revision or "main")
        loaded: Any = LlavaForConditionalGeneration.from_pretrained(
            name, revision=revision or "main", output_loading_info=True, **options
        )
        llava, report = loaded
    except (OSError, ValueError) as error:
        raise WeightsError(
            f"the checkpoint {source!r} could not be loaded ({str(error).strip().splitlines()[0]})",
            "check the name and that its weights are on this machine or can be fetched",
        ) from error
    if missing := sorted(report["missing_keys"]):
        raise WeightsError(f"the checkpoint {source!r} lacks weights, first {missing[0]!r}")
    label = path.resolve().name if path.is_dir() else source
    return from_llava(llava, tokenizer, label, revision=revision or "", resize_mode=resize_mode, source=name)


def _layers(index: int | list[int]) -> int | tuple[int, ...]:
    """`hidden_states` begins with the embeddings; a tower's layers begin with its first block."""
    if not isinstance(index, int):
        return tuple(one if one < 0 else one - 1 for one in index)
    return index if index < 0 else index - 1


def _projector(theirs: Any) -> Projector:
    first, second = theirs.linear_1, theirs.linear_2
    config = ProjectorConfig("mlp2x_gelu", first.in_features, second.out_features)
    with torch.device("meta"):
        projector = Projector(config)
    projector.layers[0], projector.layers[2] = first, second
    return projector


def _causal_lm(llava: Any) -> Any:
    """The text model with its head as a causal language model of its own class, around the same modules."""
    from transformers import AutoModelForCausalLM

    with torch.device("meta"):
        model: Any = AutoModelForCausalLM.from_config(llava.config.text_config)
    setattr(model, model.base_model_prefix, llava.model.language_model)
    model.set_output_embeddings(llava.lm_head)
    left = [name for name, parameter in model.named_parameters() if parameter.is_meta]
    if left:
        raise ConfigError(
            f"the text model {type(model).__name__} keeps weights of its own, first {left[0]!r}"
        )
    return model
