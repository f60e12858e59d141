"""Put parts onto a machine and photograph it: the scene, its items, and where they are."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from PIL import Image

from tools.geometry import Box
from training.render.equipment.backdrop import draw_backdrop
from training.render.equipment.controls import random_control, random_led, random_valve
from training.render.equipment.dial import draw_dial
from training.render.equipment.dialspec import random_spec, random_style
from training.render.equipment.digital import draw_meter, random_meter
from training.render.equipment.ink import Canvas
from training.render.equipment.nameplate import draw_plate, draw_warning, random_plate, random_tag
from training.render.equipment.optics import expose, random_lens
from training.render.equipment.part import Item, Part, Rng, Scene, between, chance, generator, pick
from training.render.equipment.perspective import (
    Homography,
    bearing,
    bounds,
    project,
    project_point,
    project_quad,
    scale,
    shift,
    tilt,
)

_SCENE_STREAM = 10
_SIZES = ((1000, 750), (1000, 750), (1024, 768), (960, 720), (1080, 720), (750, 1000))

#: Parts are drawn at this many pixels for one of the surface, so that their warp has something to average.
_FINE = 1.25


@dataclass(frozen=True)
class Placed:
    """A part and its homography from its own pixels to the photo's."""

    part: Part
    view: Homography


def render_equipment(seed: int, difficulty: float = 0.5) -> Scene:
    """A photo of equipment and all that can be read on it.

    Args:
        seed: the same seed gives the same bytes (on a machine with the same fonts).
        difficulty: 0 is a good photo, 1 a bad one (tilt, blur, glare, dark, noise, compression).

    Attributes of the items by kind, all places in pixels of the photo:
    `dial`: minimum, maximum, unit, value, fraction, centre, tip, needle_angle, first_angle, last_angle
    (radians clockwise from up, as seen), numerals (text, value, box), unit_box, limit, brand;
    `nameplate` and `tag`: fields (label, key, value, box), title, subtitle, material;
    `meter`: value, text, unit, name, display, value_box, unit_box, display_box;
    `led`: colour, lit, label, lamp_box, label_box;
    `switch`: switch, state, positions; `button`: label; `valve`: valve, state; `warning`: word, text, detail;
    `emergency_stop`.
    """
    rng = generator(seed, _SCENE_STREAM)
    width, height = pick(rng, _SIZES)
    kind = pick(rng, tuple(_RECIPES))
    surface = draw_backdrop(rng, width, height, kind == "panel")
    camera = _camera(rng, width, height, difficulty)
    placed = _arrange(rng, _RECIPES[kind](rng), width, height, camera, difficulty)
    photo = photograph(surface, placed, camera, rng)
    image = expose(photo, random_lens(rng, difficulty, 1.3), rng)
    return Scene(seed, Image.fromarray(image), tuple(describe(p) for p in placed))


def _camera(rng: Rng, width: int, height: int, difficulty: float) -> Homography:
    lean = 0.06 + 0.34 * difficulty
    focal = max(width, height) * between(rng, 1.1, 2.2)
    turn = between(rng, -0.09, 0.09) * (0.4 + difficulty)
    return tilt(
        (width / 2, height / 2), focal, between(rng, -lean, lean), between(rng, -lean, lean) * 0.8, turn
    )


def photograph(surface: Canvas, placed: tuple[Placed, ...], camera: Homography, rng: Rng) -> Canvas:
    """The surface and the parts on it through the camera, lit from one side."""
    height, width = surface.shape[:2]
    photo = np.asarray(
        cv2.warpPerspective(
            surface, camera, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
        ),
        np.uint8,
    )
    light = between(rng, 0.25, 1.2) * (1 if chance(rng, 0.5) else -1)
    for each in placed:
        _put(photo, each, light)
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    slope = 1 - np.float32(0.10) * (x * math.sin(light) + y)
    return np.asarray(
        cv2.multiply(photo, cv2.merge([np.asarray(slope, np.float32)] * 3), dtype=cv2.CV_8U), np.uint8
    )


