"""Exact maps between the cells of a feature grid and the pixels of the original image.

A tower sees one or several *views* of an image (the whole, tiles). A view is the image scaled and shifted
onto a square canvas; what falls outside the canvas is not seen, what the image does not cover is padding.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from tools.geometry import Box


@dataclass(frozen=True, slots=True)
class Grid:
    """The feature grid of a canvas, from its top left corner.

    `cell` is the side of one cell in canvas pixels. Rows and columns times `cell` may be less than the canvas
    (a patch size that does not divide it: the rest is not seen) or more (a convolution that pads).
    """

    rows: int
    cols: int
    cell: float

    @property
    def tokens(self) -> int:
        return self.rows * self.cols

    def coarser(self, factor: int) -> Grid:
        """The grid after `factor` x `factor` cells became one (pixel shuffle)."""
        if self.rows % factor or self.cols % factor:
            raise ValueError(f"{self.rows} x {self.cols} does not divide by {factor}")
        return Grid(self.rows // factor, self.cols // factor, self.cell * factor)


@dataclass(frozen=True, slots=True)
class View:
    """One canvas: `canvas = image * scale + offset`, per axis.

    Attributes:
        scale_x, scale_y: canvas pixels per image pixel; they differ a little because sizes are whole pixels.
        offset_x, offset_y: canvas position of the image's top left corner; negative where it lies outside.
        size: side of the canvas in pixels.
    """

    scale_x: float
    scale_y: float
    offset_x: float
    offset_y: float
    size: int

    def to_canvas(self, x: float, y: float) -> tuple[float, float]:
        return x * self.scale_x + self.offset_x, y * self.scale_y + self.offset_y

    def to_image(self, x: float, y: float) -> tuple[float, float]:
        return (x - self.offset_x) / self.scale_x, (y - self.offset_y) / self.scale_y


@dataclass(frozen=True, slots=True)
class ImageMap:
    """Where each image token looks.

    Tokens are numbered view by view, row by row. Boxes are in pixels of the original image.

    Attributes:
        width, height: of the original image, in pixels.
        views: in the order of the pixel batch.
        grid: of every view.
    """

    width: int
    height: int
    views: tuple[View, ...]
    grid: Grid

    @property
    def tokens(self) -> int:
        return len(self.views) * self.grid.tokens

    def coarser(self, factor: int) -> ImageMap:
        """The map of the tokens after a pixel shuffle by `factor`."""
        return replace(self, grid=self.grid.coarser(factor))

    def box(self, token: int) -> Box | None:
        """The part of the image that a token's cell covers; None for a cell of padding."""
        if not 0 <= token < self.tokens:
            raise IndexError(f"token {token} of {self.tokens}")
        index, cell = divmod(token, self.grid.tokens)
        row, col = divmod(cell, self.grid.cols)
        view, side = self.views[index], self.grid.cell
        # A cell may reach over the canvas (padding convolution); nothing of the image is there.
        right, bottom = min((col + 1) * side, view.size), min((row + 1) * side, view.size)
        x0, y0 = view.to_image(col * side, row * side)
        x1, y1 = view.to_image(right, bottom)
        if x1 <= 0 or y1 <= 0 or x0 >= self.width or y0 >= self.height:
            return None
        return Box(max(x0, 0.0), max(y0, 0.0), min(x1, float(self.width)), min(y1, float(self.height)))

    def token(self, x: float, y: float, view: int = 0) -> int | None:
        """The token of a view whose cell contains an image position; None where the view does not see it."""
        if not (0 <= x < self.width and 0 <= y < self.height):
            return None
        seen = self.views[view]
        cx, cy = seen.to_canvas(x, y)
        if not (0 <= cx < seen.size and 0 <= cy < seen.size):
            return None
        row, col = math.floor(cy / self.grid.cell), math.floor(cx / self.grid.cell)
        if row >= self.grid.rows or col >= self.grid.cols:
            return None
        return view * self.grid.tokens + row * self.grid.cols + col

    def tokens_in(self, box: Box, view: int = 0) -> list[int]:
        """Tokens of a view whose cells overlap a box of the image."""
        first = view * self.grid.tokens
        found = []
        for token in range(first, first + self.grid.tokens):
            cell = self.box(token)
            if cell is not None and cell.intersection(box) > 0:
                found.append(token)
        return found
