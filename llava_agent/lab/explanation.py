"""Which regions of an image an answer rests on, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from llava_agent.agent.perceive import Answer

#: `occlusion`: how much less probable the answer is once a region is covered. `pointer`: the probability that
#: the model gives each mark. `attention`: how much a generating model attends to each cell while it writes
#: its answer. `similarity`: where the tower sees what words say; it explains the tower, not the answer.
Method = Literal["occlusion", "pointer", "attention", "similarity"]
METHODS: tuple[Method, ...] = get_args(Method)

Corners = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Region:
    """A part of the image with its share in the answer.

    Attributes:
        box: in pixels of the upright image.
        share: 0 to 1. Of an occlusion: the part of the answer's probability that is lost when the region is
            covered, so shares do not add up to 1. Else relative to the largest, or a probability (`pointer`).
        text, role: of the mark; empty for a cell.
        pixels: of an occlusion: the part that is lost when only the pixels are covered and the words stay.
        instead: what the model answers once the region is covered; empty where the answer stays.
    """

    box: Corners
    share: float
    text: str = ""
    role: str = ""
    pixels: float | None = None
    instead: str = ""

    def as_dict(self) -> dict[str, object]:
        found: dict[str, object] = {"box": list(self.box), "share": round(self.share, 4)}
        if self.role:
            found |= {"text": self.text, "role": self.role}
        if self.pixels is not None:
            found["pixels"] = round(self.pixels, 4)
        if self.instead:
            found["instead"] = self.instead
        return found


@dataclass(frozen=True, slots=True)
class Deletion:
    """A view put to the test: its foremost region covered on the photo, and everything done anew.

    Attributes:
        covered: the foremost region of the view.
        answer, confidence: of the photo without it.
        other: another region, drawn by lot, as the control.
        other_answer, other_confidence: of the photo without that one.
    """

    covered: Corners
    answer: str
    confidence: float
    other: Corners | None = None
    other_answer: str = ""
    other_confidence: float = 0.0

    def as_dict(self) -> dict[str, object]:
        control = None
        if self.other is not None:
            control = {
                "covered": list(self.other),
                "answer": self.other_answer,
                "confidence": round(self.other_confidence, 4),
            }
        return {
            "covered": list(self.covered),
            "answer": self.answer,
            "confidence": round(self.confidence, 4),
            "control": control,
        }


@dataclass(frozen=True, slots=True)
class Explanation:
    """An answer and what drove it.

    Attributes:
        regions: those with a share, the largest first.
        calls: how often the model was asked for the view; the tower's passes for `similarity`.
        deletion: the test of the view; None where it was not wanted, or there is no region to cover.
    """

    question: str
    answer: Answer
    method: Method
    regions: tuple[Region, ...]
    calls: int
    seconds: float
    deletion: Deletion | None = None

    def as_dict(self) -> dict[str, object]:
        """The JSON of `llava-agent ask --why`."""
        return {
            "question": self.question,
            **self.answer.as_dict(),
            "why": {
                "method": self.method,
                "regions": [region.as_dict() for region in self.regions],
                "calls": self.calls,
                "seconds": round(self.seconds, 2),
                "deletion": self.deletion.as_dict() if self.deletion else None,
            },
        }
