"""Intake: upright, without what the camera wrote, and whatever the file claims to be."""

from __future__ import annotations

import io
from datetime import datetime

import pytest
from PIL import ExifTags, Image

from llava_agent.errors import ImageError
from llava_agent.inspection.intake import IntakePolicy, take_in


def camera_file(kind: str = "JPEG") -> bytes:
    """A picture, red on its left and blue on its right, turned by a quarter, with time and place."""
    image = Image.new("RGB", (40, 20), "blue")
    image.paste("red", (0, 0, 20, 20))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif[ExifTags.Base.Make] = "Secret Camera"
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "2026:03:04 05:06:07"
    gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
    gps[ExifTags.GPS.GPSLatitudeRef], gps[ExifTags.GPS.GPSLatitude] = "S", (52.0, 30.0, 0.0)
    gps[ExifTags.GPS.GPSLongitudeRef], gps[ExifTags.GPS.GPSLongitude] = "E", (13.0, 15.0, 36.0)
    buffer = io.BytesIO()
    image.save(buffer, kind, exif=exif)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_nothing_of_the_camera_stays_in_the_file(kind: str) -> None:
    content = camera_file(kind)
    assert b"Secret Camera" in content
    taken = take_in(content)
    assert b"Secret Camera" not in taken.content
    with Image.open(io.BytesIO(taken.content)) as stored:
        assert not stored.getexif() and stored.size == (20, 40)
        top = stored.convert("RGB").getpixel((10, 5))
    assert isinstance(top, tuple) and top[0] > 200  # red was left, and is on top once upright
    assert taken.place is None and "its GPS position was removed" in taken.notes
    assert taken.taken == datetime(2026, 3, 4, 5, 6, 7)


def test_what_is_kept_is_the_policys_choice() -> None:
    taken = take_in(camera_file(), IntakePolicy(keep_time=False, keep_place=True))
    assert taken.taken is None and taken.place == (-52.5, 13.26)
    assert taken.about()["place"] == [-52.5, 13.26]


def test_heic_becomes_jpeg() -> None:
    import pillow_heif

    buffer = io.BytesIO()
    pillow_heif.from_pillow(Image.new("RGB", (64, 48), "green")).save(buffer)
    taken = take_in(buffer.getvalue())
    assert taken.media_type == "image/jpeg" and (taken.width, taken.height) == (64, 48)


def test_a_file_that_is_also_something_else_loses_that() -> None:
    taken = take_in(camera_file() + b"<script>alert(1)</script>PK\x03\x04")
    assert b"<script>" not in taken.content


@pytest.mark.parametrize(
    "content", [b"", b"\x00\x00\x00\x18ftypheic" + b"\x00" * 40, b"<html>", b"\x89PNG\r\n\x1a\n"]
)
def test_what_is_no_photo_is_refused(content: bytes) -> None:
    with pytest.raises(ImageError):
        take_in(content)


def test_boxes_fit_what_is_stored() -> None:
    taken = take_in(camera_file())
    again = take_in(taken.content)
    assert again.photo.image.size == taken.photo.image.size == (20, 40)
