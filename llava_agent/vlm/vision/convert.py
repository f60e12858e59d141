"""An open_clip ViT as a `CLIPVisionModel` of transformers: the same weights, another layout."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from llava_agent.errors import ConfigError

_BLOCK = {
    "ln_1": "layer_norm1",
    "ln_2": "layer_norm2",
    "attn.out_proj": "self_attn.out_proj",
    "mlp.c_fc": "mlp.fc1",
    "mlp.c_proj": "mlp.fc2",
}


def open_clip_to_hf(visual: Any) -> Any:
    """Build a `CLIPVisionModel` from the image tower of an open_clip ViT, loading every weight strictly.

    The projection into the contrastive space has no place in that class and is left out.

    Raises:
        ConfigError: the tower is not a plain CLIP ViT.
    """
    from transformers import CLIPVisionConfig, CLIPVisionModel

    if (
        type(visual).__name__ != "VisionTransformer"
        or visual.attn_pool is not None
        or visual.pool_type != "tok"
    ):
        raise ConfigError(
            f"{type(visual).__name__} is not a plain CLIP ViT", "only those have a CLIPVisionModel"
        )
    first = visual.transformer.resblocks[0]
    quick = type(first.mlp.gelu).__name__ == "QuickGELU"
    config = CLIPVisionConfig(
        hidden_size=visual.conv1.out_channels,
        intermediate_size=first.mlp.c_fc.out_features,
        projection_dim=visual.output_dim,
        num_hidden_layers=len(visual.transformer.resblocks),
        num_attention_heads=first.attn.num_heads,
        image_size=visual.image_size[0],
        patch_size=visual.patch_size[0],
        hidden_act="quick_gelu" if quick else "gelu",
        layer_norm_eps=visual.ln_post.eps,
    )
    model = CLIPVisionModel(config)
    state = _rename(visual.state_dict())
    missing, unexpected = model.load_state_dict(state, strict=False)
    # `position_ids` is a constant buffer that some versions keep in the state.
    missing = [key for key in missing if not key.endswith("position_ids")]
    if missing or unexpected:
        raise ConfigError(
            f"this tower has parts that CLIPVisionModel lacks: {', '.join([*missing, *unexpected][:3])}",
            "only plain CLIP ViTs can be converted",
        )
    return model.eval()


def _rename(state: dict[str, Tensor]) -> dict[str, Tensor]:
    out = {
        "embeddings.class_embedding": state["class_embedding"],
        "embeddings.position_embedding.weight": state["positional_embedding"],
        "embeddings.patch_embedding.weight": state["conv1.weight"],
    }
    for part in ("weight", "bias"):
        out[f"pre_layrnorm.{part}"] = state[f"ln_pre.{part}"]
        out[f"post_layernorm.{part}"] = state[f"ln_post.{part}"]
    for key, value in state.items():
        if not key.startswith("transformer.resblocks."):
            continue
        index, name = key.removeprefix("transformer.resblocks.").split(".", 1)
        prefix = f"encoder.layers.{index}"
        if name.startswith("attn.in_proj_"):
            part = name.removeprefix("attn.in_proj_")
            for letter, chunk in zip("qkv", torch.chunk(value, 3), strict=True):
                out[f"{prefix}.self_attn.{letter}_proj.{part}"] = chunk
            continue
        stem, part = name.rsplit(".", 1)
        out[f"{prefix}.{_BLOCK.get(stem, stem)}.{part}"] = value
    return out
