"""The example photos of the product: composed by hand, drawn large and scaled down, with their ground truth.

`python -m training.render.equipment.examples --out examples/photos` makes them again.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from training.render.equipment.backdrop import draw_tube
from training.render.equipment.compose import Placed, describe, photograph
from training.render.equipment.controls import draw_led, emergency_stop, selector
from training.render.equipment.dial import draw_dial
from training.render.equipment.dialspec import CREAM, DialSpec, DialStyle, numeral_values
from training.render.equipment.digital import Meter, draw_meter
from training.render.equipment.fields import Field
from training.render.equipment.ink import Canvas, Colour, disc, line, shade
from training.render.equipment.nameplate import Plate, draw_plate, draw_warning
from training.render.equipment.optics import Lens, expose
from training.render.equipment.part import Item, Part, Rng, Scene, generator
from training.render.equipment.perspective import Homography, scale, shift, tilt
from training.render.equipment.roundthings import bolt
from training.render.equipment.surfaces import clouds, painted, rough, tinted

WIDTH, HEIGHT = 1200, 900
#: The photos are composed at this many times their size.
FINE = 2
_STREAM = 20
#: Start and sweep of the usual dial.
_THREE_QUARTERS = (-math.radians(135), math.radians(270))


def _at(part: Part, x: float, y: float, width: float, camera: Homography, roll: float = 0.0) -> Placed:
    """Place a part with its middle at (x, y) and that width, in pixels of the final photo."""
    zoom = width * FINE / part.width
    middle = shift(-(part.width - 1) / 2, -(part.length - 1) / 2)
    view = camera @ shift(x * FINE, y * FINE) @ tilt((0, 0), 1e5, 0, 0, roll) @ scale(zoom) @ middle
    return Placed(part, view)


def _finish(name: str, seed: int, photo: Canvas, placed: tuple[Placed, ...], lens: Lens, rng: Rng) -> Scene:
    """Scale the composition down, take the photo, and move the items' places along."""
    small = np.asarray(cv2.resize(photo, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA), np.uint8)
    items: tuple[Item, ...] = tuple(describe(Placed(p.part, scale(1 / FINE) @ p.view)) for p in placed)
    return Scene(seed, Image.fromarray(expose(small, lens, rng)), items)


def _camera(yaw: float, pitch: float, roll: float) -> Homography:
    """A camera that leans a little, near enough that the composition's edges stay outside of the photo."""
    middle = (WIDTH * FINE / 2, HEIGHT * FINE / 2)
    nearer = shift(*middle) @ scale(1.05) @ shift(-middle[0], -middle[1])
    return nearer @ tilt(middle, WIDTH * FINE * 1.6, yaw, pitch, roll)


def _tube(
    canvas: Canvas,
    upright: bool,
    middle: float,
    half: float,
    span: tuple[float, float],
    colour: Colour,
    gloss: float = 0.5,
    lift: float = 0.6,
) -> None:
    """A pipe in pixels of the final photo."""
    ends = (span[0] * FINE, span[1] * FINE)
    draw_tube(canvas, upright, middle * FINE, half * FINE, ends, colour, gloss, lift)


def _bolt(rng: Rng, width: float, x: float, y: float, camera: Homography, kind: str = "hex") -> Placed:
    return _at(bolt(rng, round(width * FINE), kind, (150, 152, 156)), x, y, width, camera)


def _hall(rng: Rng, width: int, height: int) -> Canvas:
    """A machine hall far out of focus: dark structure, warm and cold lamps."""
    light = 1 + clouds(rng, width, height, 6) * np.float32(0.25)
    canvas = tinted(light, (54, 60, 66))
    for _ in range(9):
        x = float(rng.uniform(0, width))
        line(canvas, (x, 0), (x + rng.uniform(-80, 80), height), (30, 34, 38), float(rng.uniform(20, 120)))
    for _ in range(16):
        tone = (250, 226, 180) if rng.random() < 0.5 else (190, 214, 236)
        disc(canvas, (rng.uniform(0, width), rng.uniform(0, height * 0.5)), float(rng.uniform(10, 44)), tone)
    return np.asarray(cv2.GaussianBlur(canvas, (0, 0), 30), np.uint8)


