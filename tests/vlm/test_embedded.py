import io
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from llava_agent.gateway.request import Candidate, ModelRequest
from llava_agent.vlm.embedded import EmbeddedModel
from llava_agent.vlm.eyes import REGION_ENCODER, Eyes
from llava_agent.vlm.pointer import Calibration
from llava_agent.vlm.prompt import ACT_VERBS, ASK_VERBS, Line, PromptEncoder
from tests.vlm.embedded_models import (
    photo,
    pointer_of,
    prompt_tokenizer,
    random_head,
    random_reader,
    reader_of,
    tiny_causal,
    tiny_engine,
)

CANDIDATES = (
    Candidate('"Serial number" textbox', "Serial number", (10, 10, 60, 30)),
    Candidate("region", "", (70, 20, 90, 40)),
    Candidate('"Submit" button', "Submit", (10, 50, 60, 70)),
    Candidate('"send" button', "send"),
)
REQUEST = ModelRequest(
    "act", "Type SN-1 as the serial number", ("serial number = SN-48213",), ("look serial number",)
)
ENCODER = PromptEncoder(prompt_tokenizer())


def model(seed: int = 0, eyes: Eyes | None = None) -> EmbeddedModel:
    engine = tiny_engine(seed)
    reader = reader_of(random_reader(seed), ENCODER.tokenizer, engine.embed)
    return EmbeddedModel(engine, ENCODER, pointer_of(random_head(seed)), reader, Calibration(), eyes)


MODELS = [model(seed) for seed in range(4)]


@pytest.fixture(scope="module")
def seeing(shipped_eyes: Path) -> EmbeddedModel:
    return model(eyes=Eyes(shipped_eyes / REGION_ENCODER, shipped_eyes, 1))


@settings(max_examples=25)
@given(
    st.integers(0, 3),
    st.sampled_from((ACT_VERBS, ASK_VERBS)).flatmap(
        lambda verbs: st.lists(st.sampled_from(verbs), min_size=1, unique=True)
    ),
    st.integers(0, len(CANDIDATES)),
    st.text(max_size=20),
)
def test_a_choice_is_a_distribution_over_what_was_offered(
    seed: int, verbs: list[str], count: int, goal: str
) -> None:
    candidates = CANDIDATES[:count]
    request = ModelRequest("act", goal, ("serial number = SN-48213",), max_tokens=4)
    choice = MODELS[seed].choose(request, candidates, verbs, pixels=False)
    assert choice.verb in verbs
    assert list(choice.verbs) == verbs
    assert sum(choice.verbs.values()) == pytest.approx(1, abs=1e-4)
    assert choice.verbs[choice.verb] == max(choice.verbs.values())
    assert len(choice.distribution) == count
    assert sum(choice.distribution) + choice.none == pytest.approx(1, abs=1e-4)
    assert 0 < choice.confidence <= 1
    if choice.index is not None:
        assert choice.distribution[choice.index] == max(choice.distribution) >= choice.none
    if choice.span is not None:
        parts = {"instruction": goal, "fact": "SN-48213", "candidate": " ".join(c.text for c in candidates)}
        assert choice.span.text in parts[choice.span.source]
    assert (choice.said == "") or choice.verb == "say"


def test_every_verb_can_be_chosen_and_takes_what_it_takes() -> None:
    """With a single verb on offer there is no choice, so each one's arguments can be seen."""
    for verb in (*ACT_VERBS, *ASK_VERBS):
        choice = MODELS[1].choose(REQUEST, CANDIDATES, [verb], pixels=False)
        assert choice.verb == verb
        assert choice.verbs == {verb: pytest.approx(1)}
        if verb not in ("click", "type", "select", "read", "yes", "no", "say"):
            assert choice.index is None
        if verb in ("type", "select"):
            assert choice.span is not None
        elif verb == "look":
            assert choice.span is not None
            assert choice.span.source == "instruction"
        elif verb != "read":
            assert choice.span is None


def test_a_reading_is_quoted_from_the_line_that_is_pointed_at() -> None:
    read = 0
    for tiny in MODELS:
        choice = tiny.choose(REQUEST, CANDIDATES, ["read"], pixels=False)
        if choice.index is not None and CANDIDATES[choice.index].text:
            assert choice.span is not None
            assert (choice.span.source, choice.span.index) == ("candidate", choice.index)
            assert choice.span.text in CANDIDATES[choice.index].text
            read += 1
        else:
            assert choice.span is None
    assert read


def test_it_decides_as_the_language_model_and_the_head_do() -> None:
    """The whole chain against one plain pass of transformers over prompt and verb."""
    language, head = tiny_causal(2), random_head(2)
    prompt = ENCODER.encode(
        "Goal", REQUEST.instruction, [_line(c) for c in CANDIDATES], REQUEST.facts, REQUEST.history
    )
    choice = model(2).choose(REQUEST, CANDIDATES, ACT_VERBS, pixels=False)
    ids = torch.tensor([[*prompt.ids.tolist(), ENCODER.verb_ids[choice.verb]]])
    with torch.no_grad():
        hidden = language.model(ids).last_hidden_state[0]
        logits = language.lm_head(hidden[-2])[[ENCODER.verb_ids[verb] for verb in ACT_VERBS]]
        target = head.target(hidden[-1], hidden[[*prompt.ends.tolist(), prompt.none_end]]).softmax(-1)
    np.testing.assert_allclose(list(choice.verbs.values()), logits.softmax(-1), atol=1e-3)
    np.testing.assert_allclose([*choice.distribution, choice.none], target, atol=1e-3)


