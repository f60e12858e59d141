"""Rendered pictures with questions, as LLaVA JSON to train on and as questions to be measured on."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Literal

from llava_agent.agent.trace import write_whole
from llava_agent.errors import ConfigError
from llava_agent.vlm.chat import IMAGE_MARK
from training.render.asked import Asked
from training.render.equipment.questions import questions as about_equipment
from training.render.equipment.writing import write_equipment
from training.render.numbered import read_lines
from training.render.screens.questions import questions as about_screen
from training.render.screens.writing import write_screen_images

World = Literal["screens", "equipment"]

DATA = "data.json"
QUESTIONS = "questions.jsonl"

#: Pictures of this seed are what suites are made of; nothing is trained on them.
SUITE_SEED = 999

_ASK: dict[str, Callable[[dict[str, Any], Random], list[Asked]]] = {
    "screens": about_screen,
    "equipment": about_equipment,
}


@dataclass(frozen=True, slots=True)
class Made:
    """Attributes:
    file: the data.
    pictures, questions: how many.
    """

    file: Path
    pictures: int
    questions: int


def write_conversations(
    what: World, count: int, seed: int, out: Path, *, held_out: bool = False, progress: bool = True
) -> Made:
    """Render `count` pictures and write `out/data.json` in LLaVA's format: one conversation a picture.

    The same seed gives the same bytes on the same machine. A run that was cut off goes on where it stopped.

    Raises:
        ConfigError: the seed is the suites', held-out equipment is asked for, or another run is in `out`.
    """
    if seed == SUITE_SEED:
        raise ConfigError(f"the pictures of seed {SUITE_SEED} are kept for evaluation", "choose another seed")
    return _write(what, count, seed, out, held_out, progress, _as_conversations, DATA)


def write_suite(what: World, count: int, out: Path, *, progress: bool = True) -> Made:
    """Render `count` pictures that nothing is trained on, and write `out/questions.jsonl`.

    Screens use the UI kits and icons that no training page uses.
    """
    held_out = what == "screens"
    return _write(what, count, SUITE_SEED, out, held_out, progress, _as_questions, QUESTIONS)


def _write(
    what: World, count: int, seed: int, out: Path, held_out: bool, progress: bool,
    form: Callable[[list[tuple[dict[str, Any], list[Asked]]]], str], name: str,
) -> Made:  # fmt: skip
    if what == "screens":
        index = write_screen_images(count, seed, out, held_out=held_out, progress=progress)
    elif held_out:
        raise ConfigError("equipment has no held-out kits", "leave --held-out away")
    else:
        index = write_equipment(count, seed, out, progress=progress)
    asked = []
    for record in read_lines(index, count):
        found = _ASK[what](record, Random(f"questions-{what}-{record['seed']}"))
        if found:
            asked.append((record, found))
    write_whole(out / name, form(asked).encode())
    return Made(out / name, count, sum(len(found) for _, found in asked))


def _as_conversations(asked: list[tuple[dict[str, Any], list[Asked]]]) -> str:
    rows = []
    for record, found in asked:
        turns = []
        for number, one in enumerate(found):
            mark = "" if number else f"{IMAGE_MARK}\n"
            turns.append({"from": "human", "value": mark + one.question})
            turns.append({"from": "gpt", "value": one.said})
        rows.append({"id": str(record["seed"]), "image": record["file"], "conversations": turns})
    return json.dumps(rows, ensure_ascii=False, indent=1) + "\n"


def _as_questions(asked: list[tuple[dict[str, Any], list[Asked]]]) -> str:
    lines = []
    for record, found in asked:
        for number, one in enumerate(found):
            row: dict[str, Any] = {
                "id": f"{record['seed']}-{number}",
                "image": record["file"],
                "question": one.question,
                "answer": one.said if one.wanted is None else one.wanted,
                "answer_type": one.answer_type,
                "kind": one.kind,
            }
            if one.tol is not None:
                row["tol"] = one.tol
            if one.answer_type == "box":
                row["image_size"] = [record["width"], record["height"]]
            lines.append(json.dumps(row, ensure_ascii=False) + "\n")
    return "".join(lines)
