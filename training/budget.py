"""How long a stage trains, over kills and resumes."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Budget:
    """A number of steps where one is set, else seconds of training; the schedules of a stage follow it.

    Attributes:
        seconds: wall clock that may be spent; time between a kill and the resume does not count.
        steps: steps to train instead.
        step: steps done.
        used: seconds spent.
    """

    seconds: float
    steps: int | None = None
    step: int = 0
    used: float = 0.0
    _counted: float = field(default_factory=time.monotonic)
    _saved: float = field(default_factory=time.monotonic)

    @property
    def done(self) -> float:
        """The share that is spent, from 0; the stage ends at 1."""
        return self.step / self.steps if self.steps is not None else self.used / self.seconds

    def count(self) -> None:
        """One more step is done."""
        now = time.monotonic()
        self.step += 1
        self.used, self._counted = self.used + now - self._counted, now

    def save_is_due(self, every: float) -> bool:
        """Whether a checkpoint is to be written: at the end, and whenever `every` seconds have passed."""
        if self.done < 1 and self._counted - self._saved <= every:
            return False
        self._saved = self._counted
        return True

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps of it."""
        return {"step": self.step, "used": self.used}

    def resume(self, state: dict[str, Any]) -> None:
        """Go on from what `state` gave."""
        self.step, self.used = state["step"], state["used"]
