"""What the product sees and does, as tools: questions about images, inspections, UI checks, whole runs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path

from pydantic import Field

from llava_agent.errors import PermissionDenied
from tools.action import Effect
from tools.tool import ToolResult
from tools.typed import Arguments, TypedTool


class Inputs:
    """A folder that may be looked at.

    Args:
        root: names are relative to it; nothing outside is read.
        never: a folder inside it whose files are not taken as inputs, since a caller may write there.
    """

    def __init__(self, root: Path, never: Path) -> None:
        self.root, self.never = root.expanduser().resolve(), never.expanduser().resolve()

    def path(self, name: str) -> Path:
        """Raises PermissionDenied where the name leads out, by any link too."""
        path = (self.root / name).resolve()
        if not path.is_relative_to(self.root) or path.is_relative_to(self.never):
            raise PermissionDenied(f"{name!r} may not be read", f"use files below {self.root}")
        return path


class ImageQuestion(Arguments):
    """A question about an image."""

    image: str = Field(min_length=1, description="file name of a photo or screenshot")
    question: str = Field(min_length=1, max_length=1000)


class AskImage(TypedTool[ImageQuestion]):
    """An answer with the region that shows it."""

    name = "image.ask"
    description = "Answer a question about a photo or screenshot, with the region that supports the answer."
    arguments = ImageQuestion

    def __init__(self, inputs: Inputs, model: str) -> None:
        self._inputs, self._model = inputs, model

    async def run(self, given: ImageQuestion) -> ToolResult:
        from llava_agent.agent.perceive import ask
        from llava_agent.assembly import assemble

        path = self._inputs.path(given.image)
        core = await asyncio.to_thread(assemble, self._model)
        answer = await asyncio.to_thread(ask, path, given.question, core.gateway, core.find)
        return ToolResult(answer.answer, answer.as_dict())


class Photos(Arguments):
    """Photos of one piece of equipment."""

    photos: tuple[str, ...] = Field(min_length=1, max_length=20, description="file names")


class InspectPhotos(TypedTool[Photos]):
    """Plate fields, readings and likely faults."""

    name = "photo.inspect"
    description = "Inspect equipment on photos: plate fields, readings, likely faults, each with its region."
    arguments = Photos

    def __init__(self, inputs: Inputs, model: str) -> None:
        self._inputs, self._model = inputs, model

    async def run(self, given: Photos) -> ToolResult:
        import json

        from llava_agent.assembly import assemble
        from llava_agent.inspection.inspect import inspect_photos
        from tools.photo import load_image

        paths = [self._inputs.path(name) for name in given.photos]
        loaded = [(path.name, await asyncio.to_thread(load_image, path)) for path in paths]
        core = await asyncio.to_thread(assemble, self._model)
        found = await asyncio.to_thread(inspect_photos, loaded, gateway=core.gateway, find=core.find)
        record = found.as_dict()
        return ToolResult(json.dumps(record, ensure_ascii=False, default=str), record)


class Specs(Arguments):
    """UI checks."""

    specs: tuple[str, ...] = Field(min_length=1, max_length=50, description="file names of YAML specs")


class RunChecks(TypedTool[Specs]):
    """Verdicts with their evidence."""

    name = "check.run"
    description = "Run UI checks from YAML specs: pass, fail or uncertain for each expectation."
    arguments = Specs

    def __init__(self, inputs: Inputs, model: str) -> None:
        self._inputs, self._model = inputs, model

    async def run(self, given: Specs) -> ToolResult:
        from llava_agent.checks.run import run_specs
        from llava_agent.checks.spec import read_specs

        specs = read_specs([self._inputs.path(name) for name in given.specs])
        models = None
        if any(spec.asks_model for _, spec in specs):
            from llava_agent.assembly import assemble
            from llava_agent.checks.model import models_of

            models = models_of(await asyncio.to_thread(assemble, self._model))
        result = await run_specs(specs, models)
        lines = [
            f"{verdict.status} {spec.name}: {verdict.words}"
            + (f" ({verdict.detail})" if verdict.detail else "")
            for spec in result.specs
            for verdict in spec.verdicts
        ]
        problems = [f"error {spec.name}: {spec.problem}" for spec in result.specs if spec.problem]
        return ToolResult("\n".join([result.status, *lines, *problems]), result.as_dict())


class Task(Arguments):
    """A task on a page."""

    url: str = Field(min_length=1, description="page to work on")
    task: str = Field(min_length=1, max_length=4000, description="the goal, in words")
    photos: tuple[str, ...] = Field(default=(), max_length=10, description="photos that may be looked at")
    shows: tuple[str, ...] = Field(
        default=(), max_length=10, description="texts that must stand there at the end"
    )
    max_steps: int = Field(default=30, ge=1, le=200)


class RunAgent(TypedTool[Task]):
    """A whole run under the shipped policy; what a person would have to approve ends it as blocked."""

    name = "agent.run"
    description = "Work on a web page until the goal is verified or a limit is reached; gives the report."
    arguments = Task

    def __init__(self, inputs: Inputs, model: str, runs: Path) -> None:
        self._inputs, self._model, self._runs = inputs, model, runs

    def effect(self, arguments: Mapping[str, object]) -> Effect:
        return "irreversible"

    async def run(self, given: Task) -> ToolResult:
        from llava_agent.agent.expect import Shows
        from llava_agent.agent.run import run_task
        from llava_agent.agent.state import Budget
        from llava_agent.assembly import assemble

        photos = [self._inputs.path(name) for name in given.photos]
        core = await asyncio.to_thread(assemble, self._model)
        result = await run_task(
            given.url,
            given.task,
            gateway=core.gateway,
            find=core.find,
            out=self._runs / time.strftime("run-%Y%m%d-%H%M%S"),
            images=photos,
            budget=Budget(steps=given.max_steps),
            expectations=[Shows(text) for text in given.shows],
        )
        told = result.as_dict()
        return ToolResult(f"{result.status}: {result.reason}", told)
