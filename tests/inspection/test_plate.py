"""Labels and values: beside, below, on one line; what does not fit is asked for, not guessed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from llava_agent.inspection.plate import read_plates
from llava_agent.inspection.plate_words import FIELDS, fits, label_key, split_label
from llava_agent.inspection.units import plain, quantity
from tools.geometry import Box
from tools.mark import Mark


def text(words: str, x: float, y: float, height: float = 20) -> Mark:
    return Mark("", "text", words, Box(x, y, x + 9 * len(words), y + height), "ocr", score=0.98)


def read(*marks: Mark) -> dict[str, str]:
    return {line.key: line.value for line in read_plates(marks, "sha").lines}


def test_values_beside_their_labels() -> None:
    assert read(
        text("Model", 10, 10),
        text("NK 65-200", 160, 11),
        text("Serial No.", 10, 50),
        text("SN-48213", 160, 52),
    ) == {"model": "NK 65-200", "serial_number": "SN-48213"}


def test_values_below_their_labels_in_two_columns() -> None:
    assert read(
        text("S/N", 10, 10), text("Max. press.", 200, 10),
        text("48213", 10, 32), text("16", 200, 32), text("bar", 225, 32),
        text("Year", 10, 70), text("Weight", 200, 70),
        text("2019", 10, 92), text("128 kg", 200, 92),
    ) == {"serial_number": "48213", "year": "2019", "max_pressure": "16 bar", "weight": "128 kg"}  # fmt: skip


def test_label_and_value_on_one_line() -> None:
    assert read(text("Serial No. SN-48213", 0, 0), text("Type: NK 65", 0, 40)) == {
        "model": "NK 65",
        "serial_number": "SN-48213",
    }
    assert split_label("Model Number") == ("", "")
    assert split_label("TAG NO.") == ("", "")


def test_a_value_of_the_wrong_kind_is_no_value() -> None:
    plates = read_plates([text("Serial No.", 0, 0), text("Keep hands clear", 120, 0)], "sha")
    assert plates.lines == () and [key for key, _ in plates.unread] == ["serial_number"]


def test_the_numbers_of_a_dial_are_no_fields() -> None:
    dial = Mark("", "dial", "", Box(100, -20, 300, 180), "dial")
    assert read(dial, text("Year", 10, 10), text("2019", 140, 10)) == {}


def test_the_digits_of_a_display_are_no_rated_value() -> None:
    assert read(text("SPEED", 10, 10), text("1767 rpm", 10, 32, height=70)) == {}


def test_each_line_has_the_region_of_its_value() -> None:
    line = read_plates([text("Serial No.", 0, 0), text("SN-48213", 120, 0)], "sha").lines[0]
    assert line.evidence[0].box == (120, 0, 192, 20) and line.evidence[0].image_sha256 == "sha"
    assert 0.9 < line.confidence < 1


def test_letters_that_look_like_digits_make_it_unsure() -> None:
    sure, unsure = (
        read_plates([text("Asset tag", 0, 0), text(tag, 120, 0)], "sha").lines[0].confidence
        for tag in ("86-CX-854", "86-C0-854")
    )
    assert unsure < sure


def test_two_plates_keep_both_serial_numbers() -> None:
    lines = read_plates(
        [text("S/N", 0, 0), text("111222", 60, 0), text("S/N", 500, 300), text("333444", 560, 300)], "sha"
    ).lines
    assert {line.value for line in lines} == {"111222", "333444"}


@given(st.text(max_size=40))
def test_any_text_is_read_without_a_fault(words: str) -> None:
    key, value = split_label(words)
    assert bool(key) == bool(value)
    assert label_key(words) in ("", *FIELDS)
    assert quantity(words) is None or plain(words)
    assert isinstance(fits("serial_number", words), bool)


@given(
    st.lists(
        st.tuples(st.text(min_size=1, max_size=12), st.integers(0, 900), st.integers(0, 600)), max_size=20
    )
)
def test_every_line_rests_on_a_mark(found: list[tuple[str, int, int]]) -> None:
    marks = [text(words, x, y) for words, x, y in found]
    boxes = {tuple(mark.box.as_list()) for mark in marks if mark.box}
    for line in read_plates(marks, "sha").lines:
        box = line.evidence[0].box
        assert box is not None and any(box[:2] == other[:2] for other in boxes)
