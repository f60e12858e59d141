"""Expectations against what was seen. Exact means first; a model only for `asks`."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from llava_agent.agent.expect import weigh
from llava_agent.checks.sighting import Part, Sighting
from llava_agent.checks.spec import Count, Expectation, Matches, State
from llava_agent.checks.verdict import Means, Verdict
from tools.geometry import Box
from tools.mark import Mark

#: Affirms or denies a claim about a screenshot: `yes` or `no`, and how sure it is.
Ask = Callable[[bytes, str], tuple[str, float]]

_TOO_LONG = "the page is too long to be seen whole"


def judge(expectation: Expectation, seen: Sighting, folder: Path, ask: Ask | None) -> Verdict:
    """The verdict on one expectation.

    Args:
        folder: where baselines are.
        ask: the model; None leaves `asks` undecided.
    """
    if expectation.shows is not None:
        return _shows(expectation.shows, seen)
    if expectation.not_shows is not None:
        return _not_shows(expectation.not_shows, seen)
    if expectation.text is not None:
        return _text(expectation.text, seen)
    if expectation.count is not None:
        return _count(expectation.count, seen)
    if expectation.state is not None:
        return _state(expectation.state, seen)
    if expectation.matches is not None:
        return _matches(expectation.matches, seen, folder)
    assert expectation.asks is not None  # exactly one key is set
    return _asks(expectation.asks, seen, ask)


def _means(seen: Sighting) -> Means:
    return "dom" if seen.exact else "ocr"


def _shows(text: str, seen: Sighting) -> Verdict:
    words, found = f'shows "{text}"', _holding(text, seen)
    if found:
        part, mark = found
        return Verdict("pass", words, _means(seen), "", _said(mark), mark.box, part.screenshot)
    first = seen.parts[0].screenshot
    if not seen.whole:
        return Verdict("uncertain", words, _means(seen), _TOO_LONG, screenshot=first)
    near = _nearest(text, seen)
    detail = f'"{text}" is visible nowhere' + (f'; the nearest text is "{near}"' if near else "")
    return Verdict("fail", words, _means(seen), detail, near, None, first)


def _not_shows(text: str, seen: Sighting) -> Verdict:
    words, found = f'does not show "{text}"', _holding(text, seen)
    if found:
        part, mark = found
        detail = f'"{text}" is visible'
        return Verdict("fail", words, _means(seen), detail, _said(mark), mark.box, part.screenshot)
    first = seen.parts[0].screenshot
    if not seen.whole:
        return Verdict("uncertain", words, _means(seen), _TOO_LONG, screenshot=first)
    return Verdict("pass", words, _means(seen), screenshot=first)


def _text(text: str, seen: Sighting) -> Verdict:
    words, wanted = f'a text is exactly "{text}"', _line(text)
    for part, mark in seen.marks():
        if wanted in (_line(mark.text), _line(mark.value or ""), _line(f"{mark.text}: {mark.value}")):
            return Verdict("pass", words, _means(seen), "", _said(mark), mark.box, part.screenshot)
    near = _nearest(text, seen)
    detail = f'no text is exactly "{text}"' + (f'; the nearest is "{near}"' if near else "")
    return Verdict("fail", words, _means(seen), detail, near, None, seen.parts[0].screenshot)


def _count(wanted: Count, seen: Sighting) -> Verdict:
    kind = wanted.role or "mark"
    words = f"{wanted.equals} of {kind}" + (f' named "{wanted.name}"' if wanted.name else "")
    found = [(part, mark) for part, mark in seen.marks() if _fits(mark, wanted.role, wanted.name)]
    shown = found[0] if found else None
    box, picture = (shown[1].box, shown[0].screenshot) if shown else (None, seen.parts[0].screenshot)
    if len(found) == wanted.equals:
        return Verdict("pass", words, _means(seen), "", str(len(found)), box, picture)
    if not seen.whole:
        return Verdict("uncertain", words, _means(seen), _TOO_LONG, str(len(found)), box, picture)
    return Verdict("fail", words, _means(seen), f"there are {len(found)}", str(len(found)), box, picture)


def _state(wanted: State, seen: Sighting) -> Verdict:
    words, first = f'"{wanted.name}" is {wanted.is_}', seen.parts[0].screenshot
    if not seen.exact:
        return Verdict("uncertain", words, "none", "a picture does not tell states", screenshot=first)
    named = [one for one in seen.marks() if _fits(one[1], wanted.role, wanted.name) and one[1].role != "text"]
    same = [one for one in named if _line(one[1].text).casefold() == _line(wanted.name).casefold()] or named
    if not same:
        return Verdict("fail", words, "dom", f'there is no control "{wanted.name}"', "", None, first)
    if len(same) > 1:
        detail = f'{len(same)} controls are named "{wanted.name}"; add a role'
        return Verdict("uncertain", words, "dom", detail, "", same[0][1].box, same[0][0].screenshot)
    part, mark = same[0]
    opposite = {"enabled": "disabled", "unchecked": "checked"}.get(wanted.is_)
    held = opposite not in mark.states if opposite else wanted.is_ in mark.states
    read = mark.line()
    detail = "" if held else f"it is: {read}"
    return Verdict("pass" if held else "fail", words, "dom", detail, read, mark.box, part.screenshot)


def _matches(wanted: Matches, seen: Sighting, folder: Path) -> Verdict:
    words, picture = f"matches {wanted.baseline}", seen.parts[0].screenshot
    path = folder / wanted.baseline
    if not path.is_file():
        detail = f"{path} does not exist; write it with --update-baselines"
        return Verdict("error", words, "pixels", detail, screenshot=picture)
    now, then = _pixels(picture), _pixels(path.read_bytes())
    if now.shape != then.shape:
        detail = f"it is {_size(now)} now and {_size(then)} in the baseline"
        return Verdict("fail", words, "pixels", detail, screenshot=picture)
    differs = (np.abs(now - then) >= wanted.level).any(axis=2)
    for x0, y0, x1, y1 in wanted.masks:
        differs[int(y0) : int(y1), int(x0) : int(x1)] = False
    share = float(differs.mean())
    if share <= wanted.tolerance:
        return Verdict("pass", words, "pixels", "", f"{share:.2%} differ", None, picture)
    rows, columns = np.flatnonzero(differs.any(axis=1)), np.flatnonzero(differs.any(axis=0))
    box = Box(float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1))
    detail = f"{share:.2%} of the pixels differ, {wanted.tolerance:.2%} may"
    return Verdict("fail", words, "pixels", detail, f"{share:.2%} differ", box, picture)


def _asks(claim: str, seen: Sighting, ask: Ask | None) -> Verdict:
    picture = seen.parts[0].screenshot
    if ask is None:
        return Verdict("uncertain", claim, "none", "no model is asked", screenshot=picture)
    weighed, sure = weigh(claim, lambda question: ask(picture, question))
    if weighed == "yes":
        return Verdict("pass", claim, "model", "", weighed, None, picture, sure)
    if weighed == "no":
        return Verdict("fail", claim, "model", "the model denies it", weighed, None, picture, sure)
    return Verdict("uncertain", claim, "model", "the model contradicts itself", "", None, picture, sure)


def _holding(text: str, seen: Sighting) -> tuple[Part, Mark] | None:
    """The first mark that holds the text, or the first of several that hold it together in reading order."""
    wanted = _line(text).casefold()
    for part, mark in seen.marks():
        if wanted in _line(_said(mark)).casefold():
            return part, mark
    for part in seen.parts:
        whole = " ".join(_line(_said(mark)) for mark in part.marks).casefold()
        if wanted in whole:
            at, end = whole.index(wanted), 0
            for mark in part.marks:
                end += len(_line(_said(mark))) + 1
                if end > at:
                    return part, mark
    return None


def _nearest(text: str, seen: Sighting) -> str:
    """What is shown that is most like the text; empty where nothing is."""
    import difflib

    said = [_line(_said(mark)) for _, mark in seen.marks()]
    return next(iter(difflib.get_close_matches(_line(text), said, n=1, cutoff=0.6)), "")


def _fits(mark: Mark, role: str, name: str) -> bool:
    return (not role or mark.role == role) and _line(name).casefold() in _line(mark.text).casefold()


def _said(mark: Mark) -> str:
    return f"{mark.text} {mark.value or ''}".strip()


def _line(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def _pixels(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"), dtype=np.int16)


def _size(pixels: np.ndarray) -> str:
    return f"{pixels.shape[1]} x {pixels.shape[0]} pixels"
