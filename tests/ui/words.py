"""A small deterministic model that goes by words, and a finder that knows one photo."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from llava_agent.assembly import Core
from llava_agent.gateway.gateway import Gateway
from llava_agent.gateway.model import Price, Tier
from llava_agent.gateway.request import Candidate, Choice, Completion, ModelRequest, Route, Span, Usage
from tools.geometry import Box
from tools.mark import Mark
from tools.photo import Photo

PHOTOS = Path(__file__).parents[2] / "examples" / "photos"


@dataclass
class Words:
    """Reads the line that shares most words with the question; clicks what the goal quotes, then is done."""

    name: str = "words"
    tier: Tier = "vision"
    price: Price | None = None

    def choose(self, request: ModelRequest, candidates: Sequence[Candidate], verbs: Sequence[str]) -> Choice:
        if "read" in verbs:
            asked = _words(request.instruction)
            shared = [len(asked & _words(candidate.line)) for candidate in candidates]
            best = shared.index(max(shared)) if any(shared) else None
            return _choice("none" if best is None else "read", best, candidates)
        quoted = re.findall(r'"([^"]+)"', request.instruction)
        for index, candidate in enumerate(candidates):
            clicked = any(candidate.line in line for line in request.history)
            if candidate.text in quoted and not clicked and "heading" not in candidate.line:
                return _choice("click", index, candidates)
        return _choice("done", None, candidates)

    def complete(self, request: ModelRequest) -> Completion:
        return Completion("nothing", "stop", Usage(), Route(self.name, self.tier, ""))


def _words(text: str) -> set[str]:
    return set(re.findall(r"[a-z]{3,}", text.lower())) - {"what", "the"}


def _choice(verb: str, index: int | None, candidates: Sequence[Candidate]) -> Choice:
    chances = tuple(0.9 if place == index else 0.0 for place in range(len(candidates)))
    span = Span(candidates[index].text, "candidate", index, 1.0) if index is not None else None
    usage = Usage(120, 12, 1, 0, {"prefill": 3.0})
    return Choice(verb, {verb: 1.0}, index, chances, 0.1, span, 0.9, usage, Route("", "vision", ""))


def find_known(photo: Photo) -> Sequence[Mark]:
    """The readings of the included pump as marks."""
    readings = json.loads((PHOTOS / "pump.json").read_text())["readings"]
    return [
        Mark(name, "text", f"{name.replace('_', ' ')}", Box(*reading["box"]), "ocr", str(reading["value"]))
        for name, reading in readings.items()
        if reading.get("box")
    ]


def core() -> Core:
    model = Words()
    return Core(Gateway({model.name: model}), find_known)
