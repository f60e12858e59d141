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


def by_plates(boxes: Sequence[Box], texts: Sequence[str]) -> list[int]:
    """Indices plate by plate, each by rows.

    Plates are parted by a gutter through all that is left, an upright one first, else a level one (the XY-cut
    of Nagy and Seth, 1984). The labels and values of one plate are no plates of their own, however far apart
    they stand: their rows go together.

    Args:
        texts: what stands in each box, empty for one without text.
    """
    return [i for plate in _plates(boxes, texts, list(range(len(boxes)))) for i in _sorted(boxes, plate)]


def _sorted(boxes: Sequence[Box], plate: Sequence[int]) -> list[int]:
    return [plate[place] for place in by_rows([boxes[index] for index in plate])]


def _plates(boxes: Sequence[Box], texts: Sequence[str], among: list[int]) -> list[list[int]]:
    """`among`, parted at the widest gutter and then each side again, from the left and from the top."""
    if len(among) < 2:
        return [among]
    least = GUTTER * median(boxes[index].height for index in among)
    cuts = [
        parts
        for parts in _parted([(boxes[i].x0, boxes[i].x1, i) for i in among], least)
        if not _one_table(boxes, texts, *parts)
    ]
    cuts = cuts or _parted([(boxes[i].y0, boxes[i].y1, i) for i in among], least)
    if not cuts:
        return [among]
    first, second = cuts[0]
    return [*_plates(boxes, texts, first), *_plates(boxes, texts, second)]


def _parted(stretches: list[tuple[float, float, int]], least: float) -> list[tuple[list[int], list[int]]]:
    """What stands before and behind each gap of at least that size, the widest first.

    Args:
        stretches: where each box begins and ends along one axis, and its index.
    """
    order = sorted(stretches)
    gaps, reach = [], order[0][1]
    for place, (begin, end, _) in enumerate(order[1:], start=1):
        if begin - reach >= least:
            gaps.append((begin - reach, place))
        reach = max(reach, end)
    indices = [index for *_, index in order]
    return [(indices[:place], indices[place:]) for _, place in sorted(gaps, reverse=True)]


def _one_table(boxes: Sequence[Box], texts: Sequence[str], left: Sequence[int], right: Sequence[int]) -> bool:
    """Whether both sides share their rows as labels and values do.

    Two displays beside each other share their rows as well, but there a label stands beside a label and a
    number beside a number.
    """
    fewer, more = sorted((left, right), key=len)
    pairs = []
    for one in fewer:
        beside = [other for other in more if _level(boxes[one], boxes[other])]
        if beside:
            nearest = min(beside, key=lambda i: abs(boxes[i].centre[0] - boxes[one].centre[0]))
            pairs.append((_number(texts[one]), _number(texts[nearest])))
    displays = set(pairs) == {(True, True), (False, False)}
    return len(pairs) >= TABLE * len(fewer) and not displays


def _number(text: str) -> bool:
    """Whether it is a number, such as a value with its unit."""
    return text.lstrip(" +-\u2212.")[:1].isdigit()


def _level(one: Box, other: Box) -> bool:
    """Whether both stand in one row."""
    return abs(one.centre[1] - other.centre[1]) < min(one.height, other.height) / 2
