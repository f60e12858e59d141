"""Darkness, blur and glare: noticed when they are there, on a photo that is good without them."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter

from llava_agent.inspection.quality import measure

PHOTOS = Path(__file__).parents[2] / "examples" / "photos"


@pytest.fixture(params=["pump", "panel", "compressor"])
def photo(request: pytest.FixtureRequest) -> Image.Image:
    return Image.open(PHOTOS / f"{request.param}.jpg").convert("RGB")


def troubles(image: Image.Image) -> list[str]:
    return [one.trouble for one in measure(image).complaints]


def test_a_good_photo_has_no_complaint(photo: Image.Image) -> None:
    assert troubles(photo) == []


def test_a_dark_photo(photo: Image.Image) -> None:
    assert troubles(ImageEnhance.Brightness(photo).enhance(0.2)) == ["dark"]


def test_a_blurred_photo(photo: Image.Image) -> None:
    found = measure(photo.filter(ImageFilter.GaussianBlur(7)))
    assert [one.trouble for one in found.complaints] == ["blurred"]
    assert found.blur > measure(photo).blur
    assert "hold the phone still" in found.complaints[0].sentence


def test_a_reflection_and_where_it_is(photo: Image.Image) -> None:
    ImageDraw.Draw(photo).ellipse((100, 100, 330, 300), fill="white")
    (one,) = measure(photo).complaints
    assert one.trouble == "glare" and one.box is not None and one.box.contains(215, 200)


def test_too_few_pixels(photo: Image.Image) -> None:
    assert "small" in troubles(photo.resize((200, 150)))


def test_a_plain_picture_is_measured_too() -> None:
    assert "blurred" in troubles(Image.new("RGB", (600, 600), (120, 120, 120)))