def _round_body(height: int, top: float, bottom: float) -> NDArray[np.float32]:
    """Light on a lying cylinder between two rows, as a column of factors."""
    u = (np.arange(height, dtype=np.float32) - (top + bottom) / 2) / ((bottom - top) / 2)
    body = 0.34 + 0.78 * np.sqrt(np.clip(1 - (u + 0.22) ** 2 / 1.6, 0, 1))
    return np.asarray(body + 0.22 * np.exp(-(((u + 0.45) / 0.22) ** 2)), np.float32)


def pump() -> Scene:
    """A pump's nameplate, its asset tag, and the gauge on its discharge pipe: 6.4 bar of 10."""
    seed = 1
    rng = generator(seed, _STREAM)
    width, height = WIDTH * FINE, HEIGHT * FINE
    surface = _hall(rng, width, height)
    top = 300 * FINE
    body = rough(rng, width, height - top, (44, 98, 134))
    body = np.asarray(
        cv2.addWeighted(body, 0.45, painted(rng, width, height - top, (44, 98, 134), 0.008), 0.55, 0),
        np.uint8,
    )
    shade(body, np.repeat(_round_body(height, top, height + 260 * FINE)[top:, None], width, axis=1))
    surface[top:] = body
    surface[top : top + 3 * FINE] = (150, 186, 206)
    _tube(surface, True, 905, 66, (0, 560), (126, 132, 136), 0.55)
    _tube(surface, True, 905, 118, (470, 506), (44, 98, 134), 0.35, 0.15)
    _tube(surface, True, 905, 118, (514, 556), (44, 98, 134), 0.35, 0.15)
    _tube(surface, True, 905, 108, (506, 514), (30, 30, 30), 0.0, 0.1)
    _tube(surface, False, 862, 30, (0, 1200), (150, 84, 44), 0.7)
    camera = _camera(-0.13, 0.07, -0.012)
    spec = DialSpec(0, 10, "bar", 6.4, *_THREE_QUARTERS, numeral_values(0, 10, 5), 10)
    style = DialStyle(
        bezel_width=0.11,
        shape="thin",
        needle_length=0.82,
        needle_width=0.045,
        tail=0.3,
        numeral_size=0.185,
        font="sans-bold",
        unit_size=0.2,
        unit_offset=0.43,
        brand="HALDEN",
        note="CL 1.6   EN 837-1",
        hub_screw=True,
        zones=((0.8, 1.0, (206, 36, 34)),),
        zone_width=0.05,
        light=-0.8,
        major=0.14,
        tick_width=0.02,
        glare=0.22,
    )
    dial = draw_dial(spec, style, 900, generator(5, _STREAM))
    plate = draw_plate(
        Plate(
            (
                Field("model", "Model", "NK 65-200"),
                Field("serial_number", "Serial No.", "SN-48213"),
                Field("year", "Year", "2019"),
                Field("max_pressure", "Max. pressure", "16 bar"),
                Field("power", "Power", "7.5 kW"),
                Field("voltage", "Voltage", "400 V"),
                Field("speed", "Speed", "2900 rpm"),
                Field("weight", "Weight", "128 kg"),
            ),
            (1500, 760),
            "aluminium",
            "NORPUMP",
            "CENTRIFUGAL PUMP",
            columns=2,
            logo_font="gothic-bold",
            colon=False,
            band=(22, 58, 112),
        ),
        rng,
    )
    tag = draw_plate(
        Plate(
            (Field("asset_tag", "ASSET TAG", "P-1042"),),
            (620, 300),
            "yellow",
            "",
            layout="cells",
            lines=False,
            screws=0,
            barcode=True,
            kind="tag",
        ),
        rng,
    )
    bolts = tuple(_bolt(rng, 40, 905 + dx, 535, camera) for dx in (-92, 92)) + tuple(
        _bolt(rng, 34, x, 356, camera) for x in (90, 380, 670, 1130)
    )
    items = (
        _at(plate, 385, 590, 600, camera, 0.006),
        _at(dial, 905, 262, 390, camera, 0.012),
        _at(tag, 905, 690, 250, camera, -0.018),
    )
    photo = photograph(surface, (*bolts, *items), camera, rng)
    lens = Lens(1.04, 1.06, (1.025, 1.0, 0.965), 0.35, vignette=0.35, flare=0.06, noise=1.6, quality=97)
    return _finish("pump", seed, photo, items, lens, rng)


