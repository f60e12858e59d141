import numpy as np
import pytest

from llava_agent.errors import ConfigError
from llava_agent.vlm.decode import Sampling, generate, pick
from llava_agent.vlm.engines.torch_engine import TorchEngine
from tests.vlm.language_models import tiny_language

PROMPT = np.array([256, 10, 20], dtype=np.int64)


def run(sampling: Sampling, stop: tuple[int, ...] = ()) -> tuple[list[int], TorchEngine]:
    engine = TorchEngine(tiny_language())
    return list(generate(engine, engine.embed(PROMPT), sampling, stop)), engine


def test_greedy_takes_the_best_each_time_and_keeps_all_but_the_last_in_the_cache() -> None:
    tokens, engine = run(Sampling(max_tokens=6))
    assert engine.length == len(PROMPT) + 5
    fresh = TorchEngine(tiny_language())
    _, logits = fresh.forward(fresh.embed(np.concatenate([PROMPT, tokens[:-1]])))
    assert int(logits.argmax()) == tokens[-1]


def test_a_stop_id_ends_the_run_and_is_not_part_of_it() -> None:
    tokens, _ = run(Sampling(max_tokens=6))
    stop = tokens[2]
    short, _ = run(Sampling(max_tokens=6), (stop,))
    assert short == tokens[: tokens.index(stop)]


def test_sampling_follows_the_distribution_and_the_nucleus() -> None:
    logits = np.log(np.array([0.5, 0.3, 0.15, 0.05], dtype=np.float32))
    random = np.random.default_rng(0)
    drawn = [pick(logits, Sampling(temperature=1.0), random) for _ in range(4000)]
    np.testing.assert_allclose(np.bincount(drawn, minlength=4) / 4000, [0.5, 0.3, 0.15, 0.05], atol=0.03)
    nucleus = {pick(logits, Sampling(temperature=1.0, top_p=0.7), random) for _ in range(500)}
    assert nucleus == {0, 1}
    assert {pick(logits, Sampling(temperature=1.0, top_p=0.4), random) for _ in range(50)} == {0}


class _Countdown:
    """Allows one id at a time."""

    def __init__(self, ids: list[int]) -> None:
        self.left = ids

    def allowed(self) -> np.ndarray:
        mask = np.zeros(300, dtype=np.bool_)  # narrower than the logits
        mask[self.left[0]] = True
        return mask

    def accept(self, token: int) -> None:
        assert token == self.left.pop(0)

    @property
    def finished(self) -> bool:
        return not self.left


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_a_constraint_decides_what_may_come_and_when_it_ends(temperature: float) -> None:
    engine = TorchEngine(tiny_language())
    sampling = Sampling(max_tokens=9, temperature=temperature)
    tokens = list(generate(engine, engine.embed(PROMPT), sampling, (), _Countdown([7, 8, 9])))
    assert tokens == [7, 8, 9]


@pytest.mark.parametrize("bad", [{"max_tokens": 0}, {"temperature": -1.0}, {"top_p": 0.0}, {"top_p": 1.1}])
def test_sampling_out_of_range_is_refused(bad: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match="out of range"):
        Sampling(**bad)  # type: ignore[arg-type]
