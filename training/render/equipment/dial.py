"""Draw an analogue dial: bezel, face, scale, hands, glass."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.geometry import Box
from training.render.equipment.dialspec import DialSpec, DialStyle, number
from training.render.equipment.fonts import glyphs
from training.render.equipment.ink import (
    Canvas,
    Colour,
    Mask,
    Point,
    arc,
    blank,
    disc,
    letter_centred,
    line,
    polygon,
    ring,
    stamp,
)
from training.render.equipment.part import Part, Rng, between, chance

#: Radius of the bezel (or of the flange) as a share of the canvas' side.
OUTER = 0.48


@lru_cache(maxsize=32)
def _polar(side: int) -> tuple[NDArray[np.float32], ...]:
    """Distance from the centre in pixels; sine and cosine of the angle clockwise from up; (side, side)."""
    along = np.arange(side, dtype=np.float32) - np.float32((side - 1) / 2)
    radius = np.hypot(along[None, :], along[:, None])
    far = np.maximum(radius, np.float32(0.5))
    return radius, along[None, :] / far, -along[:, None] / far


@lru_cache(maxsize=32)
def _twice(side: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Sine and cosine of twice the angle."""
    _, sine, cosine = _polar(side)
    return 2 * sine * cosine, cosine * cosine - sine * sine


def draw_dial(spec: DialSpec, style: DialStyle, side: int, rng: Rng) -> Part:
    """The dial as a part of `side` by `side` pixels.

    Points: `centre` (the needle's axis), `tip`, `first` and `last` (ends of the scale), `limit` where there
    is such a hand. Boxes: `numeral <text>` for every number of the main scale, `unit`, `face`.
    """
    centre = ((side - 1) / 2, (side - 1) / 2)
    outer = OUTER * side * (0.84 if style.flange else 1.0)
    face = outer * (1 - style.bezel_width)
    canvas, alpha = _housing(side, style, outer, face)
    boxes = {"face": Box(centre[0] - face, centre[1] - face, centre[0] + face, centre[1] + face)}
    _scale(canvas, spec, style, centre, face)
    boxes |= _lettering(canvas, spec, style, centre, face)
    _hands(canvas, spec, style, centre, face)
    if style.dirt > 0:
        _dirt(canvas, face, style.dirt, rng)
    if style.glare > 0:
        _glass(canvas, centre, face, style.glare, rng)
    points = {
        "centre": centre,
        "tip": _at(centre, spec.angle, face * style.needle_length),
        "first": _at(centre, spec.start, face * style.scale_radius),
        "last": _at(centre, spec.start + spec.sweep, face * style.scale_radius),
    }
    if spec.limit is not None:
        points["limit"] = _at(centre, spec.direction(spec.limit), face * 0.75)
    return Part("dial", canvas, alpha, _attributes(spec, style), points, boxes, 0.05)


def _attributes(spec: DialSpec, style: DialStyle) -> dict[str, Any]:
    return {
        "minimum": spec.minimum,
        "maximum": spec.maximum,
        "unit": spec.unit,
        "value": round(spec.value, 6),
        "fraction": round(spec.fraction, 6),
        "sweep": round(spec.sweep, 6),
        "numerals": [number(value, style.comma) for value in spec.numerals],
        "limit": None if spec.limit is None else round(spec.limit, 6),
        "brand": style.brand,
    }


def _at(centre: Point, angle: float, radius: float) -> Point:
    return centre[0] + math.sin(angle) * radius, centre[1] - math.cos(angle) * radius


def _housing(side: int, style: DialStyle, outer: float, face: float) -> tuple[Canvas, Mask]:
    """Bezel with the sheen of turned metal, an empty face with the shadow of the rim on it."""
    radius, sine, cosine = _polar(side)
    sine2, cosine2 = _twice(side)
    turned = sine * np.float32(math.sin(style.light)) + cosine * np.float32(math.cos(style.light))
    sheen = sine2 * np.float32(math.sin(1.7 * style.light)) + cosine2 * np.float32(
        math.cos(1.7 * style.light)
    )
    across = np.clip(
        (radius - np.float32((outer + face) / 2)) / np.float32(max(1.0, (outer - face) / 2)), -1.2, 1.2
    )
    light = 0.5 + 0.42 * np.cos(across * np.float32(1.5)) + 0.3 * across * turned + 0.12 * sheen
    depth = 1 - np.clip((face - radius) / np.float32(0.16 * face), 0, 1)
    lit = (
        1
        - depth * depth * (0.295 + 0.175 * turned)
        + turned * np.minimum(radius, face) * np.float32(0.05 / face)
    )
    inside = np.clip(np.float32(face + 0.5) - radius, 0, 1)
    rim_light, dial_light = light * (1 - inside), lit * inside
    gloss = np.maximum(light - np.float32(1.02), 0) * 300 * (1 - inside)
    channels = [
        rim_light * np.float32(rim) + dial_light * np.float32(dial) + gloss
        for rim, dial in zip(style.bezel, style.face, strict=True)
    ]
    canvas = np.clip(cv2.merge(channels), 0, 255).astype(np.uint8)
    if not style.flange:
        return canvas, (np.clip(outer - radius + 0.5, 0, 1) * 255).astype(np.uint8)
    return _flange(canvas, side, style, outer)


