"""Several policies on the very same episodes: success, tokens, latency and cost, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from llava_agent.exam.miniwob.record import EpisodeRecord
from llava_agent.exam.miniwob.result import Exam
from llava_agent.exam.miniwob.score import Gain, Score, seconds
from llava_agent.exam.share import Share


@dataclass(frozen=True, slots=True)
class PolicyComparison:
    """Exams of several policies; the first is what the others are compared with.

    Attributes:
        exams: on the same tasks and seeds.
    """

    exams: tuple[Exam, ...]

    def as_dict(self) -> dict[str, object]:
        """For `--json`: a row a policy, then each exam in full."""
        return {
            "benchmark": "MiniWoB++",
            "compared_with": self.exams[0].condition.policy,
            "policies": [self._row(exam) for exam in self.exams],
            "exams": {exam.condition.policy: exam.as_dict() for exam in self.exams},
        }

    def table(self) -> str:
        """One line a policy, with the 95 % intervals of success and of the paired difference to the first."""
        first = self.exams[0]
        lines = [
            f"{len(first.records)} episodes each ({first.condition.observation}); "
            f"differences to {first.condition.policy} are paired by episode",
            f"{'policy':8}  {'lenient':>20}  {'strict':>20}  {'difference':>22}  {'tokens':>7}  "
            f"{'saved':>6}  {'image':>6}  {'unasked':>7}  {'ms/step':>7}  {'s/episode':>9}  {'money':>8}",
        ]
        for exam in self.exams:
            score, gain = exam.score, self._gain(exam)
            lines.append(
                f"{exam.condition.policy:8}  {_share(score.lenient):>20}  {_share(score.strict):>20}  "
                f"{_difference(gain):>22}  {_mean(exam.records, 'tokens'):7.0f}  "
                f"{100 * self._saved(exam):5.1f}%  "
                f"{_mean(exam.records, 'image_tokens'):6.0f}  {100 * _unasked(exam.records):6.1f}%  "
                f"{_pace(exam.records):7.0f}  {seconds(exam.records)['mean']:9.2f}  "
                f"{_mean(exam.records, 'money'):8.5f}"
            )
        means = "tokens, image tokens and money are means an episode; unasked: steps decided without a model"
        return "\n".join([*lines, means])

    def _row(self, exam: Exam) -> dict[str, object]:
        return {
            "policy": exam.condition.policy,
            "success": Score.of(exam.records).as_dict(),
            "difference_lenient": self._gain(exam).as_dict(),
            "tokens_per_episode": round(_mean(exam.records, "tokens"), 1),
            "image_tokens_per_episode": round(_mean(exam.records, "image_tokens"), 1),
            "tokens_saved": round(self._saved(exam), 4),
            "unasked": round(_unasked(exam.records), 4),
            "money_per_episode": round(_mean(exam.records, "money"), 6),
            "model_ms_per_step": round(_pace(exam.records), 1),
            "seconds_per_episode": seconds(exam.records),
        }

    def _gain(self, exam: Exam) -> Gain:
        """By how much it succeeds more often than the first, over the episodes that both have."""
        other = {(one.task, one.seed): one.lenient for one in self.exams[0].records}
        return Gain.of(
            [(one.lenient, other[key]) for one in exam.records if (key := (one.task, one.seed)) in other]
        )

    def _saved(self, exam: Exam) -> float:
        """Share of the first policy's tokens that this one does without; negative where it takes more."""
        first = sum(one.tokens for one in self.exams[0].records)
        return 1 - sum(one.tokens for one in exam.records) / first if first else 0.0


def _mean(records: Sequence[EpisodeRecord], name: str) -> float:
    return sum(float(getattr(one, name)) for one in records) / len(records) if records else 0.0


def _unasked(records: Sequence[EpisodeRecord]) -> float:
    """Share of the steps that were decided without a model."""
    steps = sum(one.steps for one in records)
    return sum(one.unasked for one in records) / steps if steps else 0.0


def _pace(records: Sequence[EpisodeRecord]) -> float:
    """Milliseconds inside models a step."""
    steps = sum(one.steps for one in records)
    return sum(one.model_ms for one in records) / steps if steps else 0.0


def _share(share: Share) -> str:
    low, high = share.interval
    return f"{100 * share.rate:.1f} [{100 * low:.1f}, {100 * high:.1f}]"


def _difference(gain: Gain) -> str:
    return f"{100 * gain.difference:+.1f} [{100 * gain.low:+.1f}, {100 * gain.high:+.1f}]"
