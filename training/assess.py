"""What the embedded model can do on held-out renderings, beside its floors, and its calibration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from llava_agent.vlm.pointer import Calibration
from llava_agent.vlm.prompt import PromptEncoder
from training.calibrate import calibrate, calibration_error, target_confidence
from training.evaluate import blinded, examples_of, held_out_steps, random_floor, run, table
from training.pointing_model import PointingModel
from training.tasks.mixture import Sources
from training.tasks.step import Step

#: Seeds of the held-out decisions. Training counts its own up from 0.
TEST_SEED, HELD_OUT_SEED = 777_000, 777_001

#: Tasks whose answer depends on how things look.
_LOOKS = frozenset({"look point", "statement", "state", "read looks", "colour", "count", "name"})

Drawn = Sequence[tuple[Step, str]]


def assess(
    model: PointingModel,
    encoder: PromptEncoder,
    sources: Sources,
    features: Tensor,
    named: Sequence[str],
    count: int,
) -> tuple[dict[str, Any], Calibration]:
    """Accuracy by task on `count` held-out decisions, the floors, and temperatures.

    Args:
        features: `[N, feature_size]` of the crops that `sources` names.
        named: for each crop the tower's words.
    """
    drawn = held_out_steps(TEST_SEED, sources, count)

    def measured(some: Drawn, words: float) -> list[dict[str, Any]]:
        return run(model, examples_of(some, encoder, named, words), features)

    results = measured(drawn, 1.0)
    figures = {
        "test": table(results),
        "random": random_floor(examples_of(drawn, encoder, named, 1.0)),
        "blind": table(measured([(blinded(step), answer) for step, answer in drawn], 1.0)),
        "region tokens without words": table(
            measured([one for one in drawn if one[0].task == "look point"], 0.0)
        ),
        "calibration": _calibration(results),
    }
    return figures, calibrate(results)


def assess_looks(
    model: PointingModel,
    encoder: PromptEncoder,
    sources: Sources,
    features: Tensor,
    named: Sequence[str],
    count: int,
) -> dict[str, Any]:
    """Accuracy of the tasks that need eyes, among `count` decisions on screens of held-out kits."""
    drawn = [one for one in held_out_steps(HELD_OUT_SEED, sources, count) if one[0].task in _LOOKS]
    return table(run(model, examples_of(drawn, encoder, named, 1.0), features))


def _calibration(results: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Calibration error of targets on one half, without and with the temperature of the other half."""
    half = len(results) // 2
    temperature = calibrate(results[:half]).target
    before = calibration_error(*target_confidence(results[half:], 1.0))
    after = calibration_error(*target_confidence(results[half:], temperature))
    return {"temperature": temperature, "error before": before, "error after": after}