def _flange(canvas: Canvas, side: int, style: DialStyle, outer: float) -> tuple[Canvas, Mask]:
    """Put a mounting plate with three screws behind the bezel."""
    radius = _polar(side)[0]
    plate = blank(side, side, (58, 60, 63) if sum(style.bezel) < 200 else (150, 152, 154))
    centre = ((side - 1) / 2, (side - 1) / 2)
    for place in (0.0, 2.0944, 4.18879):
        hole = _at(centre, place + 0.3, (outer + OUTER * side) / 2)
        disc(plate, (hole[0] + 1, hole[1] + 1), side * 0.021, (30, 30, 30))
        disc(plate, hole, side * 0.018, (178, 178, 176))
        line(
            plate,
            (hole[0] - side * 0.012, hole[1]),
            (hole[0] + side * 0.012, hole[1]),
            (60, 60, 60),
            side * 0.006,
        )
    keep = np.clip(outer - radius + 0.5, 0, 1)[..., None]
    drop = np.clip((radius - outer) / (0.03 * side), 0.45, 1)[..., None]
    merged = plate * drop * (1 - keep) + canvas * keep
    return merged.astype(np.uint8), (np.clip(OUTER * side - radius + 0.5, 0, 1) * 255).astype(np.uint8)


def _scale(canvas: Canvas, spec: DialSpec, style: DialStyle, centre: Point, face: float) -> None:
    top = face * style.scale_radius
    zone = (
        (top - face * style.zone_width, top)
        if style.numerals_inside
        else (top, top + face * style.zone_width)
    )
    for first, last, colour in style.zones:
        arc(canvas, centre, zone, (spec.start + spec.sweep * first, spec.start + spec.sweep * last), colour)
    if style.scale_line:
        width = max(1.0, face * style.tick_width * 0.6)
        arc(canvas, centre, (top - width, top), (spec.start, spec.start + spec.sweep), style.ink)
    majors = len(spec.numerals) - 1
    for index in range(majors * spec.minor + 1):
        angle = spec.start + spec.sweep * index / (majors * spec.minor)
        is_major = index % spec.minor == 0
        middle = not is_major and spec.minor % 2 == 0 and index % (spec.minor // 2) == 0 and spec.minor >= 4
        length = face * style.major * (1.0 if is_major else 0.75 if middle else 0.5)
        width = max(0.9, face * style.tick_width * (1.0 if is_major else 0.5))
        line(canvas, _at(centre, angle, top - length), _at(centre, angle, top), style.ink, width)


def _lettering(
    canvas: Canvas, spec: DialSpec, style: DialStyle, centre: Point, face: float
) -> dict[str, Box]:
    """Numerals, unit, brand and note; the boxes of the numerals and the unit."""
    boxes: dict[str, Box] = {}
    font = (style.font, max(7, round(face * style.numeral_size)))
    for value in spec.numerals:
        text, angle = number(value, style.comma), spec.direction(value)
        boxes[f"numeral {text}"] = _numeral(canvas, text, angle, font, style, centre, face)
    unit_font = (style.font, max(7, round(face * style.unit_size)))
    middle = (centre[0], centre[1] + face * style.unit_offset)
    boxes["unit"] = letter_centred(canvas, spec.unit, middle, unit_font, style.ink)
    small = max(6, round(face * 0.085))
    if style.brand:
        y = centre[1] - face * 0.36 if style.unit_offset > 0 else centre[1] - face * style.unit_offset * 0.95
        letter_centred(canvas, style.brand, (centre[0], y), ("gothic-bold", small), style.ink)
    if style.note:
        letter_centred(canvas, style.note, (centre[0], centre[1] + face * 0.66), ("narrow", small), style.ink)
    for fraction, text in style.second_numerals:
        place = _at(centre, spec.start + spec.sweep * fraction, face * 0.47)
        letter_centred(canvas, text, place, ("narrow", small), (176, 34, 34))
    if style.second_unit:
        place = (centre[0], middle[1] + face * (style.unit_size * 0.6 + 0.07))
        letter_centred(canvas, style.second_unit, place, ("narrow", small), (176, 34, 34))
    return boxes


def _numeral(
    canvas: Canvas,
    text: str,
    angle: float,
    font: tuple[str, int],
    style: DialStyle,
    centre: Point,
    face: float,
) -> Box:
    shape = glyphs(text, *font)
    half_w, half_h = shape.width / 2, shape.height / 2
    if style.turned_numerals:
        reach = half_h
    else:  # how far the upright box reaches along the radius
        reach = min(half_w / max(abs(math.sin(angle)), 1e-3), half_h / max(abs(math.cos(angle)), 1e-3))
        reach = 0.5 * (reach + math.hypot(half_w * math.sin(angle), half_h * math.cos(angle)))
    top = face * style.scale_radius
    gap = face * 0.035
    radius = top - face * style.major - gap - reach if style.numerals_inside else top + gap + reach
    if not style.numerals_inside and style.zones:
        radius += face * style.zone_width * 0.6
    place = _at(centre, angle, radius)
    if not style.turned_numerals:
        return letter_centred(canvas, text, place, font, style.ink)
    return _turned(canvas, shape.mask, place, angle, style.ink)


def _turned(canvas: Canvas, mask: Mask, place: Point, angle: float, ink: Colour) -> Box:
    """A numeral whose foot points at the axis."""
    side = int(math.hypot(*mask.shape)) + 2
    turn = cv2.getRotationMatrix2D((mask.shape[1] / 2, mask.shape[0] / 2), -math.degrees(angle), 1.0)
    turn[:, 2] += (side - mask.shape[1]) / 2, (side - mask.shape[0]) / 2
    turned = np.asarray(cv2.warpAffine(mask, turn, (side, side), flags=cv2.INTER_LINEAR), np.uint8)
    x, y = place[0] - side / 2, place[1] - side / 2
    stamp(canvas, turned, x, y, ink)
    rows, columns = np.nonzero(turned.max(1) > 40)[0], np.nonzero(turned.max(0) > 40)[0]
    return Box(round(x) + columns[0], round(y) + rows[0], round(x) + columns[-1] + 1, round(y) + rows[-1] + 1)


def needle_outline(style: DialStyle, length: float, width: float, tail: float) -> list[tuple[float, float]]:
    """The needle pointing up, as (across, along) with the axis at the origin; the last shape is `bar`."""
    w, low = width, -tail
    if style.shape == "taper":
        return [(-w, low), (-w, 0), (-w * 0.22, length), (w * 0.22, length), (w, 0), (w, low)]
    if style.shape == "thin":
        t = w * 0.4
        return [(-w, low), (-w * 0.7, 0), (-t, length * 0.12), (-t * 0.4, length), (t * 0.4, length),
                (t, length * 0.12), (w * 0.7, 0), (w, low)]  # fmt: skip
    if style.shape == "arrow":
        t, head = w * 0.5, length * 0.8
        return [(-t, low), (-t, head), (-w * 1.6, head), (0, length), (w * 1.6, head), (t, head), (t, low)]
    if style.shape == "lance":
        belly = length * 0.62
        return [(-w * 0.5, low), (-w * 0.5, 0), (-w * 1.3, belly), (0, length), (w * 1.3, belly),
                (w * 0.5, 0), (w * 0.5, low)]  # fmt: skip
    if style.shape == "blade":
        return [
            (-w * 0.6, low),
            (-w * 1.5, 0),
            (-w * 0.2, length),
            (w * 0.2, length),
            (w * 1.5, 0),
            (w * 0.6, low),
        ]
    return [(-w * 0.7, low), (-w * 0.7, length), (w * 0.7, length), (w * 0.7, low)]


def _hands(canvas: Canvas, spec: DialSpec, style: DialStyle, centre: Point, face: float) -> None:
    length, width = face * style.needle_length, max(1.1, face * style.needle_width)
    if spec.limit is not None:
        angle = spec.direction(spec.limit)
        line(canvas, centre, _at(centre, angle, face * 0.78), style.limit_colour, max(1.4, face * 0.022))
    outline = needle_outline(style, length, width, face * style.tail)
    sin, cos = math.sin(spec.angle), math.cos(spec.angle)
    needle = [(centre[0] + u * cos + v * sin, centre[1] + u * sin - v * cos) for u, v in outline]
    weight = _at(centre, spec.angle, -face * style.tail * 0.8)
    drop = max(1.0, face * 0.03)
    shadow = np.zeros(canvas.shape[:2], np.uint8)
    fallen = [(x - math.sin(style.light) * drop, y + math.cos(style.light) * drop) for x, y in needle]
    polygon(shadow, fallen, 255)
    disc(
        shadow,
        (centre[0] - math.sin(style.light) * drop, centre[1] + math.cos(style.light) * drop),
        face * style.hub,
        255,
    )
    box = max(3, int(face * 0.035) | 1)
    stamp(canvas, np.asarray(cv2.blur(shadow, (box, box)), np.uint8), 0, 0, (10, 10, 14), 0.34)
    polygon(canvas, needle, style.needle)
    if style.tail_disc and style.tail > 0:
        disc(canvas, weight, max(2.0, width * 2.2), style.needle)
    radius = max(2.0, face * style.hub)
    disc(canvas, centre, radius, style.hub_colour)
    lighter = tuple(min(255, int(c * 1.2 + 26)) for c in style.hub_colour)
    offset = (
        centre[0] + math.sin(style.light) * radius * 0.2,
        centre[1] - math.cos(style.light) * radius * 0.2,
    )
    disc(canvas, offset, radius * 0.6, (lighter[0], lighter[1], lighter[2]))
    if style.hub_screw:
        ring(canvas, centre, radius * 0.5, (60, 60, 60), max(1, round(face * 0.008)))
        a, b = _at(centre, spec.angle + 0.8, radius * 0.45), _at(centre, spec.angle + 0.8, -radius * 0.45)
        line(canvas, a, b, (50, 50, 50), max(1.0, face * 0.016))


def _dirt(canvas: Canvas, face: float, amount: float, rng: Rng) -> None:
    side = canvas.shape[0]
    for _ in range(int(3 + 14 * amount)):
        place = (between(rng, 0.1, 0.9) * side, between(rng, 0.1, 0.9) * side)
        shade = int(between(rng, 60, 150))
        if chance(rng, 0.7):
            disc(canvas, place, between(rng, 0.4, 1.6) * face / 90, (shade, shade - 8, shade - 20))
        else:
            end = _at(place, between(rng, 0, 6.3), between(rng, 0.05, 0.3) * face)
            line(canvas, place, end, (shade + 60, shade + 60, shade + 56), max(0.8, face * 0.005))


def _glass(canvas: Canvas, centre: Point, face: float, strength: float, rng: Rng) -> None:
    """Reflections on the pane: a soft band or window panes, a bright crescent at the rim."""
    side = canvas.shape[0]
    light = np.zeros((side, side), np.uint8)
    angle = between(rng, -3.1, 3.1)
    if chance(rng, 0.6):
        middle, half = between(rng, -0.5, 0.5) * face, between(rng, 0.1, 0.4) * face
        ends = [_at(centre, angle + 1.5708, middle + s * half) for s in (-1, 1)]
        corners = [_at(ends[0], angle, -face * 1.2), _at(ends[0], angle, face * 1.2),
                   _at(ends[1], angle, face * 1.2), _at(ends[1], angle, -face * 1.2)]  # fmt: skip
        polygon(light, corners, 255)
    else:
        place = _at(centre, angle, face * between(rng, 0.3, 0.7))
        half_w, half_h = face * between(rng, 0.12, 0.3), face * between(rng, 0.1, 0.25)
        lean = between(rng, -0.3, 0.3) * face
        for column in (-1, 1):
            x = place[0] + column * half_w * 0.55
            polygon(light, [(x - half_w * 0.5, place[1] - half_h), (x + half_w * 0.5, place[1] - half_h),
                            (x + half_w * 0.5 + lean * 0.3, place[1] + half_h),
                            (x - half_w * 0.5 + lean * 0.3, place[1] + half_h)], 255)  # fmt: skip
    arc(light, centre, (face * 0.86, face * 0.95), (angle - 0.5, angle + 0.7), 200)
    blur = max(3, int(face * between(rng, 0.03, 0.2)) | 1)
    light = np.asarray(cv2.blur(light, (blur, blur)), np.uint8)
    pane = np.zeros_like(light)
    disc(pane, centre, face, 255)
    stamp(canvas, np.minimum(light, pane), 0, 0, (255, 255, 252), strength)
