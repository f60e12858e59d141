"""The mixture that the embedded model is trained on: simulated interfaces, rendered screens, plates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import TypeVar

from training.render.screens.dataset import ScreenPage
from training.tasks.controls import CONTROLS
from training.tasks.forms import FORMS
from training.tasks.plates import PLATES, with_pixels
from training.tasks.records import RECORDS
from training.tasks.spoken import SPOKEN
from training.tasks.step import Step
from training.tasks.visual import VISUAL

Maker = TypeVar("Maker")

#: Role of a simulated mark -> role of the rendered elements whose crops may stand for it.
_LOOKS_LIKE = {
    "textbox": "textbox",
    "searchbox": "textbox",
    "argument": "textbox",
    "combobox": "combobox",
    "button": "button",
    "link": "link",
    "checkbox": "checkbox",
    "switch": "switch",
    "radio": "radio",
    "tab": "button",
}


@dataclass(frozen=True, slots=True)
class Sources:
    """Where steps come from.

    Attributes:
        pages: rendered pages.
        crops_by_role: rows of crops by the element's role; `text` and `dial` among them.
    """

    pages: tuple[ScreenPage, ...]
    crops_by_role: dict[str, list[int]]


#: Simulated interfaces, with their weights.
INTERFACES = {**FORMS, **RECORDS, **CONTROLS}

#: Share of each family.
WEIGHTS = {"interface": 0.74, "visual": 0.09, "plate": 0.16, "spoken": 0.01}

#: How often a step of an episode is taken, by its verb, against the others: typing is learned soon (its words
#: are the span reader's), what to choose and what to look for late.
_EMPHASIS = {"done": 0.4, "type": 0.6, "select": 2.5, "look": 1.5}


def steps(seed: int, sources: Sources) -> Iterator[tuple[Step, str]]:
    """An endless stream of `(step, generated answer)`; the same seed gives the same stream."""
    rng = Random(f"mixture-{seed}")
    families = list(WEIGHTS)
    while True:
        family = rng.choices(families, [WEIGHTS[name] for name in families])[0]
        if family == "interface":
            yield from ((step, "") for step in _interface(rng, sources))
        elif family == "plate":
            step = pick(rng, PLATES)(rng)
            text, dial = sources.crops_by_role["text"], sources.crops_by_role.get("dial", [])
            yield (with_pixels(step, rng, text, dial) if rng.random() < 0.6 else step), ""
        else:
            page = rng.choice(sources.pages)
            if family == "visual":
                seen = pick(rng, VISUAL)(rng, page)
                if seen is not None:
                    yield seen, ""
            else:
                spoken = pick(rng, SPOKEN)(rng, page)
                if spoken is not None:
                    yield spoken


def pick(rng: Random, makers: Mapping[Maker, float]) -> Maker:
    """One of the makers, each as often as its weight says."""
    return rng.choices(list(makers), list(makers.values()))[0]


def _interface(rng: Random, sources: Sources) -> list[Step]:
    """Up to two steps of one episode; at times with pixels."""
    ui = pick(rng, INTERFACES)(rng)
    # The largest of u ** (1 / weight) are a weighted sample without replacement (Efraimidis, Spirakis, 2006).
    drawn = sorted(ui.steps, key=lambda step: rng.random() ** (1 / _EMPHASIS.get(step.verb, 1.0)))[-2:]
    return [
        _seen(rng, step, sources) if rng.random() < 0.25 and ui.surface == "page" else step for step in drawn
    ]


def _seen(rng: Random, step: Step, sources: Sources) -> Step:
    """The step as the vision model sees it: every line with the crop of an element of its kind."""
    crops = []
    for line in step.lines:
        role = next((word for word in _LOOKS_LIKE if f" {word}" in f" {line.words}"), "")
        pool = sources.crops_by_role.get(_LOOKS_LIKE.get(role, "text")) or sources.crops_by_role["text"]
        crops.append(rng.choice(pool))
    lines = tuple(replace(line, region=True) for line in step.lines)
    return replace(step, lines=lines, crops=tuple(crops), words=("",) * len(lines))
