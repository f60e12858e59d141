"""Finished episodes on disk: one JSON line each, so that an exam that was cut off goes on where it was."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from llava_agent import __version__
from llava_agent.errors import ConfigError, ToolError
from llava_agent.exam.miniwob.tasks import PACKAGE, VERSION

RECORD_VERSION = 1


class Condition(BaseModel):
    """Everything that makes two episodes comparable, beside task and seed.

    Attributes:
        weights: names the weights that decided (a fingerprint); empty for a policy without a model.
        pages: package and version of the pages.
        product: the product's version.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    policy: str
    observation: str
    max_steps: int
    weights: str = ""
    pages: str = f"{PACKAGE} {VERSION}"
    product: str = __version__
    v: int = RECORD_VERSION


class EpisodeRecord(BaseModel):
    """One episode and how it ended.

    Attributes:
        reward: the page's raw reward, -1 to 1; 0 where the page did not end the episode.
        ended: the page ended the episode.
        reason: why the run was over.
        actions: what was done, one line a step, refusals included.
        unasked: steps that were decided without a model.
        refused: steps that the page or a guard refused; `invalid` ones named no possible action.
        seconds: of the episode, from loading the page to its end.
        model_ms: milliseconds inside models; `tokens` of all their calls, `image_tokens` among them.
        money: what the calls cost, by the prices of the presets; 0 without prices.
        error: why the browser failed twice; such an episode is counted as failed and is tried again when the
            exam goes on.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    condition: Condition
    task: str
    seed: int
    goal: str = ""
    reward: float = 0.0
    ended: bool = False
    steps: int = 0
    unasked: int = 0
    reason: str = ""
    actions: tuple[str, ...] = ()
    refused: int = 0
    invalid: int = 0
    escalated: int = 0
    tokens: int = 0
    image_tokens: int = 0
    money: float = 0.0
    model_ms: float = 0.0
    seconds: float = 0.0
    error: str | None = None

    @property
    def lenient(self) -> bool:
        """BrowserGym's success: a positive raw reward."""
        return self.reward > 0

    @property
    def strict(self) -> bool:
        """The full raw reward."""
        return self.reward == 1


class Episodes:
    """Finished episodes of any number of conditions, in a file or (without one) in memory.

    Raises:
        ConfigError: the file is not one of finished episodes.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self._done: dict[tuple[Condition, str, int], EpisodeRecord] = {}
        if path is not None and path.exists():
            for record in _read(path):
                self._keep(record)
            _mend_tail(path)

    def get(self, condition: Condition, task: str, seed: int) -> EpisodeRecord | None:
        return self._done.get((condition, task, seed))

    def add(self, record: EpisodeRecord) -> None:
        """Keep an episode; it is on disk when this returns, unless it has an error.

        Raises:
            ToolError: the file cannot be written.
        """
        self._keep(record)
        if self.path is None or record.error is not None:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a", encoding="utf-8") as file:
                file.write(record.model_dump_json() + "\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise ToolError(f"{self.path} cannot be written ({error.strerror})", "free some disk") from error

    def _keep(self, record: EpisodeRecord) -> None:
        self._done[record.condition, record.task, record.seed] = record


def _read(path: Path) -> Iterator[EpisodeRecord]:
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
    for number, line in enumerate(lines, 1):
        if not line.endswith("\n"):
            return  # the exam was killed while it wrote this one
        try:
            yield EpisodeRecord.model_validate_json(line)
        except ValidationError as error:
            raise ConfigError(
                f"line {number} of {path} is no finished episode of this version", "choose another file"
            ) from error


def _mend_tail(path: Path) -> None:
    """Cut off a half-written last line, so that the next one begins on a line of its own."""
    content = path.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole != len(content):
        with path.open("r+b") as file:
            file.truncate(whole)
