"""Confidence intervals of proportions."""

from __future__ import annotations

import math


def wilson(right: int, total: int, z: float = 1.96) -> tuple[float, float]:
    """Wilson's score interval of `right` out of `total` (95 % by default); `(0, 1)` without observations."""
    if not total:
        return 0.0, 1.0
    share = right / total
    centre = share + z * z / (2 * total)
    spread = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    scale = 1 + z * z / total
    return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)
