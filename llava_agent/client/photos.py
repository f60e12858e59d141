"""Photos of a server."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from llava_agent.client.address import one
from llava_agent.client.connection import Connection
from llava_agent.errors import ImageError
from llava_agent.service.shapes import Photo, UploadedPhoto


@dataclass(frozen=True, slots=True)
class Photos:
    """One's own photos."""

    _connection: Connection

    def upload(self, file: Path | bytes, *, name: str = "", asset: str = "", key: str = "") -> UploadedPhoto:
        """Send a photo; it is stored upright, without GPS and camera data, and its quality measured.

        Args:
            name: as it is listed; the file's own if empty.
            asset: the thing it shows.
            key: the same key with the same file gives the photo that was made then; one is made if empty.

        Raises:
            ImageError: the file cannot be read here.
        """
        if isinstance(file, Path):
            name = name or file.name
            try:
                file = file.read_bytes()
            except OSError as error:
                raise ImageError(f"{name} cannot be read ({error.strerror})", "check the path") from error
        return self._connection.read(
            UploadedPhoto,
            "POST",
            "/api/photos",
            files={"file": (name or "photo", file)},
            data={"asset": asset},
            key=key,
        )

    def all(self, *, asset: str | None = None) -> Iterator[Photo]:
        """The newest first, of one asset or of all; pages are fetched as they are needed."""
        return self._connection.pages(Photo, "/api/photos", {"asset": asset})

    def get(self, id: str) -> Photo:
        return self._connection.read(Photo, "GET", f"/api/photos/{one(id)}")

    def content(self, id: str) -> bytes:
        """The image file, JPEG or PNG."""
        return self._connection.send("GET", f"/api/photos/{one(id)}/content").content

    def delete(self, id: str) -> None:
        """Raises Conflict where a record rests on it."""
        self._connection.send("DELETE", f"/api/photos/{one(id)}")
