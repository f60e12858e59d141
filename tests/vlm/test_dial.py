import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from PIL import Image

from llava_agent.errors import WeightsError
from llava_agent.vlm.build.tower import export_tower
from llava_agent.vlm.dial import (
    BINS,
    DIAL_ENCODER,
    DIAL_SIZE,
    DialReader,
    DialReading,
    fit_scale,
    peak,
    read_scale,
    turn,
)
from llava_agent.vlm.dial_encoder import DialEncoder, DialHead
from llava_agent.vlm.region_encoder import new_tower
from tools.geometry import Box

#: Bin in which the needle of the steady encoder lies: 92.5 degrees clockwise from up.
BIN = 18
BOX = Box(20, 10, 120, 110)


@dataclass(frozen=True)
class Printed:
    """A text line as OCR gives it."""

    text: str
    box: Box


def printed(text: str, degrees: float, radius: float = 35) -> Printed:
    """Text on the dial in `BOX`, at degrees clockwise from up."""
    x = 70 + radius * math.sin(math.radians(degrees))
    y = 60 - radius * math.cos(math.radians(degrees))
    return Printed(text, Box(x - 4, y - 3, x + 4, y + 3))


@pytest.fixture(scope="module")
def steady(tmp_path_factory: pytest.TempPathFactory) -> DialReader:
    """A reader over a real encoder whose head sees one direction in every picture."""
    torch.manual_seed(0)
    head = DialHead().requires_grad_(False)
    head.direction.weight.zero_()
    head.direction.bias.copy_(torch.full((BINS,), -20.0).index_fill(0, torch.tensor([BIN]), 5.0))
    head.hub.weight.zero_()
    head.hub.bias.zero_()
    path = tmp_path_factory.mktemp("dial") / DIAL_ENCODER
    export_tower(
        DialEncoder(new_tower(), head), torch.randn(1, 3, DIAL_SIZE, DIAL_SIZE), path, ("direction", "hub")
    )
    return DialReader(path, 1)


def photo() -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (130, 160, 3), dtype=np.uint8))


def test_a_dial_is_read_against_its_own_numerals(steady: DialReader) -> None:
    needle = steady.needle(photo(), BOX)
    assert math.degrees(needle.angle) == pytest.approx((BIN + 0.5) * 360 / BINS, abs=0.1)
    assert needle.hub == pytest.approx((70, 60), abs=0.1)
    marks = [printed(str(value), -135 + 27 * value) for value in range(0, 11, 2)]
    reading = steady.read(photo(), BOX, [*marks, printed("bar", 180, 10), Printed("99", Box(0, 120, 9, 128))])
    assert reading is not None
    assert reading.value == pytest.approx((92.5 + 135) / 27, abs=0.02)
    assert reading.unit == "bar"
    assert reading.text == "8.43 bar"
    assert reading.confidence == pytest.approx(needle.confidence)


def test_a_misread_numeral_costs_confidence_and_not_the_value(steady: DialReader) -> None:
    marks = [
        printed(text, degrees)
        for text, degrees in (("0", -135), ("5", -45), ("1O", 45), ("95", 90), ("15", 135))
    ]
    reading = steady.read(photo(), BOX, marks)
    assert reading is not None
    assert reading.value == pytest.approx(5 / 90 * (92.5 + 135), abs=0.05)
    assert reading.confidence == pytest.approx(steady.needle(photo(), BOX).confidence * 3 / 4)


def test_without_a_scale_nothing_is_read(steady: DialReader) -> None:
    assert steady.read(photo(), BOX, []) is None
    assert steady.read(photo(), BOX, [printed("10", 40)]) is None
    assert steady.read(photo(), BOX, [printed("10", -90), printed("4", 90)]) is None


def test_a_dial_at_the_image_edge_is_read_too(steady: DialReader) -> None:
    assert steady.needle(photo(), Box(-30, -20, 60, 40)).confidence > 0.9
    assert steady.needle(photo(), Box(150, 120, 151, 121)).confidence > 0.9


