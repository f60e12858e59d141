from __future__ import annotations

import pytest

from llava_agent.exam.miniwob.compare import PolicyComparison
from llava_agent.exam.miniwob.record import Condition, EpisodeRecord
from llava_agent.exam.miniwob.result import Exam


def exam(policy: str, rewards: list[float], tokens: int, image_tokens: int = 0) -> Exam:
    condition = Condition(policy=policy, observation="hybrid", max_steps=10)
    records = tuple(
        EpisodeRecord(
            condition=condition, task="t", seed=seed, reward=reward, steps=2, tokens=tokens,
            image_tokens=image_tokens, model_ms=80.0, seconds=1.0,
        )
        for seed, reward in enumerate(rewards)
    )  # fmt: skip
    return Exam(condition, tuple(range(len(rewards))), records)


def test_policies_stand_side_by_side_and_are_paired() -> None:
    both = PolicyComparison(
        (
            exam("vision", [1, 1, 0, 1], 1000, 700),
            exam("text", [1, 0, 0, 1], 400),
            exam("blind", [0, 0, 1, 0], 0),
        )
    )
    rows = both.as_dict()["policies"]
    assert isinstance(rows, list)
    vision, text, blind = rows
    assert vision["tokens_saved"] == 0 and text["tokens_saved"] == 0.6 and blind["tokens_saved"] == 1
    assert vision["image_tokens_per_episode"] == 700 and text["image_tokens_per_episode"] == 0
    assert text["difference_lenient"]["difference"] == -0.25
    assert blind["difference_lenient"]["difference"] == -0.5
    low, high = text["difference_lenient"]["interval"]
    assert low < -0.25 < high
    assert text["model_ms_per_step"] == 40.0
    table = both.table().splitlines()
    assert table[0].startswith("4 episodes each") and len(table) == 6
    assert "60.0%" in table[3] and table[2].startswith("vision")


def test_nothing_is_saved_where_nothing_was_spent() -> None:
    both = PolicyComparison((exam("blind", [1], 0), exam("random", [0], 0)))
    rows = both.as_dict()["policies"]
    assert isinstance(rows, list)
    assert [row["tokens_saved"] for row in rows] == [0.0, 0.0]


def test_old_records_have_no_image_tokens() -> None:
    old = EpisodeRecord(
        condition=Condition(policy="text", observation="hybrid", max_steps=10), task="t", seed=0
    )
    data = old.model_dump(exclude={"image_tokens", "money"})
    assert EpisodeRecord.model_validate(data).image_tokens == 0
    with pytest.raises(ValueError):
        EpisodeRecord.model_validate({**data, "more": 1})
