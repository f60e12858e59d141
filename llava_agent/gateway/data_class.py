"""How sensitive something is. A request is as sensitive as its most sensitive part."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

DataClass = Literal["public", "internal", "confidential", "restricted"]

#: From the least to the most sensitive.
DATA_CLASSES: tuple[DataClass, ...] = ("public", "internal", "confidential", "restricted")

#: What a photo, a screenshot, and anything that nobody has classified is.
UNCLASSIFIED: DataClass = "internal"


def rank(data_class: DataClass) -> int:
    """0 for public to 3 for restricted."""
    return DATA_CLASSES.index(data_class)


def highest(classes: Iterable[DataClass]) -> DataClass:
    """The most sensitive of the classes; `public` where there is none."""
    least: DataClass = "public"
    return max(classes, key=rank, default=least)
