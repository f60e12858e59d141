"""Ask every question of a file, and count."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from statistics import median

from llava_agent.agent.perceive import ask
from llava_agent.agent.picture import Find
from llava_agent.errors import ImageError
from llava_agent.exam.questions.question import Question
from llava_agent.exam.questions.score import Verdict, judge
from llava_agent.exam.share import Share
from llava_agent.gateway.gateway import Gateway
from tools.geometry import Box


@dataclass(frozen=True, slots=True)
class Reply:
    """A question with what was answered.

    Attributes:
        error: why the image could not be read; empty where it could.
        seconds: of the whole answer.
    """

    question: Question
    answer: str
    confidence: float
    verdict: Verdict
    seconds: float
    error: str = ""

    def as_dict(self) -> dict[str, object]:
        """For the file of replies."""
        question = self.question
        return {
            "id": question.id,
            "question": question.question,
            "wanted": question.answer,
            "answer": self.answer,
            "confidence": round(self.confidence, 4),
            **asdict(self.verdict),
            "seconds": round(self.seconds, 2),
            "error": self.error,
        }


@dataclass(frozen=True, slots=True)
class Result:
    """All replies."""

    replies: tuple[Reply, ...]

    def as_dict(self) -> dict[str, object]:
        """Counts in all, by kind and domain, and for yes and no apart (always yes scores half)."""
        replies = self.replies
        supported = [reply for reply in replies if reply.verdict.grounded is not None]
        right = [reply for reply in supported if reply.verdict.right]
        boxes = [reply for reply in replies if reply.question.answer_type == "box"]
        return {
            "all": _share(replies),
            "by_kind": _grouped(replies, lambda reply: reply.question.kind),
            "by_domain": _grouped(replies, lambda reply: reply.question.domain),
            "by_truth": _grouped(
                [reply for reply in replies if reply.question.answer_type == "yesno"],
                lambda reply: str(reply.question.answer),
            ),
            "centre_in_box": Share(sum(reply.verdict.near for reply in boxes), len(boxes)).as_dict(),
            "evidence_in_region": _grounded(supported),
            "evidence_in_region_of_right_answers": _grounded(right),
            "not_visible": sum(reply.answer == "not visible" for reply in replies),
            "seconds_median": round(median([reply.seconds for reply in replies]), 2) if replies else 0.0,
            "errors": [reply.error for reply in replies if reply.error],
        }

    def table(self) -> str:
        """For a terminal."""
        rows = [("all", _right(self.replies))]
        for name in sorted({reply.question.kind for reply in self.replies if reply.question.kind}):
            rows.append((name, _right([reply for reply in self.replies if reply.question.kind == name])))
        return "\n".join(
            f"{name:<14}{share.successes:>4} of {share.of:<5}{share.rate:>7.1%}  "
            f"[{share.interval[0]:.1%}, {share.interval[1]:.1%}]"
            for name, share in rows
        )


def evaluate_questions(
    questions: Sequence[Question],
    gateway: Gateway,
    find: Find | None = None,
    progress: Callable[[Reply, int, int], None] | None = None,
) -> Result:
    """Ask them one after the other. An image that cannot be read is a wrong answer with its reason."""
    replies = []
    for number, question in enumerate(questions, start=1):
        reply = _reply(question, gateway, find)
        replies.append(reply)
        if progress:
            progress(reply, number, len(questions))
    return Result(tuple(replies))


def _reply(question: Question, gateway: Gateway, find: Find | None) -> Reply:
    try:
        answer = ask(question.image, question.question, gateway, find)
    except ImageError as error:
        return Reply(question, "", 0.0, judge(question, "", []), 0.0, str(error))
    boxes = [Box(*one.box) for one in answer.evidence if one.box]
    verdict = judge(question, answer.answer, boxes)
    return Reply(question, answer.answer, answer.confidence, verdict, answer.ms["total"] / 1000)


def _right(replies: Sequence[Reply]) -> Share:
    return Share(sum(reply.verdict.right for reply in replies), len(replies))


def _share(replies: Sequence[Reply]) -> dict[str, object]:
    return _right(replies).as_dict()


def _grounded(replies: Sequence[Reply]) -> dict[str, object]:
    return Share(sum(bool(reply.verdict.grounded) for reply in replies), len(replies)).as_dict()


def _grouped(replies: Sequence[Reply], name: Callable[[Reply], str]) -> dict[str, object]:
    names = sorted({name(reply) for reply in replies if name(reply)})
    return {one: _share([reply for reply in replies if name(reply) == one]) for one in names}