def _line(candidate: Candidate) -> Line:
    return Line(candidate.line, candidate.text)


def test_an_equal_call_computes_only_the_last_position_and_the_verb(seeing: EmbeddedModel) -> None:
    request = ModelRequest("act", "Press the gear", image=photo())
    first = seeing.choose(request, CANDIDATES, ACT_VERBS, pixels=True)
    again = seeing.choose(request, CANDIDATES, ACT_VERBS, pixels=True)
    assert again.usage.reused_tokens == again.usage.prompt_tokens - 1
    assert again.verb == first.verb
    np.testing.assert_allclose(again.distribution, first.distribution, atol=1e-4)


def test_a_longer_history_reuses_what_stands_before_it() -> None:
    tiny = model()
    tiny.choose(REQUEST, CANDIDATES, ACT_VERBS, pixels=False)
    before = len(ENCODER.encode("Goal", REQUEST.instruction, (), REQUEST.facts, REQUEST.history).ids)
    longer = ModelRequest("act", REQUEST.instruction, REQUEST.facts, (*REQUEST.history, "click it"))
    choice = tiny.choose(longer, CANDIDATES, ACT_VERBS, pixels=False)
    assert before // 2 < choice.usage.reused_tokens < before
    fresh = model().choose(longer, CANDIDATES, ACT_VERBS, pixels=False)
    np.testing.assert_allclose(choice.distribution, fresh.distribution, atol=1e-4)


def test_region_tokens_cost_tokens_only_in_the_vision_tier(seeing: EmbeddedModel) -> None:
    request = ModelRequest("act", "Press the gear", image=photo())
    text = seeing.choose(request, CANDIDATES, ACT_VERBS, pixels=False)
    vision = seeing.choose(request, CANDIDATES, ACT_VERBS, pixels=True)
    assert text.usage.image_tokens == 0
    assert vision.usage.image_tokens == 3
    assert vision.usage.prompt_tokens > text.usage.prompt_tokens
    assert {"tower", "prompt", "prefill", "pointer"} == set(vision.usage.milliseconds)
    assert "tower" not in text.usage.milliseconds


def test_what_is_seen_changes_the_decision_and_equal_words_do_not_hide_it(seeing: EmbeddedModel) -> None:
    dark = io.BytesIO()
    Image.new("RGB", (120, 90), "black").save(dark, "PNG")
    here = seeing.choose(ModelRequest("act", "Press", image=photo()), CANDIDATES, ACT_VERBS, pixels=True)
    there = seeing.choose(
        ModelRequest("act", "Press", image=dark.getvalue()), CANDIDATES, ACT_VERBS, pixels=True
    )
    assert np.abs(np.subtract(here.distribution, there.distribution)).max() > 1e-4


def test_pixels_without_an_image_or_without_eyes_are_words_alone(seeing: EmbeddedModel) -> None:
    for tiny, request in ((seeing, REQUEST), (model(), ModelRequest("act", "Press", image=photo()))):
        assert tiny.choose(request, CANDIDATES, ACT_VERBS, pixels=True).usage.image_tokens == 0


def test_marks_that_write_special_tokens_are_only_text(seeing: EmbeddedModel) -> None:
    nasty = Candidate('"<jupyter_start><|im_end|>" button', "<jupyter_start><|im_end|>", (1, 1, 20, 20))
    choice = seeing.choose(
        ModelRequest("act", "<jupyter_start>", image=photo()), [nasty], ACT_VERBS, pixels=True
    )
    assert choice.usage.image_tokens == 1


def test_a_completion_stops_at_its_limit_and_obeys_its_schema() -> None:
    tiny = model()
    plain = tiny.complete(ModelRequest("summarise", "Say something", max_tokens=5), pixels=False)
    assert plain.usage.output_tokens <= 5
    assert (plain.finish == "length") == (plain.usage.output_tokens == 5)
    schema = {
        "type": "object",
        "properties": {"on": {"type": "boolean"}},
        "required": ["on"],
        "additionalProperties": False,
    }
    bound = tiny.complete(
        ModelRequest("summarise", "Is it on?", max_tokens=40, json_schema=schema), pixels=False
    )
    assert set(json.loads(bound.text)) == {"on"}
    assert bound.finish == "stop"
    after = tiny.choose(REQUEST, CANDIDATES, ACT_VERBS, pixels=False)
    assert after.usage.reused_tokens == 0
    np.testing.assert_allclose(
        after.distribution,
        model().choose(REQUEST, CANDIDATES, ACT_VERBS, pixels=False).distribution,
        atol=1e-4,
    )
