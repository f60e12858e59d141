"""Round things on machines that are not dials: bolts, wheels, buttons, caps, fans, lamps, empty faces."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

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
)
from training.render.equipment.part import Part, Rng, between, chance, pick

_OUTER = 0.48
METALS: tuple[Colour, ...] = ((190, 192, 194), (150, 152, 156), (92, 94, 98), (176, 148, 92), (60, 61, 64))
PAINTS: tuple[Colour, ...] = (
    (196, 32, 34), (36, 92, 168), (40, 140, 70), (230, 190, 40), (34, 35, 38), (225, 225, 222),
    (222, 110, 30),
)  # fmt: skip


@lru_cache(maxsize=32)
def polar(side: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Distance from the centre in pixels and angle clockwise from up, each (side, side)."""
    along = np.arange(side, dtype=np.float32) - np.float32((side - 1) / 2)
    return np.hypot(along[None, :], along[:, None]), np.arctan2(along[None, :], -along[:, None])


def dome(
    side: int, colour: Colour, radius: float, light: float, curve: float = 1.0, gloss: float = 0.5
) -> Canvas:
    """A shaded disc of that colour: a cap or a knob; `curve` 0 is flat, 1 a half ball."""
    distance, angle = polar(side)
    out = np.clip(distance / radius, 0, 1)
    facing = np.sqrt(np.clip(1 - (out * curve) ** 2, 0, 1))
    toward = out * curve * np.cos(angle - np.float32(light))
    shine = np.clip(0.55 * facing + 0.75 * toward + 0.2, 0, 1) ** 14 * np.float32(gloss * 190)
    body = (0.42 + 0.45 * facing + 0.32 * toward)[..., None] * np.asarray(colour, np.float32)
    return np.clip(body + shine[..., None], 0, 255).astype(np.uint8)


def round_alpha(side: int, radius: float) -> Mask:
    distance, _ = polar(side)
    return (np.clip(radius - distance + 0.5, 0, 1) * 255).astype(np.uint8)


def _at(centre: Point, angle: float, radius: float) -> Point:
    return centre[0] + math.sin(angle) * radius, centre[1] - math.cos(angle) * radius


