"""Boxes in image pixels."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Box:
    """Axis-aligned box `(x0, y0, x1, y1)` in pixels of the image it belongs to; `x1`, `y1` exclusive."""

    x0: float
    y0: float
    x1: float
    y1: float

    def __post_init__(self) -> None:
        if self.x1 < self.x0 or self.y1 < self.y0:
            raise ValueError(f"box with negative size: {self}")

    @property
    def width(self) -> float:
        return self.x1 - self.x0

    @property
    def height(self) -> float:
        return self.y1 - self.y0

    @property
    def area(self) -> float:
        return self.width * self.height

    @property
    def centre(self) -> tuple[float, float]:
        return (self.x0 + self.x1) / 2, (self.y0 + self.y1) / 2

    def contains(self, x: float, y: float) -> bool:
        return self.x0 <= x < self.x1 and self.y0 <= y < self.y1

    def intersection(self, other: Box) -> float:
        """Area of overlap in square pixels."""
        width = min(self.x1, other.x1) - max(self.x0, other.x0)
        height = min(self.y1, other.y1) - max(self.y0, other.y0)
        return max(0.0, width) * max(0.0, height)

    def iou(self, other: Box) -> float:
        """Intersection over union, 0 to 1."""
        shared = self.intersection(other)
        union = self.area + other.area - shared
        return shared / union if union > 0 else 0.0

    def scaled(self, factor: float) -> Box:
        return Box(self.x0 * factor, self.y0 * factor, self.x1 * factor, self.y1 * factor)

    def grown(self, factor: float) -> Box:
        """The box with the same centre and its sides multiplied by `factor` (context for a crop)."""
        cx, cy = self.centre
        half_w, half_h = self.width * factor / 2, self.height * factor / 2
        return Box(cx - half_w, cy - half_h, cx + half_w, cy + half_h)

    def clipped(self, width: float, height: float) -> Box:
        """The part of the box inside an image of that size (an empty box at the edge when outside)."""

        def clamp(value: float, limit: float) -> float:
            return min(max(value, 0.0), limit)

        return Box(
            clamp(self.x0, width), clamp(self.y0, height), clamp(self.x1, width), clamp(self.y1, height)
        )

    def as_list(self) -> list[int]:
        """`[x0, y0, x1, y1]` in whole pixels, for JSON."""
        return [round(self.x0), round(self.y0), round(self.x1), round(self.y1)]
