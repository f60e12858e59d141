"""Load an image file safely: upright RGB pixels, or one clear sentence why not.

The number of pixels is read from the header and checked before a single pixel is decoded, so that a small
file that unpacks to gigabytes (a decompression bomb) costs nothing.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from llava_agent.errors import ImageError

#: 40 megapixels: a modern phone's photo; decoded it takes 120 MB.
MAX_PIXELS = 40_000_000
#: A file above this is not an image that a person photographs; it is refused unread.
MAX_BYTES = 200_000_000


@dataclass(frozen=True, slots=True)
class Photo:
    """One decoded image.

    Attributes:
        image: upright, RGB, 8 bits a channel, without alpha.
        sha256: of mode, size and pixels of `image` (so the same picture in PNG and BMP is the same photo).
        original_size: `(width, height)` in the file, before it was turned upright.
        format: e.g. `JPEG`, `PNG`, `HEIF`.
        notes: what was done to it, one clause each (`turned upright as its EXIF data says`).
    """

    image: Image.Image
    sha256: str
    original_size: tuple[int, int]
    format: str
    notes: tuple[str, ...] = ()


def pixel_sha256(image: Image.Image) -> str:
    """Hash of the decoded pixels, the key of every image cache."""
    digest = hashlib.sha256(f"{image.mode} {image.width}x{image.height}\n".encode())
    digest.update(image.tobytes())
    return digest.hexdigest()


def load_image(source: str | Path | bytes, max_pixels: int = MAX_PIXELS) -> Photo:
    """Load a path or the bytes of a file.

    Args:
        source: path of an image file, or its content.
        max_pixels: width x height above which the image is refused before decoding.

    Raises:
        ImageError: missing, empty, not an image, too large, or damaged.
    """
    name, content = _content(source)
    _register_heif()
    with _open(name, content) as opened:
        size, kind = opened.size, opened.format or "unknown"
        if size[0] * size[1] > max_pixels:
            raise ImageError(
                f"{name} has {size[0]}x{size[1]} pixels, above the limit of {max_pixels / 1e6:g} million",
                "scale it down first",
            )
        notes: list[str] = []
        try:
            frames = getattr(opened, "n_frames", 1)
            if frames > 1:
                notes.append(f"first of {frames} frames")
                opened.seek(0)
            opened.load()
            image = _upright(opened, notes)
            image = _rgb(image, notes)
        except Exception as error:  # decoders raise all sorts on damaged data; any of it means the same here
            raise ImageError(
                f"{name} is damaged or cut off and cannot be decoded ({_line(error)})",
                "export or copy it again",
            ) from error
    return Photo(image, pixel_sha256(image), size, kind, tuple(notes))


def _content(source: str | Path | bytes) -> tuple[str, bytes]:
    if isinstance(source, bytes):
        if not source:
            raise ImageError("the image is empty (0 bytes)", "give an image file")
        return "the image", source
    path = Path(source).expanduser()
    try:
        if path.is_dir():
            raise ImageError(f"{path} is a folder, not an image", "give the path of an image file")
        length = path.stat().st_size
        if length == 0:
            raise ImageError(f"{path} is empty (0 bytes)", "give an image file")
        if length > MAX_BYTES:
            raise ImageError(
                f"{path} has {length / 1e6:.0f} MB, above the limit of {MAX_BYTES / 1e6:.0f} MB",
                "scale it down first",
            )
        return str(path), path.read_bytes()
    except FileNotFoundError:
        raise ImageError(f"there is no file {path}", "check the path") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise ImageError(f"{path} cannot be read ({error})", "check the path and its permissions") from error


def _open(name: str, content: bytes) -> Image.Image:
    try:
        return Image.open(io.BytesIO(content))
    except Image.DecompressionBombError as error:
        raise ImageError(f"{name} has too many pixels ({error})", "scale it down first") from error
    except UnidentifiedImageError:
        raise ImageError(
            f"{name} is not an image in a known format", "give a PNG, JPEG, WebP, HEIC, TIFF, GIF or BMP file"
        ) from None
    except Exception as error:  # parsers of headers raise all sorts on damaged data
        raise ImageError(
            f"{name} has a damaged header and cannot be decoded ({_line(error)})", "export or copy it again"
        ) from error


def _line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _register_heif() -> None:
    try:
        from pillow_heif import register_heif_opener
    except ImportError:  # HEIC files then are "not an image in a known format"
        return
    register_heif_opener()


def _upright(image: Image.Image, notes: list[str]) -> Image.Image:
    try:
        turned = ImageOps.exif_transpose(image)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, SyntaxError):
        notes.append("its EXIF data is damaged and was ignored")
        return image
    if image.getexif().get(0x0112, 1) != 1:
        notes.append("turned upright as its EXIF data says")
    return turned


def _rgb(image: Image.Image, notes: list[str]) -> Image.Image:
    if image.mode == "CMYK":
        notes.append("converted from CMYK")
        return _from_cmyk(image)
    if image.has_transparency_data:
        notes.append("transparency laid on white")
        layer = image.convert("RGBA")
        ground = Image.new("RGBA", layer.size, "white")
        return Image.alpha_composite(ground, layer).convert("RGB")
    if image.mode in ("I", "I;16", "I;16B", "I;16L", "F"):
        notes.append(f"reduced from mode {image.mode} to 8 bits")
        return _eight_bits(image)
    return image.convert("RGB") if image.mode != "RGB" else image.copy()


def _from_cmyk(image: Image.Image) -> Image.Image:
    """Through the embedded colour profile where there is one: plain inversion gives garish colours."""
    profile = image.info.get("icc_profile")
    if profile:
        try:
            converted = ImageCms.profileToProfile(
                image, io.BytesIO(profile), ImageCms.createProfile("sRGB"), outputMode="RGB"
            )
            if converted is not None:
                return converted
        except ImageCms.PyCMSError:
            pass  # a broken profile: the plain conversion is still a picture
    return image.convert("RGB")


def _eight_bits(image: Image.Image) -> Image.Image:
    """Stretch the range that occurs to 0..255 (16-bit scans and float images)."""
    low, high = image.convert("F").getextrema()
    assert isinstance(low, float) and isinstance(high, float)
    scale = 255.0 / (high - low) if high > low else 0.0
    return image.convert("F").point(lambda v: v * scale - low * scale).convert("L").convert("RGB")
