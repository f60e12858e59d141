"""Reading order: rows, and plates that stand apart."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tools.geometry import Box
from tools.reading_order import by_plates, by_rows


def line(x: float, y: float, width: float = 60, height: float = 20) -> Box:
    return Box(x, y, x + width, y + height)


boxes = st.lists(
    st.builds(line, st.integers(0, 900), st.integers(0, 700), st.integers(5, 300), st.integers(5, 60)),
    max_size=14,
)


@given(boxes)
def test_every_box_is_read_once(some: list[Box]) -> None:
    for order in (by_rows(some), by_plates(some, [""] * len(some))):
        assert sorted(order) == list(range(len(some)))


def test_rows_go_from_left_to_right_even_where_the_photo_is_a_little_turned() -> None:
    plate = [line(200, 8), line(0, 0), line(0, 42), line(200, 50)]
    assert by_rows(plate) == by_plates(plate, [""] * 4) == [1, 0, 2, 3]


def test_a_plate_beside_another_is_read_after_it() -> None:
    left = [line(0, y) for y in (0, 40, 80, 120)]
    values = [line(100, y) for y in (0, 40, 80, 120)]
    beside = [line(400, 52), line(400, 95), line(400, 200), line(400, 240)]
    order = by_plates([*left, *values, *beside], [""] * 12)
    assert order == [0, 4, 1, 5, 2, 6, 3, 7, 8, 9, 10, 11]


def test_labels_and_values_far_apart_are_one_table() -> None:
    labels, values = [line(0, y) for y in (0, 40, 80)], [line(500, y + 3) for y in (0, 40, 80)]
    for texts in (["Model", "S/N", "P2", "KX", "1234", "12 bar"], ["A", "B", "C", "yes", "no", "no"]):
        assert by_plates([*labels, *values], texts) == [0, 3, 1, 4, 2, 5]


def test_a_narrow_gap_parts_nothing() -> None:
    assert by_plates([line(0, 0), line(0, 40), line(80, 20)], [""] * 3) == [0, 2, 1]


def test_displays_beside_each_other_are_read_one_by_one() -> None:
    left = [line(0, 0), line(140, 0), line(100, 25, height=60)]
    right = [line(300, 4), line(360, 28, height=60)]
    lamps = [line(x, 300) for x in (0, 100, 200, 300)]
    texts = ["FLOW", "m3/h", "48.6", "OIL TEMP", "73.5", "RUN", "FAULT", "SERVICE", "POWER"]
    assert by_plates([*left, *right, *lamps], texts) == list(range(9))
