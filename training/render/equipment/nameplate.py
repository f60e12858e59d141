"""Draw nameplates and asset tags: metal or plastic, engraved or printed, with every value's box known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tools.geometry import Box
from training.render.equipment.fields import LABELS, MAKERS, PRODUCTS, Field, asset_tag, random_fields
from training.render.equipment.fonts import BOLD, LOGO, PLAIN, glyphs
from training.render.equipment.ink import (
    Canvas,
    Colour,
    disc,
    letter,
    letter_centred,
    line,
    rounded,
)
from training.render.equipment.part import Part, Rng, between, chance, pick
from training.render.equipment.surfaces import bevel, brushed, painted, plain


@dataclass(frozen=True, slots=True)
class Material:
    """A plate's stuff: `finish` brushed, painted or plain; `relief` as in `ink.letter`."""

    finish: str
    ground: Colour
    ink: Colour
    relief: int = 0


MATERIALS: dict[str, Material] = {
    "aluminium": Material("brushed", (196, 198, 200), (22, 23, 25)),
    "steel": Material("brushed", (176, 179, 183), (44, 45, 48), 1),
    "engraved": Material("brushed", (204, 205, 206), (58, 58, 60), 1),
    "brass": Material("brushed", (200, 170, 104), (50, 36, 16), 1),
    "black": Material("painted", (30, 31, 34), (226, 227, 226)),
    "blue": Material("painted", (28, 62, 128), (236, 238, 240)),
    "red": Material("painted", (158, 26, 30), (244, 240, 236)),
    "green": Material("painted", (22, 92, 66), (236, 240, 232)),
    "white": Material("plain", (236, 237, 234), (24, 24, 28)),
    "silver": Material("plain", (204, 206, 208), (20, 20, 24)),
    "yellow": Material("plain", (240, 204, 46), (20, 20, 20)),
}


@dataclass(frozen=True, slots=True)
class Plate:
    """A nameplate before it is drawn. `layout`: `rows` (label and value side by side), `inline` (one text) or
    `cells` (a small label above its value); `columns` groups; `size` is (width, height) in
    pixels; `gap` divides labels from values in `rows`, in text heights."""

    fields: tuple[Field, ...]
    size: tuple[int, int]
    material: str = "aluminium"
    title: str = ""
    subtitle: str = ""
    footer: str = ""
    layout: str = "rows"
    columns: int = 1
    font: str = "sans"
    value_font: str = "sans-bold"
    logo_font: str = "sans-bold"
    colon: bool = True
    lines: bool = True
    band: Colour | None = None
    screws: int = 4
    barcode: bool = False
    kind: str = "nameplate"
    gap: float = 1.3


