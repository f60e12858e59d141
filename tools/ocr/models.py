"""The model files inside RapidOCR's wheel, and sessions on them."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from llava_agent.errors import ToolError

DETECTION = "PP-OCRv6_det_small.onnx"
RECOGNITION = "PP-OCRv6_rec_small.onnx"


def open_model(name: str, threads: int) -> Any:
    """An `onnxruntime.InferenceSession` that runs on `threads` cores; with one, in the thread that calls.

    Raises:
        ToolError: RapidOCR or its model is not installed.
    """
    spec = find_spec("rapidocr")  # found, not imported
    if spec is None or spec.origin is None:
        raise ToolError("the package rapidocr is not installed", "run `pip install rapidocr`")
    path = Path(spec.origin).parent / "models" / name
    if not path.is_file():
        raise ToolError(
            f"the installed rapidocr has no model {name}", "run `pip install --force-reinstall rapidocr`"
        )
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
