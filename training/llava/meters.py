"""What a run tells while it goes on."""

from __future__ import annotations

import json
import resource
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch


@dataclass(slots=True)
class Meter:
    """Counts between two lines of the log.

    Attributes:
        real, padded: positions with and without padding.
        supervised: positions that the loss counted.
        samples: of this process.
    """

    real: int = 0
    padded: int = 0
    supervised: int = 0
    samples: int = 0
    _start: float = field(default_factory=time.perf_counter)

    def line(self, waited: float, device: str) -> dict[str, Any]:
        """Rates since the meter was made; `waited` seconds of it went to data."""
        seconds = max(1e-9, time.perf_counter() - self._start)
        return {
            "seconds": round(seconds, 3),
            "samples_per_s": round(self.samples / seconds, 3),
            "tokens_per_s": round(self.real / seconds, 1),
            "padding": round(1 - self.real / max(1, self.padded), 4),
            "supervised": round(self.supervised / max(1, self.real), 4),
            "data_wait": round(waited / seconds, 4),
            "peak_mb": round(peak_megabytes(device), 1),
        }


def peak_megabytes(device: str) -> float:
    """Most memory so far: of the GPU, or of the process on a CPU."""
    if device.startswith("cuda"):
        return torch.cuda.max_memory_allocated(device) / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def told(line: dict[str, Any]) -> str:
    """A line of the log for a person."""
    return (
        f"step {line['step']}/{line['steps']}  loss {line['loss']:.4f}  {line['tokens_per_s']:.0f} tokens/s  "
        f"padding {line['padding']:.0%}  supervised {line['supervised']:.0%}  "
        f"data wait {line['data_wait']:.0%}  peak {line['peak_mb']:.0f} MB"
    )


def append(path: Path, line: dict[str, Any]) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def read_metrics(path: Path, up_to: int | None = None) -> list[dict[str, Any]]:
    """Whole lines of a log, those up to a step where one is given."""
    lines = []
    if path.exists():
        for text in path.read_text(encoding="utf-8").splitlines():
            try:
                line = json.loads(text)
            except ValueError:
                continue  # cut off by a kill
            if up_to is None or line["step"] <= up_to:
                lines.append(line)
    return lines


def draw_curves(metrics: list[dict[str, Any]], path: Path) -> None:
    """Loss, learning rates and speed over the steps, as a PNG."""
    from matplotlib.figure import Figure

    steps = [line["step"] for line in metrics]
    figure = Figure(figsize=(9, 9), layout="constrained")
    loss, rate, speed = figure.subplots(3, 1, sharex=True)
    loss.plot(steps, [line["loss"] for line in metrics])
    loss.set_ylabel("loss")
    for part in metrics[0]["rates"] if metrics else ():
        rate.plot(steps, [line["rates"][part] for line in metrics], label=part)
        rate.legend()
    rate.set_ylabel("learning rate")
    speed.plot(steps, [line["tokens_per_s"] for line in metrics])
    speed.set_ylabel("tokens/s")
    speed.set_xlabel("step")
    partial = path.with_name(f".{path.stem}.part.png")
    figure.savefig(partial, dpi=90)
    partial.replace(path)
