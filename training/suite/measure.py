"""Ask a preset every question of a suite; accuracy with intervals, by kind, against floors."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llava_agent.agent.trace import write_whole
from llava_agent.assembly import Core, assemble
from llava_agent.errors import ImageError
from llava_agent.exam.questions.question import Question, read_questions
from llava_agent.exam.questions.run import Reply, evaluate_questions
from llava_agent.exam.questions.score import Verdict, judge
from llava_agent.exam.share import Share
from llava_agent.exam.weights import fingerprint
from llava_agent.gateway.request import ModelRequest
from llava_agent.vlm.presets import ComposedPreset, LlavaPreset, load_preset
from tools.geometry import Box
from training.render.conversations import World, write_suite

#: Pictures of a rendered suite; each has up to six questions.
PICTURES = 100

RESULT = "result.json"
REPLIES = "replies.jsonl"

_BOX = re.compile(r"\[\s*([\d.]+)\s*,\s*([\d.]+)\s*,\s*([\d.]+)\s*,\s*([\d.]+)\s*\]")

Progress = Callable[[Reply, int, int], None]


@dataclass(frozen=True, slots=True)
class Measured:
    """Attributes:
    preset, weights: what was asked; `weights` is a hash.
    suite: name, or the file of questions.
    """

    preset: str
    weights: str
    suite: str
    replies: tuple[Reply, ...]

    def as_dict(self) -> dict[str, Any]:
        """`accuracy`, `interval`, `kinds` and `floors`, each with its counts."""
        kinds = sorted({reply.question.kind for reply in self.replies})
        by_kind = {kind: [one for one in self.replies if one.question.kind == kind] for kind in kinds}
        questions = [reply.question for reply in self.replies]
        return {
            "preset": self.preset,
            "weights": self.weights,
            "suite": self.suite,
            **_share(Share(sum(one.verdict.right for one in self.replies), len(self.replies))),
            "kinds": {
                kind: _share(Share(sum(one.verdict.right for one in found), len(found)))
                for kind, found in by_kind.items()
            },
            "floors": {"most_common_answer": _share(most_common_answer(questions))},
            "errors": [reply.error for reply in self.replies if reply.error],
        }

    def table(self) -> str:
        """For a terminal."""
        document = self.as_dict()
        floor = document["floors"]["most_common_answer"]
        rows = [("all", document), *document["kinds"].items(), ("floor: most common answer", floor)]
        return "\n".join(
            f"{name:<28}{row['right']:>5} of {row['total']:<5}{row['accuracy']:>8.1%}  "
            f"[{row['interval'][0]:.1%}, {row['interval'][1]:.1%}]"
            for name, row in rows
        )

    def save(self, folder: Path) -> None:
        """Write the result and every reply into `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        lines = []
        for reply in self.replies:
            row = {
                **reply.as_dict(),
                "image": str(reply.question.image.resolve()),
                "kind": reply.question.kind,
            }
            lines.append(json.dumps(row, ensure_ascii=False) + "\n")
        write_whole(folder / REPLIES, "".join(lines).encode())
        write_whole(folder / RESULT, (json.dumps(self.as_dict(), indent=1) + "\n").encode())


def measure(
    preset: str, suite: str, folder: Path, limit: int | None = None, progress: Progress | None = None
) -> Measured:
    """Ask every question, or the first `limit`.

    Args:
        preset: name or file.
        suite: `screens`, `equipment`, or a file of questions (docs/evaluation.md).
        folder: where the pictures of a rendered suite are kept.

    Raises:
        ConfigError: there is no such preset or file.
    """
    if suite in ("screens", "equipment"):
        world: World = "screens" if suite == "screens" else "equipment"
        pictures = PICTURES if limit is None else min(PICTURES, limit)
        file = write_suite(world, pictures, folder / suite).file
    else:
        file = Path(suite)
    questions = read_questions(file)[:limit]
    core = assemble(preset)
    if isinstance(load_preset(preset), ComposedPreset | LlavaPreset):
        replies = tuple(_generated(questions, core, progress))
    else:
        replies = evaluate_questions(questions, core.gateway, core.find, progress).replies
    return Measured(preset, fingerprint(preset), suite, replies)


def most_common_answer(questions: Sequence[Question]) -> Share:
    """What always giving the best one answer of each kind scores; the kind is given away, so it flatters."""
    right = 0
    for kind in {question.kind for question in questions}:
        asked = [question for question in questions if question.kind == kind]
        answers = Counter(_said(question) for question in asked)
        right += max(
            sum(judge(question, answer, _boxes(answer, question)).right for question in asked)
            for answer in answers
        )
    return Share(right, len(questions))


def _generated(questions: Sequence[Question], core: Core, progress: Progress | None) -> list[Reply]:
    """Replies of a model that answers in its own words; a box is read from them."""
    from llava_agent.agent.picture import png
    from tools.photo import load_image

    replies = []
    for number, question in enumerate(questions, start=1):
        try:
            photo = load_image(question.image)
        except ImageError as error:
            reply = Reply(question, "", 0.0, Verdict(False, False, None), 0.0, str(error))
        else:
            request = ModelRequest("perceive", question.question, image=png(photo), needs_pixels=True)
            completion = core.gateway.complete(request)
            verdict = judge(question, completion.text, _boxes(completion.text, question))
            reply = Reply(question, completion.text, 0.0, verdict, completion.usage.total_ms / 1000)
        replies.append(reply)
        if progress:
            progress(reply, number, len(questions))
    return replies


def _boxes(text: str, question: Question) -> list[Box]:
    """A box in fractions of the image, in its pixels."""
    found = _BOX.search(text)
    if found is None or question.image_size is None:
        return []
    width, height = question.image_size
    try:
        x0, y0, x1, y1 = (float(value) for value in found.groups())
    except ValueError:
        return []
    return [Box(x0 * width, y0 * height, x1 * width, y1 * height)] if x1 > x0 and y1 > y0 else []


def _said(question: Question) -> str:
    if isinstance(question.answer, tuple) and question.image_size is not None:
        return (
            "["
            + ", ".join(f"{v / s:.3f}" for v, s in zip(question.answer, question.image_size * 2, strict=True))
            + "]"
        )
    return str(question.answer)


def _share(share: Share) -> dict[str, Any]:
    low, high = share.interval
    return {
        "accuracy": round(share.rate, 4),
        "interval": [round(low, 4), round(high, 4)],
        "right": share.successes,
        "total": share.of,
    }
