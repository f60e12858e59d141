"""What the embedded model can do on held-out renderings, beside its floors, and its calibration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from llava_agent.vlm.pointer import Calibration
from training.calibrate import calibrate, calibration_error, target_confidence
from training.evaluate import Drawn, Trained, blinded, by_part, held_out_steps, random_floor, table
from training.tasks.mixture import Sources
from training.untuned import untuned_results

#: Seeds of the held-out decisions. Training counts its own up from 0.
TEST_SEED, HELD_OUT_SEED = 777_000, 777_001

#: Decisions that the untuned language model is asked; each takes a pass for every line.
UNTUNED = 120

#: Tasks whose answer depends on how things look.
_LOOKS = frozenset({"look point", "statement", "state", "read looks", "colour", "count", "name"})


def assess(
    trained: Trained, sources: Sources, features: Tensor, named: Sequence[str], count: int
) -> tuple[dict[str, Any], Calibration]:
    """Accuracy by task on `count` held-out decisions, the floors, and temperatures.

    Args:
        features: `[N, feature_size]` of the crops that `sources` names.
        named: for each crop the tower's words.
    """
    drawn = held_out_steps(TEST_SEED, sources, count)

    def measured(some: Drawn, words: float = 1.0) -> dict[str, Any]:
        return table(trained.results(some, features, named, words))

    results = trained.results(drawn, features, named, 1.0)
    figures = {
        "test": table(results),
        "parts": by_part(results),
        "random": random_floor(drawn, trained.encoder),
        "blind": measured([(blinded(step), answer) for step, answer in drawn]),
        "untuned": table(untuned_results(trained.model.language, trained.encoder, drawn[:UNTUNED])),
        "region tokens without words": measured([one for one in drawn if one[0].task == "look point"], 0.0),
        "calibration": _calibration(results),
    }
    return figures, calibrate(results)


def assess_looks(
    trained: Trained, sources: Sources, features: Tensor, named: Sequence[str], count: int
) -> dict[str, Any]:
    """Accuracy of the tasks that need eyes, among `count` decisions on screens of held-out kits."""
    drawn = [one for one in held_out_steps(HELD_OUT_SEED, sources, count) if one[0].task in _LOOKS]
    return table(trained.results(drawn, features, named, 1.0))


def _calibration(results: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Calibration error of targets on one half, without and with the temperature of the other half."""
    half = len(results) // 2
    temperature = calibrate(results[:half]).target
    before = calibration_error(*target_confidence(results[half:], 1.0))
    after = calibration_error(*target_confidence(results[half:], temperature))
    return {"temperature": temperature, "error before": before, "error after": after}
