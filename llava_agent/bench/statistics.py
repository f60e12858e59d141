"""Medians with intervals, by resampling: no assumption about how timings are distributed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

RESAMPLES = 4000


@dataclass(frozen=True, slots=True)
class Interval:
    """A median and its 95 % bootstrap interval."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:.3g} [{self.low:.3g}, {self.high:.3g}]"


def median_interval(values: Sequence[float], seed: int = 0) -> Interval:
    """Of at least one value; the same seed gives the same interval."""
    array = np.asarray(values, np.float64)
    if array.size == 0:
        raise ValueError("a median needs a value")
    drawn = np.random.default_rng(seed).choice(array, (RESAMPLES, array.size))
    low, high = np.quantile(np.median(drawn, axis=1), [0.025, 0.975])
    return Interval(float(np.median(array)), float(low), float(high))