def bolt(rng: Rng, side: int, kind: str = "", metal: Colour | None = None) -> Part:
    """A screw on its washer; `kind` is hex, socket, slot or cross, or empty for any of them."""
    outer, middle, light = _OUTER * side, ((side - 1) / 2, (side - 1) / 2), between(rng, -3, 3)
    metal = metal or pick(rng, METALS)
    canvas = dome(side, metal, outer, light, 0.5, 0.3)
    ring(canvas, middle, outer * 0.97, (50, 50, 50), max(1, side // 60))
    turn, kind = between(rng, 0, 3), kind or pick(rng, ("hex", "socket", "slot", "cross"))
    lighter = tuple(min(255, int(c * 1.15)) for c in metal)
    darker = tuple(int(c * 0.32) for c in metal)
    head: Colour = (lighter[0], lighter[1], lighter[2])
    hole: Colour = (darker[0], darker[1], darker[2])
    if kind == "hex":
        for step in range(6):
            a, b = (_at(middle, turn + (step + d) * math.pi / 3, outer * 0.78) for d in (0, 1))
            tone = 0.62 + 0.38 * math.cos(turn + (step + 0.5) * math.pi / 3 - light)
            polygon(canvas, [middle, a, b], tuple(int(c * tone) for c in metal))  # type: ignore[arg-type]
        disc(canvas, middle, outer * 0.58, head)
    else:
        disc(canvas, (middle[0] + 2, middle[1] + 2), outer * 0.74, hole)
        disc(canvas, middle, outer * 0.72, head)
    if kind == "socket":
        polygon(canvas, [_at(middle, turn + i * math.pi / 3, outer * 0.36) for i in range(6)], hole)
    for extra in () if kind in ("hex", "socket") else (0.0,) if kind == "slot" else (0.0, math.pi / 2):
        reach = outer * (0.7 if kind == "slot" else 0.42)
        line(canvas, _at(middle, turn + extra, reach), _at(middle, turn + extra, -reach), hole, outer * 0.13)
    return Part("bolt", canvas, round_alpha(side, outer), height=0.08)


def wheel(rng: Rng, side: int) -> Part:
    """A hand wheel with spokes; what lies between the spokes is open."""
    outer, middle, light = _OUTER * side, ((side - 1) / 2, (side - 1) / 2), between(rng, -3, 3)
    colour, spokes, turn = pick(rng, PAINTS), pick(rng, (3, 4, 5, 6)), between(rng, 0, 3)
    alpha = np.zeros((side, side), np.uint8)
    arc(alpha, middle, (outer * 0.8, outer), (0, 2 * math.pi), 255)
    for spoke in range(spokes):
        line(alpha, middle, _at(middle, turn + spoke * 2 * math.pi / spokes, outer * 0.9), 255, outer * 0.15)
    disc(alpha, middle, outer * 0.25, 255)
    distance, angle = polar(side)
    tube = np.cos(np.clip((distance - outer * 0.9) / (outer * 0.1), -1, 1) * 1.45)
    tube = np.where(distance > outer * 0.8, tube, 0.8 - 0.4 * np.clip(distance / outer - 0.25, 0, 1))
    lit = 0.35 + 0.55 * tube + 0.25 * np.cos(angle - np.float32(light))
    canvas = np.clip(lit[..., None] * np.asarray(colour, np.float32) + 10, 0, 255).astype(np.uint8)
    disc(canvas, middle, outer * 0.13, pick(rng, METALS))
    ring(canvas, middle, outer * 0.13, (40, 40, 40), max(1, side // 90))
    return Part("wheel", canvas, alpha, height=0.12)


def button(rng: Rng, side: int) -> Part:
    """A push button in its ring, sometimes lettered."""
    outer, middle, light = _OUTER * side, ((side - 1) / 2, (side - 1) / 2), between(rng, -3, 3)
    canvas = dome(side, pick(rng, METALS), outer, light, 0.5, 0.6)
    disc(canvas, middle, outer * 0.79, (22, 22, 24))
    colour = pick(rng, PAINTS)
    cap = dome(side, colour, outer * 0.74, light, between(rng, 0.1, 0.9), between(rng, 0.1, 0.7))
    canvas = np.where((polar(side)[0] < outer * 0.74)[..., None], cap, canvas)
    if chance(rng, 0.4):
        ink: Colour = (20, 20, 20) if sum(colour) > 420 else (240, 240, 240)
        text = pick(rng, ("I", "O", "START", "STOP", "RESET", "TEST", "ON", "OFF", "+", "-"))
        letter_centred(
            canvas, text, middle, ("sans-bold", round(outer * (0.6 if len(text) < 2 else 0.3))), ink
        )
    return Part("button", canvas, round_alpha(side, outer), height=0.07)


def cap(rng: Rng, side: int) -> Part:
    """A filler cap with knurls and a moulded text, or a plain plug."""
    outer, middle, light = _OUTER * side, ((side - 1) / 2, (side - 1) / 2), between(rng, -3, 3)
    colour = pick(rng, PAINTS + METALS)
    canvas = dome(side, colour, outer, light, between(rng, 0.3, 0.8), 0.3)
    if chance(rng, 0.7):
        count = pick(rng, (18, 24, 36, 48))
        for notch in range(count):
            angle = 2 * math.pi * notch / count
            line(
                canvas,
                _at(middle, angle, outer * 0.86),
                _at(middle, angle, outer),
                (24, 24, 26),
                outer * 0.04,
            )
    ring(canvas, middle, outer * between(rng, 0.55, 0.8), (70, 70, 70), max(1, side // 70))
    if chance(rng, 0.5):
        letter_centred(canvas, pick(rng, ("OIL", "H2O", "DN50", "PN16", "M8", "FILL")), middle,
                       ("sans-bold", round(outer * 0.34)), (30, 30, 30), -1)  # fmt: skip
    return Part("cap", canvas, round_alpha(side, outer), height=0.06)


def fan(rng: Rng, side: int) -> Part:
    """A fan behind its guard rings."""
    outer, middle, turn = _OUTER * side, ((side - 1) / 2, (side - 1) / 2), between(rng, 0, 3)
    canvas = blank(side, side, (20, 20, 22))
    blades = pick(rng, (5, 6, 7))
    for blade in range(blades):
        start = turn + blade * 2 * math.pi / blades
        arc(canvas, middle, (outer * 0.2, outer * 0.92), (start, start + 3.6 / blades), (62, 64, 68))
    disc(canvas, middle, outer * 0.3, (78, 80, 84))
    for share in np.linspace(0.3, 0.98, pick(rng, (4, 5, 7))):
        ring(canvas, middle, outer * float(share), (168, 170, 172), max(1, side // 60))
    return Part("fan", canvas, round_alpha(side, outer), height=0.02)


def lamp(rng: Rng, side: int) -> Part:
    """A signal lamp, lit or dark."""
    outer, light = _OUTER * side, between(rng, -3, 3)
    canvas = dome(side, pick(rng, METALS), outer, light, 0.6, 0.6)
    hue = pick(rng, ((255, 60, 50), (60, 235, 90), (255, 190, 50), (90, 150, 255), (240, 240, 235)))
    lit = chance(rng, 0.5)
    colour = hue if lit else tuple(int(c * 0.3 + 12) for c in hue)
    glass = dome(side, (colour[0], colour[1], colour[2]), outer * 0.74, light, 0.9, 0.8)
    distance, _ = polar(side)
    if lit:
        glow = np.clip(1 - distance / (outer * 0.74), 0, 1)[..., None] * np.float32(150)
        glass = np.clip(glass * np.float32(1.15) + glow, 0, 255).astype(np.uint8)
    canvas = np.where((distance < outer * 0.74)[..., None], glass, canvas)
    return Part("lamp", canvas, round_alpha(side, outer), height=0.06)


def empty_face(rng: Rng, side: int) -> Part:
    """A bezel with a face but no needle and no scale: a sight glass, a blank cover, a logo."""
    outer, middle, light = _OUTER * side, ((side - 1) / 2, (side - 1) / 2), between(rng, -3, 3)
    canvas = dome(side, pick(rng, METALS), outer, light, 0.6, 0.5)
    disc(canvas, middle, outer * 0.83, (30, 30, 32))
    disc(
        canvas,
        middle,
        outer * 0.81,
        pick(rng, ((238, 238, 234), (34, 36, 40), (190, 160, 90), (120, 150, 170))),
    )
    kind = pick(rng, ("oil", "logo", "dot"))
    if kind == "oil":
        level = between(rng, -0.4, 0.5)
        arc(canvas, middle, (0, outer * 0.8), (math.pi / 2 + level, 3 * math.pi / 2 - level), (170, 120, 40))
        disc(canvas, middle, outer * 0.16, (200, 40, 40))
    elif kind == "logo":
        letter_centred(canvas, pick(rng, ("NOVATEK", "BRUNNER", "VELDT", "QC OK", "24 V")), middle,
                       ("gothic-bold", round(outer * 0.26)), (150, 40, 40))  # fmt: skip
    return Part("cover", canvas, round_alpha(side, outer), height=0.04)


_KINDS: tuple[Callable[[Rng, int], Part], ...] = (bolt, wheel, button, cap, fan, lamp, empty_face)


def draw_round_thing(rng: Rng, side: int) -> Part:
    """One of the kinds, `side` pixels wide and high."""
    return pick(rng, _KINDS)(rng, side)
