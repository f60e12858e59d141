"""Captions of rendered elements, and which captions are true of which crop."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from random import Random
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Described(Protocol):
    """What a caption is made from."""

    @property
    def kind(self) -> str: ...

    @property
    def colour(self) -> str: ...


def caption(element: Described, rng: Random) -> tuple[str, str]:
    """A `(kind, colour)` caption of a crop, at times without its colour; a crop hides its size."""
    return element.kind, element.colour if rng.random() < 0.75 else ""


def caption_text(pair: tuple[str, str]) -> str:
    """`red gear icon` for `("gear icon", "red")`."""
    kind, colour = pair
    return f"{colour} {kind}".strip()


def truth(elements: Sequence[Described], captions: Sequence[tuple[str, str]]) -> NDArray[np.float32]:
    """`[N, M]`: 1 where caption `m` is true of element `n` (same kind; its colour, if it names one)."""
    matrix = np.zeros((len(elements), len(captions)), dtype=np.float32)
    for row, element in enumerate(elements):
        for column, (kind, colour) in enumerate(captions):
            matrix[row, column] = element.kind == kind and colour in ("", element.colour)
    return matrix


def kinds(elements: Iterable[Described]) -> list[str]:
    """Every kind that occurs, sorted: what naming chooses among."""
    return sorted({element.kind for element in elements})
