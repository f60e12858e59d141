"""A tiny model of the real classes on disk, a few samples, and configurations for them."""

import json
from pathlib import Path
from typing import Any

import yaml
from PIL import Image

from tests.vlm.language_models import save_language
from tests.vlm.towers import save_open_clip

COLOURS = {"red": (255, 0, 0), "green": (0, 200, 0), "blue": (0, 0, 255), "grey": (90, 90, 90)}


def write_models(folder: Path) -> None:
    save_open_clip(folder / "tower")
    save_language(folder / "language")


def write_data(folder: Path, count: int = 12) -> Path:
    """Questions about one picture or two, and talk without pictures, of several lengths."""
    (folder / "images").mkdir(parents=True, exist_ok=True)
    for name, colour in COLOURS.items():
        Image.new("RGB", (40, 24), colour).save(folder / "images" / f"{name}.png")
    rows: list[dict[str, Any]] = []
    names = list(COLOURS)
    for number in range(count):
        name, other = names[number % 4], names[(number + 1) % 4]
        if number % 6 == 5:
            turns = ["Hi" + "!" * number, "Ho"]
            rows.append({"id": f"talk{number}", "conversations": turns})
        elif number % 6 == 4:
            turns = ["<image><image>\nWhich two?", f"{name} {other}"]
            rows.append(
                {"id": f"two{number}", "image": [f"{name}.png", f"{other}.png"], "conversations": turns}
            )
        else:
            turns = ["<image>\nWhich?", name, "Sure" + "?" * (3 * number), "Yes"]
            rows.append({"id": f"one{number}", "image": f"{name}.png", "conversations": turns})
    for row in rows:
        speakers = ("human", "gpt") * 2
        row["conversations"] = [
            {"from": s, "value": v} for s, v in zip(speakers, row["conversations"], strict=False)
        ]
    path = folder / "data.json"
    path.write_text(json.dumps(rows))
    return path


def config(folder: Path, **changes: Any) -> Path:
    """A configuration file over what `write_models` and `write_data` left in `folder`."""
    settings: dict[str, Any] = {
        "stage": "align",
        "model": {
            "tower": {"library": "open_clip", "model": str(folder / "tower"), "quick_gelu": True},
            "language": {"model": str(folder / "language"), "image_token": "<image>"},
        },
        "data": {
            "sources": [{"file": str(folder / "data.json"), "images": str(folder / "images")}],
            "limit": 200,
        },
        "rates": {"projector": 0.01},
        "batch": 4,
        "micro_tokens": 400,
        "steps": 6,
        "checkpoint_every": 2,
        "log_every": 1,
    }
    for key, value in changes.items():
        settings[key] = settings[key] | value if key == "data" else value
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(settings))
    return path
