"""What a run has learned, and what supports it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Evidence:
    """The region of an image that supports a claim.

    Attributes:
        image_sha256: of the image's decoded pixels.
        box: `(x0, y0, x1, y1)` in pixels of the original image; None where the source has no pixels.
        text: what stands there.
        source: how it was found (`ocr`, `dial`, `pixels`, `model`).
    """

    image_sha256: str
    box: tuple[int, int, int, int] | None
    text: str
    source: str


@dataclass(frozen=True, slots=True)
class Fact:
    """Something read from a photo, with what supports it."""

    name: str
    value: str
    confidence: float
    evidence: tuple[Evidence, ...] = ()

    def line(self) -> str:
        """As the model reads it: `serial number = SN-48213`."""
        return f"{self.name} = {self.value}"
