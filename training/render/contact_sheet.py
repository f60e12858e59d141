"""Contact sheets: what the renderers draw, on one picture for the documentation.

`python -m training.render.contact_sheet` writes `docs/images/equipment.jpg`, with `--what screens`
`docs/images/screens.jpg`.
"""

from __future__ import annotations

import argparse
import io
import tempfile
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageOps

from training.render.equipment import render_dial, render_equipment, render_not_dial
from training.render.numbered import read_lines
from training.render.screens.writing import write_screen_images

_PAPER = (244, 244, 242)


def tile(pictures: Sequence[Image.Image], columns: int, size: tuple[int, int], gap: int = 6) -> Image.Image:
    """Pictures in rows, each cut to fill a cell of `size` (width, height) pixels."""
    rows = -(-len(pictures) // columns)
    width, height = size
    sheet = Image.new("RGB", (columns * (width + gap) - gap, rows * (height + gap) - gap), _PAPER)
    for index, picture in enumerate(pictures):
        cell = ImageOps.fit(picture, size, Image.Resampling.LANCZOS)
        sheet.paste(cell, (index % columns * (width + gap), index // columns * (height + gap)))
    return sheet


def stack(sheets: Sequence[Image.Image], gap: int = 6) -> Image.Image:
    """Sheets below each other, all as wide as the first."""
    width = sheets[0].width
    fitted = [s if s.width == width else s.resize((width, round(s.height * width / s.width))) for s in sheets]
    page = Image.new("RGB", (width, sum(s.height + gap for s in fitted) - gap), _PAPER)
    y = 0
    for sheet in fitted:
        page.paste(sheet, (0, y))
        y += sheet.height + gap
    return page


def equipment_sheet(seed: int = 0) -> Image.Image:
    """Scenes from easy to hard, then dial crops, then round things that are no dials."""
    scenes: list[Image.Image] = []
    number = seed * 1000
    while len(scenes) < 12:
        scene = render_equipment(number, 0.1 + 0.7 * len(scenes) / 11)
        number += 1
        if scene.image.width > scene.image.height and len(scene.items) > 1:
            scenes.append(scene.image)
    dials = [render_dial(seed * 1000 + i, 128)[0] for i in range(20)]
    others = [render_not_dial(seed * 1000 + i, 128) for i in range(10)]
    return stack([tile(scenes, 4, (360, 270)), tile([*dials, *others], 10, (140, 140))])


def screens_sheet(seed: int = 0) -> Image.Image:
    """Pages of the kits that are trained on, then of those that are held out; boxed, for pages are white."""
    with tempfile.TemporaryDirectory() as work:
        sheets = []
        for name, count, held_out in (("trained", 12, False), ("held-out", 4, True)):
            folder = Path(work) / name
            index = write_screen_images(count, seed, folder, held_out=held_out, progress=False)
            pages = [Image.open(folder / one["file"]).convert("RGB") for one in read_lines(index, count)]
            boxed = [ImageOps.expand(page, max(2, page.width // 200), (120, 120, 120)) for page in pages]
            sheets.append(tile(boxed, 4, (360, 270)))
        return stack(sheets, 18)


def save_within(picture: Image.Image, path: Path, limit: int) -> None:
    """Save as the best JPEG that is no larger than `limit` bytes."""
    for quality in range(90, 20, -4):
        data = io.BytesIO()
        picture.save(data, "JPEG", quality=quality, optimize=True)
        if data.tell() <= limit:
            break
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.getvalue())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Draw the contact sheet of what is rendered.")
    parser.add_argument("--what", choices=("equipment", "screens"), default="equipment")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    sheet = screens_sheet(chosen.seed) if chosen.what == "screens" else equipment_sheet(chosen.seed)
    save_within(sheet, chosen.out or Path(f"docs/images/{chosen.what}.jpg"), 250_000)