def _put(photo: Canvas, placed: Placed, light: float) -> None:
    """Draw one part with its shadow into the photo."""
    part = placed.part
    height, width = photo.shape[:2]
    corners = project(placed.view, [(0, 0), (part.width, 0), (part.width, part.length), (0, part.length)])
    area = bounds(corners)
    reach = max(2.0, part.height * area.width)
    x0, y0 = int(max(0, area.x0 - 3 * reach)), int(max(0, area.y0 - 2 * reach))
    x1, y1 = int(min(width, area.x1 + 3 * reach) + 1), int(min(height, area.y1 + 3 * reach) + 1)
    if x1 <= x0 or y1 <= y0:
        return
    view, size = shift(-x0, -y0) @ placed.view, (x1 - x0, y1 - y0)
    rgb = cv2.warpPerspective(part.rgb, view, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    alpha = cv2.warpPerspective(part.alpha, view, size, flags=cv2.INTER_LINEAR)
    cast = np.array([[1, 0, math.sin(light) * reach], [0, 1, reach]])
    box = max(3, int(reach * 1.4) | 1)
    dark = cv2.blur(cv2.warpAffine(alpha, cast, size), (box, box)).astype(np.float32)
    contact = cv2.blur(alpha, (5, 5)).astype(np.float32)
    region = photo[y0 : y0 + size[1], x0 : x0 + size[0]]
    dim = 1 - np.maximum(dark * np.float32(0.5), contact * np.float32(0.4)) / 255
    cover = (alpha.astype(np.float32) / 255)[..., None]
    shaded = region * dim[: region.shape[0], : region.shape[1], None]
    part_pixels = rgb[: region.shape[0], : region.shape[1]]
    region[:] = shaded + (part_pixels - shaded) * cover[: region.shape[0], : region.shape[1]]


Wish = tuple[str, float]


def _pump(rng: Rng) -> list[Wish]:
    wishes = [("nameplate", between(rng, 0.36, 0.55)), ("dial", between(rng, 0.24, 0.42))]
    wishes += [("dial", between(rng, 0.18, 0.26))] if chance(rng, 0.3) else []
    wishes += [("tag", between(rng, 0.16, 0.24))] if chance(rng, 0.6) else []
    wishes += [("valve", between(rng, 0.12, 0.25))] if chance(rng, 0.4) else []
    wishes += [("warning", between(rng, 0.14, 0.2))] if chance(rng, 0.3) else []
    return wishes


def _panel(rng: Rng) -> list[Wish]:
    wishes = [("meter", between(rng, 0.22, 0.34)) for _ in range(int(rng.integers(1, 4)))]
    wishes += [("dial", between(rng, 0.2, 0.28))] if chance(rng, 0.4) else []
    wishes += [("led", 0.075) for _ in range(int(rng.integers(1, 5)))]
    wishes += [("control", between(rng, 0.09, 0.14)) for _ in range(int(rng.integers(1, 4)))]
    wishes += [("tag", between(rng, 0.15, 0.22))] if chance(rng, 0.5) else []
    return wishes


def _gauges(rng: Rng) -> list[Wish]:
    wishes = [("dial", between(rng, 0.24, 0.38)) for _ in range(int(rng.integers(1, 4)))]
    wishes += [("tag", between(rng, 0.15, 0.24))] if chance(rng, 0.6) else []
    wishes += [("valve", between(rng, 0.14, 0.24))] if chance(rng, 0.5) else []
    wishes += [("warning", between(rng, 0.14, 0.22))] if chance(rng, 0.4) else []
    return wishes


def _plates(rng: Rng) -> list[Wish]:
    wishes = [("nameplate", between(rng, 0.5, 0.72))]
    wishes += [("tag", between(rng, 0.18, 0.26))] if chance(rng, 0.6) else []
    wishes += [("warning", between(rng, 0.15, 0.24))] if chance(rng, 0.4) else []
    return wishes


_RECIPES: dict[str, Callable[[Rng], list[Wish]]] = {
    "pump": _pump,
    "panel": _panel,
    "gauges": _gauges,
    "plates": _plates,
}


def _draw(rng: Rng, kind: str, width: int, difficulty: float) -> Part:
    if kind == "dial":
        spec = random_spec(rng)
        return draw_dial(spec, random_style(rng, spec, difficulty), width, rng)
    if kind == "meter":
        return draw_meter(random_meter(rng), width, rng)
    if kind == "nameplate":
        return draw_plate(random_plate(rng, width), rng)
    if kind == "tag":
        return draw_plate(random_tag(rng, width), rng)
    drawers: dict[str, Callable[[Rng, int], Part]] = {
        "warning": draw_warning, "led": random_led, "control": random_control, "valve": random_valve,
    }  # fmt: skip
    return drawers[kind](rng, width)


def _arrange(
    rng: Rng, wishes: list[Wish], width: int, height: int, camera: Homography, difficulty: float
) -> tuple[Placed, ...]:
    """Draw the wished parts, the largest first, where they fit inside the photo without touching."""
    placed: list[Placed] = []
    taken: list[Box] = []
    for kind, share in sorted(wishes, key=lambda wish: -wish[1]):
        wide = share * min(width, 1.25 * height)
        part = _draw(rng, kind, round(wide * _FINE), difficulty)
        roll = between(rng, -0.05, 0.05) * (0.3 + difficulty)
        spin = tilt((0, 0), 1e4, 0, 0, roll)
        for attempt in range(40):
            zoom = (1 if attempt < 25 else 0.8) / _FINE
            half_w, half_h = part.width * zoom / 2, part.length * zoom / 2
            x = between(rng, half_w * 0.9, max(half_w, width - half_w * 0.9))
            y = between(rng, half_h * 0.9, max(half_h, height - half_h * 0.9))
            middle = shift(-(part.width - 1) / 2, -(part.length - 1) / 2)
            view = camera @ shift(x, y) @ spin @ scale(zoom) @ middle
            area = bounds(project_quad(view, Box(0, 0, part.width, part.length)))
            inside = area.x0 > 4 and area.y0 > 4 and area.x1 < width - 4 and area.y1 < height - 4
            if inside and all(area.grown(1.08).intersection(other) == 0 for other in taken):
                placed.append(Placed(part, view))
                taken.append(area)
                break
    return tuple(placed)


def describe(placed: Placed) -> Item:
    """What is known about a part, moved into the photo's pixels."""
    part, view = placed.part, placed.view
    quad = project_quad(view, Box(0, 0, part.width, part.length))
    boxes = {name: bounds(project_quad(view, box)).as_list() for name, box in part.boxes.items()}
    points = {name: project_point(view, point) for name, point in part.points.items()}
    attributes: dict[str, Any] = dict(part.attributes)
    if part.kind == "dial":
        attributes |= _dial_geometry(attributes, points, boxes)
    elif "fields" in attributes:
        attributes["fields"] = [_resolved(entry, boxes) for entry in attributes["fields"]]
    else:
        attributes |= {f"{name}_box": box for name, box in boxes.items()}
    return Item(part.kind, bounds(quad), quad, attributes)


def _resolved(entry: dict[str, Any], boxes: dict[str, list[int]]) -> dict[str, Any]:
    """An entry whose `at` names a box, with that box instead."""
    return {key: value for key, value in entry.items() if key != "at"} | {"box": boxes[entry["at"]]}


def _dial_geometry(
    attributes: dict[str, Any], points: dict[str, tuple[float, float]], boxes: dict[str, list[int]]
) -> dict[str, Any]:
    centre = points["centre"]
    numerals = [
        {"text": text, "value": float(text.replace(",", ".")), "box": boxes[f"numeral {text}"]}
        for text in attributes["numerals"]
    ]
    return {
        "centre": [round(c, 2) for c in centre],
        "tip": [round(c, 2) for c in points["tip"]],
        "needle_angle": round(bearing(centre, points["tip"]), 5),
        "first_angle": round(bearing(centre, points["first"]), 5),
        "last_angle": round(bearing(centre, points["last"]), 5),
        "numerals": numerals,
        "unit_box": boxes["unit"],
        "face_box": boxes["face"],
    }
