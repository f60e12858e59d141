"""`matches`: the screenshot equals a stored one."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from llava_agent.checks.expectation import Matches, Named
from llava_agent.checks.sighting import Sighting
from llava_agent.checks.things import find
from llava_agent.checks.verdict import Verdict
from tools.geometry import Box


def matches(wanted: Matches, seen: Sighting, folder: Path) -> Verdict:
    words, picture = f"matches {wanted.baseline}", seen.parts[0].screenshot
    path = folder / wanted.baseline
    if not path.is_file():
        detail = f"there is no baseline {wanted.baseline} yet: --update-baselines writes it"
        return Verdict("error", words, "pixels", detail, screenshot=picture)
    now, then = _pixels(picture), _pixels(path.read_bytes())
    if now.shape != then.shape:
        detail = f"it is {_size(now)} now and {_size(then)} in the baseline"
        return Verdict("fail", words, "pixels", detail, screenshot=picture)
    differs = (np.abs(now - then) >= wanted.level).any(axis=2)
    for mask in wanted.masks:
        for box in _masked(mask, seen):
            differs[int(box.y0) : int(np.ceil(box.y1)), int(box.x0) : int(np.ceil(box.x1))] = False
    share = float(differs.mean())
    if share <= wanted.tolerance:
        return Verdict("pass", words, "pixels", "", f"{share:.2%} differ", None, picture)
    rows, columns = np.flatnonzero(differs.any(axis=1)), np.flatnonzero(differs.any(axis=0))
    box = Box(float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1))
    detail = f"{share:.2%} of the pixels differ, {wanted.tolerance:.2%} may"
    return Verdict("fail", words, "pixels", detail, f"{share:.2%} differ", box, picture)


def _masked(mask: tuple[float, float, float, float] | Named, seen: Sighting) -> list[Box]:
    """A region, or wherever a thing of that name is on the first part; what is not there hides nothing."""
    if isinstance(mask, tuple):
        x0, y0, x1, y1 = mask
        return [Box(min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))]
    return [found.box for found in find(mask, seen) if found.part is seen.parts[0]]


def _pixels(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"), dtype=np.int16)


def _size(pixels: np.ndarray) -> str:
    return f"{pixels.shape[1]} x {pixels.shape[0]} pixels"
