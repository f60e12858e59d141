"""Rendered equipment: the same seed gives the same bytes, and what is claimed is what the pixels show."""

from __future__ import annotations

import json
import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tools.geometry import Box
from training.render.equipment import render_dial, render_dial_crop, render_equipment, render_not_dial
from training.render.equipment.compose import Placed, describe, photograph
from training.render.equipment.dial import draw_dial
from training.render.equipment.dialspec import (
    RANGES,
    DialSpec,
    DialStyle,
    number,
    numeral_values,
    random_spec,
)
from training.render.equipment.digital import Meter, draw_meter
from training.render.equipment.fields import LABELS, random_fields, random_value
from training.render.equipment.nameplate import draw_plate, random_plate
from training.render.equipment.part import generator
from training.render.equipment.perspective import bearing, project_point, scale, shift, tilt

MAGENTA = (255, 0, 255)


def turn_between(a: float, b: float) -> float:
    """The angle from `a` to `b`, the short way, in radians."""
    return (b - a + math.pi) % (2 * math.pi) - math.pi


@pytest.mark.parametrize(
    "render",
    [
        lambda seed: render_equipment(seed).image,
        lambda seed: render_dial(seed, 96)[0],
        lambda seed: render_not_dial(seed, 96),
    ],
    ids=["scene", "dial", "other"],
)
def test_a_seed_is_a_picture(render: Callable[[int], Image.Image]) -> None:
    first = render(3).tobytes()
    assert render(4).tobytes() != first
    assert render(3).tobytes() == first


def test_crops_have_the_asked_size_and_angles_in_range() -> None:
    for seed in range(8):
        image, angle, fraction, spec = render_dial(seed, 80)
        assert image.size == (80, 80) and image.mode == "RGB"
        assert -math.pi <= angle <= math.pi and 0 <= fraction <= 1
        assert fraction == spec.fraction


@pytest.mark.parametrize("value", [0.0, 2.5, 6.4, 10.0])
@pytest.mark.parametrize(("yaw", "pitch", "roll"), [(0, 0, 0), (0.35, -0.2, 0.15), (-0.4, 0.3, -0.2)])
def test_the_needle_points_where_the_truth_says(value: float, yaw: float, pitch: float, roll: float) -> None:
    spec = DialSpec(0, 10, "bar", value, -2.356, 4.712, numeral_values(0, 10, 10), 5)
    style = DialStyle(needle=MAGENTA, hub=0.02, hub_colour=MAGENTA, tail=0.0, shape="bar", needle_width=0.03)
    part = draw_dial(spec, style, 400, generator(0, 0))
    camera = tilt((250, 200), 700, yaw, pitch, roll)
    view = camera @ shift(250, 200) @ scale(0.8) @ shift(-199.5, -199.5)
    surface = np.full((400, 500, 3), 120, np.uint8)
    placed = Placed(part, view)
    photo = photograph(surface, (placed,), camera, generator(1, 0)).astype(int)
    truth = describe(placed).attributes
    magenta = (photo[..., 0] > photo[..., 1] + 90) & (photo[..., 2] > photo[..., 1] + 90)
    rows, columns = np.nonzero(magenta)
    seen = bearing(tuple(truth["centre"]), (columns.mean(), rows.mean()))
    assert abs(turn_between(seen, truth["needle_angle"])) < math.radians(1.5)
    far = np.hypot(columns - truth["tip"][0], rows - truth["tip"][1]).min()
    assert far < 3, "the tip of the needle is not where its point is"


def test_the_needle_of_a_crop_is_told_through_the_same_perspective() -> None:
    """On easy crops, the share of the scale that the needle has passed, by the three directions, is the
    fraction."""
    for seed in range(40):
        crop = render_dial_crop(seed, 96, difficulty=0.0)
        swept = (crop.angle - crop.first) % (2 * math.pi)
        whole = (crop.last - crop.first) % (2 * math.pi)
        if 0.02 < crop.fraction < 0.98:
            assert abs(swept / whole - crop.fraction) < 0.03
        assert 0 <= crop.centre[0] < 96 and 0 <= crop.centre[1] < 96


