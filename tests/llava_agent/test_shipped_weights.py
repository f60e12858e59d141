"""The weights that ship, through the product's own door: the one test file where the real model decides."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from llava_agent.agent.perceive import ask
from llava_agent.assembly import Core, assemble
from llava_agent.demo import run_demo, summary
from llava_agent.vlm.weights import EMBEDDED, present

PHOTOS = Path(__file__).parents[2] / "examples" / "photos"

pytestmark = pytest.mark.skipif(
    not present(EMBEDDED), reason="the embedded weights are not here: llava-agent models pull embedded"
)


@pytest.fixture(scope="module")
def embedded() -> Core:
    return assemble("embedded")


async def test_the_main_job_ends_with_the_right_record(embedded: Core, tmp_path: Path) -> None:
    result = await run_demo(embedded.gateway, tmp_path / "demo", compare=False, find=embedded.find)
    assert result.passed, summary(result)


@pytest.mark.parametrize(
    ("photo", "question", "reading"),
    [
        ("pump", "What is the serial number?", "serial_number"),
        ("pump", "What is the power?", "power"),
        ("pump", "Which voltage is shown?", "voltage"),
        ("compressor", "What is the serial number?", "serial_number"),
        ("compressor", "What is the asset tag?", "asset_tag"),
    ],
)
def test_readings_of_the_included_photos(embedded: Core, photo: str, question: str, reading: str) -> None:
    path = PHOTOS / f"{photo}.jpg"
    truth = json.loads(path.with_suffix(".json").read_text())["readings"][reading]
    answer = ask(path, question, embedded.gateway, embedded.find)
    assert answer.answer == truth["value"]
    x0, y0, x1, y1 = truth["box"]
    box = answer.evidence[0].box
    assert box is not None
    assert box[0] <= (x0 + x1) / 2 <= box[2] and box[1] <= (y0 + y1) / 2 <= box[3]
