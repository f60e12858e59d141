"""Print with labels that are on no list: claimed where the print itself pairs it, else only offered."""

from __future__ import annotations

from llava_agent.inspection.other import other_lines, other_words
from tools.geometry import Box
from tools.mark import Mark


def text(words: str, x: float, y: float, score: float = 0.95) -> Mark:
    return Mark(words, "text", words, Box(x, y, x + 8 * len(words), y + 12), "ocr", score=score)


def box(mark: Mark) -> Box:
    assert mark.box is not None
    return mark.box


MODEL, MODEL_IS = text("Model", 10, 10), text("NK 65", 120, 10)
YEAR, YEAR_IS = text("Year", 10, 30), text("2019", 120, 30)
KNOWN = [MODEL, MODEL_IS, YEAR, YEAR_IS]
PAIRS = [(box(MODEL), box(MODEL_IS)), (box(YEAR), box(YEAR_IS))]
USED = [box(one) for one in KNOWN]


def read(*more: Mark) -> dict[str, str]:
    return {line.name: line.value for line in other_lines([*KNOWN, *more], PAIRS, USED, "a")}


def test_a_row_in_the_columns_of_known_fields_is_a_pair() -> None:
    found = other_lines([*KNOWN, text("Duty", 10, 50), text("S1", 120, 50)], PAIRS, USED, "a")
    assert [(one.kind, one.key, one.name, one.value) for one in found] == [("other", "duty", "Duty", "S1")]
    assert found[0].evidence[0].box == (120, 50, 136, 62) and found[0].confidence < 0.95
    assert read(text("IE class", 10, 50), text("IE3", 121, 51)) == {"IE class": "IE3"}


def test_elsewhere_two_texts_beside_each_other_are_no_pair() -> None:
    assert read(text("Duty", 10, 50)) == {}
    assert read(text("Duty", 10, 50), text("S1", 180, 50)) == {}  # in another column
    assert read(text("Duty", 60, 50), text("S1", 120, 50)) == {}
    assert read(text("400 V", 10, 50), text("S1", 120, 50)) == {}  # a quantity names nothing
    assert read(text("Q max", 10, 50), text("385 1/min", 120, 50)) == {}  # a known field, misread
    assert other_lines([text("Duty", 10, 50), text("S1", 120, 50)], (), (), "a") == ()


def test_a_colon_makes_a_pair() -> None:
    assert read(text("Insul. class: F", 300, 10)) == {"Insul. class": "F"}
    for none in ("12:30", "http://norpump.example", "S/N: SN-1", "Note:"):
        assert read(text(none, 300, 10)) == {}


def test_other_words_are_offered_the_largest_first_and_never_twice() -> None:
    tall = Mark("t", "text", "NORPUMP", Box(0, 100, 200, 140), "ocr")
    marks = [*KNOWN, text("GY-49", 0, 200), tall, text("GY-49", 80, 200), text("x", 0, 220)]
    words = other_words([*marks, text("smudge", 0, 240, 0.4), text("Serial No.", 0, 260)], USED, "a")
    assert [one.text for one in words] == ["NORPUMP", "GY-49"]
    assert words[0].evidence.box == (0, 100, 200, 140)
