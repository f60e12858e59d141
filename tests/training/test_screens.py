from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from llava_agent.errors import ConfigError, ToolError
from tests.training.screens import icon_files
from training.render.screens import render
from training.render.screens.dataset import read_screens, write_screens
from training.render.screens.render import render_screens


@pytest.fixture
def kits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Icons of our own, and no stylesheets: the browser's own look."""
    monkeypatch.setattr(render, "NODE_MODULES", tmp_path)
    with icon_files(tmp_path):
        yield tmp_path


def test_rendered_elements_lie_where_the_truth_says(kits: Path) -> None:
    plain, doubled = render_screens(range(1, 3))
    assert plain.image.size == (render.WIDTH, render.HEIGHT)
    assert doubled.image.size == (2 * render.WIDTH, 2 * render.HEIGHT)
    for screen in (plain, doubled):
        assert len(screen.placed) > 5
        pixels = np.asarray(screen.image).astype(int)
        for placed in screen.placed:
            x0, y0, x1, y1 = (
                round(side) for side in (placed.box.x0, placed.box.y0, placed.box.x1, placed.box.y1)
            )
            assert 0 <= x0 < x1 <= screen.image.width
            assert 0 <= y0 < y1 <= screen.image.height
            if placed.element.kind == "light" or placed.element.role in ("button", "text"):
                inside = pixels[y0:y1, x0:x1].reshape(-1, 3)
                assert np.ptp(inside, axis=0).max() > 10, placed.element.kind


def test_a_seed_gives_the_same_pixels(kits: Path) -> None:
    first, again = (next(iter(render_screens(range(4, 5)))) for _ in range(2))
    assert first.placed == again.placed
    np.testing.assert_array_equal(np.asarray(first.image), np.asarray(again.image))


def test_a_folder_is_written_in_shards_and_read_back(
    kits: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.render.screens.dataset.SHARD", 2)
    out = tmp_path / "screens"
    assert list(write_screens(out, 3)) == [2, 3]
    data = read_screens(out)
    assert [page.seed for page in data.pages] == [0, 1, 2]
    count = sum(len(page.elements) for page in data.pages)
    assert data.crops.shape == (count, 96, 96, 3)
    assert data.geometry.shape == (count, 6)
    assert [element.crop for page in data.pages for element in page.elements] == list(range(count))
    # What a killed run has finished is not rendered again, and what it left half done is not read.
    whole = sorted(out.iterdir())
    whole[1].rename(out / "shard-0000002.partial.npz")
    before = whole[0].stat().st_mtime_ns
    assert len(read_screens(out).pages) == 2
    assert list(write_screens(out, 3)) == [2, 3]
    assert whole[0].stat().st_mtime_ns == before
    np.testing.assert_array_equal(read_screens(out).crops, data.crops)


def test_what_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="no rendered screens"):
        read_screens(tmp_path)
    monkeypatch.setattr(render, "NODE_MODULES", tmp_path / "absent")
    with pytest.raises(ToolError, match="npm ci"):
        next(iter(render_screens(range(1))))
