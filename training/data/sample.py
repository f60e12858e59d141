"""One conversation about some images, whatever file it came from."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from llava_agent.errors import LlavaAgentError
from llava_agent.vlm.chat import IMAGE_MARK, Turn


class RowError(LlavaAgentError):
    """A row of the data that cannot be used; `what` is the reason."""


@dataclass(frozen=True, slots=True)
class Picture:
    """An image that is read when it is needed: a file, or the bytes of one."""

    content: Path | bytes

    @property
    def name(self) -> str:
        return str(self.content) if isinstance(self.content, Path) else "image inside the data"

    def size(self) -> tuple[int, int]:
        """Width and height as it will be seen, from the file's head alone; RowError where it has none."""
        with self._opened() as image:
            # Pillow decodes a whole PNG to look for EXIF data, which hardly any has.
            if image.format == "PNG" and "exif" not in image.info:
                return image.size
            try:
                turned = image.getexif().get(_ORIENTATION, 1) >= _SIDEWAYS
            except (OSError, ValueError, SyntaxError) as error:
                raise RowError(f"{self.name} is damaged ({_first_line(error)})") from error
            return (image.height, image.width) if turned else image.size

    def load(self) -> Image.Image:
        """Upright RGB pixels; RowError where the file is missing, damaged or no image."""
        from PIL import ImageOps

        with self._opened() as image:
            try:
                return ImageOps.exif_transpose(image).convert("RGB")
            except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
                raise RowError(f"{self.name} is damaged ({_first_line(error)})") from error

    def digest(self) -> str:
        """SHA-256 of the file's bytes (hex)."""
        try:
            content = self.content.read_bytes() if isinstance(self.content, Path) else self.content
        except OSError as error:
            raise RowError(f"{self.name} cannot be read ({error.strerror})") from error
        return hashlib.sha256(content).hexdigest()

    def _opened(self) -> Image.Image:
        try:
            return Image.open(self.content if isinstance(self.content, Path) else io.BytesIO(self.content))
        except FileNotFoundError as error:
            raise RowError(f"{self.name} is missing") from error
        except (OSError, ValueError, Image.DecompressionBombError) as error:
            raise RowError(f"{self.name} is no image that can be read ({_first_line(error)})") from error


#: EXIF tag, and its first value that lays an image on its side.
_ORIENTATION = 0x0112
_SIDEWAYS = 5


@dataclass(frozen=True, slots=True)
class Sample:
    """Attributes:
    id: from the data, or the row's number.
    row: number of the row in its file, from 0.
    turns: the conversation; it ends with an answer.
    images: in the order of their marks.
    """

    id: str
    row: int
    turns: tuple[Turn, ...]
    images: tuple[Picture, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row that is not used, and why."""

    row: int
    id: str
    reason: str

    def as_dict(self) -> dict[str, object]:
        return {"row": self.row, "id": self.id, "reason": self.reason}


def require_sound(sample: Sample) -> Sample:
    """The sample, if its turns make a conversation and its marks are as many as its images.

    Raises:
        RowError: with the reason.
    """
    turns = sample.turns[1:] if sample.turns and sample.turns[0].role == "system" else sample.turns
    if not turns:
        raise RowError("the conversation is empty")
    for number, turn in enumerate(turns):
        wanted = "assistant" if number % 2 else "user"
        if turn.role != wanted:
            raise RowError(f"turn {number + 1} is the {turn.role}'s, {wanted} was to speak")
        if turn.role == "assistant" and not turn.text.strip():
            raise RowError(f"turn {number + 1}, an answer, is empty")
    if turns[-1].role != "assistant":
        raise RowError("the conversation does not end with an answer")
    if any(IMAGE_MARK in turn.text for turn in sample.turns if turn.role != "user"):
        raise RowError("an image mark stands outside of a user's turn")
    marks = sum(turn.text.count(IMAGE_MARK) for turn in turns)
    if marks != len(sample.images):
        raise RowError(f"{marks} image marks but {len(sample.images)} images")
    return sample


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
