"""Reading text: the real engine on drawn lines."""

from __future__ import annotations

import socket
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from tools.geometry import Box
from tools.ocr import OcrLine, lines, read_lines
from tools.ocr.detect import Detector
from tools.ocr.recognise import Recogniser
from tools.photo import load_image

PHOTOS = Path(__file__).parents[2] / "examples" / "photos"


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
    monkeypatch.setattr(Recogniser, "_read", lambda *_: pytest.fail("recognised again"))
    assert read_lines(first.copy()) == known
    moved = Image.new("RGB", first.size, "white")
    moved.paste(first.crop((0, 60, 420, 160)), (0, 60))
    assert _texts(read_lines(moved)) == ["Once"]


def test_nothing_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "_shared", None)
    monkeypatch.setattr(socket, "create_connection", lambda *_, **__: pytest.fail("spoke to the network"))
    assert _texts(read_lines(_page((20, 20, "Offline"), size=(200, 80)))) == ["Offline"]


@pytest.mark.parametrize("photo", ["panel.jpg", "pump.jpg"])
def test_lines_are_those_of_rapidocr(photo: str) -> None:
    """Parity with the package whose models these are, with the same settings."""
    from rapidocr import RapidOCR

    pixels = np.ascontiguousarray(np.asarray(load_image(PHOTOS / photo).image)[:, :, ::-1])
    theirs = RapidOCR(
        params={
            "Global.log_level": "critical",
            "Det.use_dilation": False,
            "Det.limit_side_len": 32,
            "Rec.rec_img_shape": [3, 48, 96],
            "Rec.rec_batch_num": 1,
        }
    )
    crops, found = theirs.detect_and_crop(pixels, {})
    ours = np.stack(Detector(2)(pixels))
    assert found.boxes is not None
    assert len(ours) == len(found.boxes)
    # their corners are rounded once more on the way
    nearest = np.abs(ours[:, None] - found.boxes[None]).max(axis=(2, 3)).min(axis=0)
    assert nearest.max() <= 2

    read = theirs.recognize_txt(crops)
    texts, scores = zip(*Recogniser(2)(crops), strict=True)
    assert texts == read.txts
    assert scores == pytest.approx(read.scores, abs=1e-4)


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (400, 3), (31, 33), (900, 20)])
def test_an_image_of_any_shape_is_searched(size: tuple[int, int]) -> None:
    for corners in Detector(1)(np.full((size[1], size[0], 3), 255, np.uint8)):
        assert corners.min() >= 0
        assert (corners.max(axis=0) < size).all()
