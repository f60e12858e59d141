"""Questions about a photo of equipment: readings, plates, states, counts, and what is there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

from training.render.asked import Asked, only, yes_or_no

#: A gauge counts as read within this share of its scale.
GAUGE_TOLERANCE = 0.05

_NAMES = {
    "dial": "gauge", "meter": "digital meter", "nameplate": "nameplate", "led": "indicator light",
    "switch": "switch", "valve": "valve", "warning": "warning sign",
    "emergency_stop": "emergency stop button",
}  # fmt: skip


def questions(scene: dict[str, Any], rng: Random, most: int = 6) -> list[Asked]:
    """At most `most` questions about a scene as `Scene.as_json` gives it, of as many kinds as there are."""
    items: list[dict[str, Any]] = scene["items"]
    by_kind: dict[str, list[dict[str, Any]]] = {}
    for item in items:
        by_kind.setdefault(item["kind"], []).append(item)
    found = [*_readings(by_kind, rng), *_plates(items, rng), *_states(by_kind, rng), *_there(by_kind, rng)]
    rng.shuffle(found)
    # One of each kind first, so that plates with many fields do not fill the set.
    firsts = {asked.kind: asked for asked in reversed(found)}
    rest = [asked for asked in found if asked is not firsts[asked.kind]]
    return [*firsts.values(), *rest][:most]


def _readings(by_kind: dict[str, list[dict[str, Any]]], rng: Random) -> Iterator[Asked]:
    dials, meters = by_kind.get("dial", []), by_kind.get("meter", [])
    if len(dials) == 1:
        one = dials[0]
        scale = one["maximum"] - one["minimum"]
        step = scale / 100
        value = round(one["value"] / step) * step
        text = f"{value:.6g}"
        question = rng.choice(
            ("What does the gauge read?", "What value does the dial show?", "Read the gauge.")
        )
        said = f"{text} {one['unit']}".strip()
        yield Asked("gauge", question, said, "number", float(one["value"]), scale * GAUGE_TOLERANCE)
    if len(meters) == 1:
        one = meters[0]
        question = rng.choice(("What does the digital meter show?", "Read the display."))
        yield Asked("meter", question, f"{one['text']} {one['unit']}".strip(), "contains", one["text"])


def _plates(items: Sequence[dict[str, Any]], rng: Random) -> Iterator[Asked]:
    fields = [field for item in items for field in item.get("fields", ())]
    unique = only([field["label"] for field in fields])
    for field in fields:
        if field["label"].casefold() in unique and field["value"]:
            form = rng.choice(("What is the {}?", "Read the field {}.", "Which {} is on the plate?"))
            yield Asked("plate", form.format(field["label"]), field["value"])
    warnings = [item for item in items if item["kind"] == "warning"]
    if len(warnings) == 1 and warnings[0].get("text"):
        yield Asked("warning", "What does the warning sign say?", warnings[0]["text"], "contains")


def _states(by_kind: dict[str, list[dict[str, Any]]], rng: Random) -> Iterator[Asked]:
    lights = by_kind.get("led", [])
    unique = only([light["label"] for light in lights])
    for light in lights:
        if light["label"].casefold() in unique:
            yield yes_or_no("light", f"Is the {light['label']} light on?", bool(light["lit"]))
    for kind in ("switch", "valve"):
        if len(by_kind.get(kind, [])) == 1:
            state = str(by_kind[kind][0]["state"])
            question = rng.choice((f"What position is the {kind} in?", f"How is the {kind} set?"))
            yield Asked("state", question, state)


def _there(by_kind: dict[str, list[dict[str, Any]]], rng: Random) -> Iterator[Asked]:
    kind = rng.choice(list(_NAMES))
    article = "an" if _NAMES[kind][0] in "aeiou" else "a"
    yield yes_or_no("is there", f"Is there {article} {_NAMES[kind]}?", kind in by_kind)
    counted = rng.choice([one for one in _NAMES if one in by_kind] or ["dial"])
    number = len(by_kind.get(counted, []))
    yield Asked("count", f"How many {_NAMES[counted]}s are there?", str(number), "number", float(number), 0.0)
