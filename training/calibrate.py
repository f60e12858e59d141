"""Temperatures for the pointer, and how well its confidence is calibrated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from llava_agent.vlm.pointer import Calibration


def fit_temperature(scores: Sequence[Tensor], wanted: Sequence[int]) -> float:
    """The temperature with the least negative log likelihood on held-out choices (Guo et al., 2017).

    1 where there are none.
    """
    if not scores:
        return 1.0
    grid = np.exp(np.linspace(np.log(0.4), np.log(4.0), 60))
    losses = [
        float(np.mean([-float((s / t).log_softmax(-1)[w]) for s, w in zip(scores, wanted, strict=True)]))
        for t in grid
    ]
    return float(grid[int(np.argmin(losses))])


def calibration_error(confidence: Sequence[float], right: Sequence[bool], bins: int = 10) -> float:
    """Expected calibration error over equally wide bins of confidence (Naeini et al., 2015)."""
    chances, hits = np.asarray(confidence), np.asarray(right, dtype=float)
    place = np.minimum((chances * bins).astype(int), bins - 1)
    gaps = [
        abs(chances[place == b].mean() - hits[place == b].mean()) * (place == b).mean()
        for b in range(bins)
        if (place == b).any()
    ]
    return float(sum(gaps))


def calibrate(results: Sequence[dict[str, Any]]) -> Calibration:
    """Temperatures for verbs, targets and spans from the results of held-out examples."""
    verbs = [(r["verb_scores"], r["verb_wanted"]) for r in results]
    targets = [(r["target_scores"], r["target_wanted"]) for r in results if "target_scores" in r]
    spans = [choice for r in results for choice in r.get("span_choices", ())]
    return Calibration(
        verb=fit_temperature([torch.as_tensor(s) for s, _ in verbs], [w for _, w in verbs]),
        target=fit_temperature([s for s, _ in targets], [w for _, w in targets]),
        span=fit_temperature([s for s, _ in spans], [w for _, w in spans]),
    )


def target_confidence(
    results: Sequence[dict[str, Any]], temperature: float
) -> tuple[list[float], list[bool]]:
    """Probability of the chosen line, and whether it was right, for each result that points."""
    pointed = [r for r in results if "target_scores" in r]
    chances = [float((r["target_scores"] / temperature).softmax(-1).max()) for r in pointed]
    return chances, [bool(r["target"]) for r in pointed]
