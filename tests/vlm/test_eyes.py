import io
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from llava_agent.errors import ImageError, WeightsError
from llava_agent.vlm.eyes import REGION_ENCODER, REGION_PROJECTOR, STATISTICS, Eyes, RegionProjector
from projector.modules import Projector, ProjectorConfig
from tests.vlm.embedded_models import FEATURES, HIDDEN, ship_eyes


def png(seed: int = 0, size: tuple[int, int] = (120, 90)) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, "PNG")
    return data.getvalue()


@cache
def projectors() -> tuple[Projector, RegionProjector, np.ndarray, np.ndarray]:
    torch.manual_seed(0)
    projector = Projector(ProjectorConfig("mlp2x_gelu", 40, 32)).requires_grad_(False)
    random = np.random.default_rng(0)
    mean, std = random.normal(size=40).astype(np.float32), random.uniform(0.2, 2, 40).astype(np.float32)
    weights = {name: value.numpy() for name, value in projector.state_dict().items()}
    return projector, RegionProjector(weights, mean, std), mean, std


@given(st.integers(0, 2**31), st.floats(0.1, 30))
def test_the_projector_computes_what_torch_computes(seed: int, size: float) -> None:
    projector, loaded, mean, std = projectors()
    features = (np.random.default_rng(seed).normal(size=(3, 40)) * size).astype(np.float32)
    scaled = torch.from_numpy((features - mean) / std).clamp(-6, 6)
    expected = projector(scaled[:, None], (1, 1))[:, 0].numpy()
    np.testing.assert_allclose(loaded(features), expected, atol=1e-5)


def test_the_shipped_projector_is_the_one_that_was_saved(tmp_path: Path) -> None:
    projector = ship_eyes(tmp_path)
    features = np.random.default_rng(0).normal(size=(2, FEATURES)).astype(np.float32)
    with np.load(tmp_path / STATISTICS) as arrays:
        scaled = torch.from_numpy((features - arrays["mean"]) / arrays["std"]).clamp(-6, 6)
    expected = projector(scaled[:, None], (1, 1))[:, 0].numpy()
    np.testing.assert_allclose(RegionProjector.load(tmp_path)(features), expected, atol=1e-4)


def test_equal_pixels_in_an_equal_place_are_known_again(shipped_eyes: Path) -> None:
    eyes = Eyes(shipped_eyes / REGION_ENCODER, shipped_eyes, 1)
    box, other = (10, 10, 50, 40), (20, 10, 60, 40)
    first = eyes.see(png(), [box, other])
    assert first.encoded == 2
    assert first.tokens.shape == (2, HIDDEN)
    assert np.isfinite(first.tokens).all()
    again = eyes.see(png(), [other, box, box])
    assert again.encoded == 0
    assert again.digests == (first.digests[1], first.digests[0], first.digests[0])
    np.testing.assert_array_equal(again.tokens[:2], first.tokens[::-1])
    assert again.names == (first.names[1], first.names[0], first.names[0])
    assert first.digests[0] != first.digests[1]
    assert eyes.see(png(1), [box]).digests[0] != first.digests[0]


def test_equal_pixels_elsewhere_are_another_region(shipped_eyes: Path) -> None:
    eyes = Eyes(shipped_eyes / REGION_ENCODER, shipped_eyes, 1)
    data = io.BytesIO()
    Image.new("RGB", (100, 100), "navy").save(data, "PNG")
    seen = eyes.see(data.getvalue(), [(10, 10, 30, 30), (60, 60, 80, 80)])
    assert seen.digests[0] != seen.digests[1]
    assert np.abs(seen.tokens[0] - seen.tokens[1]).max() > 0


def test_a_region_seen_alone_is_the_region_seen_among_others(shipped_eyes: Path) -> None:
    boxes = [(0, 0, 20, 20), (30, 30, 119, 89), (5, 50, 60, 60)]
    together = Eyes(shipped_eyes / REGION_ENCODER, shipped_eyes, 1).see(png(), boxes)
    for index, box in enumerate(boxes):
        alone = Eyes(shipped_eyes / REGION_ENCODER, shipped_eyes, 1).see(png(), [box])
        np.testing.assert_allclose(alone.tokens[0], together.tokens[index], atol=1e-3)


def test_what_is_no_image_is_refused(shipped_eyes: Path) -> None:
    eyes = Eyes(shipped_eyes / REGION_ENCODER, shipped_eyes, 1)
    for data in (b"", b"no image", png()[:200]):
        with pytest.raises(ImageError):
            eyes.see(data, [(0, 0, 5, 5)])


@pytest.mark.parametrize("name", [STATISTICS, f"{REGION_PROJECTOR}/projector.safetensors"])
def test_damaged_weights_are_named(tmp_path: Path, name: str) -> None:
    ship_eyes(tmp_path)
    (tmp_path / name).write_bytes(b"PK\x03\x04 damaged")
    with pytest.raises(WeightsError, match="cannot be read"):
        RegionProjector.load(tmp_path)


def test_a_damaged_encoder_is_named(tmp_path: Path) -> None:
    path = tmp_path / "encoder.onnx"
    path.write_bytes(b"no model")
    with pytest.raises(WeightsError, match=r"encoder\.onnx cannot be loaded"):
        Eyes(path, tmp_path, 1)
