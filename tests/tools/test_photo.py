"""Images of every kind that people hand in, good and bad."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from llava_agent.errors import ImageError
from tools.photo import load_image, pixel_sha256


def _bytes(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)  # type: ignore[arg-type]
    return buffer.getvalue()


def _gradient(width: int = 40, height: int = 30) -> Image.Image:
    ramp = Image.linear_gradient("L").resize((width, height))
    return Image.merge("RGB", (ramp, ramp.rotate(180), ramp.transpose(Image.Transpose.FLIP_LEFT_RIGHT)))


def test_the_same_pixels_are_the_same_photo_in_every_format(tmp_path: Path) -> None:
    image = _gradient()
    hashes = {load_image(_bytes(image, kind)).sha256 for kind in ("PNG", "BMP", "TIFF")}
    assert hashes == {pixel_sha256(image)}
    path = tmp_path / "a.png"
    path.write_bytes(_bytes(image, "PNG"))
    photo = load_image(path)
    assert (photo.format, photo.original_size, photo.notes) == ("PNG", (40, 30), ())
    assert photo.image.mode == "RGB"
    assert load_image(_bytes(image.rotate(180), "PNG")).sha256 != photo.sha256


def test_exif_rotation_is_undone() -> None:
    image = Image.new("RGB", (40, 30), "white")
    image.paste((200, 0, 0), (0, 0, 10, 30))  # red at the left
    exif = Image.Exif()
    exif[0x0112] = 6  # must be turned clockwise to be upright
    photo = load_image(_bytes(image, "JPEG", exif=exif, quality=95))
    assert photo.image.size == (30, 40) and photo.original_size == (40, 30)
    red = photo.image.getpixel((15, 2))
    assert isinstance(red, tuple) and red[0] > 150 and red[1] < 60  # now at the top
    assert photo.notes == ("turned upright as its EXIF data says",)


def test_cmyk_transparency_depth_and_frames() -> None:
    cmyk = load_image(_bytes(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG"))
    red = cmyk.image.getpixel((4, 4))
    assert isinstance(red, tuple) and red[0] > 180 and red[1] < 80 and cmyk.notes == ("converted from CMYK",)
    clear = load_image(_bytes(Image.new("RGBA", (8, 8), (0, 0, 0, 0)), "PNG"))
    assert clear.image.getpixel((0, 0)) == (255, 255, 255)
    assert clear.notes == ("transparency laid on white",)
    palette = Image.new("P", (8, 8))
    palette.info["transparency"] = 0
    assert load_image(_bytes(palette, "PNG", transparency=0)).image.getpixel((0, 0)) == (255, 255, 255)
    deep = Image.new("I;16", (2, 1))
    deep.putpixel((0, 0), 1000)
    deep.putpixel((1, 0), 3000)
    levels = load_image(_bytes(deep, "PNG")).image
    assert (levels.getpixel((0, 0)), levels.getpixel((1, 0))) == ((0, 0, 0), (255, 255, 255))
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    moving = load_image(_bytes(frames[0], "GIF", save_all=True, append_images=frames[1:]))
    assert moving.notes[0] == "first of 2 frames" and moving.image.getpixel((0, 0)) == (255, 0, 0)


def test_heic() -> None:
    pillow_heif = pytest.importorskip("pillow_heif")
    pillow_heif.register_heif_opener()
    photo = load_image(_bytes(_gradient(64, 48), "HEIF", quality=90))
    assert photo.format == "HEIF" and photo.image.size == (64, 48)


def test_a_decompression_bomb_is_refused_before_decoding() -> None:
    # A PNG of 60,000 x 60,000 pixels in a hundred bytes, without pixel data.
    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + head
    bomb = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    chunk = b"IDAT" + zlib.compress(b"")
    bomb += struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    with pytest.raises(ImageError, match=r"too many pixels|above the limit"):
        load_image(bomb)
    with pytest.raises(ImageError, match=r"40x30 pixels, above the limit of 0.001 million: scale it down"):
        load_image(_bytes(_gradient(), "PNG"), max_pixels=1000)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", r"empty \(0 bytes\)"),
        (b"hello, this is text", "not an image in a known format"),
        (b"%PDF-1.7 no image", "not an image in a known format"),
        (_bytes(_gradient(400, 300), "JPEG")[:2000], "damaged or cut off"),
        (_bytes(_gradient(400, 300), "PNG")[:300], "damaged or cut off"),
    ],
)
def test_bad_content_gets_one_sentence(tmp_path: Path, content: bytes, complaint: str) -> None:
    path = tmp_path / "bad.jpg"
    path.write_bytes(content)
    for source in (content, path):
        with pytest.raises(ImageError, match=complaint) as caught:
            load_image(source)
        assert "\n" not in str(caught.value)
    assert caught.value.what.startswith(str(path))


def test_bad_paths(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="there is no file"):
        load_image(tmp_path / "absent.png")
    with pytest.raises(ImageError, match="is a folder"):
        load_image(tmp_path)
    with pytest.raises(ImageError, match="cannot be read"):
        load_image("nul\0byte.png")


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow warns of what it skips
@given(st.sampled_from(["PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP"]), st.data())
def test_damage_never_escapes_as_another_error(kind: str, data: st.DataObject) -> None:
    content = bytearray(_bytes(_gradient(), kind))
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(1, len(content)))
    try:
        photo = load_image(bytes(content[:cut]))
    except ImageError:
        return
    assert photo.image.mode == "RGB" and photo.image.width * photo.image.height > 0
