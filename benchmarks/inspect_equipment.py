"""How well `llava-agent inspect` reads rendered equipment whose every reading is known.

    python benchmarks/inspect_equipment.py --count 200 --out inspect.json

The scenes come from seeds that training never draws. Three questions: of what a photo shows, how much is
read rightly (recall); of what the table claims, how much is true (precision); does a spoilt photo get its
complaint, and a good one none.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image, ImageEnhance, ImageFilter

from llava_agent.assembly import Core, assemble
from llava_agent.exam.share import Share
from llava_agent.inspection.finding import Inspection, Line
from llava_agent.inspection.inspect import inspect_photos
from llava_agent.inspection.lamps import WARNING
from llava_agent.inspection.plate_words import FIELDS
from llava_agent.inspection.quality import measure
from llava_agent.inspection.units import plain, quantity
from tools.geometry import Box
from tools.photo import Photo, pixel_sha256
from training.render.equipment import Item, Scene, render_equipment

#: Training draws its scenes from seeds far below.
FIRST_SEED = 9_100_000
#: A gauge is read rightly within this part of its scale.
GAUGE_TOLERANCE = 0.03
#: The renderer's keys that the table calls otherwise.
_KEYS = {"temperature": "max_temperature"}


@dataclass
class Count:
    """Hits among what was there, and among what was claimed, with the confidence of each claim."""

    there: list[bool] = field(default_factory=list)
    claimed: list[tuple[float, bool]] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        right = [hit for _, hit in self.claimed]
        return {
            "recall": Share(sum(self.there), len(self.there)).as_dict(),
            "precision": Share(sum(right), len(right)).as_dict(),
            "calibration_error": round(calibration_error(self.claimed), 4),
        }


def calibration_error(claims: Sequence[tuple[float, bool]], bins: int = 10) -> float:
    """Expected calibration error: the gap of confidence and truth, weighed by the claims of each tenth."""
    groups: dict[int, list[tuple[float, bool]]] = defaultdict(list)
    for confidence, hit in claims:
        groups[min(bins - 1, int(confidence * bins))].append((confidence, hit))
    gaps = (
        abs(sum(c for c, _ in group) / len(group) - sum(h for _, h in group) / len(group)) * len(group)
        for group in groups.values()
    )
    return sum(gaps) / len(claims) if claims else 0.0


def score(scene: Scene, found: Inspection, counts: dict[str, Count], wrong: list[str]) -> None:
    """Add one scene to the counts; `wrong` gets a line for each false claim."""
    true = _true_fields(scene)
    plates = [line for line in found.lines if line.kind == "plate"]
    others = [line for line in found.lines if line.kind == "other"]
    for key, value, _ in true:
        named = [line for line in (plates if key in FIELDS else others) if _same(line.value, value)]
        hits = [line for line in named if key not in FIELDS or line.key == key]
        counts["plate" if key in FIELDS else "other pairs"].there.append(bool(hits))
    for line in others:
        hit = any(key not in FIELDS and _same(line.value, value) for key, value, _ in true)
        _claim(counts["other pairs"], line, hit, scene, wrong)
    for line in plates:
        hit = any(line.key == key and _same(line.value, value) for key, value, _ in true)
        name = "asked" if line.evidence[0].source == "model" else "plate"
        _claim(counts[name], line, hit, scene, wrong)
    _instruments(scene, found, "gauge", "dial", _gauge_right, counts, wrong)
    _instruments(scene, found, "display", "meter", _display_right, counts, wrong)
    _instruments(scene, found, "lamp", "led", _lamp_right, counts, wrong)
    alarms = [
        item
        for item in scene.of_kind("led")
        if item.attributes["lit"] and item.attributes["label"].lower() in WARNING
    ]
    said = [fault for fault in found.faults if fault.kind == "warning_lamp"]
    for item in alarms:
        counts["warning lamp"].there.append(any(_at(fault.evidence[0].box, item) for fault in said))
    for fault in said:
        hit = any(_at(fault.evidence[0].box, item) for item in alarms)
        counts["warning lamp"].claimed.append((fault.confidence, hit))
    for fault in found.faults:
        if fault.kind in ("error_code", "off_scale"):  # the renderer draws neither
            counts["other faults"].claimed.append((fault.confidence, False))
            wrong.append(f"{scene.seed} {fault.kind} {fault.because}")


def _instruments(
    scene: Scene,
    found: Inspection,
    kind: str,
    part: str,
    right: Callable[[Line, Item], bool],
    counts: dict[str, Count],
    wrong: list[str],
) -> None:
    lines = [line for line in found.lines if line.kind == kind]
    items = scene.of_kind(part)
    for item in items:
        hit = any(_at(line.evidence[0].box, item) and right(line, item) for line in lines)
        counts[kind].there.append(hit)
    for line in lines:
        hit = any(_at(line.evidence[0].box, item) and right(line, item) for item in items)
        _claim(counts[kind], line, hit, scene, wrong)


def _claim(count: Count, line: Line, hit: bool, scene: Scene, wrong: list[str]) -> None:
    count.claimed.append((line.confidence, hit))
    if not hit:
        wrong.append(f"{scene.seed} {line.kind} {line.key} = {line.value} ({line.confidence:.2f})")


def _true_fields(scene: Scene) -> list[tuple[str, str, Any]]:
    return [
        (_KEYS.get(one["key"], one["key"]), one["value"], one["box"])
        for item in (*scene.of_kind("nameplate"), *scene.of_kind("tag"))
        for one in item.attributes["fields"]
    ]


def _same(one: str, other: str) -> bool:
    return "".join(plain(one).lower().split()) == "".join(plain(other).lower().split())


def _at(box: tuple[int, int, int, int] | None, item: Item) -> bool:
    return box is not None and item.box.grown(1.1).contains(*Box(*box).centre)


def _gauge_right(line: Line, item: Item) -> bool:
    true = item.attributes
    span = true["maximum"] - true["minimum"]
    return line.number is not None and abs(line.number - true["value"]) <= GAUGE_TOLERANCE * span


def _display_right(line: Line, item: Item) -> bool:
    shown = quantity(item.attributes["text"])
    unit = plain(item.attributes["unit"]).lower()
    return shown is not None and line.number == shown.number and line.unit.lower() in ("", unit)


def _lamp_right(line: Line, item: Item) -> bool:
    return line.value.startswith("lit") == item.attributes["lit"]


SPOILT: dict[str, Callable[[Image.Image], Image.Image]] = {
    "dark": lambda image: ImageEnhance.Brightness(image).enhance(0.22),
    "blurred": lambda image: image.filter(ImageFilter.GaussianBlur(min(image.size) / 180)),
    "glare": lambda image: _burnt(image),
}


def _burnt(image: Image.Image) -> Image.Image:
    """A flash in the middle: white, with a soft edge."""
    radius = min(image.size) * 0.13
    mask = Image.new("L", image.size, 0)
    from PIL import ImageDraw

    x, y = image.width / 2, image.height / 2
    ImageDraw.Draw(mask).ellipse((x - radius, y - radius * 0.7, x + radius, y + radius * 0.7), fill=255)
    return Image.composite(
        Image.new("RGB", image.size, "white"), image, mask.filter(ImageFilter.GaussianBlur(8))
    )


def photo_quality(scenes: Sequence[Scene]) -> dict[str, Any]:
    """Complaints about good photos (false alarms) and about the same photos, spoilt."""
    results: dict[str, Any] = {}
    for trouble in SPOILT:
        clean = [any(c.trouble == trouble for c in measure(scene.image).complaints) for scene in scenes]
        spoilt = [
            any(c.trouble == trouble for c in measure(SPOILT[trouble](scene.image)).complaints)
            for scene in scenes
        ]
        results[trouble] = {
            "noticed": Share(sum(spoilt), len(spoilt)).as_dict(),
            "false_alarms": Share(sum(clean), len(clean)).as_dict(),
        }
    return results


def evaluate(count: int, seed: int, difficulty: float, core: Core, *, ask: bool) -> dict[str, Any]:
    counts: dict[str, Count] = defaultdict(Count)
    wrong: list[str] = []
    seconds = []
    scenes = []
    for number in range(count):
        scene = render_equipment(seed + number, difficulty)
        scenes.append(scene)
        photo = Photo(scene.image, pixel_sha256(scene.image), scene.image.size, "PNG")
        found = inspect_photos(
            [(f"{scene.seed}.png", photo)], gateway=core.gateway if ask else None, find=core.find
        )
        seconds.append(found.ms["total"] / 1000)
        score(scene, found, counts, wrong)
        print(f"\r{number + 1}/{count}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    good = [render_equipment(seed + number, 0.0) for number in range(min(count, 100))]
    return {
        "count": count,
        "seed": seed,
        "difficulty": difficulty,
        "asks_the_model": ask,
        "seconds_median": round(sorted(seconds)[len(seconds) // 2], 2),
        "found": {name: counts[name].as_dict() for name in sorted(counts)},
        "quality": photo_quality(good),
        "wrong": wrong,
    }


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=200, help="scenes (200)")
    parser.add_argument("--seed", type=int, default=FIRST_SEED, help=f"the first scene ({FIRST_SEED})")
    parser.add_argument("--difficulty", type=float, default=0.3, help="0 good photos, 1 bad ones (0.3)")
    parser.add_argument(
        "--unknown",
        nargs="*",
        default=[],
        metavar="FIELD",
        help="plate fields whose labels are taken off the list, to see what is read of unknown ones",
    )
    parser.add_argument("--no-model", action="store_true", help="ask the model nothing")
    parser.add_argument("--out", type=Path, help="write the result here as JSON")
    chosen = parser.parse_args()
    for name in chosen.unknown:
        del FIELDS[name]
    result = evaluate(chosen.count, chosen.seed, chosen.difficulty, assemble(), ask=not chosen.no_model)
    for name, row in result["found"].items():
        recall, precision = row["recall"], row["precision"]
        print(f"{name:<14} recall {recall}  precision {precision}  calibration {row['calibration_error']}")
    print(json.dumps(result["quality"]))
    if chosen.out:
        chosen.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
