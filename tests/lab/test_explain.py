"""Which regions drove an answer: with a small model that goes by words, so the truth is known."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from llava_agent.assembly import Core
from llava_agent.errors import ConfigError, ToolError
from llava_agent.evidence import require_place
from llava_agent.gateway.gateway import Gateway
from llava_agent.gateway.model import LocalModel
from llava_agent.gateway.request import Candidate, Choice, ModelRequest
from llava_agent.lab.attending import attended
from llava_agent.lab.cover import covered
from llava_agent.lab.deletion import control
from llava_agent.lab.explain import explain, method_of
from llava_agent.lab.explanation import Region
from llava_agent.lab.heat import heat, write_heat
from llava_agent.lab.question import Asker
from llava_agent.lab.similarity import captions_of, similar, windows
from llava_agent.vlm.attention import Attended
from llava_agent.vlm.naming import Vocabulary
from tests.ui.words import PHOTOS, Words, core, find_known
from tools.geometry import Box
from tools.mark import Mark
from tools.photo import Photo, load_image

QUESTION = "What is the serial number?"


@pytest.fixture(scope="module")
def photo() -> Photo:
    return load_image(PHOTOS / "pump.jpg")


def serial(photo: Photo) -> Mark:
    return next(mark for mark in find_known(photo) if mark.ref == "serial_number")


class Pairs(Words):
    """As `Words`, but unsure by half once the mark after the answer has no words: that one counts as well."""

    def choose(self, request: ModelRequest, candidates: Sequence[Candidate], verbs: Sequence[str]) -> Choice:
        choice = super().choose(request, candidates, verbs)
        if choice.index is None or candidates[(choice.index + 1) % len(candidates)].text:
            return choice
        return replace(choice, distribution=tuple(0.5 * chance for chance in choice.distribution))


def pairs() -> Core:
    return Core(Gateway({"words": Pairs()}), find_known)


def test_occlusion_finds_what_the_answer_needs_and_nothing_else(photo: Photo) -> None:
    told: list[tuple[int, int]] = []
    found = explain(photo, QUESTION, pairs(), test=False, progress=lambda *at: told.append(at))
    marks = list(find_known(photo))
    after = marks[(marks.index(serial(photo)) + 1) % len(marks)]
    assert [(one.text, round(one.share, 2)) for one in found.regions] == [
        ("SN-48213", 1.0),
        (after.value, 0.5),
    ]
    assert found.answer.answer == "SN-48213" and found.regions[0].instead == "not visible"
    assert found.regions[0].pixels == 0.0  # this model sees no pixels
    assert told[-1] == (len(marks), len(marks)) and found.calls > 4


def test_the_pointer_view_is_the_distribution(photo: Photo) -> None:
    found = explain(photo, QUESTION, core(), "pointer", test=False)
    assert [(one.text, one.share) for one in found.regions] == [("SN-48213", 0.9)]
    assert found.calls == 1


def test_the_view_is_tested_on_the_photo_itself(photo: Photo) -> None:
    """The detectors look again, so a covered mark is not found any more."""

    def find(seen: Photo) -> list[Mark]:
        there = np.asarray(seen.image, dtype=np.int16) - np.asarray(photo.image, dtype=np.int16)
        gone = []
        for mark in find_known(photo):
            box = mark.box
            assert box is not None
            changed = there[int(box.y0) : int(box.y1), int(box.x0) : int(box.x1)]
            gone.append(float(np.abs(changed).mean()) > 3)
        return [mark for mark, missing in zip(find_known(photo), gone, strict=True) if not missing]

    found = explain(photo, QUESTION, replace(core(), find=find))
    assert found.deletion is not None
    assert found.deletion.covered == found.regions[0].box
    assert found.deletion.answer != "SN-48213" and found.deletion.other_answer == "SN-48213"
    document = json.loads(json.dumps(found.as_dict()))
    assert document["answer"] == "SN-48213" and document["why"]["deletion"]["control"]["answer"] == "SN-48213"
    assert document["why"]["regions"][0]["box"] == list(found.regions[0].box)


def test_a_covered_region_is_as_its_surroundings() -> None:
    image = Image.new("RGB", (60, 40), (200, 10, 10))
    image.paste((0, 0, 255), (20, 10, 40, 30))
    assert set(covered(image, [Box(20, 10, 40, 30)]).get_flattened_data()) == {(200, 10, 10)}
    assert covered(image, [Box(0, 0, 60, 40)]).size == (60, 40)  # nothing around: its own colour


def test_the_control_is_elsewhere(photo: Photo) -> None:
    marks = find_known(photo)
    first = Region((10, 10, 50, 50), 1.0)
    other = control(first.box, [first], marks, "seed")
    assert other is not None and other == control(first.box, [first], marks, "seed")
    assert not Box(*other).intersection(Box(*first.box))
    assert control(first.box, [first], [], "seed") is None


class Gazing:
    """Weights that attend to the right half of an image of two cells."""

    def choose(
        self, request: ModelRequest, candidates: Sequence[Candidate], verbs: Sequence[str], *, pixels: bool
    ) -> Choice:
        return Words().choose(request, candidates, verbs)

    def complete(self, request: ModelRequest, *, pixels: bool) -> object:
        raise AssertionError

    def attention(self, request: ModelRequest, candidates: object, verbs: object, choice: Choice) -> Attended:
        assert request.image is not None and choice.verb == "read"
        width, height = Image.open(io.BytesIO(request.image)).size
        half = width / 2
        boxes = (Box(0, 0, half, height), Box(half, 0, width, height))
        return Attended(boxes, np.array([0.01, 2.0], dtype=np.float32))


def test_attention_becomes_cells(photo: Photo) -> None:
    gateway = Gateway({"gazing": LocalModel("gazing", "vision", Gazing())})  # type: ignore[arg-type]
    found = explain(photo, QUESTION, Core(gateway, find_known), "attention", test=False)
    assert [(one.box, one.share) for one in found.regions] == [((600, 0, 1200, 900), 1.0)]


def test_a_model_without_attention_says_so(photo: Photo) -> None:
    gateway = core().gateway
    asker = Asker(gateway, QUESTION)
    marks = find_known(photo)
    first = asker.ask(photo.image, marks)
    with pytest.raises(ConfigError, match=r"words does not attend.*occlusion"):
        attended(gateway, asker.request(photo.image), marks, first)


class Colours:
    """An embedder that sees the mean colour of a crop and nothing else."""

    def embed(self, pictures: Sequence[Image.Image]) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
        means = np.stack([np.asarray(one, dtype=np.float32).mean((0, 1)) for one in pictures]) + 1
        return (means / np.linalg.norm(means, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    """Lamps are red, tanks blue, leaves green."""
    own = np.eye(3, dtype=np.float32)[[0, 2, 1]]
    return Vocabulary(("lamp icon", "tank", "leaf"), ("red", "green"), own, np.stack([own, own], axis=1))


def test_words_that_the_tower_knows(vocabulary: Vocabulary) -> None:
    assert captions_of("Where is the green lamp?", vocabulary) == ([0], 1)
    assert captions_of("any lamps or tanks", vocabulary) == ([0, 1], None)
    with pytest.raises(ConfigError, match=r"no word for anything in 'the icon': it knows .*tank"):
        captions_of("the icon", vocabulary)


def test_similar_windows_are_where_the_thing_is(vocabulary: Vocabulary) -> None:
    image = Image.effect_noise((300, 200), 60).convert("RGB")
    image.paste((255, 0, 0), (220, 120, 260, 160))
    found = similar(image, "a lamp", Colours(), vocabulary)
    x0, y0, x1, y1 = found.regions[0].box
    assert found.regions[0].share == 1.0 and found.captions == ("lamp icon",)
    assert Box(x0, y0, x1, y1).intersection(Box(220, 120, 260, 160)) > 300
    assert found.windows == len(windows(300, 200))
    assert {x for a, _, b, _ in windows(300, 200) for x in range(a, b)} == set(range(300))
    assert similar(Image.new("RGB", (64, 64)), "tank", Colours(), vocabulary).regions == ()


def test_heat_lights_the_region_and_dims_the_rest(tmp_path: Path) -> None:
    image = Image.new("RGB", (400, 300), (180, 180, 180))
    lit = heat(image, [Region((100, 100, 200, 200), 0.9, "16 bar", "text")])
    assert min(lit.getpixel((150, 150))) > max(lit.getpixel((350, 50))) + 40  # type: ignore[type-var, arg-type, operator]
    write_heat(image, [Region((-5, -5, 9000, 20), 1.0, "", "text")], tmp_path / "heat.webp")
    assert Image.open(tmp_path / "heat.webp").size == (400, 300)
    for bad in (tmp_path / "heat.docx", tmp_path / "no" / "heat.png"):
        with pytest.raises(ToolError, match="cannot be written"):
            require_place(bad)


def test_a_method_that_is_none() -> None:
    assert method_of("pointer") == "pointer"
    with pytest.raises(ConfigError, match="there is no view 'gradient'"):
        method_of("gradient")
