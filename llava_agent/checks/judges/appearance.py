"""`colour` and `contrast`: measured on the pixels."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from llava_agent.checks import colours
from llava_agent.checks.expectation import EVERYTHING, HasColour, HasContrast, Named, thing
from llava_agent.checks.judges.texts import missing
from llava_agent.checks.look.picture import most_common
from llava_agent.checks.sighting import Colour, Part, Sighting, Word
from llava_agent.checks.spans import spans
from llava_agent.checks.things import Found, one
from llava_agent.checks.verdict import Verdict
from tools.geometry import Box

#: WCAG asks less of letters that are at least 24 CSS pixels high; a word's box is about 1.2 times as high.
_LARGE, _LARGE_RATIO = 28, 3.0


def colour(wanted: HasColour, seen: Sighting) -> Verdict:
    """The thing's letters or ground have the colour."""
    name = thing(wanted.of)
    part = f"the {wanted.part} of " if wanted.part else ""
    words = f"{part}{name.words()} is {wanted.is_}"
    found = one(wanted.of, seen, words)
    if isinstance(found, Verdict):
        return found
    which = wanted.part or ("ground" if found.control or not found.words else "text")
    measured = _letters(found) if which == "text" else _ground(found)
    if measured is None:
        detail = "it has no letters whose colour could be measured"
        return Verdict("uncertain", words, "pixels", detail, "", found.box, found.part.screenshot)
    read = f"{colours.hexed(measured)} ({colours.family(measured)})"
    if colours.matches(measured, wanted.is_, wanted.tolerance):
        return Verdict("pass", words, "pixels", "", read, found.box, found.part.screenshot)
    return Verdict("fail", words, "pixels", f"it is {read}", read, found.box, found.part.screenshot)


def contrast(wanted: HasContrast | Named, seen: Sighting) -> Verdict:
    """Each word of the thing stands out from its ground."""
    asked = wanted if isinstance(wanted, HasContrast) else HasContrast(of=wanted)
    name = thing(asked.of)
    every = name.name == EVERYTHING and not name.role
    words = f"the contrast of {EVERYTHING if every else name.words()} is at least {asked.at_least:g}"
    found = _every_word(seen) if every else _words_of(asked.of, seen, words)
    if isinstance(found, Verdict):
        return found
    measured = [
        (colours.contrast(word.colour, word.ground), word, part)
        for part, word in found
        if word.colour is not None and word.ground is not None
    ]
    if not measured:
        detail = "there are no letters whose contrast could be measured"
        return Verdict("uncertain", words, "pixels", detail, screenshot=seen.parts[0].screenshot)
    # The word that is furthest below what is asked of a word of its size.
    ratio, word, part = min(measured, key=lambda entry: entry[0] / _asked(entry[1], asked.at_least))
    assert word.colour is not None and word.ground is not None  # it was measured
    read = f"{ratio:.2f} ({colours.hexed(word.colour)} on {colours.hexed(word.ground)})"
    # Half a step of rounding on either side is no finding.
    if ratio >= _asked(word, asked.at_least) - 0.05:
        return Verdict("pass", words, "pixels", "", read, word.box, part.screenshot)
    detail = f'"{word.text}" has a contrast of {read}'
    return Verdict("fail", words, "pixels", detail, read, word.box, part.screenshot)


def _asked(word: Word, at_least: float) -> float:
    return min(at_least, _LARGE_RATIO) if word.box.height >= _LARGE else at_least


def _every_word(seen: Sighting) -> list[tuple[Part, Word]]:
    """All that is shown, and what is too faint to be seen; what is disabled or given as an example may be
    faint.
    """
    return [
        (part, word)
        for part in seen.parts
        for word in part.words
        if (word.seen or word.why == "faint") and word.kind != "placeholder" and not _disabled(part, word)
    ]


def _disabled(part: Part, word: Word) -> bool:
    return any(
        "disabled" in mark.states and mark.box is not None and mark.box.contains(*word.box.centre)
        for mark in part.marks
    )


def _words_of(named: Named, seen: Sighting, words: str) -> list[tuple[Part, Word]] | Verdict:
    """Every place where the text stands, also where it is too faint."""
    what = thing(named)
    if what.role:
        found = one(named, seen, words)
        return found if isinstance(found, Verdict) else [(found.part, word) for word in found.words]
    places = list(spans(what.name, seen, lambda word: word.seen or word.why == "faint"))
    if not places:
        return missing(what.name, seen, words)
    return [(span.part, word) for span in places for word in span.words]


def _letters(found: Found) -> Colour | None:
    """The colour that most of the letters have."""
    measured = [word.colour for word in found.words if word.colour is not None for _ in word.text]
    if not measured:
        return None
    return max(set(measured), key=measured.count)


def _ground(found: Found) -> Colour:
    """The colour that most of it has, without its letters and its border."""
    if found.words and not found.control and found.mark is None:
        grounds = [word.ground for word in found.words if word.ground is not None]
        if grounds:
            return max(set(grounds), key=grounds.count)
    with Image.open(io.BytesIO(found.part.bare or found.part.screenshot)) as opened:
        pixels = np.asarray(opened.convert("RGB"))
    inner = _inner(found.box).clipped(pixels.shape[1], pixels.shape[0])
    part = pixels[int(inner.y0) : int(inner.y1) + 1, int(inner.x0) : int(inner.x1) + 1].reshape(-1, 3)
    return most_common(part) if len(part) else (0, 0, 0)


def _inner(box: Box) -> Box:
    """Without the outer tenth on each side, where borders and round corners are."""
    x, y = min(6.0, box.width * 0.1), min(6.0, box.height * 0.15)
    return Box(box.x0 + x, box.y0 + y, box.x1 - x, box.y1 - y)
