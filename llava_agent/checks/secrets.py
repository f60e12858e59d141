"""Secrets that steps type: named by an environment variable, and never in a report or picture."""

from __future__ import annotations

import io
import os
from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw

from llava_agent.errors import ConfigError

if TYPE_CHECKING:
    from llava_agent.checks.sighting import Part, Sighting
    from llava_agent.checks.spec import Spec
    from tools.geometry import Box

VEIL = "•••"


def secrets_of(spec: Spec) -> dict[str, str]:
    """The values of all variables that the spec names.

    Raises:
        ConfigError: one is not set.
    """
    found = {}
    for step in spec.steps:
        name = step.type.secret if step.type else None
        if name is not None:
            if not os.environ.get(name):
                raise ConfigError(
                    f"the environment variable {name} is not set",
                    f"set it before the check, or change {spec.name!r}",
                )
            found[name] = os.environ[name]
    return found


def veiled(seen: Sighting, secrets: Collection[str]) -> Sighting:
    """What was seen without the secrets: replaced in texts, painted over in pixels."""
    if not secrets:
        return seen
    notices = tuple(replace(one, text=veil(one.text, secrets)) for one in seen.notices)
    return replace(seen, parts=tuple(_part(part, secrets) for part in seen.parts), notices=notices)


def veil(text: str, secrets: Collection[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, VEIL)
    return text


def _part(part: Part, secrets: Collection[str]) -> Part:
    hidden = [word.box for word in part.words if veil(word.text, secrets) != word.text]
    hidden += [
        mark.box
        for mark in part.marks
        if mark.box is not None
        and veil(f"{mark.text}\n{mark.value or ''}", secrets) != f"{mark.text}\n{mark.value or ''}"
    ]
    marks = tuple(
        replace(
            mark,
            ref=veil(mark.ref, secrets),
            text=veil(mark.text, secrets),
            value=None if mark.value is None else veil(mark.value, secrets),
        )
        for mark in part.marks
    )
    words = tuple(
        replace(word, text=veil(word.text, secrets), over=veil(word.over, secrets)) for word in part.words
    )
    if not hidden:
        return replace(part, marks=marks, words=words)
    return replace(part, marks=marks, words=words, screenshot=_painted(part.screenshot, hidden))


def _painted(picture: bytes, boxes: list[Box]) -> bytes:
    with Image.open(io.BytesIO(picture)) as opened:
        image = opened.convert("RGB")
    pen = ImageDraw.Draw(image)
    for box in boxes:
        pen.rectangle(tuple(box.as_list()), fill=(0, 0, 0))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
