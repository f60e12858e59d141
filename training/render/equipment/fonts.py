"""The fonts that rendered equipment is lettered with, and the shapes of text as masks.

DejaVu and STIX come with matplotlib, so they are always there; Liberation, Nimbus and URW Gothic are used
where the system has them. The same seed therefore gives the same bytes only on machines with the same fonts.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

_SYSTEM_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "/Library/Fonts")

#: Family -> file names, the first that exists wins. The last name of every family ships with matplotlib.
_FAMILIES: dict[str, tuple[str, ...]] = {
    "sans": ("LiberationSans-Regular.ttf", "DejaVuSans.ttf"),
    "sans-bold": ("LiberationSans-Bold.ttf", "DejaVuSans-Bold.ttf"),
    "narrow": ("LiberationSansNarrow-Regular.ttf", "NimbusSansNarrow-Regular.otf", "DejaVuSans.ttf"),
    "narrow-bold": ("LiberationSansNarrow-Bold.ttf", "NimbusSansNarrow-Bold.otf", "DejaVuSans-Bold.ttf"),
    "wide": ("DejaVuSans.ttf",),
    "wide-bold": ("DejaVuSans-Bold.ttf",),
    "gothic": ("URWGothic-Book.otf", "DejaVuSans.ttf"),
    "gothic-bold": ("URWGothic-Demi.otf", "DejaVuSans-Bold.ttf"),
    "mono": ("LiberationMono-Regular.ttf", "DejaVuSansMono.ttf"),
    "mono-bold": ("LiberationMono-Bold.ttf", "DejaVuSansMono-Bold.ttf"),
    "serif": ("LiberationSerif-Regular.ttf", "DejaVuSerif.ttf"),
    "serif-bold": ("LiberationSerif-Bold.ttf", "DejaVuSerif-Bold.ttf"),
    "symbols": ("DejaVuSans-Bold.ttf",),
}

PLAIN = ("sans", "narrow", "wide", "gothic", "mono")
BOLD = ("sans-bold", "narrow-bold", "wide-bold", "gothic-bold")
LOGO = ("sans-bold", "gothic-bold", "serif-bold", "narrow-bold", "wide-bold")


@dataclass(frozen=True, slots=True)
class Glyphs:
    """A line of text as coverage: `mask` is uint8 (height, width); `left` and `top` place the mask relative
    to the origin on the baseline, in pixels (`top` is negative above the baseline)."""

    mask: NDArray[np.uint8]
    left: int
    top: int

    @property
    def width(self) -> int:
        return int(self.mask.shape[1])

    @property
    def height(self) -> int:
        return int(self.mask.shape[0])


@lru_cache(maxsize=1)
def _bundled_folder() -> Path:
    spec = importlib.util.find_spec("matplotlib")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("matplotlib, whose fonts letter the rendered equipment, is not installed")
    return Path(next(iter(spec.submodule_search_locations))) / "mpl-data" / "fonts" / "ttf"


@lru_cache(maxsize=1)
def _system_files() -> dict[str, Path]:
    found: dict[str, Path] = {}
    for folder in map(Path, _SYSTEM_FOLDERS):
        for pattern in ("*.ttf", "*.otf"):
            for path in sorted(folder.rglob(pattern)) if folder.is_dir() else ():
                found.setdefault(path.name, path)
    return found


@lru_cache(maxsize=64)
def font_path(family: str) -> Path:
    """The file that letters `family` on this machine. Raises KeyError for an unknown family."""
    for name in _FAMILIES[family]:
        bundled = _bundled_folder() / name
        if bundled.is_file():
            return bundled
        if name in _system_files():
            return _system_files()[name]
    raise FileNotFoundError(f"no font file of the family {family!r} was found")


@lru_cache(maxsize=1024)
def font(family: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(font_path(family)), max(4, size))


@lru_cache(maxsize=8192)
def glyphs(text: str, family: str, size: int) -> Glyphs:
    """The coverage of one line of text at `size` pixels, cropped to its ink."""
    face = font(family, size)
    x0, y0, x1, y1 = (round(edge) for edge in face.getbbox(text, anchor="ls"))
    canvas = Image.new("L", (max(1, x1 - x0 + 1), max(1, y1 - y0 + 1)))
    ImageDraw.Draw(canvas).text((-x0, -y0), text, fill=255, font=face, anchor="ls")
    ink = canvas.getbbox() or (0, 0, canvas.width, canvas.height)  # getbbox of a font keeps the side bearing
    return Glyphs(np.asarray(canvas.crop(ink)), x0 + ink[0], y0 + ink[1])