def test_numerals_stand_in_the_direction_of_their_value() -> None:
    for seed in range(12):
        rng = generator(seed, 77)
        spec = random_spec(rng)
        part = draw_dial(spec, DialStyle(numeral_size=0.1), 300, rng)
        for value in spec.numerals:
            box = part.boxes[f"numeral {number(value)}"]
            seen = bearing(part.points["centre"], box.centre)
            assert abs(turn_between(seen, spec.direction(value))) < math.radians(4)


@given(st.sampled_from(sorted({edges for ranges in RANGES.values() for edges in ranges})), st.integers(4, 12))
def test_numerals_divide_the_range_evenly(edges: tuple[float, float], at_most: int) -> None:
    values = numeral_values(*edges, at_most)
    assert values[0] == edges[0] and values[-1] == edges[1]
    assert 2 <= len(values) <= at_most + 1
    assert np.ptp(np.diff(values)) < 1e-6


def test_a_plates_boxes_hold_the_ink_of_its_values() -> None:
    """Ink touches every side of a value's box from inside, and there is none just outside of it."""
    checked = 0
    for seed in range(24):
        rng = generator(seed, 5)
        plate = random_plate(rng, 900)
        if plate.material not in ("white", "yellow", "silver"):
            continue
        part = draw_plate(plate, rng)
        dark = part.rgb.max(-1) < 120
        for box in (part.boxes[field.key] for field in plate.fields):
            x0, y0, x1, y1 = (int(edge) for edge in (box.x0, box.y0, box.x1, box.y1))
            rows, columns = np.nonzero(dark[y0:y1, x0:x1])
            assert rows.min() <= 2 and columns.min() <= 2
            assert rows.max() >= y1 - y0 - 3 and columns.max() >= x1 - x0 - 3
            assert not dark[y0:y1, x0 - 2].any() and not dark[y0:y1, x1 + 2].any()
            checked += 1
    assert checked > 10


def test_a_meters_box_holds_its_lit_digits() -> None:
    part = draw_meter(Meter("48.6", "bar", "FLOW", (70, 240, 110), slant=0.0), 600, generator(0, 6))
    lit = (part.rgb[..., 1] > 150) & (part.rgb[..., 0] < 140)
    rows, columns = np.nonzero(lit)
    seen = Box(columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    assert seen.iou(part.boxes["value"]) > 0.8
    assert part.attributes["value"] == 48.6


def test_fields_have_known_labels_and_plausible_values() -> None:
    for seed in range(40):
        fields = random_fields(generator(seed, 9), 6)
        keys = [field.key for field in fields]
        assert len(set(keys)) == len(keys) and {"model", "serial_number"} & set(keys)
        for field in fields:
            assert field.label.lower() in {label.lower() for label in LABELS[field.key]}
            assert field.value.strip() == field.value != ""
    assert random_value(generator(0, 1), "power").endswith(" kW")
    with pytest.raises(KeyError):
        random_value(generator(0, 1), "colour of the sky")


def test_items_lie_inside_the_photo_and_are_plain_json() -> None:
    kinds: set[str] = set()
    for seed in range(10):
        scene = render_equipment(seed)
        again = json.loads(json.dumps(scene.as_json()))
        assert len(again["items"]) == len(scene.items) > 0
        for item in scene.items:
            kinds.add(item.kind)
            assert 0 <= item.box.x0 < item.box.x1 <= scene.image.width
            assert 0 <= item.box.y0 < item.box.y1 <= scene.image.height
            for entry in (*item.attributes.get("fields", ()), *item.attributes.get("numerals", ())):
                part = Box(*entry["box"])
                assert part.area > 0 and part.intersection(item.box) > 0.9 * part.area
    assert {"dial", "nameplate", "meter", "tag"} <= kinds


@settings(max_examples=40)
@given(
    st.floats(-0.5, 0.5), st.floats(-0.5, 0.5), st.floats(-0.5, 0.5), st.floats(-80, 80), st.floats(-80, 80)
)
def test_a_tilt_can_be_undone(yaw: float, pitch: float, roll: float, x: float, y: float) -> None:
    camera = tilt((10, 20), 900, yaw, pitch, roll)
    assert project_point(camera, (10, 20)) == pytest.approx((10, 20), abs=1e-6)
    back = project_point(np.linalg.inv(camera), project_point(camera, (x, y)))
    assert back == pytest.approx((x, y), abs=1e-6)
    assert project_point(tilt((10, 20), 900, 0, 0, 0), (x, y)) == pytest.approx((x, y), abs=1e-9)
