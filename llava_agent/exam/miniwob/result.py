"""The result of an exam, for JSON and for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from llava_agent.exam.miniwob.episode import SCALE, VIEWPORT
from llava_agent.exam.miniwob.record import Condition, EpisodeRecord
from llava_agent.exam.miniwob.score import Gain, Score, by_task, describe, seconds, task_rows
from llava_agent.exam.share import Share


@dataclass(frozen=True, slots=True)
class Exam:
    """Episodes of one condition, with floors that were measured on the same tasks and seeds.

    Attributes:
        records: in order of seed, then task.
        floors: by the name of the policy.
    """

    condition: Condition
    seeds: tuple[int, ...]
    records: tuple[EpisodeRecord, ...]
    floors: Mapping[str, Sequence[EpisodeRecord]] = field(default_factory=dict)

    @property
    def score(self) -> Score:
        return Score.of(self.records)

    def gain(self, floor: str, *, strict: bool = False) -> Gain:
        """By how much the agent is above a floor, paired by episode."""
        other = {(one.task, one.seed): one for one in self.floors[floor]}
        pairs = [(one, other[one.task, one.seed]) for one in self.records if (one.task, one.seed) in other]
        if strict:
            return Gain.of([(one.strict, two.strict) for one, two in pairs])
        return Gain.of([(one.lenient, two.lenient) for one, two in pairs])

    def as_dict(self) -> dict[str, object]:
        """For `--json`."""
        return {
            "benchmark": "MiniWoB++",
            "protocol": {
                **self.condition.model_dump(exclude={"v"}),
                "tasks": len({one.task for one in self.records}),
                "seeds": list(self.seeds),
                "viewport": list(VIEWPORT),
                "scale": SCALE,
                "success": {"lenient": "raw reward > 0 (BrowserGym)", "strict": "raw reward == 1"},
                "interval": "95 %, Wilson",
            },
            **describe(self.records),
            "tasks": task_rows(self.records),
            "floors": {
                name: {
                    **describe(own),
                    "above": {
                        "lenient": self.gain(name).as_dict(),
                        "strict": self.gain(name, strict=True).as_dict(),
                    },
                }
                for name, own in self.floors.items()
            },
        }

    def table(self) -> str:
        """One line a task, then the sums; the lenient score of each floor stands beside."""
        floors = {name: by_task(own) for name, own in self.floors.items()}
        width = max([len("task"), *(len(one.task) for one in self.records)])
        head = f"{'task':{width}}  lenient  strict  reward  seconds"
        lines = [head + "".join(f"  {name:>7}" for name in floors)]
        for task, own in by_task(self.records).items():
            score = Score.of(own)
            reward = sum(one.reward for one in own) / len(own)
            line = (
                f"{task:{width}}  {_of(score.lenient):>7}  {_of(score.strict):>6}  {reward:6.2f}  "
                f"{seconds(own)['mean']:7.2f}"
            )
            beside = (Score.of(tasks.get(task, [])).lenient for tasks in floors.values())
            lines.append(line + "".join(f"  {_of(share):>7}" for share in beside))
        return "\n".join([*lines, "", *self.summary()])

    def summary(self) -> list[str]:
        """The sums in sentences."""
        pace = seconds(self.records)
        lines = [
            f"{self.condition.policy} ({self.condition.observation}), {len(self.records)} episodes: "
            f"{_words(self.score)}",
            f"{pace['mean']:.2f} seconds an episode (median {pace['median']:.2f}, 95 % {pace['p95']:.2f})",
        ]
        for name, own in self.floors.items():
            gain = self.gain(name)
            above = f"{100 * gain.difference:+.1f} points [{100 * gain.low:+.1f}, {100 * gain.high:+.1f}]"
            lines.append(f"floor {name}, the same episodes: {_words(Score.of(own))}; difference {above}")
        broken = sum(one.error is not None for one in self.records)
        if broken:
            lines.append(f"{broken} episodes failed because of the browser; the same command repeats them")
        return lines


def _of(share: Share) -> str:
    return f"{share.successes}/{share.of}"


def _words(score: Score) -> str:
    return f"lenient {_percent(score.lenient)}, strict {_percent(score.strict)}"


def _percent(share: Share) -> str:
    low, high = share.interval
    return f"{100 * share.rate:.1f} % [{100 * low:.1f}, {100 * high:.1f}]"