def compressor() -> Scene:
    """A compressor: engraved plate with other labels, a °C dial with a limit hand, a psi dial, a warning."""
    seed = 2
    rng = generator(seed, _STREAM)
    width, height = WIDTH * FINE, HEIGHT * FINE
    surface = painted(rng, width, height, (206, 202, 190), 0.012)
    rows = np.arange(height, dtype=np.float32)
    louvre = np.where(
        rows > 640 * FINE, 0.80 + 0.22 * np.cos((rows - 640 * FINE) / (26 * FINE) * 2 * np.pi), 1.0
    )
    shade(surface, np.repeat(np.asarray(louvre, np.float32)[:, None], width, axis=1))
    line(surface, (0, 628 * FINE), (width, 628 * FINE), (110, 106, 96), 5.0)
    line(surface, (0, 631 * FINE), (width, 631 * FINE), (232, 229, 220), 3.0)
    _tube(surface, True, 1110, 44, (0, 900), (176, 112, 66), 0.8)
    _tube(surface, True, 1110, 58, (300, 340), (190, 150, 90), 0.8)
    camera = _camera(0.14, -0.05, 0.015)
    degrees = DialSpec(0, 120, "°C", 68, *_THREE_QUARTERS, numeral_values(0, 120, 6), 10, 90)
    warm = DialStyle(
        face=CREAM,
        bezel=(176, 146, 88),
        bezel_width=0.1,
        shape="lance",
        needle_length=0.8,
        needle_width=0.03,
        numeral_size=0.165,
        font="sans-bold",
        unit_size=0.2,
        brand="TERMA",
        light=0.7,
        glare=0.18,
        major=0.12,
    )
    pounds = DialSpec(0, 160, "psi", 92, *_THREE_QUARTERS, numeral_values(0, 160, 8), 10)
    dark = DialStyle(
        face=(30, 32, 35),
        ink=(240, 240, 234),
        needle=(236, 92, 30),
        bezel=(60, 62, 66),
        shape="taper",
        needle_length=0.84,
        numeral_size=0.15,
        font="sans-bold",
        unit_size=0.18,
        brand="ORVIX",
        light=0.7,
        glare=0.14,
        hub_colour=(160, 162, 166),
        tail=0.25,
    )
    plate = draw_plate(
        Plate(
            (
                Field("model", "TYPE", "KX-315"),
                Field("serial_number", "S/N", "HB7730-1925"),
                Field("year", "BUILT", "2016"),
                Field("max_pressure", "MAWP", "12 bar"),
                Field("power", "MOTOR", "18.5 kW"),
                Field("voltage", "VOLTS", "480 V"),
                Field("asset_tag", "ASSET NO.", "C-2207"),
            ),
            (1300, 960),
            "black",
            "CALDER",
            "SCREW COMPRESSOR",
            "MADE IN EU",
            logo_font="gothic-bold",
            colon=False,
        ),
        rng,
    )
    items = (
        _at(plate, 320, 330, 500, camera, -0.008),
        _at(draw_dial(degrees, warm, 760, generator(7, _STREAM)), 745, 190, 290, camera, -0.02),
        _at(draw_dial(pounds, dark, 760, generator(8, _STREAM)), 745, 480, 290, camera, 0.015),
        _at(draw_warning(generator(3, _STREAM), 480), 984, 520, 150, camera, 0.02),
    )
    bolts = tuple(_bolt(rng, 26, x, 604, camera) for x in (40, 560, 960))
    photo = photograph(surface, (*bolts, *items), camera, rng)
    lens = Lens(0.98, 1.05, (1.03, 1.0, 0.95), 0.4, vignette=0.4, flare=0.10, noise=2.2, quality=96)
    return _finish("compressor", seed, photo, items, lens, rng)


