"""One heavy step in a process of its own, so that its memory is given back when it ends."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import llava_agent
from llava_agent.errors import WeightsError


def child_environment() -> dict[str, str]:
    """This process's environment, with this package importable and the hub switched off."""
    root = str(Path(llava_agent.__file__).resolve().parents[1])
    return os.environ | {
        "PYTHONPATH": os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])]),
        "HF_HUB_OFFLINE": "1",  # everything a step reads is on the disk already
        "TRANSFORMERS_OFFLINE": "1",
    }


def run_step(module: str, arguments: Sequence[str | Path], log: Path) -> None:
    """`python -m module arguments`; its output goes to `log`, which is named where it fails.

    Raises:
        WeightsError: the step failed; the sentence ends with the last line it printed.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        command = [sys.executable, "-m", module, *map(str, arguments)]
        ended = subprocess.run(
            command, env=child_environment(), stdout=output, stderr=output, stdin=subprocess.DEVNULL
        )
    if ended.returncode != 0:
        lines = log.read_text(errors="replace").strip().splitlines()
        why = lines[-1].removeprefix("llava_agent.errors.WeightsError: ") if lines else "it printed nothing"
        raise WeightsError(
            f"building the weights failed in {module} ({why})", f"the whole output is in {log}"
        )
