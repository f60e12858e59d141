from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file

from llava_agent.errors import WeightsError
from llava_agent.vlm.pointer import LONGEST_SPAN, WEIGHTS, Calibration, Pointer, log_softmax
from llava_agent.vlm.prompt import Quotable
from tests.vlm.embedded_models import HIDDEN, pointer_of, random_head

seeds = st.integers(0, 2**31)


def states(seed: int, count: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, HIDDEN)).astype(np.float32)


def parts(lengths: list[int]) -> list[Quotable]:
    """Parts of so many one-letter tokens, one position apart."""
    made, start = [], 1
    for index, length in enumerate(lengths):
        text = "".join(chr(97 + (start + i) % 26) for i in range(length))
        made.append(Quotable("candidate", index, start, tuple((i, i + 1) for i in range(length)), text))
        start += length + 1
    return made


@given(seeds, st.integers(1, 6))
def test_targets_are_scored_as_in_training(seed: int, count: int) -> None:
    head, hidden = random_head(3), states(seed, count + 1)
    expected = head.target(torch.from_numpy(hidden[0]), torch.from_numpy(hidden[1:])).numpy()
    np.testing.assert_allclose(pointer_of(head).target(hidden[0], hidden[1:]), expected, rtol=1e-3, atol=1e-4)


@given(seeds, st.lists(st.integers(1, 5), min_size=1, max_size=4), st.booleans())
def test_a_span_is_what_the_torch_head_chooses_step_by_step(
    seed: int, lengths: list[int], aims: bool
) -> None:
    head, sources = random_head(3), parts(lengths)
    hidden = states(seed, sources[-1].last + 2)
    query, goes = hidden[0], hidden[-1] if aims else None
    found = pointer_of(head).span(query, hidden, sources, goes)
    tensor = torch.from_numpy(hidden)
    target = torch.from_numpy(goes) if goes is not None else None
    chances = head.source(tensor[0], tensor[[part.last for part in sources]], target).softmax(-1)
    part = sources[int(chances.argmax())]
    keys = tensor[part.start : part.last + 1]
    starts = head.start(tensor[0], keys, target).softmax(-1)
    first = int(starts.argmax())
    ends = head.end(tensor[0], keys, keys[first]).softmax(-1)
    last = max(range(first, len(keys)), key=lambda i: float(ends[i]))
    assert found is not None
    assert (found.quotable, found.first, found.last) == (part, part.start + first, part.start + last)
    assert found.probability == pytest.approx(float(chances.max() * starts[first] * ends[last]), rel=1e-3)


@given(seeds, st.lists(st.integers(1, 90), min_size=1, max_size=3))
def test_a_span_lies_within_one_part_and_is_not_too_long(seed: int, lengths: list[int]) -> None:
    sources = parts(lengths)
    found = pointer_of(random_head(3)).span(
        states(seed, 1)[0], states(seed, sources[-1].last + 1), sources, None
    )
    assert found is not None
    assert found.quotable.start <= found.first <= found.last <= found.quotable.last
    assert found.last - found.first < LONGEST_SPAN
    assert 0 < found.probability <= 1
    assert found.text == found.quotable.text[found.first - found.quotable.start :][: len(found.text)]


def test_nothing_to_quote_from_gives_nothing() -> None:
    assert pointer_of(random_head(0)).span(states(0, 1)[0], states(0, 3), [], None) is None


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
