"""Take a photo in: decoded, turned upright, written anew without what the camera put beside the pixels."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from PIL import ExifTags, Image

from tools.photo import Photo, load_image

#: JPEG quality of what is stored; no difference is seen or measured at the edges of letters.
_QUALITY = 95
#: Formats that lose nothing; they are stored as PNG.
_LOSSLESS = frozenset({"PNG", "BMP", "TIFF", "GIF"})
_TAKEN = ExifTags.Base.DateTimeOriginal


@dataclass(frozen=True, slots=True)
class IntakePolicy:
    """What may be kept of a photo beside its pixels. Nothing of it stays inside the image file.

    Attributes:
        keep_time: note when it was taken, as the camera's clock says.
        keep_place: note the GPS position. Off, since it tells where people were.
    """

    keep_time: bool = True
    keep_place: bool = False


@dataclass(frozen=True, slots=True)
class TakenIn:
    """A photo as it is stored.

    Attributes:
        photo: decoded from `content`, so that boxes fit what is shown.
        content: PNG or JPEG, with pixels alone.
        taken: by the camera's own clock, without a zone; None where unknown or not kept.
        place: (latitude, longitude) in degrees; None where unknown or not kept.
        notes: what was done to it, one clause each.
    """

    photo: Photo
    content: bytes
    media_type: str
    taken: datetime | None = None
    place: tuple[float, float] | None = None
    notes: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        return self.photo.image.width

    @property
    def height(self) -> int:
        return self.photo.image.height

    def about(self) -> dict[str, Any]:
        """For the store, as JSON."""
        return {
            "media_type": self.media_type,
            "taken": self.taken.isoformat() if self.taken else None,
            "place": list(self.place) if self.place else None,
            "notes": list(self.notes),
        }


def take_in(source: bytes | Path, policy: IntakePolicy | None = None) -> TakenIn:
    """Decode a file and write it anew.

    Raises:
        ImageError: not an image in a known format, damaged, or too large.
    """
    policy = policy or IntakePolicy()
    photo = load_image(source)
    taken, place, removed = _beside(source, policy)
    lossless = photo.format in _LOSSLESS
    buffer = io.BytesIO()
    if lossless:
        photo.image.save(buffer, "PNG", compress_level=3)
    else:
        photo.image.save(buffer, "JPEG", quality=_QUALITY, subsampling=0)
    content = buffer.getvalue()
    notes = (*photo.notes, *removed)
    return TakenIn(
        load_image(content), content, "image/png" if lossless else "image/jpeg", taken, place, notes
    )


def _beside(
    source: bytes | Path, policy: IntakePolicy
) -> tuple[datetime | None, tuple[float, float] | None, tuple[str, ...]]:
    """Time, place, and what was left out, from the file's EXIF data; damaged data count as none."""
    opened = io.BytesIO(source) if isinstance(source, bytes) else source
    try:
        with Image.open(opened) as image:
            exif = image.getexif()
            camera, gps = exif.get_ifd(ExifTags.IFD.Exif), exif.get_ifd(ExifTags.IFD.GPSInfo)
            others = len(exif) + len(camera)
    except Exception:  # parsers raise all sorts on damaged data; the pixels were read without it
        return None, None, ()
    removed = []
    if gps and not policy.keep_place:
        removed.append("its GPS position was removed")
    if others:
        removed.append("its camera data were removed")
    return (
        _time(camera.get(_TAKEN)) if policy.keep_time else None,
        _place(gps) if policy.keep_place else None,
        tuple(removed),
    )


def _time(value: object) -> datetime | None:
    try:
        return datetime.strptime(str(value), "%Y:%m:%d %H:%M:%S")
    except ValueError:
        return None


def _place(gps: dict[int, Any]) -> tuple[float, float] | None:
    try:
        latitude = _degrees(gps[ExifTags.GPS.GPSLatitude]) * (
            -1 if gps[ExifTags.GPS.GPSLatitudeRef] == "S" else 1
        )
        longitude = _degrees(gps[ExifTags.GPS.GPSLongitude]) * (
            -1 if gps[ExifTags.GPS.GPSLongitudeRef] == "W" else 1
        )
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    return round(latitude, 6), round(longitude, 6)


def _degrees(parts: Any) -> float:
    degrees, minutes, seconds = (float(part) for part in parts)
    return degrees + minutes / 60 + seconds / 3600
