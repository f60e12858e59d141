"""Any torch vision module as an ONNX file, checked against torch. Needs torch."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from llava_agent.errors import WeightsError

if TYPE_CHECKING:
    from torch import Tensor, nn

OPSET = 18


def export_tower(
    module: nn.Module,
    sample: Tensor,
    path: Path,
    outputs: Sequence[str] = ("features",),
    tolerance: float = 1e-3,
) -> float:
    """Write `path` (fp32, one input `image`, any batch size) and compare it with torch on another batch size.

    Args:
        module: maps `[B, ...]` to one tensor or a tuple of as many tensors as `outputs`, batch first. It runs
            in evaluation mode and is left as it was.
        sample: `[B, ...]` example input; only its batch size may differ later.
        outputs: names of the outputs.
        tolerance: largest difference allowed, as a fraction of the output's largest absolute value.

    Returns:
        The largest difference found, in the same unit.

    Raises:
        WeightsError: ONNX Runtime computes something else than torch; then nothing is written.
    """
    import torch

    part = path.with_name(f".{path.name}.part")
    path.parent.mkdir(parents=True, exist_ok=True)
    training = module.training
    module.eval()
    try:
        with torch.inference_mode(False), torch.no_grad(), warnings.catch_warnings():
            # The newer exporter needs a package more and gains nothing for a convolutional trunk.
            warnings.simplefilter("ignore")
            torch.onnx.export(
                module, (sample,), str(part), dynamo=False, opset_version=OPSET,
                input_names=["image"], output_names=list(outputs),
                dynamic_axes={name: {0: "batch"} for name in ("image", *outputs)},
            )  # fmt: skip
        other = torch.cat([sample, sample[:1].flip(-1)])  # another batch size, other content
        difference = _difference(module, other, part)
        if not difference <= tolerance:
            raise WeightsError(
                f"the exported {path.name} differs from torch by {difference:.2g} (allowed {tolerance:g})",
                "export it with other package versions",
            )
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
        module.train(training)
    return difference


def _difference(module: nn.Module, images: Tensor, path: Path) -> float:
    import onnxruntime
    import torch

    with torch.no_grad():
        expected = module(images)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    found = session.run(None, {"image": images.numpy()})
    pairs = zip(expected if isinstance(expected, tuple | list) else (expected,), found, strict=True)
    return max(float(np.abs(want.numpy() - got).max() / np.abs(want.numpy()).max()) for want, got in pairs)
