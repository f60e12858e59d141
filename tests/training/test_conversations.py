"""Questions about rendered pictures, and the files of them."""

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

from llava_agent.errors import ConfigError
from llava_agent.exam.questions.question import read_questions
from llava_agent.exam.questions.score import judge
from tests.training.screens import icon_files
from tools.geometry import Box
from training.data.files import read_rows
from training.data.survey import survey
from training.render.conversations import SUITE_SEED, write_conversations, write_suite
from training.render.equipment import render_equipment
from training.render.equipment.questions import questions as about_equipment
from training.render.screens.page import make_page
from training.render.screens.questions import questions as about_screen
from training.render.screens.render import Placed, Screen
from training.render.screens.writing import as_json


def test_the_same_seed_gives_the_same_bytes_also_after_a_kill(tmp_path: Path) -> None:
    whole = write_conversations("equipment", 3, 1, tmp_path / "a", progress=False)
    write_conversations("equipment", 2, 1, tmp_path / "b", progress=False)
    (tmp_path / "b" / "scenes.jsonl").write_bytes((tmp_path / "b" / "scenes.jsonl").read_bytes()[:-9])
    again = write_conversations("equipment", 3, 1, tmp_path / "b", progress=False)
    assert again.questions == whole.questions > 3
    for path in sorted((tmp_path / "a").rglob("*")):
        if path.is_file():
            assert path.read_bytes() == (tmp_path / "b" / path.relative_to(tmp_path / "a")).read_bytes()
    found = survey(read_rows(whole.file), image_tokens=1)
    assert not found.refused and found.rows == 3


def test_a_suite_can_be_asked_and_its_pictures_are_never_trained_on(tmp_path: Path) -> None:
    made = write_suite("equipment", 2, tmp_path, progress=False)
    asked = read_questions(made.file)
    assert len(asked) == made.questions
    assert all(one.image.is_file() for one in asked)
    with pytest.raises(ConfigError, match="kept for evaluation"):
        write_conversations("equipment", 2, SUITE_SEED, tmp_path / "x")
    with pytest.raises(ConfigError, match="no held-out kits"):
        write_conversations("equipment", 2, 0, tmp_path / "x", held_out=True)


def scene(seed: int) -> dict[str, Any]:
    known = render_equipment(seed).as_json()
    assert json.loads(json.dumps(known)) == known
    return known


def page(seed: int) -> dict[str, Any]:
    from PIL import Image

    elements = make_page(seed).elements
    boxes = (Box(10.0 * i, 5.0, 10.0 * i + 9, 15.0) for i in range(len(elements)))
    placed = tuple(Placed(element, box) for element, box in zip(elements, boxes, strict=True))
    return as_json(Screen(seed, "plain", Image.new("RGB", (640, 480)), placed))


@pytest.mark.parametrize("world", ["equipment", "screens"])
def test_the_said_answer_is_right_by_the_rule_that_judges_it(tmp_path: Path, world: str) -> None:
    """What a model learns to say must score, and no question may have two answers."""
    from training.render.conversations import _as_questions

    kinds = set()
    with icon_files(tmp_path / "kits"):
        for seed in range(12):
            known = scene(seed) if world == "equipment" else page(seed)
            asked = (about_equipment if world == "equipment" else about_screen)(known, Random(seed))
            assert len({one.question for one in asked}) == len(asked)
            (tmp_path / "q.jsonl").write_text(_as_questions([({"file": "x", **known}, asked)]))
            for one, question in zip(asked, read_questions(tmp_path / "q.jsonl"), strict=True):
                kinds.add(one.kind)
                if one.answer_type != "box":
                    assert judge(question, one.said, []).right, one
    expected = {
        "equipment": {"gauge", "plate", "light", "is there", "count"},
        "screens": {"state", "is there", "count", "locate"},
    }
    assert expected[world] <= kinds
