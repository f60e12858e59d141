"""Tower and projector as llama.cpp's `mmproj` file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import Tensor

from llava_agent.errors import ConfigError
from llava_agent.vlm.llava import LlavaModel
from llava_agent.vlm.vision.tower import absolute_layers
from training.export.gguf.file import Precision, file_type, fitting, write
from training.export.vision_model import vision_model

_BLOCK = {
    "layer_norm1": "ln1",
    "layer_norm2": "ln2",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.out_proj": "attn_out",
    "mlp.fc1": "ffn_up",
    "mlp.fc2": "ffn_down",
}
_EDGES = {
    "embeddings.class_embedding": "v.class_embd",
    "embeddings.patch_embedding.weight": "v.patch_embd.weight",
    "embeddings.patch_embedding.bias": "v.patch_embd.bias",
    "embeddings.position_embedding.weight": "v.position_embd.weight",
    "pre_layrnorm.weight": "v.pre_ln.weight",
    "pre_layrnorm.bias": "v.pre_ln.bias",
}
#: Activations of the tower to whether llama.cpp's GELU stands for it; its other one is QuickGELU.
_GELU = {"quick_gelu": False, "gelu": True, "gelu_pytorch_tanh": True}


def require_vision(model: LlavaModel) -> None:
    """ConfigError with the reason where llama.cpp would see or compute something else."""
    kind, how = model.projector.config.kind, model.tower.preprocessing
    if kind != "mlp2x_gelu":
        raise ConfigError(f"llama.cpp has no projector of kind {kind}", "only mlp2x_gelu is written as GGUF")
    if how.mode != "pad":
        raise ConfigError(
            f"llama.cpp pads an image to a square, this model sees it by {how.mode!r}",
            "train with resize_mode pad",
        )
    act = vision_model(model).config.hidden_act
    if act not in _GELU:
        raise ConfigError(f"llama.cpp's towers do not know the activation {act!r}")


def write_vision(model: LlavaModel, path: Path, precision: Precision) -> None:
    """Write the blocks up to the deepest layer that is used, and the projector.

    `q8_0` is for language models: the tower is small and carries all that is seen, so it stays f16.
    """
    import gguf

    wanted: Precision = "f32" if precision == "f32" else "f16"
    vision = vision_model(model)
    config, how = vision.config, model.tower.preprocessing
    depths = absolute_layers(model.tower.layer, config.num_hidden_layers)
    writer = gguf.GGUFWriter(path, gguf.MODEL_ARCH_NAMES[gguf.MODEL_ARCH.MMPROJ])
    writer.add_type(gguf.GGUFType.MMPROJ)
    writer.add_name(model.tower.identity.id)
    writer.add_file_type(file_type(wanted))
    writer.add_clip_has_vision_encoder(True)
    writer.add_clip_projector_type("mlp")
    writer.add_vision_image_size(config.image_size)
    writer.add_vision_patch_size(config.patch_size)
    writer.add_vision_embedding_length(config.hidden_size)
    writer.add_vision_feed_forward_length(config.intermediate_size)
    writer.add_vision_projection_dim(model.projector.config.out_dim)
    writer.add_vision_block_count(depths[-1])
    writer.add_vision_head_count(config.num_attention_heads)
    writer.add_vision_attention_layernorm_eps(config.layer_norm_eps)
    writer.add_vision_image_mean(list(how.mean))
    writer.add_vision_image_std(list(how.std))
    writer.add_vision_use_gelu(_GELU[config.hidden_act])
    writer.add_array("clip.vision.feature_layer", list(depths))
    tensors = _tensors(model, vision, depths[-1])
    kinds = {name: fitting(one, wanted) for name, one in tensors.items()}
    kinds["v.position_embd.weight"] = "f32"
    write(writer, tensors, kinds)


def _tensors(model: LlavaModel, vision: Any, deepest: int) -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}
    for key, tensor in vision.state_dict().items():
        if key in _EDGES:
            found[_EDGES[key]] = tensor
        elif key.startswith("encoder.layers."):
            index, rest = key.removeprefix("encoder.layers.").split(".", 1)
            stem, part = rest.rsplit(".", 1)
            if int(index) < deepest:
                found[f"v.blk.{index}.{_BLOCK[stem]}.{part}"] = tensor
    for key, tensor in model.projector.layers.state_dict().items():  # linear layers 0 and 2
        found[f"mm.{key}"] = tensor
    return found
