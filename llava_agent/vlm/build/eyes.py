"""The embedded tower as ONNX files: region encoder and dial encoder, from the shipped weights.

Runs as `python -m llava_agent.vlm.build.eyes SHIPPED OUT`: a process of its own frees torch's memory.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from llava_agent.errors import WeightsError
from llava_agent.vlm.build.shipped import DIAL_HEAD, TOWER

if TYPE_CHECKING:
    from torch import nn

    Module = TypeVar("Module", bound=nn.Module)


def load_shipped(module: Module, path: Path) -> Module:
    """Fill `module` strictly from half-precision weights; in evaluation mode, without gradients.

    Raises:
        WeightsError: the file is absent, damaged, or of another model.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        weights = load_file(path)
        state = {name: value.to(module.state_dict()[name].dtype) for name, value in weights.items()}
        module.load_state_dict(state, strict=True)
    except (OSError, SafetensorError, RuntimeError, KeyError) as error:
        raise WeightsError(f"{path.name} cannot be loaded ({error})", "reinstall the package") from error
    return module.eval().requires_grad_(False)


def export_eyes(shipped: Path, out: Path) -> None:
    """Write `region_encoder.onnx` and `dial_encoder.onnx` into `out`, each compared with torch."""
    import torch

    from llava_agent.vlm.build.tower import export_tower
    from llava_agent.vlm.dial import DIAL_ENCODER, DIAL_SIZE
    from llava_agent.vlm.dial_encoder import DialEncoder, DialHead
    from llava_agent.vlm.eyes import REGION_ENCODER
    from llava_agent.vlm.region_encoder import RegionEncoder, new_tower
    from llava_agent.vlm.regions import CROP_SIZE

    tower = load_shipped(new_tower(), shipped / TOWER)
    sample = torch.randn(2, 3, CROP_SIZE, CROP_SIZE, generator=torch.Generator().manual_seed(0))
    export_tower(RegionEncoder(tower), sample, out / REGION_ENCODER, ("features", "embedding"))
    head = load_shipped(DialHead(), shipped / DIAL_HEAD)
    sample = torch.randn(2, 3, DIAL_SIZE, DIAL_SIZE, generator=torch.Generator().manual_seed(0))
    export_tower(DialEncoder(tower, head), sample, out / DIAL_ENCODER, ("direction", "hub"))


if __name__ == "__main__":
    export_eyes(Path(sys.argv[1]), Path(sys.argv[2]))
