"""Faults come from what was read, and from nothing else."""

from __future__ import annotations

from typing import Literal

from hypothesis import given
from hypothesis import strategies as st

from llava_agent.agent.fact import Evidence
from llava_agent.inspection.faults import error_codes, likely_faults, off_scale
from llava_agent.inspection.finding import Line
from llava_agent.inspection.instruments import read_displays, read_gauges, unread_gauges
from llava_agent.inspection.units import quantity
from tests.inspection.test_plate import text
from tools.geometry import Box
from tools.mark import Mark


def line(kind: Literal["plate", "gauge", "display", "lamp"], key: str, value: str) -> Line:
    taken = quantity(value)
    evidence = (Evidence("sha", (0, 0, 9, 9), value, "ocr"),)
    number, unit = (taken.number, taken.unit) if taken else (None, "")
    return Line(kind, key, key.replace("_", " ").capitalize(), value, 0.9, evidence, number, unit)


def kinds(*lines: Line) -> list[str]:
    return [fault.kind for fault in likely_faults(lines)]


def test_a_reading_against_the_limit_of_the_plate() -> None:
    limit = line("plate", "max_pressure", "16 bar")
    assert kinds(limit, line("gauge", "gauge_pressure", "6 bar")) == []
    assert kinds(limit, line("gauge", "gauge_pressure", "15 bar")) == ["near_limit"]
    assert kinds(limit, line("gauge", "gauge_pressure", "1.7 MPa")) == ["over_limit"]
    assert kinds(limit, line("gauge", "gauge_pressure", "250 psi")) == ["over_limit"]
    assert kinds(limit, line("gauge", "gauge_temperature", "90 °C")) == []
    assert kinds(line("gauge", "gauge_pressure", "400 bar")) == []


def test_a_rated_voltage_may_be_passed_by_a_tenth() -> None:
    rated = line("plate", "voltage", "400 V")
    assert kinds(rated, line("display", "display_voltage", "410 V")) == ["near_limit"]
    assert kinds(rated, line("display", "display_voltage", "452 V")) == ["over_limit"]


def test_faults_carry_both_regions() -> None:
    (fault,) = likely_faults(
        [line("plate", "max_pressure", "16 bar"), line("gauge", "gauge_pressure", "17 bar")]
    )
    assert len(fault.evidence) == 2 and "17 bar" in fault.because and "16 bar" in fault.because
    assert fault.confidence <= 0.9 * 0.9 + 1e-9


def test_only_a_lit_warning_lamp_is_a_fault() -> None:
    assert kinds(line("lamp", "lamp_fault", "not lit"), line("lamp", "lamp_run", "lit (green)")) == []
    assert kinds(line("lamp", "lamp_high_temp", "lit (red)")) == ["warning_lamp"]


def test_error_codes_on_displays_alone() -> None:
    marks = [text("ERR 17", 0, 0), text("E-405", 0, 50), text("F 50 Hz", 0, 100), text("E12", 0, 150)]
    used = [mark.box for mark in marks[1:2] if mark.box]
    found = error_codes(marks, used, "sha")
    assert [(fault.what, fault.level) for fault in found] == [
        ("error code ERR 17", "fault"),
        ("error code E12", "watch"),
    ]


def dial(value: str | None, *numerals: str) -> list[Mark]:
    marks = [Mark("", "dial", "", Box(0, 0, 200, 200), "dial", value=value, score=0.9)]
    return [*marks, *(text(number, 30 + 30 * at, 90) for at, number in enumerate(numerals))]


def test_a_needle_far_beyond_its_scale() -> None:
    for value, count in (("10.5 bar", 0), ("12.6 bar", 1), ("-1 bar", 0)):
        marks = dial(value, "0", "2", "4", "6", "8", "10")
        assert len(off_scale(marks, read_gauges(marks, "sha"))) == count, value
    marks = dial("12.6 bar", "8", "10")
    assert off_scale(marks, read_gauges(marks, "sha")) == ()


def test_a_gauge_without_a_reading_is_asked_for_if_it_is_one() -> None:
    assert len(unread_gauges(dial(None, "2", "4"))) == 1
    assert unread_gauges(dial(None)) == () and unread_gauges(dial("3 bar", "2", "4")) == ()


def test_a_display_is_taller_than_its_words() -> None:
    name, unit = text("OIL TEMP", 0, 0), text("°C", 130, 60)
    (found,) = read_displays([name, Mark("", "text", "36.5", Box(0, 25, 110, 85), "ocr"), unit], [], "sha")
    assert (found.name, found.value, found.number, found.unit) == ("Oil temp", "36.5 °C", 36.5, "°C")
    assert read_displays([name, text("36.5", 0, 25), unit], [], "sha") == ()


def test_a_unit_of_another_meter_is_not_taken() -> None:
    digits = Mark("", "text", "36.5", Box(0, 25, 110, 85), "ocr")
    (found,) = read_displays([text("OIL TEMP", 0, 0), digits, text("rpm", 130, 60)], [], "sha")
    assert found.unit == "" and found.value == "36.5"


@given(st.floats(-500, 500), st.sampled_from(["bar", "psi", "kPa", "°C", ""]))
def test_no_limit_no_fault(value: float, unit: str) -> None:
    assert likely_faults([line("gauge", "gauge_pressure", f"{value:.2f} {unit}".strip())]) == ()
