"""ONNX Runtime sessions on the CPU. Every model file that the product runs is opened here."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from llava_agent.errors import WeightsError

_MEND = "fetch the weights again with: llava-agent models pull embedded"


def cores() -> int:
    """Cores that this process may use (fewer than the machine's inside a container)."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def open_session(path: Path, threads: int) -> Any:
    """An `onnxruntime.InferenceSession` on at most `threads` cores.

    Raises:
        WeightsError: the file is absent or damaged.
    """
    import onnxruntime

    if not path.is_file():
        raise WeightsError(f"there is no {path}", _MEND)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = max(1, min(threads, cores()))
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own classes derive from nothing more precise
        raise WeightsError(f"{path} cannot be loaded ({error})", _MEND) from error
