"""The span reader in numpy against the one that was trained in torch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from llava_agent.errors import WeightsError
from llava_agent.gateway.quotable import Passage
from llava_agent.gateway.verbs import QUOTING_VERBS
from llava_agent.vlm import reader_head
from llava_agent.vlm.passages import Asked, lay_out, passages_for
from llava_agent.vlm.reader import HEADS, LAYERS, LONGEST_SPAN, WEIGHTS, Reader, multiplied, weighed
from tests.vlm.embedded_models import HIDDEN, prompt_tokenizer, random_reader, reader_of
from training.reading import Reading
from training.stages.read import collate, judge, scores_of

TOKENIZER = prompt_tokenizer()
TABLE = np.random.default_rng(0).normal(size=(TOKENIZER.get_vocab_size(), HIDDEN)).astype(np.float32)
texts = st.text(min_size=1, max_size=40)


def embed(ids: np.ndarray) -> np.ndarray:
    return TABLE[ids]


def some_passages(goal: str, value: str) -> list[Passage]:
    return [Passage("instruction", 0, goal), Passage("fact", 0, value, "model")]


@settings(max_examples=30)
@given(st.integers(0, 3), texts, texts, st.sampled_from(QUOTING_VERBS))
def test_both_choose_the_same_characters(seed: int, goal: str, value: str, verb: str) -> None:
    head, passages = random_reader(seed), some_passages(goal, value)
    asked = Asked(verb, '"Model" textbox', "Model")
    found = reader_of(head, TOKENIZER, embed).read(asked, passages).quote()
    layout = lay_out(TOKENIZER, asked, passages)
    if not (layout.passages >= 0).any():
        assert found is None
        return
    assert found is not None
    table = torch.from_numpy(TABLE)
    starts, _ = scores_of(head, table, collate([Reading("", layout, 0, 0)]))
    starts = starts.masked_fill(torch.from_numpy(layout.passages)[None] < 0, -1e9)
    first = int(starts[0].argmax())
    _, ends = scores_of(head, table, collate([Reading("", layout, first, first)]))
    last = int(ends[0, : first + LONGEST_SPAN].argmax())
    assert found.passage == passages[layout.passages[first]]
    assert (found.begin, found.end) == (layout.spans[first][0], layout.spans[last][1])
    chance = starts[0].softmax(-1)[first] * ends[0, : first + LONGEST_SPAN].softmax(-1)[last]
    assert found.probability == pytest.approx(float(chance), rel=1e-2)


def test_padding_changes_nothing() -> None:
    head, table = random_reader(1), torch.from_numpy(TABLE)
    short = Reading("", lay_out(TOKENIZER, Asked("look"), [Passage("instruction", 0, "read it")]), 0, 1)
    long = Reading("", lay_out(TOKENIZER, Asked("look"), [Passage("instruction", 0, "read it " * 9)]), 0, 1)
    alone, _ = scores_of(head, table, collate([short]))
    padded, _ = scores_of(head, table, collate([short, long]))
    torch.testing.assert_close(padded[0, : alone.shape[1]], alone[0], rtol=1e-4, atol=1e-4)


def lines(*texts: str) -> list[Passage]:
    return passages_for("read", "Which?", (), [f'"{text}" text' for text in texts], texts, None)


@settings(max_examples=20)
@given(st.integers(0, 3), st.lists(st.text("abc 019-", min_size=1, max_size=9).filter(str.strip), min_size=1))
def test_where_a_reading_begins_is_a_distribution_over_the_lines(seed: int, texts: list[str]) -> None:
    reader, passages = reader_of(random_reader(seed), TOKENIZER, embed), lines(*texts)
    asked = Asked("read", "Which?", "Which?")
    read = reader.read(asked, passages)
    chances = read.chances()
    assert chances is not None and len(chances) == len(passages)
    assert chances.sum() == pytest.approx(1, abs=1e-3)
    for passage in passages:
        found = read.quote(passage)
        assert found is not None and found.passage == passage
        assert found.text in passage.text


def test_a_page_that_is_too_long_for_the_reader_is_left_to_the_pointer() -> None:
    reader = reader_of(random_reader(0), TOKENIZER, embed)
    assert reader.read(Asked("read", "Which?", "Which?"), lines(*["word " * 20] * 40)).chances() is None


@settings(max_examples=20)
@given(st.integers(0, 3), st.lists(st.text("abc 019-", min_size=1, max_size=9).filter(str.strip), min_size=1))
def test_both_say_alike_how_likely_nothing_is_there(seed: int, texts: list[str]) -> None:
    head, passages, asked = random_reader(seed), lines(*texts), Asked("read", "Which?", "Which?")
    absent = reader_of(head, TOKENIZER, embed).read(asked, passages).absent()
    layout = lay_out(TOKENIZER, asked, passages)
    assert absent is not None and layout.absent == 0
    found = judge(head, torch.from_numpy(TABLE), Reading("", layout, 0, 0))
    assert absent == pytest.approx(found["absent"], rel=2e-2, abs=1e-3)
    assert "span" not in found


def test_only_a_question_can_have_no_answer() -> None:
    reader = reader_of(random_reader(0), TOKENIZER, embed)
    assert reader.read(Asked("type", '"Model" textbox', "Model"), lines("a")).absent() is None


@given(st.floats(0.01, 0.5), st.floats(0.01, 0.5), st.floats(0, 1))
def test_what_is_weighed_keeps_its_sum_and_follows_the_reader(
    read: float, none: float, absent: float
) -> None:
    there, away = weighed(read, none, absent)
    assert there + away == pytest.approx(read + none)
    assert (away >= none) == (absent >= 0.5) or away == pytest.approx(none)


@given(st.lists(st.floats(0.01, 1), min_size=2, max_size=8), st.data())
def test_two_opinions_keep_the_pointers_sum_and_prefer_where_both_agree(
    scores: list[float], data: st.DataObject
) -> None:
    pointed = np.asarray(scores, np.float32) / np.float32(sum(scores) * 1.25)  # a fifth is left for none
    indices = data.draw(st.lists(st.integers(0, len(scores) - 1), unique=True, min_size=1))
    read = np.zeros(len(indices), np.float32)
    read[0] = 1
    both = multiplied(pointed, read, indices)
    assert both.sum() == pytest.approx(float(pointed.sum()), rel=1e-3)
    assert both[indices[0]] >= pointed[indices[0]] - 1e-6


def test_nothing_to_quote_from_gives_nothing() -> None:
    reader = reader_of(random_reader(0), TOKENIZER, embed)
    assert reader.read(Asked("read", "Which?", "Which?"), []).quote() is None


def test_both_have_the_same_shape() -> None:
    assert (HEADS, LAYERS) == (reader_head.HEADS, reader_head.LAYERS)


def test_a_reader_is_loaded_from_half_precision_and_a_damaged_one_is_named(tmp_path: Path) -> None:
    head = random_reader(1)
    state = {name: value.half() for name, value in head.state_dict().items()}
    save_file(state, tmp_path / WEIGHTS)
    layout = lay_out(TOKENIZER, Asked("look"), [Passage("instruction", 0, "Read the model")])
    loaded, _ = Reader.load(tmp_path, TOKENIZER, embed).scores(layout)
    plain, _ = reader_of(head, TOKENIZER, embed).scores(layout)
    np.testing.assert_allclose(loaded, plain, rtol=0.05, atol=0.1)
    del state["start.bias"]
    save_file(state, tmp_path / WEIGHTS)
    with pytest.raises(WeightsError, match=r"another version \(start\.bias\)"):
        Reader.load(tmp_path, TOKENIZER, embed)
    (tmp_path / WEIGHTS).write_bytes(b"no weights")
    with pytest.raises(WeightsError, match="cannot be read"):
        Reader.load(tmp_path, TOKENIZER, embed)
