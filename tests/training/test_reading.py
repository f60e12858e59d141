"""What the span reader is trained on, and that a run of it can be killed."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from random import Random

import pytest
import torch

from llava_agent.vlm.reader_head import ReaderHead
from tests.training.test_tasks import quoted
from tests.vlm.embedded_models import HIDDEN, prompt_tokenizer
from training import checkpoint
from training.reading import Reading, answerless, crowded, passages_in, reading_of, readings
from training.stages import read
from training.stages.read import ReadConfig, judge, run_read
from training.tasks.mixture import INTERFACES, pick
from training.tasks.plates import plate_question
from training.tasks.step import Step

TOKENIZER = prompt_tokenizer()
TABLE = torch.randn(TOKENIZER.get_vocab_size(), HIDDEN, generator=torch.Generator().manual_seed(0))
CONFIG = ReadConfig(seconds=1, steps=8, batch_size=4, checkpoint_every=-1)


def quoting_steps(count: int) -> list[Step]:
    rng = Random(2)
    made = [step for _ in range(count) for step in pick(rng, INTERFACES)(rng).steps]
    return [step for step in made if step.quote is not None]


def test_a_label_is_what_the_step_quotes() -> None:
    steps = quoting_steps(60)
    found = [(step, reading_of(step, TOKENIZER)) for step in steps]
    assert sum(reading is not None for _, reading in found) > 0.97 * len(steps)
    for step, reading in found:
        if reading is not None:
            layout = reading.layout
            passage = passages_in(step)[layout.passages[reading.first]]
            begin, end = layout.spans[reading.first][0], layout.spans[reading.last][1]
            assert passage.text[begin:end] == quoted(step)


def test_a_step_that_quotes_nothing_teaches_nothing() -> None:
    assert reading_of(Step("t", "Goal", "click", (), ("click",), "click"), TOKENIZER) is None


def test_a_crowd_changes_neither_the_target_nor_the_quotation() -> None:
    for seed, step in enumerate(quoting_steps(30)):
        around = crowded(step, Random(seed))
        assert quoted(around) == quoted(step)
        if step.target is not None:
            assert around.target is not None
            assert around.lines[around.target] == step.lines[step.target]
            if step.target:
                assert around.lines[around.target - 1] == step.lines[step.target - 1]


def test_the_stream_repeats_itself_and_has_every_verb() -> None:
    def drawn() -> list[tuple[str, int, int]]:
        return [(one.task, one.first, one.last) for one in islice(readings(4, TOKENIZER), 300)]

    assert drawn() == drawn()
    assert {task.rpartition(" ")[2] for task, *_ in drawn()} == {"type", "select", "look", "read", "none"}


def test_a_killed_run_goes_on_from_its_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read, "POOL", 8)  # two batches between checkpoints
    saves, save = 0, checkpoint.save

    def save_and_die(path: Path, state: dict[str, object]) -> None:
        nonlocal saves
        save(path, state)
        saves += 1
        if saves == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(read.checkpoint, "save", save_and_die)
        with pytest.raises(KeyboardInterrupt):
            run_read(ReaderHead(HIDDEN), TABLE, TOKENIZER, CONFIG, tmp_path)
    head = ReaderHead(HIDDEN)
    run_read(head, TABLE, TOKENIZER, CONFIG, tmp_path)
    state = checkpoint.load(tmp_path / read.CHECKPOINT)
    assert state is not None
    assert (state["step"], state["chunk"]) == (8, 4)
    other = ReaderHead(HIDDEN)
    read.read_trained(tmp_path, other)
    assert all(torch.equal(a, b) for a, b in zip(head.parameters(), other.parameters(), strict=True))


def right(head: ReaderHead, one: Reading) -> bool:
    found = judge(head, TABLE, one)
    return found["absent"] > 0.5 if one.first == one.layout.absent else found["span"]


def test_an_answer_that_was_taken_away_is_absent() -> None:
    rng, seen = Random(5), 0
    while seen < 40:
        step = plate_question(rng)
        if step.verb != "read":
            continue
        seen += 1
        without = answerless(step, rng)
        assert step.target is not None
        assert step.lines[step.target] not in without.lines or step.lines.count(step.lines[step.target]) > 1
        reading = reading_of(without, TOKENIZER)
        assert reading is not None and reading.first == reading.last == reading.layout.absent
        assert reading.layout.starts[reading.first]


def test_a_reader_learns_a_fixed_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight readings, learned by heart: the whole chain from labels to gradients is sound."""
    some = sorted(islice(readings(9, TOKENIZER), 40), key=lambda one: len(one.layout.ids))[:8]
    assert {one.first == one.layout.absent for one in some} == {True, False}
    monkeypatch.setattr(read, "readings", lambda seed, tokenizer: iter(some))
    torch.manual_seed(0)
    head = ReaderHead(HIDDEN)
    before = sum(right(head, one) for one in some)
    wanted = {"steps": 40, "batch_size": 8, "learning_rate": 5e-3, "dropped": 0.0, "checkpoint_every": 3600.0}
    run_read(head, TABLE, TOKENIZER, CONFIG.model_copy(update=wanted), tmp_path)
    assert before < 4
    assert sum(right(head, one) for one in some) >= 7
