"""Questions about a screenshot: what is written, states, counts, places, and statements true and false."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

from training.render.asked import Asked, only, yes_or_no

_ON = {"checkbox": "checked", "switch": "on", "radio": "selected"}
_NAMES = {"checkbox": "checkbox", "switch": "switch", "radio": "radio button"}


def questions(screen: dict[str, Any], rng: Random, most: int = 6) -> list[Asked]:
    """At most `most` questions about a page as `writing.as_json` gives it, of as many kinds as there are."""
    elements: list[dict[str, Any]] = screen["elements"]
    size = (screen["width"], screen["height"])
    found = [*_states(elements), *_texts(elements, rng), *_there(elements, rng), *_places(elements, size)]
    rng.shuffle(found)
    firsts = {asked.kind: asked for asked in reversed(found)}
    rest = [asked for asked in found if asked is not firsts[asked.kind]]
    return [*firsts.values(), *rest][:most]


def box_text(box: Sequence[float], size: tuple[int, int]) -> str:
    """A box as models say it: fractions of the image's width and height."""
    width, height = size
    return "[" + ", ".join(f"{v / side:.3f}" for v, side in zip(box, (width, height) * 2, strict=True)) + "]"


def _states(elements: Sequence[dict[str, Any]]) -> Iterator[Asked]:
    unique = only([one["text"] for one in elements])
    for one in elements:
        if one["role"] in _ON and one["text"].casefold() in unique:
            question = f'Is the "{one["text"]}" {_NAMES[one["role"]]} {_ON[one["role"]]}?'
            yield yes_or_no("state", question, "checked" in one["states"])
        if one["role"] == "button" and one["text"].casefold() in unique:
            yield yes_or_no("state", f'Is the "{one["text"]}" button disabled?', "disabled" in one["states"])


def _texts(elements: Sequence[dict[str, Any]], rng: Random) -> Iterator[Asked]:
    described = only([one["words"] for one in elements])
    named = only([one["text"] for one in elements])
    for one in elements:
        if one["text"] and one["colour"] and one["words"].casefold() in described:
            form = rng.choice(("What does the {} say?", "What is written on the {}?"))
            yield Asked("read", form.format(one["words"]), one["text"])
        if one["value"] and one["text"].casefold() in named:
            yield Asked("value", f'What is in the "{one["text"]}" field?', one["value"])


def _there(elements: Sequence[dict[str, Any]], rng: Random) -> Iterator[Asked]:
    shown = {one["kind"] for one in elements}
    coloured = {(one["colour"], one["kind"]) for one in elements if one["colour"]}
    one = rng.choice(elements)
    colour = rng.choice((one["colour"], "red", "blue", "green"))
    if colour:
        claim = (colour, one["kind"])
        yield yes_or_no("is there", f"Is there a {colour} {one['kind']}?", claim in coloured)
    kind = rng.choice(sorted(shown))
    number = sum(one["kind"] == kind for one in elements)
    yield Asked("count", f"How many times is there a {kind}?", str(number), "number", float(number), 0.0)


def _places(elements: Sequence[dict[str, Any]], size: tuple[int, int]) -> Iterator[Asked]:
    described = only([one["words"] for one in elements])
    for one in elements:
        if one["role"] not in ("text", "link") and one["words"].casefold() in described:
            x0, y0, x1, y1 = one["box"]
            said = box_text(one["box"], size)
            yield Asked("locate", f"Where is the {one['words']}?", said, "box", (x0, y0, x1, y1))
