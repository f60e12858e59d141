"""The order in which a person reads what stands on an image.

Plates that stand apart come one after the other, each by rows from the top, each row from the left.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from tools.geometry import Box

#: A gutter between two columns is at least this many line heights wide.
GUTTER = 2.5
#: Where this share of the smaller column's lines has a neighbour in the other one, both are one table.
TABLE = 0.5


def by_rows(boxes: Sequence[Box]) -> list[int]:
    """Indices row by row; the centres of a row are within half a height of its first box."""
    rows: list[list[int]] = []
    for index in sorted(range(len(boxes)), key=lambda i: boxes[i].centre[1]):
        if rows and _level(boxes[rows[-1][0]], boxes[index]):
            rows[-1].append(index)
        else:
            rows.append([index])
    return [index for row in rows for index in sorted(row, key=lambda i: boxes[i].x0)]


def by_columns(boxes: Sequence[Box]) -> list[int]:
    """Indices column by column, each by rows.

    Columns are parted by a gutter through the whole image (a step of the XY-cut of Nagy and Seth, 1984). The
    labels and values of one plate are no columns, however far apart they stand: their rows go together.
    """
    return [index for column in _columns(boxes, list(range(len(boxes)))) for index in _sorted(boxes, column)]


def _sorted(boxes: Sequence[Box], column: Sequence[int]) -> list[int]:
    return [column[place] for place in by_rows([boxes[index] for index in column])]


def _columns(boxes: Sequence[Box], among: list[int]) -> list[list[int]]:
    """`among`, parted at the widest gutter and then each side again, from the left."""
    if len(among) < 2:
        return [among]
    least = GUTTER * median(boxes[index].height for index in among)
    order = sorted(among, key=lambda i: boxes[i].x0)
    gutters = []
    reach = boxes[order[0]].x1
    for place, index in enumerate(order[1:], start=1):
        if boxes[index].x0 - reach >= least:
            gutters.append((boxes[index].x0 - reach, place))
        reach = max(reach, boxes[index].x1)
    for _, place in sorted(gutters, reverse=True):
        left, right = order[:place], order[place:]
        if not _one_table(boxes, left, right):
            return [*_columns(boxes, left), *_columns(boxes, right)]
    return [among]


def _one_table(boxes: Sequence[Box], left: Sequence[int], right: Sequence[int]) -> bool:
    fewer, more = sorted((left, right), key=len)
    beside = sum(any(_level(boxes[one], boxes[other]) for other in more) for one in fewer)
    return beside >= TABLE * len(fewer)


def _level(one: Box, other: Box) -> bool:
    """Whether both stand in one row."""
    return abs(one.centre[1] - other.centre[1]) < min(one.height, other.height) / 2