def random_plate(rng: Rng, width: int) -> Plate:
    """A nameplate of that width whose height follows from its number of fields."""
    fields = random_fields(rng, int(rng.integers(2, 9)))
    columns = 2 if len(fields) >= 5 and chance(rng, 0.6) else 1
    layout = pick(rng, ("rows", "rows", "inline", "cells"))
    rows = -(-len(fields) // columns) + 1.6
    height = int(
        width * min(1.1, max(0.28, rows * between(rng, 0.085, 0.13) * (1.25 if layout == "cells" else 1)))
    )
    material = pick(rng, ("aluminium", "aluminium", "steel", "engraved", *MATERIALS))
    titled = not any(f.key == "manufacturer" for f in fields) and chance(rng, 0.85)
    return Plate(
        fields,
        (width, height),
        material,
        pick(rng, MAKERS) if titled else "",
        pick(rng, PRODUCTS) if chance(rng, 0.55) else "",
        pick(rng, ("CE", "MADE IN GERMANY", "CE 0045", "II 2G Ex", "EN 12100")) if chance(rng, 0.35) else "",
        layout,
        columns,
        pick(rng, PLAIN),
        pick(rng, (*PLAIN, *BOLD, "mono-bold")),
        pick(rng, LOGO),
        chance(rng, 0.4),
        chance(rng, 0.5),
        pick(rng, ((24, 60, 130), (170, 28, 30), (20, 20, 22), (20, 100, 80))) if chance(rng, 0.3) else None,
        pick(rng, (0, 2, 4, 4)) if MATERIALS[material].finish != "plain" else 0,
        chance(rng, 0.15),
        gap=between(rng, 0.6, 2.0),
    )


def random_tag(rng: Rng, width: int) -> Plate:
    """A small asset tag with one number, as plants stick it onto their machines."""
    value = asset_tag(rng)
    label = pick(rng, LABELS["asset_tag"])
    return Plate(
        (Field("asset_tag", label, value),),
        (width, int(width * between(rng, 0.42, 0.6))),
        pick(rng, ("white", "yellow", "silver", "black", "engraved", "blue", "red")),
        title=pick(rng, ("", "", "PROPERTY OF PLANT 2", "MAINTENANCE", "UTILITIES")),
        layout="cells",
        value_font=pick(rng, ("sans-bold", "narrow-bold", "gothic-bold", "mono-bold")),
        lines=False,
        screws=pick(rng, (0, 0, 2)),
        barcode=chance(rng, 0.4),
        kind="tag",
    )


def draw_plate(plate: Plate, rng: Rng) -> Part:
    """The plate as a part. `attributes["fields"]` lists label, key and value; the boxes are named by key."""
    width, height = plate.size
    material = MATERIALS[plate.material]
    canvas = _ground(material, width, height, rng)
    alpha = rounded(width, height, min(width, height) * 0.05)
    bevel(canvas, alpha, max(1, width // 160))
    margin = round(min(width, height) * 0.075)
    side = margin + (round(width * 0.025) if plate.screws else 0)
    top = _head(canvas, plate, material, margin, side)
    bottom = height - margin
    if plate.barcode:
        bottom -= round(height * 0.16)
        _barcode(canvas, (side, bottom + margin // 2, width - side, height - margin), material.ink, rng)
    elif plate.footer:
        size = max(8, round(min(height * 0.07, width * 0.04)))
        letter(
            canvas, plate.footer, (side, height - margin), (plate.font, size), material.ink, material.relief
        )
        bottom -= round(size * 1.5)
    boxes = _entries(canvas, plate, material, Box(side, top, width - side, bottom))
    if plate.lines and material.finish != "plain":
        _frame(canvas, margin, material.ink)
    _screws(canvas, plate, margin)
    fields = [{"label": f.label, "key": f.key, "value": f.value, "at": f.key} for f in plate.fields]
    attributes = {
        "material": plate.material,
        "title": plate.title,
        "subtitle": plate.subtitle,
        "fields": fields,
    }
    return Part(plate.kind, canvas, alpha, attributes, {}, boxes, 0.006)


def _ground(material: Material, width: int, height: int, rng: Rng) -> Canvas:
    if material.finish == "brushed":
        return brushed(rng, width, height, material.ground, 0.035)
    if material.finish == "painted":
        return painted(rng, width, height, material.ground, 0.012)
    return plain(rng, width, height, material.ground)


def _head(canvas: Canvas, plate: Plate, material: Material, margin: int, side: int) -> int:
    """Maker and product at the top; returns the row below which the entries begin."""
    width, height = plate.size
    if not plate.title and not plate.subtitle:
        return margin + round(height * 0.02)
    tall = round(min(height * 0.17, width * 0.11) * (0.6 if plate.kind == "tag" else 1.0))
    ink, relief = material.ink, material.relief
    if plate.band is not None:
        canvas[margin : margin + round(tall * 1.25), margin : width - margin] = plate.band
        ink, relief = (244, 244, 242), 0
    base, x = margin + round(tall * 0.98), side + round(width * 0.01)
    if plate.title:
        size = _fitting(plate.title, plate.logo_font, round(tall * 0.9), (width - 2 * side) * 0.6)
        x = round(letter(canvas, plate.title, (x, base), (plate.logo_font, size), ink, relief).x1)
    if plate.subtitle:
        room = width - side - x - width * 0.05
        size = _fitting(plate.subtitle, plate.font, round(tall * 0.5), room)
        shape = glyphs(plate.subtitle, plate.font, size)
        origin = (width - side - shape.width - width * 0.01, base)
        letter(canvas, plate.subtitle, origin, (plate.font, size), ink, relief)
    return margin + round(tall * 1.4)


def _fitting(text: str, font: str, size: int, room: float) -> int:
    """The largest size up to `size` at which the text is no wider than `room` pixels."""
    wide = glyphs(text, font, size).width
    return size if wide <= room else max(7, int(size * room / wide))


def _entries(canvas: Canvas, plate: Plate, material: Material, area: Box) -> dict[str, Box]:
    rows = -(-len(plate.fields) // plate.columns)
    cell_w, cell_h = area.width / plate.columns, area.height / rows
    labels = [f.label + (":" if plate.colon and plate.layout != "cells" else "") for f in plate.fields]
    size = _text_size(plate, labels, cell_w, cell_h)
    boxes: dict[str, Box] = {}
    widest = max(glyphs(text, plate.font, size).width for text in labels)
    for index, (field, label) in enumerate(zip(plate.fields, labels, strict=True)):
        column, row = (
            divmod(index, rows)
            if plate.layout != "cells"
            else (index % plate.columns, index // plate.columns)
        )
        x, y = area.x0 + column * cell_w, area.y0 + row * cell_h
        left = x + cell_w * 0.02
        ink, relief = material.ink, material.relief
        if plate.layout == "cells":
            small = max(7, round(size * 0.62))
            letter(canvas, label, (left, y + cell_h * 0.30), (plate.font, small), ink, relief)
            boxes[field.key] = letter(
                canvas, field.value, (left, y + cell_h * 0.85), (plate.value_font, size), ink, relief
            )
        else:
            base = y + cell_h * 0.5 + size * 0.36
            end = letter(canvas, label, (left, base), (plate.font, size), ink, relief).x1
            start = left + widest + size * plate.gap if plate.layout == "rows" else end + size * 0.4
            boxes[field.key] = letter(
                canvas, field.value, (start, base), (plate.value_font, size), ink, relief
            )
        if plate.lines and row < rows - 1:
            line(
                canvas, (x, y + cell_h), (x + cell_w * 0.97, y + cell_h), material.ink, max(1.0, size * 0.045)
            )
    return boxes


def _text_size(plate: Plate, labels: list[str], cell_w: float, cell_h: float) -> int:
    """The size at which every label and value of the plate fits its cell."""
    size = max(8, round(cell_h * (0.46 if plate.layout == "cells" else 0.58)))
    size = min(size, round(plate.size[0] * (0.2 if plate.kind == "tag" else 0.075)))
    values = [glyphs(f.value, plate.value_font, size).width for f in plate.fields]
    names = [glyphs(text, plate.font, size).width for text in labels]
    if plate.layout == "cells":
        need = max(max(values), 0.62 * max(names))
    elif plate.layout == "rows":
        need = max(values) + max(names) + size * plate.gap
    else:
        need = max(v + n for v, n in zip(values, names, strict=True)) + size * 0.4
    return max(8, int(size * min(1.0, cell_w * 0.92 / need)))


def _frame(canvas: Canvas, margin: int, ink: Colour) -> None:
    inset = max(2, margin // 2)
    height, width = canvas.shape[:2]
    x0, y0, x1, y1 = inset, inset, width - 1 - inset, height - 1 - inset
    for a, b in (((x0, y0), (x1, y0)), ((x1, y0), (x1, y1)), ((x1, y1), (x0, y1)), ((x0, y1), (x0, y0))):
        line(canvas, a, b, ink, max(1.0, width / 420))


def _screws(canvas: Canvas, plate: Plate, margin: int) -> None:
    width, height = plate.size
    inset = max(4.0, margin * 0.62)
    radius = max(2.5, min(margin * 0.42, width * 0.014))
    corners = [
        (inset, inset),
        (width - 1 - inset, inset),
        (inset, height - 1 - inset),
        (width - 1 - inset, height - 1 - inset),
    ]
    middles = [(inset, (height - 1) / 2), (width - 1 - inset, (height - 1) / 2)]
    for x, y in corners if plate.screws == 4 else middles if plate.screws == 2 else ():
        disc(canvas, (x + radius * 0.18, y + radius * 0.25), radius * 1.15, (34, 34, 36))
        disc(canvas, (x, y), radius, (150, 152, 154))
        disc(canvas, (x - radius * 0.2, y - radius * 0.22), radius * 0.6, (214, 215, 216))
        line(
            canvas,
            (x - radius * 0.7, y + radius * 0.25),
            (x + radius * 0.7, y - radius * 0.25),
            (70, 70, 72),
            radius * 0.26,
        )


def _barcode(canvas: Canvas, area: tuple[int, int, int, int], ink: Colour, rng: Rng) -> None:
    x0, y0, x1, y1 = area
    if y1 - y0 < 6:
        return
    canvas[y0:y1, x0:x1] = (240, 240, 238)
    dark = ink if sum(ink) < 300 else (16, 16, 18)
    module = max(1, (x1 - x0) // 110)
    x = x0 + 3 * module
    while x < x1 - 4 * module:
        wide = int(rng.integers(1, 4)) * module
        canvas[y0 + 2 : y1 - 2, x : min(x + wide, x1 - 3 * module)] = dark
        x += wide + int(rng.integers(1, 4)) * module


def draw_warning(rng: Rng, width: int) -> Part:
    """A safety label: signal word, symbol, sentence. Box `text` bounds the sentence."""
    word, ground, ink = pick(
        rng,
        (
            ("WARNING", (240, 150, 30), (16, 16, 16)),
            ("CAUTION", (244, 206, 34), (16, 16, 16)),
            ("DANGER", (200, 24, 30), (246, 246, 244)),
            ("NOTICE", (30, 84, 170), (246, 246, 244)),
        ),
    )
    texts = pick(
        rng,
        (
            ("HOT SURFACE", "Do not touch"),
            ("HIGH VOLTAGE", "Authorised personnel only"),
            ("ROTATING PARTS", "Keep hands clear"),
            ("LOCK OUT", "before servicing"),
            ("WEAR EAR PROTECTION", ""),
            ("PRESSURISED SYSTEM", "Relieve pressure first"),
            ("OIL LEVEL", "Check every 500 h"),
            ("AUTOMATIC START", "May start at any time"),
        ),
    )
    height = int(width * between(rng, 0.42, 0.62))
    canvas = plain(rng, width, height, (242, 242, 238))
    band = round(height * 0.34)
    canvas[:band] = ground
    letter_centred(canvas, f"⚠ {word}" if chance(rng, 0.6) else word, (width / 2, band / 2),
                   ("symbols", round(band * 0.62)), ink)  # fmt: skip
    size = min(round(height * 0.19), _fitting(texts[0], "sans-bold", round(height * 0.19), width * 0.9))
    first = letter_centred(canvas, texts[0], (width / 2, height * 0.55), ("sans-bold", size), (18, 18, 18))
    if texts[1]:
        small = _fitting(texts[1], "sans", round(height * 0.14), width * 0.9)
        letter_centred(canvas, texts[1], (width / 2, height * 0.8), ("sans", small), (18, 18, 18))
    alpha = rounded(width, height, height * 0.06)
    attributes = {"word": word, "text": texts[0], "detail": texts[1]}
    return Part("warning", canvas, np.asarray(alpha), attributes, {}, {"text": first}, 0.002)
