"""Rules against a folder of images: one verdict for each image and each rule that applies to it."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from llava_agent.checks import colours
from llava_agent.checks.expectation import Expectation
from llava_agent.checks.judge import judge
from llava_agent.checks.judges.claim import Ask
from llava_agent.checks.look.picture import kind_of, look_at_picture, most_common
from llava_agent.checks.rules.descriptions import Description
from llava_agent.checks.rules.rulebook import Rule, RuleBook
from llava_agent.checks.sighting import Sighting
from llava_agent.checks.verdict import CheckResult, SpecResult, Verdict
from llava_agent.errors import ConfigError, LlavaAgentError

IMAGES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".heic", ".heif", ".gif", ".bmp", ".tif", ".tiff"})
_COLUMN = re.compile(r"\{([^{}]+)\}")


def run_rules(
    book: RuleBook,
    folder: Path,
    descriptions: Mapping[str, Description] | None = None,
    ask: Ask | None = None,
    *,
    progress: Callable[[SpecResult, int, int], None] | None = None,
) -> CheckResult:
    """Judge every image of a folder, in the order of their names.

    An image that cannot be read is an error and stops no other; so is one that is described and not there.

    Raises:
        ConfigError: the folder holds no image.
    """
    described = descriptions or {}
    there = {path.name for path in folder.glob("*") if path.suffix.lower() in IMAGES}
    if not there:
        raise ConfigError(
            f"{folder} holds no image", f"give a folder with {', '.join(sorted(IMAGES)[:5])} files"
        )
    names = sorted(there | set(described))
    results = []
    for number, name in enumerate(names, start=1):
        began, problem = time.perf_counter(), ""
        verdicts: tuple[Verdict, ...] = ()
        try:
            if name not in there:
                raise ConfigError(
                    f"{folder / name} does not exist", "remove its description, or add the image"
                )
            verdicts = _judged(book, folder / name, described.get(name, {}), ask)
        except LlavaAgentError as error:
            problem = str(error)
        result = SpecResult(name, folder / name, verdicts, time.perf_counter() - began, problem)
        results.append(result)
        if progress:
            progress(result, number, len(names))
    return CheckResult(tuple(results))


def _judged(book: RuleBook, path: Path, about: Description, ask: Ask | None) -> tuple[Verdict, ...]:
    seen = look_at_picture(path, book.picture or kind_of(path))
    found = []
    for rule in book.rules:
        if all(about.get(column, "").casefold() == value.casefold() for column, value in rule.when.items()):
            verdict = _verdict(rule, seen, about, path.parent, ask)
            found.append(replace(verdict, words=f"{rule.name}: {verdict.words}"))
    return tuple(found)


def _verdict(rule: Rule, seen: Sighting, about: Description, folder: Path, ask: Ask | None) -> Verdict:
    picture = seen.parts[0].screenshot
    if rule.described is not None:
        empty = [column for column in rule.described if not about.get(column, "").strip()]
        words = f"{', '.join(rule.described)} described"
        detail = f"there is no {', '.join(empty)}" if empty else ""
        return Verdict("fail" if empty else "pass", words, "none", detail, screenshot=picture)
    if rule.size is not None:
        return _size(rule.size, picture)
    if rule.ground is not None:
        return _ground(rule.ground, picture)
    missing = [column for column in _columns(rule.expect) if not about.get(column, "").strip()]
    if missing:
        detail = f"the image's description has no {missing[0]}"
        words = ", ".join(f"{kind} {value}" for kind, value in (rule.expect or {}).items())
        return Verdict("error", words, "none", detail, screenshot=picture)
    return judge(Expectation.model_validate(_filled(rule.expect, about)), seen, folder, ask)


def _size(least: tuple[int, int], picture: bytes) -> Verdict:
    with Image.open(io.BytesIO(picture)) as opened:
        width, height = opened.size
    words, read = f"at least {least[0]} x {least[1]} pixels", f"{width} x {height} pixels"
    if width >= least[0] and height >= least[1]:
        return Verdict("pass", words, "pixels", "", read, None, picture)
    return Verdict("fail", words, "pixels", f"it has {read}", read, None, picture)


def _ground(wanted: str, picture: bytes) -> Verdict:
    """The colour of a frame of a fiftieth of the image, which nine tenths of it must have."""
    with Image.open(io.BytesIO(picture)) as opened:
        pixels = np.asarray(opened.convert("RGB"))
    edge = max(2, min(pixels.shape[:2]) // 50)
    frame = np.concatenate(
        [side.reshape(-1, 3) for side in (pixels[:edge], pixels[-edge:], pixels[:, :edge], pixels[:, -edge:])]
    )
    colour = most_common(frame)
    near = float((np.abs(frame.astype(int) - colour).max(axis=1) < 24).mean())
    words, read = (
        f"stands on {wanted}",
        f"{colours.hexed(colour)} ({colours.family(colour)}), {near:.0%} of its edge",
    )
    if near >= 0.9 and colours.matches(colour, wanted, 8.0):
        return Verdict("pass", words, "pixels", "", read, None, picture)
    return Verdict("fail", words, "pixels", f"its edge is {read}", read, None, picture)


def _columns(value: Any) -> list[str]:
    """The columns that texts name, at any depth."""
    if isinstance(value, str):
        return _COLUMN.findall(value)
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [column for part in parts for column in _columns(part)]


def _filled(value: Any, about: Description) -> Any:
    if isinstance(value, str):
        return _COLUMN.sub(lambda found: about[found[1]], value)
    if isinstance(value, dict):
        return {key: _filled(part, about) for key, part in value.items()}
    return [_filled(part, about) for part in value] if isinstance(value, list) else value
