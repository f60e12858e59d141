"""What came of an expectation, a spec, and all specs together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tools.geometry import Box

if TYPE_CHECKING:
    from llava_agent.checks.baselines import Written

Status = Literal["pass", "fail", "uncertain", "error"]
#: By which means a verdict was found: the page's structure, text read from pixels, pixels, a model, none.
Means = Literal["dom", "ocr", "pixels", "model", "none"]

#: Exit codes of `llava-agent check`. A failure outweighs an error, which outweighs doubt.
EXIT: dict[Status, int] = {"pass": 0, "fail": 1, "error": 2, "uncertain": 3}
_WORST: tuple[Status, ...] = ("fail", "error", "uncertain", "pass")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of one expectation.

    Attributes:
        words: the expectation as a clause.
        detail: why; empty for a plain pass.
        read: what was found instead, or as evidence.
        box: region of `screenshot` that shows it.
        screenshot: PNG bytes.
        confidence: 1 for exact means, the model's for a model.
    """

    status: Status
    words: str
    by: Means
    detail: str = ""
    read: str = ""
    box: Box | None = None
    screenshot: bytes | None = None
    confidence: float = 1.0

    def without(self, veil: Callable[[str], str]) -> Verdict:
        """With its texts changed by `veil`, which takes secrets out."""
        return replace(self, words=veil(self.words), detail=veil(self.detail), read=veil(self.read))

    def as_dict(self) -> dict[str, object]:
        return {
            "status": self.status,
            "expects": self.words,
            "by": self.by,
            "detail": self.detail,
            "read": self.read,
            "box": self.box.as_list() if self.box else None,
            "confidence": round(self.confidence, 4),
        }


@dataclass(frozen=True, slots=True)
class SpecResult:
    """What came of one spec in one of its variants.

    Attributes:
        problem: why it could not be run at all.
        written: baselines that were stored.
    """

    name: str
    file: Path
    verdicts: tuple[Verdict, ...]
    seconds: float
    problem: str = ""
    written: tuple[Written, ...] = ()

    @property
    def status(self) -> Status:
        return "error" if self.problem else worst([verdict.status for verdict in self.verdicts])

    def as_dict(self) -> dict[str, object]:
        return {
            "name": self.name,
            "file": str(self.file),
            "status": self.status,
            "problem": self.problem,
            "seconds": round(self.seconds, 2),
            "verdicts": [verdict.as_dict() for verdict in self.verdicts],
            "baselines": [{"path": str(one.path), "change": one.change} for one in self.written],
        }


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What came of all specs."""

    specs: tuple[SpecResult, ...] = field(default=())

    @property
    def status(self) -> Status:
        return worst([spec.status for spec in self.specs])

    @property
    def exit_code(self) -> int:
        return EXIT[self.status]

    def as_dict(self) -> dict[str, object]:
        return {"status": self.status, "specs": [spec.as_dict() for spec in self.specs]}


def worst(statuses: Sequence[Status]) -> Status:
    """The one that decides; nothing that was checked is an error, never a pass."""
    return next((status for status in _WORST if status in statuses), "error")
