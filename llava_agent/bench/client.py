"""The other end of a worker's pipes."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from llava_agent.errors import ToolError
from llava_agent.vlm.build.step import child_environment


@dataclass(frozen=True, slots=True)
class Timed:
    """One run of one prompt.

    Attributes:
        first_ms: until the first new token was there (prefill and one pick).
        tokens_per_s: of the tokens after the first.
        rss_mb: memory of the engine's whole process afterwards.
    """

    tokens: tuple[int, ...]
    first_ms: float
    tokens_per_s: float
    rss_mb: float


class Worker:
    """A running engine process; ends with the `with` block.

    Args:
        engine: `onnx` or `transformers`.
        log: what the process writes to its error output.

    Raises:
        ToolError: the process ended early.
    """

    def __init__(self, engine: str, folder: Path, threads: int, log: Path) -> None:
        self._log = log
        with log.open("wb") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "llava_agent.bench.worker", engine, str(folder), str(threads)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True,
                env=child_environment(),
            )  # fmt: skip
        try:
            self.load_s = float(self._answer()["load_s"])
        except BaseException:
            self._process.kill()
            raise

    def run(self, prompt: list[int], tokens: int) -> Timed:
        """Decode `tokens` (at least two) greedily after `prompt`."""
        answer = self._ask({"prompt": prompt, "tokens": tokens})
        times = answer["times"]
        rate = (len(times) - 1) / (times[-1] - times[0])
        return Timed(tuple(answer["tokens"]), times[0] * 1000, rate, answer["rss_mb"])

    def logits(self, prompt: list[int], file: Path) -> np.ndarray[Any, np.dtype[np.float32]]:
        """Logits `[V]` after `prompt`, handed over in `file` (`.npy`)."""
        self._ask({"prompt": prompt, "logits_to": str(file)})
        found: np.ndarray[Any, np.dtype[np.float32]] = np.load(file)
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def _ask(self, request: dict[str, object]) -> dict[str, Any]:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        except OSError:  # it ended; the answer's absence says so with its last words
            pass
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            words = self._log.read_text(errors="replace").strip().splitlines()
            raise ToolError(f"an engine's process ended early ({words[-1] if words else 'it said nothing'})")
        answer: dict[str, Any] = json.loads(line)
        return answer
