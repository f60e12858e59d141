"""Tiny random towers of the real classes."""

from pathlib import Path

import open_clip
import torch
from PIL import Image

from llava_agent.vlm.vision.open_clip_tower import OpenClipTower
from llava_agent.vlm.vision.preprocess import Preprocess
from llava_agent.vlm.vision.tower import TowerIdentity

VIT = {
    "embed_dim": 16,
    "quick_gelu": True,
    "vision_cfg": {"image_size": 32, "layers": 3, "width": 32, "patch_size": 8, "head_width": 16},
    "text_cfg": {"context_length": 8, "vocab_size": 64, "width": 16, "heads": 1, "layers": 1},
}


def tiny_clip(quick_gelu: bool = True) -> open_clip.CLIP:
    torch.manual_seed(0)
    return open_clip.CLIP(**(VIT | {"quick_gelu": quick_gelu})).eval()


def tiny_tower(layer: int = -2, mode: str = "pad") -> OpenClipTower:
    return OpenClipTower(
        tiny_clip().visual,
        TowerIdentity("vit-tiny"),
        Preprocess(32, mode),
        layer=layer,  # type: ignore[arg-type]
    )


def save_open_clip(folder: Path, quick_gelu: bool = True) -> Path:
    """A local open_clip folder with the tiny ViT."""
    import json

    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    config = {
        "model_cfg": VIT | {"quick_gelu": quick_gelu},
        "preprocess_cfg": {"mean": [0.5, 0.4, 0.3], "std": [0.2, 0.2, 0.2], "interpolation": "bilinear"},
    }
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    state = {key: value.contiguous() for key, value in tiny_clip(quick_gelu).state_dict().items()}
    save_file(state, str(folder / "open_clip_model.safetensors"))
    return folder


def gradient_image(width: int, height: int) -> Image.Image:
    """Red grows to the right, green downwards, blue is constant."""
    image = Image.new("RGB", (width, height))
    image.putdata(
        [
            (255 * x // max(1, width - 1), 255 * y // max(1, height - 1), 99)
            for y in range(height)
            for x in range(width)
        ]
    )
    return image
