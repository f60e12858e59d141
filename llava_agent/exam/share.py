"""A proportion that was counted, with its interval."""

from __future__ import annotations

import math
from dataclasses import dataclass

#: Two-sided 95 % of the normal distribution.
Z95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Share:
    """A proportion with its 95 % Wilson interval.

    Source: E. B. Wilson, Probable inference, the law of succession, and statistical inference (1927).
    """

    successes: int
    of: int

    @property
    def rate(self) -> float:
        return self.successes / self.of if self.of else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """`(0, 1)` where nothing was measured."""
        if not self.of:
            return 0.0, 1.0
        n, p = self.of, self.rate
        centre = p + Z95**2 / (2 * n)
        half = Z95 * math.sqrt(p * (1 - p) / n + Z95**2 / (4 * n**2))
        whole = 1 + Z95**2 / n
        # At the ends rounding would leave the interval a hair away from 0 or 1.
        low = 0.0 if self.successes == 0 else (centre - half) / whole
        high = 1.0 if self.successes == n else (centre + half) / whole
        return low, high

    def as_dict(self) -> dict[str, object]:
        low, high = self.interval
        return {
            "rate": round(self.rate, 4),
            "interval": [round(low, 4), round(high, 4)],
            "successes": self.successes,
            "of": self.of,
        }
