from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file

from llava_agent.errors import WeightsError
from llava_agent.vlm.pointer import WEIGHTS, Calibration, Pointer, log_softmax
from tests.vlm.embedded_models import HIDDEN, pointer_of, random_head

seeds = st.integers(0, 2**31)


def states(seed: int, count: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, HIDDEN)).astype(np.float32)


@given(seeds, st.integers(1, 6))
def test_targets_are_scored_as_in_training(seed: int, count: int) -> None:
    head, hidden = random_head(3), states(seed, count + 1)
    expected = head.target(torch.from_numpy(hidden[0]), torch.from_numpy(hidden[1:])).numpy()
    np.testing.assert_allclose(pointer_of(head).target(hidden[0], hidden[1:]), expected, rtol=1e-3, atol=1e-4)


@given(st.lists(st.floats(-50, 50, width=32), min_size=1, max_size=9), st.floats(0.3, 4))
def test_log_softmax_is_a_distribution_that_heat_flattens(scores: list[float], temperature: float) -> None:
    values = np.asarray(scores, np.float32)
    chances = np.exp(log_softmax(values, temperature))
    assert chances.sum() == pytest.approx(1, abs=1e-4)
    assert chances.max() <= np.exp(log_softmax(values, temperature / 2)).max() + 1e-5


def test_calibration_goes_to_disk_and_back(tmp_path: Path) -> None:
    assert Calibration.load(tmp_path) == Calibration()
    Calibration(1.5, 0.7, 2.0).save(tmp_path)
    assert Calibration.load(tmp_path) == Calibration(1.5, 0.7, 2.0)


@pytest.mark.parametrize("content", ['{"verb": 1', '{"heat": 2}', "[1, 2]"])
def test_a_damaged_calibration_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "calibration.json").write_text(content)
    with pytest.raises(WeightsError, match="is not a calibration"):
        Calibration.load(tmp_path)


def test_a_pointer_is_loaded_from_half_precision(tmp_path: Path) -> None:
    head = random_head(1)
    save_file({name: value.half() for name, value in head.state_dict().items()}, tmp_path / WEIGHTS)
    hidden = states(0, 4)
    np.testing.assert_allclose(
        Pointer.load(tmp_path).target(hidden[0], hidden[1:]),
        head.target(torch.from_numpy(hidden[0]), torch.from_numpy(hidden[1:])).numpy(),
        rtol=0.02,
        atol=0.05,
    )
    (tmp_path / WEIGHTS).write_bytes(b"no weights")
    with pytest.raises(WeightsError, match="cannot be read"):
        Pointer.load(tmp_path)
