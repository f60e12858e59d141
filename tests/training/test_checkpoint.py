import json
import random
from pathlib import Path

import numpy as np
import pytest
import torch

from llava_agent.vlm.prompt import PromptEncoder
from tests.vlm.embedded_models import HIDDEN, prompt_tokenizer, tiny_causal
from training import checkpoint
from training.budget import Budget
from training.pointing_model import PointingModel
from training.stages import point
from training.stages.point import PointConfig, adapted, make_batches, rate_share, run_point, words_chance
from training.tasks.mixture import Sources

CONFIG = PointConfig(
    seconds=1, steps=6, tokens=900, pool=6, longest=450, rank=2, alpha=4, curriculum=0.7, checkpoint_every=-1
)
FEATURES = 20


def model() -> PointingModel:
    made = adapted(tiny_causal(), CONFIG)
    torch.manual_seed(4)
    return PointingModel(made, FEATURES, HIDDEN)


def train(
    made: PointingModel, sources: Sources, out: Path, config: PointConfig = CONFIG
) -> dict[str, torch.Tensor]:
    out.mkdir(exist_ok=True)
    count = 1 + max(crop for crops in sources.crops_by_role.values() for crop in crops)
    features = torch.from_numpy(np.random.default_rng(0).normal(size=(count, FEATURES)).astype(np.float32))
    encoder = PromptEncoder(prompt_tokenizer())
    run_point(made, features, sources, ["thing"] * count, encoder, config, out)
    return point.trainable_state(made)


def test_state_and_random_numbers_come_back(tmp_path: Path) -> None:
    path = tmp_path / "new" / "run.pt"
    assert checkpoint.load(path) is None
    checkpoint.save(path, {"step": 3})
    drawn = random.random(), np.random.rand(), torch.rand(1)
    assert checkpoint.load(path) == {"step": 3}
    assert (random.random(), np.random.rand(), torch.rand(1)) == drawn
    assert [p.name for p in path.parent.iterdir()] == ["run.pt"]


def test_a_save_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "run.pt"
    checkpoint.save(path, {"step": 3})
    with pytest.raises(Exception, match="pickle"):
        checkpoint.save(path, {"step": lambda: 4})
    assert checkpoint.load(path) == {"step": 3}


def test_a_killed_run_equals_one_that_was_not(
    sources: Sources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed twice, in the first pool and in a later one, and each time continued by a fresh model."""
    whole = train(model(), sources, tmp_path / "whole")
    original = point._train

    def kill_at(step: int) -> None:
        calls = iter(range(step))

        def killed(*arguments: object) -> object:
            if next(calls, None) is None:
                raise KeyboardInterrupt
            return original(*arguments)  # type: ignore[arg-type]

        monkeypatch.setattr(point, "_train", killed)

    for step in (1, 3):
        kill_at(step)
        with pytest.raises(KeyboardInterrupt):
            train(model(), sources, tmp_path / "killed")
    monkeypatch.setattr(point, "_train", original)
    resumed = train(model(), sources, tmp_path / "killed")
    state = checkpoint.load(tmp_path / "killed" / point.CHECKPOINT)
    assert state is not None
    assert (state["step"], state["pool"] > 0) == (6, True)
    start = point.trainable_state(model())
    assert whole.keys() == resumed.keys()
    for name, value in whole.items():
        torch.testing.assert_close(resumed[name], value, rtol=0, atol=0)
    assert any(not torch.equal(value, start[name]) for name, value in whole.items() if "lora_B" in name)
    assert any(
        not torch.equal(value, start[name]) for name, value in whole.items() if name.startswith("head.")
    )


def test_weights_without_an_optimizer_can_be_trained_on(sources: Sources, tmp_path: Path) -> None:
    begun = model()
    checkpoint.save(
        tmp_path / point.CHECKPOINT,
        {"model": point.trainable_state(begun), "used": 0.0, "step": 5, "seen": 9},
    )
    train(model(), sources, tmp_path)
    state = checkpoint.load(tmp_path / point.CHECKPOINT)
    assert state is not None
    assert state["step"] == 6
    assert state["seen"] > 9


def test_the_log_tells_accuracy_by_task(
    sources: Sources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(point, "REPORT_EVERY", 2)
    train(model(), sources, tmp_path, CONFIG.model_copy(update={"steps": 2}))
    (row,) = [json.loads(line) for line in (tmp_path / "point.jsonl").read_text().splitlines()]
    assert row["step"] == 2
    assert row["seen"] > 0
    assert row["tasks"]
    assert all(0 <= share <= 1 for share in row["tasks"].values())


def test_batches_are_of_like_length_and_not_too_large(sources: Sources) -> None:
    encoder = PromptEncoder(prompt_tokenizer())
    made = make_batches(3, sources, encoder, ["thing"] * 10_000, CONFIG, 0.5)
    assert sum(len(batch) for batch in made) == CONFIG.pool
    for batch in made:
        longest = max(len(example.ids) for example in batch)
        assert longest <= CONFIG.longest
        assert len(batch) == 1 or len(batch) * longest <= CONFIG.tokens
    again = make_batches(3, sources, encoder, ["thing"] * 10_000, CONFIG, 0.5)
    assert [[e.ids.tolist() for e in b] for b in made] == [[e.ids.tolist() for e in b] for b in again]


def test_schedules_begin_high_and_end_low() -> None:
    config = PointConfig(seconds=1000, curriculum=420)
    assert words_chance(0, config) == 1
    assert words_chance(0.21, config) == pytest.approx(0.5)
    assert words_chance(1, config) == config.words_end
    assert rate_share(0, 0) < rate_share(29, 0.1) == 1
    assert rate_share(500, (1 + point.FULL_UNTIL) / 2) == pytest.approx(0.5)
    assert rate_share(900, 1) == 0.02


def test_a_budget_is_spent_by_steps_or_by_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("training.budget.time.monotonic", lambda: now[0])
    steps, seconds = Budget(10, steps=4, _counted=100, _saved=100), Budget(10, _counted=100, _saved=100)
    now[0] = 105
    for budget in (steps, seconds):
        budget.count()
    assert (steps.done, seconds.done) == (0.25, 0.5)
    assert seconds.save_is_due(3)
    assert not seconds.save_is_due(3)
    later = Budget(10, _counted=500)
    later.resume(seconds.state())
    assert (later.step, later.used) == (1, 5.0)
    now[0] = 506
    later.count()
    assert later.done == pytest.approx(1.1)
    assert later.save_is_due(100)
