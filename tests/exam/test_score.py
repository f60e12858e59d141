from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llava_agent.exam.miniwob.record import Condition, EpisodeRecord
from llava_agent.exam.miniwob.result import Exam
from llava_agent.exam.miniwob.score import Gain, Score, describe, seconds, task_rows
from llava_agent.exam.share import Share

AGENT = Condition(policy="text", observation="hybrid", max_steps=10)
BLIND = Condition(policy="blind", observation="hybrid", max_steps=10)


def episode(
    task: str, seed: int, reward: float, condition: Condition = AGENT, **more: object
) -> EpisodeRecord:
    return EpisodeRecord(condition=condition, task=task, seed=seed, reward=reward, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("successes", "of", "low", "high"),
    # The first three from Newcombe (1998), table I, method 3.
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (10, 10, 0.7225, 1.0),
        (0, 0, 0.0, 1.0),
    ],
)
def test_wilson_intervals_are_the_published_ones(successes: int, of: int, low: float, high: float) -> None:
    assert Share(successes, of).interval == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 2000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_an_interval_holds_its_rate_and_narrows_with_more_episodes(case: tuple[int, int]) -> None:
    share = Share(*case)
    low, high = share.interval
    assert 0 <= low <= share.rate <= high <= 1
    wide, narrow = high - low, Share(4 * case[0], 4 * case[1]).interval
    assert narrow[1] - narrow[0] < wide


def test_success_is_counted_twice() -> None:
    score = Score.of([episode("a", seed, reward) for seed, reward in enumerate([1, 0.5, 0, -1])])
    assert (score.lenient.successes, score.strict.successes, score.strict.of) == (2, 1, 4)


def test_a_gain_is_paired() -> None:
    # Agent and floor are right half of the time each, always on the same episodes: certainly no difference.
    same = Gain.of([(True, True), (False, False)] * 20)
    assert (same.difference, same.low, same.high) == (0, 0, 0)
    mixed = Gain.of([(True, False), (False, True)] * 20)
    assert mixed.difference == 0 and mixed.low < -0.2 and mixed.high > 0.2
    better = Gain.of([(True, False)] * 10 + [(False, False)] * 30)
    # 10 of 40 for the agent alone: 0.25 +- 1.96 * sqrt((0.25 - 0.0625) / 40)
    assert (better.low, better.high) == pytest.approx((0.1158, 0.3842), abs=1e-4)
    assert Gain.of([]).low == -1


def test_percentiles_are_times_that_were_measured() -> None:
    times = [episode("a", seed, 0, seconds=seed + 1.0) for seed in range(20)]
    assert seconds(times) == {"mean": 10.5, "median": 10.0, "p95": 19.0}


def test_the_result_tells_tasks_floors_and_errors_apart() -> None:
    agent = [
        episode("a", 0, 1, steps=2),
        episode("a", 1, 0.5, steps=4, refused=1),
        episode("b", 0, -1, steps=4),
    ]
    blind = [episode("a", 0, -1, BLIND), episode("a", 1, 1, BLIND), episode("b", 0, 0, BLIND, error="crash")]
    exam = Exam(AGENT, (0, 1), tuple(agent), {"blind": blind})
    told = exam.as_dict()
    assert told["success"]["lenient"]["rate"] == 0.6667  # type: ignore[index]
    assert told["success"]["strict"]["successes"] == 1  # type: ignore[index]
    assert told["steps"]["mean"] == 3.33 and told["steps"]["refused"] == 1  # type: ignore[index]
    assert told["tasks"]["a"]["lenient"]["successes"] == 2 and told["tasks"]["a"]["mean_reward"] == 0.75  # type: ignore[index]
    floor = told["floors"]["blind"]  # type: ignore[index]
    assert floor["success"]["lenient"]["successes"] == 1 and floor["errors"] == {"crash": 1}
    assert floor["above"]["lenient"]["difference"] == 0.3333
    table = exam.table().splitlines()
    assert table[1].split() == ["a", "2/2", "1/2", "0.75", "0.00", "1/2"]
    assert any("lenient 66.7 % [20.8, 93.9]" in line for line in table)


def test_nothing_measured_is_no_success() -> None:
    assert describe([])["episodes"] == 0
    assert Score.of([]).lenient.interval == (0, 1)
    assert task_rows([]) == {}
