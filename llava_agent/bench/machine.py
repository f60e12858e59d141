"""What this machine can do at most, measured: the yardstick of every speed that is reported."""

from __future__ import annotations

import os
import platform
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

#: Larger than any cache, so that reading it is reading memory.
READ_BYTES = 512 * 2**20
MATRIX = 1536
TRIES = 5


@dataclass(frozen=True, slots=True)
class Machine:
    """Measured limits.

    Attributes:
        read_gb_s: reading memory, all threads together, best of several tries.
        fp32_gflop_s: matrix products in single precision, best of several tries.
        load: other runnable processes for each core when the measuring began; above ~0.2 figures are too low.
    """

    cpu: str
    cores: int
    threads: int
    read_gb_s: float
    fp32_gflop_s: float
    load: float


def measure_machine(threads: int) -> Machine:
    """Takes about two seconds on an idle machine."""
    from llava_agent.vlm.engines.session import cores

    load = os.getloadavg()[0] / cores() if hasattr(os, "getloadavg") else 0.0
    return Machine(_cpu(), cores(), threads, _read_speed(threads), _multiply_speed(), round(load, 2))


def _read_speed(threads: int) -> float:
    """GB/s; each thread reads its own part."""
    parts = [np.ones(READ_BYTES // 8 // threads, np.uint64) for _ in range(threads)]
    best = 0.0
    with ThreadPoolExecutor(threads) as pool:
        for _ in range(TRIES):
            start = time.perf_counter()
            list(pool.map(np.bitwise_or.reduce, parts))  # numpy lets go of the interpreter meanwhile
            best = max(best, sum(part.nbytes for part in parts) / (time.perf_counter() - start) / 1e9)
    return best


def _multiply_speed() -> float:
    """GFLOP/s of numpy's own BLAS."""
    a = np.random.default_rng(0).random((MATRIX, MATRIX), dtype=np.float32)
    best = 0.0
    for _ in range(TRIES):
        start = time.perf_counter()
        np.matmul(a, a)
        best = max(best, 2 * MATRIX**3 / (time.perf_counter() - start) / 1e9)
    return best


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
