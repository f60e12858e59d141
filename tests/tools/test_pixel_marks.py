"""Marks from pixels alone, and drawing them."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from tools.geometry import Box
from tools.mark import Mark
from tools.marks.annotate import annotate
from tools.marks.dials import detect_dials, detect_discs
from tools.marks.pixels import photo_marks, read_screen
from tools.marks.shapes import find_shapes

FONT = ImageFont.load_default(size=17)


def _screen() -> Image.Image:
    image = Image.new("RGB", (480, 260), (246, 247, 249))
    pen = ImageDraw.Draw(image)
    pen.text((20, 26), "Serial number", fill="black", font=FONT)
    pen.rectangle((160, 20, 400, 50), fill="white", outline=(200, 200, 205))  # an empty field
    pen.rounded_rectangle((20, 80, 150, 114), 6, fill=(20, 100, 200))
    pen.text((52, 86), "Submit", fill="white", font=FONT)
    pen.rectangle((20, 140, 33, 153), fill="white", outline=(90, 90, 90))  # a check box
    pen.text((42, 136), "Notify", fill="black", font=FONT)
    pen.ellipse((20, 180, 34, 194), fill="white", outline=(90, 90, 90))  # a radio
    pen.text((42, 177), "Planned room", fill="black", font=FONT)
    return image


def _region_at(marks: tuple[Mark, ...], box: Box) -> Mark:
    best = max((m for m in marks if m.role == "region" and m.box), key=lambda m: box.iou(m.box or box))
    assert best.box is not None and box.iou(best.box) > 0.6, (box, best)
    return best


def test_a_screen_is_texts_and_regions() -> None:
    marks = read_screen(_screen())
    assert _region_at(marks, Box(160, 20, 401, 51)).text == ""
    assert _region_at(marks, Box(20, 80, 151, 115)).text == "Submit"
    _region_at(marks, Box(20, 140, 34, 154))
    _region_at(marks, Box(20, 180, 35, 195))
    texts = [(mark.text, mark.source) for mark in marks if mark.role == "text"]
    assert texts == [("Serial number", "ocr"), ("Notify", "ocr"), ("Planned room", "ocr")]
    assert sum(mark.role == "region" for mark in marks) == 4  # no letter became a radio
    assert [mark.ref for mark in marks] == [f"pixel:{n}" for n in range(1, len(marks) + 1)]


def test_a_blank_screen_has_no_marks() -> None:
    assert read_screen(Image.new("RGB", (200, 100), "white")) == ()
    assert find_shapes(Image.new("RGB", (5, 5))) == []


def _gauge(image: Image.Image, x: int, y: int, radius: int) -> None:
    pen = ImageDraw.Draw(image)
    pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(60, 60, 64))
    inner = radius * 9 // 10
    pen.ellipse((x - inner, y - inner, x + inner, y + inner), fill=(240, 240, 232))
    pen.line((x, y, x + radius // 2, y - radius // 2), fill=(10, 10, 10), width=4)


def _noise(width: int, height: int) -> Image.Image:
    rng = np.random.default_rng(3)
    return Image.fromarray(rng.integers(60, 200, (height, width, 3), dtype=np.uint8)).filter(
        ImageFilter.GaussianBlur(2)
    )


def test_gauges_are_found_with_their_rims() -> None:
    image = Image.new("RGB", (900, 700), (150, 155, 160))
    _gauge(image, 250, 300, 140)
    _gauge(image, 650, 420, 90)
    found = sorted(detect_dials(image.filter(ImageFilter.GaussianBlur(1))), key=lambda box: box.x0)
    assert len(found) == 2
    assert found[0].iou(Box(110, 160, 390, 440)) > 0.75
    assert found[1].iou(Box(560, 330, 740, 510)) > 0.75


def test_texture_and_rectangles_are_no_gauges() -> None:
    assert detect_dials(_noise(800, 600)) == []
    plain = Image.new("RGB", (800, 600), (120, 120, 120))
    ImageDraw.Draw(plain).rectangle((100, 100, 500, 400), fill="black")
    assert detect_dials(plain) == [] and detect_discs(plain) == []


def test_a_photo_is_texts_dials_and_lamps() -> None:
    image = Image.new("RGB", (900, 700), (150, 155, 160))
    _gauge(image, 250, 300, 140)
    pen = ImageDraw.Draw(image)
    pen.ellipse((600, 400, 670, 470), fill=(210, 30, 20))
    pen.text((560, 100), "SN-48213", fill="black", font=ImageFont.load_default(size=34))
    marks = photo_marks(image)
    assert {(mark.role, mark.source) for mark in marks} == {
        ("text", "ocr"),
        ("dial", "dial"),
        ("region", "pixels"),
    }
    assert [mark.text for mark in marks if mark.role == "text"] == ["SN-48213"]
    assert _region_at(marks, Box(600, 400, 671, 471))


def test_annotating_leaves_the_original_alone() -> None:
    image = Image.new("RGB", (400, 300), "white")
    marks = [
        Mark("a", "button", "Go", Box(50, 50, 150, 80), "dom"),
        Mark("b", "option", "High", None, "dom"),
        Mark("c", "text", "Edge", Box(-20, 290, 500, 340), "ocr"),
    ]
    drawn = annotate(image, marks, chosen="a", evidence=[Box(200, 100, 260, 140)])
    assert image.getcolors() == [(120_000, (255, 255, 255))]
    assert drawn.getpixel((48, 65)) == (225, 30, 60)  # the frame around the chosen one
    green = drawn.getpixel((230, 120))
    assert isinstance(green, tuple) and green[1] > green[0]  # evidence is tinted
    assert annotate(image, marks, chosen=marks[0]).tobytes() == annotate(image, marks, chosen="a").tobytes()
    assert annotate(image, [], chosen="gone").tobytes() == image.tobytes()
