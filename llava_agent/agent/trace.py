"""The folder of a run: what it was asked, each step as it happens, the images, the result.

```
run.json        goal and settings, written once
steps.jsonl     append-only: steps, intents of irreversible actions, places of resumption
images/<sha>.png   screenshots and photos by the hash of their pixels
ledger.jsonl    one line a model call
result.json     at the end
report.html
```
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from llava_agent.agent.record import TRACE_VERSION, Intent, Resumed, StepRecord, StoredResult, now
from llava_agent.agent.state import Budget
from llava_agent.errors import ConfigError, ToolError

Record = StepRecord | Intent | Resumed
_KINDS: dict[str, type[StepRecord] | type[Intent] | type[Resumed]] = {
    "step": StepRecord,
    "intent": Intent,
    "resumed": Resumed,
}


class _Kind(BaseModel):
    model_config = ConfigDict(extra="ignore")

    kind: str
    v: int


class RunSettings(BaseModel):
    """What a run was asked (`run.json`).

    Attributes:
        photos: hashes of the run's photos, which lie in `images/`.
        expectations: in words; the checks themselves are code and are given again on a resume.
        checks: those that are data and not code, for a replay.
        plan: the parts of the plan in words, in order.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    v: int = TRACE_VERSION
    id: str
    goal: str
    address: str
    surface: Literal["page", "api"] = "page"
    observation: Literal["pixels", "hybrid"] = "hybrid"
    policy: str
    photos: tuple[str, ...] = ()
    expectations: tuple[str, ...] = ()
    checks: tuple[dict[str, str], ...] = ()
    plan: tuple[str, ...] = ()
    max_steps: int
    max_seconds: float | None = None
    max_tokens: int | None = None
    max_image_tokens: int | None = None
    max_money: Decimal | None = None
    started: str
    product: str

    @property
    def budget(self) -> Budget:
        return Budget(
            self.max_steps, self.max_seconds, self.max_tokens, self.max_image_tokens, self.max_money
        )


class Trace:
    """Writes one run's folder. Every step is on disk before the next begins."""

    def __init__(self, folder: Path, settings: RunSettings) -> None:
        self.folder = folder
        self.settings = settings
        self._steps = folder / "steps.jsonl"
        self._torn = self._steps.exists() and not (self._steps.read_bytes() or b"\n").endswith(b"\n")

    @classmethod
    def create(cls, folder: Path, settings: RunSettings) -> Trace:
        """Start a new run.

        Raises:
            ConfigError: the folder holds a run already.
            ToolError: the folder cannot be written.
        """
        if (folder / "run.json").exists():
            raise ConfigError(
                f"{folder} holds a run already", f"choose another folder or use --resume {folder}"
            )
        try:
            (folder / "images").mkdir(parents=True, exist_ok=True)
            write_whole(folder / "run.json", settings.model_dump_json(indent=2).encode())
        except OSError as error:
            raise _unwritable(folder, error) from error
        return cls(folder, settings)

    @classmethod
    def open(cls, folder: Path) -> Trace:
        """A run that was begun before.

        Raises:
            ConfigError: the folder holds no run, or one of another version.
        """
        try:
            text = (folder / "run.json").read_text(encoding="utf-8")
            settings = RunSettings.model_validate_json(text)
        except FileNotFoundError as error:
            raise ConfigError(
                f"{folder} holds no run", "give the folder that a run was written to"
            ) from error
        except (OSError, ValidationError) as error:
            raise ConfigError(
                f"{folder / 'run.json'} cannot be read as a run", "it may be damaged"
            ) from error
        if settings.v != TRACE_VERSION:
            raise ConfigError(f"{folder} was written by another version (trace {settings.v})")
        return cls(folder, settings)

    @property
    def ledger_path(self) -> Path:
        return self.folder / "ledger.jsonl"

    def write(self, record: Record) -> None:
        """Append one line and wait until it is on the disk.

        Raises:
            ToolError: the disk is full or read-only.
        """
        line = ("\n" if self._torn else "") + record.model_dump_json() + "\n"
        try:
            with self._steps.open("a", encoding="utf-8") as file:
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise ToolError(
                f"{self._steps} cannot be written ({error.strerror})", "free some disk"
            ) from error
        self._torn = False

    def records(self) -> Iterator[Record]:
        """Everything recorded so far, in order; a torn line is skipped.

        Raises:
            ConfigError: a line is whole but of another version.
        """
        return read_records(self.folder)

    def keep_image(self, png: bytes, sha256: str) -> str:
        """Store a PNG under the hash of its pixels, once; returns the hash."""
        path = self.image(sha256)
        if not path.exists():
            try:
                write_whole(path, png)
            except OSError as error:
                raise _unwritable(path, error) from error
        return sha256

    def image(self, sha256: str) -> Path:
        return self.folder / "images" / f"{sha256}.png"

    def finish(self, result: StoredResult) -> None:
        write_whole(self.folder / "result.json", result.model_dump_json(indent=2).encode())

    def resumed(self, step: int, note: str) -> None:
        self.write(Resumed(step=step, time=now(), note=note))


def read_records(folder: Path) -> Iterator[Record]:
    path = folder / "steps.jsonl"
    if not path.exists():
        return
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            record = _parse(line, path)
            if record is not None:
                yield record


def read_result(folder: Path) -> StoredResult | None:
    path = folder / "result.json"
    return StoredResult.model_validate_json(path.read_text(encoding="utf-8")) if path.exists() else None


def _parse(line: str, path: Path) -> Record | None:
    try:
        head = _Kind.model_validate_json(line)
    except ValidationError:
        return None
    if head.v != TRACE_VERSION or head.kind not in _KINDS:
        raise ConfigError(f"{path} was written by another version (kind {head.kind!r}, trace {head.v})")
    try:
        return _KINDS[head.kind].model_validate_json(line)
    except ValidationError as error:
        raise ConfigError(
            f"{path} has a line that is not a valid {head.kind}", "it may be damaged"
        ) from error


def _unwritable(path: Path, error: OSError) -> ToolError:
    return ToolError(
        f"{path} cannot be written ({error.strerror})", "free some disk or choose another folder"
    )


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that a reader sees all of it or none."""
    name = f".{path.name}.{os.getpid()}.{hashlib.sha256(content).hexdigest()[:8]}"
    temporary = path.with_name(name)
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
