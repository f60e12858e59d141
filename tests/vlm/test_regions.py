import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from llava_agent.vlm.regions import (
    CONTEXT,
    MAX_SQUEEZE,
    MEAN,
    STD,
    crop_regions,
    crop_window,
    geometry,
    normalise,
)

sides = st.floats(0, 300, width=32)
boxes = st.tuples(sides, sides, sides, sides).map(
    lambda b: (min(b[0], b[2]), min(b[1], b[3]), max(b[0], b[2]), max(b[1], b[3]))
)


def picture(width: int = 200, height: int = 160) -> Image.Image:
    """Red to the right, green downwards, so that a pixel tells where it comes from."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[..., 0] = np.arange(width) * 255 // width
    pixels[..., 1] = (np.arange(height) * 255 // height)[:, None]
    return Image.fromarray(pixels)


@given(boxes)
def test_a_window_shows_the_box_with_its_surroundings_and_is_never_squeezed_much(
    box: tuple[float, ...],
) -> None:
    x0, y0, x1, y1 = crop_window(box)
    assert (x0 + x1) / 2 == pytest.approx((box[0] + box[2]) / 2, abs=1e-3)
    assert (y0 + y1) / 2 == pytest.approx((box[1] + box[3]) / 2, abs=1e-3)
    assert x1 - x0 >= max(box[2] - box[0], 1) * CONTEXT - 1e-3
    assert y1 - y0 >= max(box[3] - box[1], 1) * CONTEXT - 1e-3
    ratio = (x1 - x0) / (y1 - y0)
    assert 1 / MAX_SQUEEZE - 1e-3 <= ratio <= MAX_SQUEEZE + 1e-3


def test_a_crop_inside_the_image_is_a_plain_resize_of_its_window() -> None:
    box = (80, 60, 120, 100)
    expected = picture().resize((32, 32), Image.Resampling.BILINEAR, box=crop_window(box), reducing_gap=2.0)
    np.testing.assert_array_equal(crop_regions(picture(), [box], 32)[0], np.asarray(expected))


@settings(max_examples=20)
@given(boxes)
def test_beyond_the_edge_the_edge_goes_on(box: tuple[float, ...]) -> None:
    """The same crop of an image whose edges were repeated far enough around it."""
    image = picture()
    around = 800
    wide = Image.fromarray(np.pad(np.asarray(image), ((around, around), (around, around), (0, 0)), "edge"))
    moved = tuple(value + around for value in box)
    near = crop_regions(image, [box], 24)[0].astype(int)
    far = crop_regions(wide, [moved], 24)[0].astype(int)
    assert np.abs(near - far).max() <= 6  # the resize may sum in another order


def test_an_edge_crop_holds_no_invented_colour() -> None:
    plain = Image.new("RGB", (50, 40), (10, 200, 30))
    crops = crop_regions(plain, [(0, 0, 4, 4), (45, 35, 50, 40), (-20, -20, -10, -10), (0, 0, 50, 40)])
    assert (crops == np.array([10, 200, 30])).all()


def test_no_boxes_give_no_crops() -> None:
    assert crop_regions(picture(), []).shape == (0, 96, 96, 3)
    assert geometry([], (10, 10)).shape == (0, 6)


@given(boxes)
def test_geometry_tells_place_and_size(box: tuple[float, ...]) -> None:
    cx, cy, width, height, area, aspect = geometry([box], (400, 300))[0]
    w, h = max(box[2] - box[0], 1), max(box[3] - box[1], 1)
    assert ((cx + 0.5) * 400, (cy + 0.5) * 300) == pytest.approx(
        ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2), abs=0.1
    )
    assert (width * 400, height * 300) == pytest.approx((w, h), rel=1e-3)
    assert np.exp(2 * (area - 3)) == pytest.approx(w * h / (400 * 300), rel=1e-2)
    assert np.exp(aspect) == pytest.approx(w / h, rel=1e-2)


def test_normalising_can_be_undone() -> None:
    crops = np.random.default_rng(0).integers(0, 256, (2, 5, 4, 3), dtype=np.uint8)
    values = normalise(crops)
    assert values.shape == (2, 3, 5, 4)
    assert values.dtype == np.float32
    back = values.transpose(0, 2, 3, 1) * STD + MEAN
    np.testing.assert_array_equal(np.rint(back * 255).astype(np.uint8), crops)
