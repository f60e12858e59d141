"""What the episodes say: shares with their intervals, per task and in all, above the floor."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from llava_agent.exam.miniwob.record import EpisodeRecord
from llava_agent.exam.miniwob.tasks import NONDETERMINISTIC
from llava_agent.exam.share import Z95, Share


@dataclass(frozen=True, slots=True)
class Score:
    """Both definitions of success over some episodes."""

    lenient: Share
    strict: Share

    @classmethod
    def of(cls, records: Sequence[EpisodeRecord]) -> Score:
        return cls(
            Share(sum(one.lenient for one in records), len(records)),
            Share(sum(one.strict for one in records), len(records)),
        )

    def as_dict(self) -> dict[str, object]:
        return {"lenient": self.lenient.as_dict(), "strict": self.strict.as_dict()}


@dataclass(frozen=True, slots=True)
class Gain:
    """How much more often the agent succeeds than the floor on the very same episodes, with a 95 % interval
    of the paired difference (normal approximation)."""

    difference: float
    low: float
    high: float

    @classmethod
    def of(cls, pairs: Sequence[tuple[bool, bool]]) -> Gain:
        """From pairs (agent succeeded, floor succeeded)."""
        n = len(pairs)
        if not n:
            return cls(0.0, -1.0, 1.0)
        only_agent = sum(agent and not floor for agent, floor in pairs)
        only_floor = sum(floor and not agent for agent, floor in pairs)
        difference = (only_agent - only_floor) / n
        half = Z95 * math.sqrt(max(0.0, (only_agent + only_floor) / n - difference**2) / n)
        return cls(difference, max(-1.0, difference - half), min(1.0, difference + half))

    def as_dict(self) -> dict[str, object]:
        return {
            "difference": round(self.difference, 4),
            "interval": [round(self.low, 4), round(self.high, 4)],
        }


def by_task(records: Iterable[EpisodeRecord]) -> dict[str, list[EpisodeRecord]]:
    """Records under their task's name, in alphabetical order."""
    groups: dict[str, list[EpisodeRecord]] = {}
    for record in records:
        groups.setdefault(record.task, []).append(record)
    return dict(sorted(groups.items()))


def seconds(records: Sequence[EpisodeRecord]) -> dict[str, float]:
    """Mean, median and 95th percentile of the seconds an episode took."""
    times = sorted(one.seconds for one in records)
    if not times:
        return {"mean": 0.0, "median": 0.0, "p95": 0.0}

    def at(share: float) -> float:
        return times[min(len(times) - 1, math.ceil(share * len(times)) - 1)]

    mean = sum(times) / len(times)
    return {"mean": round(mean, 3), "median": round(at(0.5), 3), "p95": round(at(0.95), 3)}


def describe(records: Sequence[EpisodeRecord]) -> dict[str, object]:
    """Everything about the episodes of one condition but the tasks."""
    count, steps = len(records), sum(one.steps for one in records)
    return {
        "episodes": count,
        "success": Score.of(records).as_dict(),
        "mean_reward": round(sum(one.reward for one in records) / count, 4) if count else 0.0,
        "ended_by_page": sum(one.ended for one in records),
        "steps": {
            "all": steps,
            "mean": round(steps / count, 2) if count else 0.0,
            "unasked": sum(one.unasked for one in records),
            "refused": sum(one.refused for one in records),
            "invalid": sum(one.invalid for one in records),
            "escalated": sum(one.escalated for one in records),
        },
        "seconds_per_episode": seconds(records),
        "model": {
            "tokens": sum(one.tokens for one in records),
            "image_tokens": sum(one.image_tokens for one in records),
            "ms_per_step": round(sum(one.model_ms for one in records) / steps, 1) if steps else 0.0,
        },
        "errors": dict(Counter(one.error for one in records if one.error)),
    }


def task_rows(records: Iterable[EpisodeRecord]) -> dict[str, dict[str, object]]:
    """Per task: both scores, the mean reward and seconds."""
    return {
        task: {
            **Score.of(own).as_dict(),
            "mean_reward": round(sum(one.reward for one in own) / len(own), 4),
            "seconds": seconds(own)["mean"],
            "deterministic": task not in NONDETERMINISTIC,
        }
        for task, own in by_task(records).items()
    }