def panel() -> Scene:
    """A control panel: two meters, lamps lit and dark, a selector in AUTO, an emergency stop, a tag."""
    seed = 3
    rng = generator(seed, _STREAM)
    width, height = WIDTH * FINE, HEIGHT * FINE
    surface = painted(rng, width, height, (168, 174, 174), 0.010)
    for x in (38, 1162):
        line(surface, (x * FINE, 0), (x * FINE, height), (84, 88, 88), 6.0)
        line(surface, (x * FINE + 5, 0), (x * FINE + 5, height), (206, 210, 210), 3.0)
    camera = _camera(-0.1, -0.08, 0.01)
    flow = draw_meter(Meter("48.6", "m³/h", "FLOW", (70, 240, 110), buttons=4), 900, rng)
    heat = draw_meter(Meter("73.5", "°C", "OIL TEMP", None, buttons=3, unit_on_display=True), 900, rng)
    lamps = (
        ("green", True, "RUN"),
        ("red", False, "FAULT"),
        ("yellow", True, "SERVICE"),
        ("white", True, "POWER"),
    )
    tag = draw_plate(
        Plate(
            (Field("asset_tag", "Equipment No.", "CP-0371"),),
            (700, 320),
            "engraved",
            "",
            layout="cells",
            lines=False,
            screws=2,
            kind="tag",
        ),
        rng,
    )
    items = (
        _at(flow, 340, 220, 400, camera),
        _at(heat, 820, 220, 400, camera),
        *(
            _at(draw_led(rng, 220, colour, lit, name), 230 + 175 * index, 490, 92, camera)
            for index, (colour, lit, name) in enumerate(lamps)
        ),
        _at(selector(rng, 420, ("HAND", "OFF", "AUTO"), 2), 985, 500, 180, camera),
        _at(tag, 330, 730, 270, camera, 0.01),
        _at(emergency_stop(rng, 480), 930, 735, 200, camera),
    )
    bolts = tuple(_bolt(rng, 30, x, y, camera) for x in (80, 1120) for y in (60, 840))
    photo = photograph(surface, (*bolts, *items), camera, rng)
    lens = Lens(1.0, 1.05, (0.985, 1.0, 1.02), 0.4, vignette=0.35, flare=0.08, noise=1.8, quality=96)
    return _finish("panel", seed, photo, items, lens, rng)


EXAMPLES: dict[str, Callable[[], Scene]] = {"pump": pump, "compressor": compressor, "panel": panel}


def ground_truth(name: str, scene: Scene) -> dict[str, Any]:
    """The readings of an example, each with the box that supports it, and then every item in full.

    `readings` maps a field key (`serial_number`, `pressure`, ...) to value, unit where it has one, and box.
    """
    readings: dict[str, dict[str, Any]] = {}
    for item in scene.items:
        for entry in item.attributes.get("fields", ()):
            readings[entry["key"]] = {"value": entry["value"], "label": entry["label"], "box": entry["box"]}
        if item.kind in ("dial", "meter"):
            unit = item.attributes["unit"]
            quantity = {"bar": "pressure", "psi": "pressure", "°C": "temperature_now", "m³/h": "flow_now"}[
                unit
            ]
            readings[quantity] = {"value": item.attributes["value"], "unit": unit, "box": item.box.as_list()}
    return {"image": f"{name}.jpg", "readings": readings, **scene.as_json()}


def write_examples(out: Path, quality: int = 88) -> None:
    """Write every example's JPEG and JSON into a folder."""
    out.mkdir(parents=True, exist_ok=True)
    for name, make in EXAMPLES.items():
        scene = make()
        scene.image.save(out / f"{name}.jpg", "JPEG", quality=quality, optimize=True)
        text = json.dumps(ground_truth(name, scene), ensure_ascii=False, indent=1)
        (out / f"{name}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Render the example photos and their ground truth.")
    parser.add_argument("--out", type=Path, default=Path("examples/photos"))
    write_examples(parser.parse_args().out)
