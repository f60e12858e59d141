from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from llava_agent.agent.baselines import OraclePolicy
from llava_agent.agent.perceive import Eyes, ask, question
from llava_agent.agent.record import StepRecord
from llava_agent.agent.run import run_task
from llava_agent.agent.trace import read_records
from llava_agent.errors import ConfigError, ImageError, NoPermittedModel
from llava_agent.gateway.gateway import Gateway
from llava_agent.gateway.request import Candidate, Choice, ModelRequest, Span
from tests.agent.world import ADDRESS, Form
from tests.gateway.doubles import Double, choice
from tools.action import Look, Target, Type
from tools.geometry import Box
from tools.mark import Mark
from tools.observation import Observation
from tools.photo import Photo, load_image

PLATE = (
    Mark("0", "text", "Serial No. SN-48213", Box(10.4, 20, 120, 40), "ocr"),
    Mark("1", "dial", "pressure", Box(130, 20, 190, 80), "dial", "6.2 bar"),
)


def find(photo: Photo) -> Sequence[Mark]:
    return PLATE


def answering(request: ModelRequest, candidates: Sequence[Candidate], verbs: Sequence[str]) -> Choice:
    """Serial number: a part of mark 0; pressure: mark 1; running: yes; kind: say; else not there."""
    words = request.instruction.lower()
    if "serial" in words:
        return choice("read", 0, of=2, span=Span("SN-48213", "candidate", 0, 0.9))
    if "pressure" in words:
        return choice("read", 1, of=2, confidence=0.8)
    if "running" in words:
        return choice("yes", 1, of=2, confidence=0.7)
    return choice("say", None, of=2) if "kind" in words else choice("none", None, of=2)


def gateway() -> Gateway:
    return Gateway({"eyes": Double("eyes", "vision", answering)})


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "plate.png"
    Image.new("RGB", (200, 100), "silver").save(path)
    return path


def test_an_answer_is_the_quoted_text_with_its_region(photo: Path) -> None:
    answer = ask(photo, "What is the serial number?", gateway(), find).as_dict()
    assert answer["answer"] == "SN-48213"
    assert answer["evidence"] == [{"box": [10, 20, 120, 40], "text": "Serial No. SN-48213", "source": "ocr"}]
    assert answer["model"] == "eyes"
    assert answer["image_sha256"] == load_image(photo).sha256
    assert answer["tokens"] == {"prompt": 100, "image": 0, "output": 1}
    assert set(answer) == {"answer", "confidence", "evidence", "model", "image_sha256", "tokens", "ms"}
    assert {"load", "marks", "total"} <= set(answer["ms"])  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("asked", "said", "regions"),
    [
        ("Which pressure does it show?", "6.2 bar", 1),
        ("Is it running?", "yes", 1),
        ("What kind of machine is it?", "a pump", 0),
        ("Who made it?", "not visible", 0),
    ],
)
def test_other_kinds_of_answers(photo: Path, asked: str, said: str, regions: int) -> None:
    answer = ask(photo, asked, gateway(), find)
    assert answer.answer == said and len(answer.evidence) == regions


def test_a_generated_answer_counts_both_calls(photo: Path) -> None:
    door = gateway()
    answer = ask(photo, "What kind of machine is it?", door, find)
    assert answer.usage.prompt_tokens == 150 and answer.usage.output_tokens == 8
    assert [entry.call for entry in door.ledger.entries] == ["choose", "complete"]


def test_the_surest_photo_wins_and_not_visible_is_no_fact(photo: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.png"
    Image.new("RGB", (60, 60), "white").save(other)

    def unsure(request: ModelRequest, candidates: Sequence[Candidate], verbs: Sequence[str]) -> Choice:
        picked = answering(request, candidates, verbs)
        return replace(picked, confidence=0.4) if seen.pop(0) else picked

    seen = [True, False]
    eyes = Eyes(Gateway({"eyes": Double("eyes", "vision", unsure)}), find)
    fact = eyes.look([other, photo], "serial number")
    assert fact is not None and fact.line() == "serial number = SN-48213"
    assert fact.evidence[0].image_sha256 == load_image(photo).sha256
    assert Eyes(gateway(), find).look([photo], "maker") is None


def test_bad_questions_and_images(photo: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="question is empty"):
        ask(photo, "  ", gateway(), find)
    with pytest.raises(ImageError, match="no file"):
        ask(tmp_path / "none.png", "what?", gateway(), find)
    with pytest.raises(NoPermittedModel):
        ask(photo, "what?", Gateway({}), find)


def test_what_is_looked_for_becomes_a_question() -> None:
    assert question("serial number") == "What is the serial number?"
    assert question("Is it on?") == "Is it on?"


async def test_a_look_becomes_a_fact_that_can_be_typed(photo: Path, tmp_path: Path) -> None:
    form = Form()

    def type_it(state, observation: Observation) -> Type:  # type: ignore[no-untyped-def]
        return Type(target=Target(text="Name"), text=state.facts[0].value)

    result = await run_task(
        ADDRESS,
        "file it",
        gateway=gateway(),
        out=tmp_path / "run",
        images=[photo],
        policy=lambda _: OraclePolicy([Look(question="serial number"), Look(question="maker"), type_it]),
        find=find,
        open_surface=form.open,
    )
    assert form.values["name"] == "SN-48213"
    steps = [record for record in read_records(result.folder) if isinstance(record, StepRecord)]
    assert [step.outcome for step in steps] == ["ok", "refused", "ok", "ok"]
    assert steps[0].fact is not None and steps[0].fact.evidence[0].box == (10, 20, 120, 40)
    assert steps[0].calls[0].kind == "perceive" and steps[0].calls[0].tier == "vision"
    assert result.models["eyes"].calls == 2 and result.spent.tokens == 202
    page = result.report.read_text()
    assert "serial number = SN-48213" in page and f"images/{load_image(photo).sha256}.png" in page
