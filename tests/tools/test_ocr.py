"""Reading text: the real engine on drawn lines."""

from __future__ import annotations

import socket

import pytest
from PIL import Image, ImageDraw, ImageFont

from tools import ocr
from tools.geometry import Box
from tools.ocr import OcrLine, read_lines


def _page(*texts: tuple[int, int, str], size: tuple[int, int] = (420, 160)) -> Image.Image:
    image = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(image)
    for x, y, text in texts:
        pen.text((x, y), text, fill="black", font=ImageFont.load_default(size=18))
    return image


def _texts(lines: list[OcrLine]) -> list[str]:
    return [line.text for line in lines]


def test_lines_come_in_reading_order_with_their_boxes() -> None:
    lines = read_lines(_page((20, 100, "Submit"), (250, 22, "SN-48213"), (20, 20, "Serial number")))
    assert _texts(lines) == ["Serial number", "SN-48213", "Submit"]
    assert lines[1].box.iou(Box(250, 24, 340, 42)) > 0.5
    assert all(line.score > 0.8 for line in lines)
    assert lines[0].quad[0][0] < lines[0].quad[1][0]


def test_columns_of_one_row_are_lines_of_their_own() -> None:
    lines = read_lines(_page((20, 40, "Motor M3"), (150, 40, "Closed"), (260, 40, "2024")))
    assert _texts(lines) == ["Motor M3", "Closed", "2024"]


def test_no_line_crosses_the_border_of_a_control() -> None:
    image = _page((20, 40, "Leader"), (104, 40, "Planned"))
    ImageDraw.Draw(image).rectangle((84, 44, 97, 57), outline="black", width=2)
    lines = read_lines(image, boxes=[Box(84, 44, 98, 58)])
    assert _texts(lines) == ["Leader", "Planned"]


def test_an_upside_down_line_is_read() -> None:
    assert "2900 rpm" in _texts(read_lines(_page((40, 60, "2900 rpm")).rotate(180)))


def test_an_empty_image_has_no_lines() -> None:
    assert read_lines(Image.new("RGB", (120, 80), "white")) == []
    assert read_lines(Image.new("L", (3, 2))) == []


def test_lines_that_were_read_are_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    first = _page((20, 20, "Remember me"), (20, 100, "Once"))
    known = read_lines(first)
    monkeypatch.setattr(ocr, "_run", lambda *_: pytest.fail("recognised again"))
    assert read_lines(first.copy()) == known
    moved = Image.new("RGB", first.size, "white")
    moved.paste(first.crop((0, 60, 420, 160)), (0, 60))
    assert _texts(read_lines(moved)) == ["Once"]


def test_nothing_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ocr, "_shared", None)
    monkeypatch.setattr(socket, "create_connection", lambda *_, **__: pytest.fail("spoke to the network"))
    assert _texts(read_lines(_page((20, 20, "Offline"), size=(200, 80)))) == ["Offline"]