def test_where_no_needle_is_seen_nothing_is_read(shipped_eyes: Path) -> None:
    """Random weights spread their guesses over all directions."""
    reader = DialReader(shipped_eyes / DIAL_ENCODER, 1)
    assert reader.needle(photo(), BOX).confidence < 0.2
    assert reader.read(photo(), BOX, [printed("0", -135), printed("10", 135)]) is None


def test_a_damaged_encoder_is_named(tmp_path: Path) -> None:
    (tmp_path / DIAL_ENCODER).write_bytes(b"no model")
    with pytest.raises(WeightsError, match="cannot be loaded"):
        DialReader(tmp_path / DIAL_ENCODER)


@given(st.floats(-3.1, 3.1), st.floats(0.3, 1.5))
def test_the_peak_is_found_between_bins_and_across_the_seam(angle: float, width: float) -> None:
    centres = (np.arange(BINS) + 0.5) * 2 * math.pi / BINS
    away = (centres - angle + math.pi) % (2 * math.pi) - math.pi
    found, confidence = peak((-0.5 * (away * BINS / (2 * math.pi) / width) ** 2).astype(np.float32))
    assert abs((found - angle + math.pi) % (2 * math.pi) - math.pi) < math.radians(1.5)
    assert 0.85 < confidence <= 1.001


def test_a_flat_peak_is_no_peak() -> None:
    assert peak(np.zeros(BINS, np.float32))[1] == pytest.approx(5 / BINS)


def test_turn_grows_along_a_scale_with_its_gap_below() -> None:
    turns = [turn(math.radians(degrees)) for degrees in range(-170, 171, 20)]
    assert turns == sorted(turns)
    assert 0 <= min(turns) <= max(turns) < 2 * math.pi


@given(
    first=st.floats(-50, 500),
    step=st.floats(0.1, 100),
    gap=st.floats(25, 60),
    count=st.integers(4, 6),
    wrong=st.lists(st.tuples(st.floats(0, 1), st.floats(-3, 3)), max_size=1),
    at=st.floats(0, 1),
)
def test_a_scale_is_fitted_through_a_misread_numeral(
    first: float, step: float, gap: float, count: int, wrong: list[tuple[float, float]], at: float
) -> None:
    start = math.radians(30)
    true = [(start + math.radians(gap) * i, first + step * i) for i in range(count)]
    span = true[-1][0] - true[0][0]
    misread = [(start + place * span, first - (2 + abs(off)) * step * count) for place, off in wrong]
    scale = fit_scale([*misread, *true])
    assert scale is not None
    assert [mark for mark in scale if mark in true] == true
    assume(not [mark for mark in scale if mark in misread])
    turned = start + at * span
    assert read_scale(scale, turned) == pytest.approx(
        first + step * (turned - start) / math.radians(gap), rel=1e-3, abs=1e-3
    )


@given(st.lists(st.tuples(st.floats(0, 6.28), st.floats(-1e4, 1e4)), max_size=8), st.floats(0, 6.28))
def test_any_numerals_give_a_finite_value_or_none(marks: list[tuple[float, float]], at: float) -> None:
    scale = fit_scale(marks)
    if scale is None:
        return
    assert len(scale) >= 2
    assert scale == sorted(scale)
    assert set(scale) <= set(marks)
    assert math.isfinite(read_scale(scale, at))


@given(st.lists(st.floats(0, 6.2), min_size=2, max_size=6, unique=True), st.floats(1, 9))
def test_a_scale_that_falls_is_no_scale(turns: list[float], step: float) -> None:
    falling = [(t, -step * i) for i, t in enumerate(sorted(turns))]
    assert fit_scale(falling) is None


def test_a_reading_is_written_with_three_digits() -> None:
    assert DialReading(6.1849, "bar", 1, 0).text == "6.18 bar"
    assert DialReading(120.0, "", 1, 0).text == "120"
