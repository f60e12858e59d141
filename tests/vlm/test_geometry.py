import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llava_agent.errors import ConfigError
from llava_agent.vlm.vision.geometry import Grid, ImageMap
from llava_agent.vlm.vision.preprocess import Preprocess, tile_layout
from tests.vlm.towers import gradient_image

SIZE = st.integers(1, 4000)
MODES = st.sampled_from(["pad", "stretch", "crop", "tiles"])
UNIT = st.floats(0, 1, exclude_max=True)


def image_map(width: int, height: int, mode: str, size: int, cell: int) -> ImageMap:
    """The map without drawing the pixels."""
    how = Preprocess(size, mode)  # type: ignore[arg-type]
    grid = Grid(size // cell, size // cell, float(cell))
    return ImageMap(width, height, tuple(plan.view for plan in how._views(width, height)), grid)


@given(SIZE, SIZE, MODES, st.sampled_from([(32, 8), (48, 14), (224, 16)]), UNIT, UNIT)
def test_position_to_token_and_back(
    width: int, height: int, mode: str, shape: tuple[int, int], u: float, v: float
) -> None:
    mapping = image_map(width, height, mode, *shape)
    x, y = u * width, v * height
    seen = [t for view in range(len(mapping.views)) if (t := mapping.token(x, y, view)) is not None]
    for token in seen:
        box = mapping.box(token)
        assert box is not None
        slack = 1e-6 * max(width, height)
        assert box.x0 - slack <= x <= box.x1 + slack
        assert box.y0 - slack <= y <= box.y1 + slack
    if shape[0] % shape[1] == 0 and mode in ("pad", "stretch"):
        assert len(seen) == 1
    if shape[0] % shape[1] == 0 and mode == "tiles":
        assert len(seen) == min(2, len(mapping.views))  # the whole, and exactly one tile


@given(SIZE, SIZE, st.sampled_from(["pad", "stretch"]), st.sampled_from([(32, 8), (224, 16)]))
def test_cells_partition_the_image(width: int, height: int, mode: str, shape: tuple[int, int]) -> None:
    mapping = image_map(width, height, mode, *shape)
    boxes = [box for token in range(mapping.tokens) if (box := mapping.box(token))]
    assert sum(box.area for box in boxes) == pytest.approx(width * height, rel=1e-6)


@given(SIZE, SIZE, MODES, st.sampled_from([(32, 8), (224, 16)]))
def test_a_coarser_map_covers_the_same_pixels(
    width: int, height: int, mode: str, shape: tuple[int, int]
) -> None:
    fine = image_map(width, height, mode, *shape)
    coarse = fine.coarser(2)
    assert coarse.tokens * 4 == fine.tokens
    for token in range(0, fine.tokens, 5):
        box = fine.box(token)
        if box is None or box.area == 0:
            continue
        view = token // fine.grid.tokens
        around = coarse.box(coarse.token(*box.centre, view=view) or 0)
        assert around is not None
        assert around.intersection(box) == pytest.approx(box.area, rel=1e-6)


def test_crop_does_not_see_the_edges_and_pad_does() -> None:
    crop, pad = image_map(100, 50, "crop", 32, 8), image_map(100, 50, "pad", 32, 8)
    assert crop.token(2, 25) is None
    assert pad.token(2, 25) is not None
    assert pad.box(0) is None  # padding above the wide image
    assert pad.tokens_in(pad.box(4) or pytest.fail("row 1 is in the image")) == [4]


def test_positions_outside_have_no_token_and_tokens_outside_raise() -> None:
    mapping = image_map(10, 10, "pad", 32, 8)
    assert mapping.token(10, 3) is None
    assert mapping.token(-1, 3) is None
    with pytest.raises(IndexError):
        mapping.box(16)


@pytest.mark.parametrize("mode", ["pad", "stretch", "crop", "tiles"])
@pytest.mark.parametrize(("width", "height"), [(90, 40), (33, 120), (7, 5)])
def test_the_map_agrees_with_the_pixels(mode: str, width: int, height: int) -> None:
    """What a cell of the drawn canvas shows is what its box says: colours encode the position."""
    how = Preprocess(32, mode, interpolation="bilinear")  # type: ignore[arg-type]
    pixels, mapping = how(gradient_image(width, height), Grid(4, 4, 8.0))
    values = pixels * np.array(how.std)[:, None, None] + np.array(how.mean)[:, None, None]
    for token in range(mapping.tokens):
        box = mapping.box(token)
        view, cell = divmod(token, 16)
        row, col = divmod(cell, 4)
        if box is None:
            continue
        x0, y0 = mapping.views[view].to_canvas(box.x0, box.y0)
        x1, y1 = mapping.views[view].to_canvas(box.x1, box.y1)
        if x1 - x0 < 7.99 or y1 - y0 < 7.99:  # partly padding
            continue
        colour = values[view, :, row * 8 : row * 8 + 8, col * 8 : col * 8 + 8].mean((1, 2))
        assert colour[0] == pytest.approx((box.centre[0] - 0.5) / (width - 1), abs=0.04)
        assert colour[1] == pytest.approx((box.centre[1] - 0.5) / (height - 1), abs=0.04)


def test_padding_is_about_zero_after_normalisation() -> None:
    pixels, _ = Preprocess(32)(gradient_image(64, 8), Grid(4, 4, 8.0))
    assert np.abs(pixels[0, :, :8]).max() < 0.01


def test_tile_layout_uses_what_helps_and_no_more() -> None:
    assert tile_layout(20, 20, 32, 6) == (1, 1)  # small: a tile would only enlarge
    assert tile_layout(64, 32, 32, 6) == (1, 2)
    assert tile_layout(32, 96, 32, 6) == (3, 1)
    assert tile_layout(5000, 5000, 32, 6) == (2, 2)


@pytest.mark.parametrize(
    "bad", [{"size": 0}, {"size": 8, "mode": "zoom"}, {"size": 8, "interpolation": "sinc"}]
)
def test_bad_settings_are_refused(bad: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        Preprocess(**bad)  # type: ignore[arg-type]
