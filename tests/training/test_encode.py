from itertools import islice
from random import Random

import numpy as np
import pytest

from llava_agent.vlm.prompt import ACT_VERBS, ASK_VERBS, Line, PromptEncoder
from tests.vlm.embedded_models import prompt_tokenizer
from training.encode import encode, show_words
from training.tasks.mixture import Sources, steps
from training.tasks.step import Quote, Step

ENCODER = PromptEncoder(prompt_tokenizer())
LINES = (Line('"Serial" textbox', "Serial", True), Line("region", "", True), Line('"OK" button', "OK", True))
STEP = Step(
    "test", "Goal", "type SN-1 please", LINES, ACT_VERBS, "type", 0, Quote("instruction", 0, 6, 10),
    crops=(7, 8, 9), words=("", "red gear icon", ""),
)  # fmt: skip


def decode(ids: np.ndarray) -> str:
    return ENCODER.tokenizer.decode(ids.tolist())


def test_labels_lie_where_the_prompt_says(sources: Sources) -> None:
    for step, answer in islice(steps(3, sources), 300):
        example = encode(step, ENCODER, answer)
        assert example.ids[example.prompt] == ENCODER.verb_ids[step.verb]
        assert example.verbs[example.verb] == ENCODER.verb_ids[step.verb]
        assert len(example.ends) == len(step.lines) + 1
        assert len(example.regions) == len(example.crops) == len(step.crops)
        assert (example.ids[example.regions] == ENCODER.placeholder).all()
        if step.target is not None and example.target >= 0:
            assert decode(example.ids[: example.ends[example.target] + 1]).endswith(
                step.lines[step.target].words
            )
        tail = example.ids[example.prompt + 1 :]
        assert len(tail) == example.answer
        if answer:
            assert decode(tail[:-1]) == f" {answer}"
            assert tail[-1] == ENCODER.end_id


@pytest.mark.parametrize(
    ("verb", "target", "expected"),
    [
        ("read", 1, 1),
        ("read", None, 3),
        ("yes", 2, 2),
        ("no", None, -1),
        ("say", 0, 0),
        ("none", None, -1),
        ("none", 1, -1),
    ],
)
def test_targets_of_verbs_that_point_show_evidence_or_do_neither(
    verb: str, target: int | None, expected: int
) -> None:
    lines = tuple(Line(f'"{name}" text', name) for name in "abc")
    quote = Quote("candidate", target or 0, 0, 1) if verb == "read" else None
    example = encode(Step("test", "Question", "which?", lines, ASK_VERBS, verb, target, quote), ENCODER)
    assert example.target == expected


def test_words_are_shown_with_the_chance_that_is_asked_for() -> None:
    assert show_words(STEP, Random(0), 0.0) == STEP
    shown = show_words(STEP, Random(0), 1.0)
    assert [line.words for line in shown.lines] == [
        '"Serial" textbox',
        "region (red gear icon)",
        '"OK" button',
    ]
    assert shown.lines[1].quotable == ""
    named = {8: "blue bell icon"}
    said = show_words(STEP, Random(0), 1.0, [named.get(i, "?") for i in range(10)])
    assert said.lines[1].words == "region (blue bell icon)"
    often = [show_words(STEP, Random(seed), 0.3) != STEP for seed in range(400)]
    assert 0.2 < np.mean(often) < 0.4
