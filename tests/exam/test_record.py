from __future__ import annotations

from pathlib import Path

import pytest

from llava_agent.errors import ConfigError
from llava_agent.exam.miniwob.record import Condition, EpisodeRecord, Episodes

ONE = Condition(policy="text", observation="hybrid", max_steps=10, weights="embedded 00")


def record(task: str, condition: Condition = ONE, error: str | None = None) -> EpisodeRecord:
    return EpisodeRecord(condition=condition, task=task, seed=0, reward=0.5, actions=("done",), error=error)


def test_finished_episodes_come_back(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "episodes.jsonl"
    Episodes(path).add(record("a"))
    Episodes(path).add(record("b"))
    again = Episodes(path)
    assert again.get(ONE, "a", 0) == record("a") and again.get(ONE, "b", 0) == record("b")
    assert again.get(ONE, "a", 1) is None


@pytest.mark.parametrize(
    "other", [{"weights": "embedded 01"}, {"policy": "blind"}, {"observation": "pixels"}, {"max_steps": 9}]
)
def test_episodes_of_another_condition_are_not_these(other: dict[str, object], tmp_path: Path) -> None:
    Episodes(tmp_path / "e.jsonl").add(record("a"))
    assert Episodes(tmp_path / "e.jsonl").get(ONE.model_copy(update=other), "a", 0) is None


def test_a_line_that_a_kill_cut_off_is_run_again(tmp_path: Path) -> None:
    path = tmp_path / "e.jsonl"
    Episodes(path).add(record("a"))
    whole = path.read_bytes()
    path.write_bytes(whole + whole[: len(whole) // 2])
    store = Episodes(path)
    store.add(record("b"))
    assert path.read_text().count("\n") == 2
    assert Episodes(path).get(ONE, "b", 0) is not None


def test_an_episode_that_the_browser_failed_is_not_finished(tmp_path: Path) -> None:
    store = Episodes(tmp_path / "e.jsonl")
    store.add(record("a", error="the browser has crashed"))
    assert store.get(ONE, "a", 0) is not None
    assert Episodes(tmp_path / "e.jsonl").get(ONE, "a", 0) is None


def test_another_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "e.jsonl"
    path.write_text('{"a": 1}\n')
    with pytest.raises(ConfigError, match="line 1"):
        Episodes(path)
    assert path.read_text() == '{"a": 1}\n'
