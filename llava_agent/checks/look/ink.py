"""Which words of a page do the pixels show, and in which colours?

The page is photographed twice, the second time with all text transparent. Where the two differ is ink: the
pixels
of the letters themselves, whatever they stand on. A word without ink is not seen, whatever the page's
structure says.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from llava_agent.checks.colours import contrast
from llava_agent.checks.sighting import Colour, Unseen, Word
from tools.geometry import Box

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

#: A style that makes letters transparent, and nothing else: borders and icons keep the text's colour.
BARE = (
    "*,*::before,*::after,::placeholder{-webkit-text-fill-color:transparent!important;"
    "-webkit-text-stroke-color:transparent!important;text-shadow:none!important;transition:none!important}"
    "svg text,svg text *{fill:transparent!important;stroke:transparent!important}"
)
#: Difference of a colour channel from which a pixel is ink.
INK = 8
#: Text with less contrast is seen by nobody (WCAG's ratio; 4.5 is asked of text that is easy to read).
FAINT = 1.3
_LETTERS = re.compile(r"\w\w")
_LOW = re.compile(r"[acegmnopqrsuvwxyz\W_]+")


def measured(words: list[Word], colours: list[Colour | None], shot: Pixels, bare: Pixels) -> list[Word]:
    """The words with what the pixels say of them.

    Args:
        colours: what the page says of each word's colour; used where the pixels agree with it.
        shot: (height, width, 3), the page.
        bare: the same without text.
    """
    differs = np.abs(shot.astype(np.int16) - bare.astype(np.int16)).max(axis=2).astype(np.uint8)
    return [_measured(word, colour, shot, bare, differs) for word, colour in zip(words, colours, strict=True)]


def _measured(word: Word, said: Colour | None, shot: Pixels, bare: Pixels, differs: Pixels) -> Word:
    rows, columns = _place(word.box, differs.shape[0], differs.shape[1])
    ink = differs[rows, columns]
    if ink.size == 0 or int(ink.max(initial=0)) < INK:
        return replace(word, why=word.why or _unseen(word, said, bare[rows, columns]), inked=False)
    core = ink >= max(INK, 0.75 * int(ink.max()))
    ground: Colour = _middle(bare[rows, columns][core])
    colour = _ink_colour(_middle(shot[rows, columns][ink == ink.max()]), ground, said)
    why = word.why
    if not why and contrast(colour, ground) < FAINT:
        why = "faint"
    if not why and word.kind == "text" and not _complete(ink >= INK, word.text):
        why = "covered"
    return replace(word, why=why, colour=colour, ground=ground)


def _unseen(word: Word, said: Colour | None, ground: Pixels) -> Unseen:
    """Why there is no ink: the letters have the colour that is there, or something lies over them."""
    same = ground.size > 0 and (said is None or contrast(said, _middle(ground)) < FAINT)
    return "faint" if same and not word.over else "covered"


def _place(box: Box, height: int, width: int) -> tuple[slice, slice]:
    inner = box.clipped(width, height)
    return slice(int(inner.y0), int(np.ceil(inner.y1))), slice(int(inner.x0), int(np.ceil(inner.x1)))


def _complete(ink: NDArray[np.bool_], text: str) -> bool:
    """Ink from end to end, above and below: what a lid leaves of a word is not the word."""
    if not _LETTERS.search(text) or ink.shape[0] < 6 or ink.shape[1] < 8:
        return True
    height, width = ink.shape
    columns = np.asarray(ink.any(axis=0))
    across = columns[: round(0.35 * width)].any() and columns[round(0.65 * width) :].any()
    rows = np.asarray(ink.any(axis=1))
    # Small letters without a stroke upwards begin near the middle of their box.
    top, middle = (0.42, 0.62) if _LOW.fullmatch(text) else (0.25, 0.52)
    upper = rows[round(top * height) : round(middle * height)]
    lower = rows[round(0.52 * height) : round(0.8 * height)]
    return bool(across and upper.mean() > 0.4 and lower.mean() > 0.4)


def _ink_colour(measured: Colour, ground: Colour, said: Colour | None) -> Colour:
    """Thin letters never reach their own colour; where the measured one lies on the way to it, it is
    meant.
    """
    if said is None:
        return measured
    way = np.subtract(said, ground, dtype=float)
    length = float(way @ way)
    if length == 0:
        return measured
    step = np.subtract(measured, ground, dtype=float)
    along = float(step @ way) / length
    off = float(np.abs(step - along * way).max())
    return said if 0.6 <= along <= 1.05 and off < 12 else measured


def _middle(pixels: Pixels) -> Colour:
    red, green, blue = (round(float(value)) for value in np.median(pixels.reshape(-1, 3), axis=0))
    return red, green, blue
