"""The section *Act*: a goal and a page, and the steps as they arrive."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from llava_agent.agent.expect import Expectation, Shows
from llava_agent.agent.record import StepRecord
from llava_agent.agent.report import write_report
from llava_agent.agent.result import RunResult
from llava_agent.agent.run import run_task
from llava_agent.agent.state import Budget
from llava_agent.assembly import Core
from llava_agent.errors import ConfigError, LlavaAgentError
from llava_agent.ui.cards import going_card, hint_card, problem_card, result_card, steps_list, stopped_card

if TYPE_CHECKING:
    from PIL import Image

#: Where the reports are served; see `server`.
REPORTS = "/runs"


@dataclass(frozen=True, slots=True)
class Wish:
    """What a visitor asked for.

    Attributes:
        shows: text that the page must show at the end; empty leaves the result unverified.
        photo: path of an uploaded image.
    """

    goal: str
    url: str
    shows: str = ""
    photo: str | None = None
    observation: Literal["pixels", "hybrid"] = "hybrid"
    steps: int = 30


@dataclass(frozen=True, slots=True)
class View:
    """One state of the section: card, steps, newest screenshot, and the run that can be stopped."""

    card: str
    steps: str = ""
    picture: Image.Image | None = None
    run: str = ""


@dataclass(slots=True)
class Runs:
    """Starts runs and stops them. Lives in the event loop of the server.

    Args:
        core: gives the models; what it raises is shown to the visitor.
        folder: each run gets a folder of its own in it.
    """

    core: Callable[[], Core]
    folder: Path
    _going: dict[str, asyncio.Task[RunResult]] = field(default_factory=dict)

    def stop(self, run: str) -> None:
        """Stop a run; unknown or finished ones are left alone."""
        task = self._going.get(run)
        if task:
            task.cancel()

    async def follow(self, wish: Wish) -> AsyncIterator[View]:
        """Start a run and show it step by step. A visitor who leaves ends it."""
        name = f"{datetime.now():%Y%m%d-%H%M%S}-{uuid.uuid4().hex[:6]}"
        arrived: asyncio.Queue[StepRecord | None] = asyncio.Queue()
        steps: list[StepRecord] = []
        picture: Image.Image | None = None
        yield View(going_card(steps), run=name)
        try:
            core = await asyncio.to_thread(self.core)
            task = asyncio.create_task(self._start(core, wish, self.folder / name, arrived.put_nowait))
        except LlavaAgentError as error:
            yield View(problem_card(error))
            return
        self._going[name] = task
        task.add_done_callback(lambda _: arrived.put_nowait(None))
        try:
            while (step := await arrived.get()) is not None:
                steps.append(step)
                picture = await asyncio.to_thread(_picture, self.folder / name, step) or picture
                yield View(going_card(steps), steps_list(steps), picture, name)
            yield View(self._end(task, name, len(steps)), steps_list(steps), picture)
        finally:
            self._going.pop(name, None)
            if not task.done():
                task.cancel()

    async def _start(
        self, core: Core, wish: Wish, folder: Path, progress: Callable[[StepRecord], None]
    ) -> RunResult:
        if not wish.url.strip():
            raise ConfigError(
                "there is no page to work on", "give its address, such as http://localhost:8000"
            )
        expectations: list[Expectation] = [Shows(wish.shows.strip())] if wish.shows.strip() else []
        return await run_task(
            wish.url.strip(),
            wish.goal,
            gateway=core.gateway,
            out=folder,
            images=[Path(wish.photo)] if wish.photo else (),
            observation=wish.observation,
            budget=Budget(steps=wish.steps),
            expectations=expectations,
            find=core.find,
            progress=progress,
        )

    def _end(self, task: asyncio.Task[RunResult], name: str, steps: int) -> str:
        report = f"{REPORTS}/{name}/report.html"
        if task.cancelled():
            folder = self.folder / name
            if not (folder / "run.json").exists():
                return hint_card("stopped before the run began")
            write_report([folder], folder / "report.html", title=f"Run {name}")
            return stopped_card(steps, report)
        error = task.exception()
        if isinstance(error, LlavaAgentError):
            return problem_card(error)
        return result_card(task.result(), report)


def _picture(folder: Path, step: StepRecord) -> Image.Image | None:
    """The screenshot that a step was decided on, with its marks and its target drawn on it."""
    from llava_agent.evidence import drawn_step

    return drawn_step(folder, step)


def act_section(runs: Runs) -> None:
    """Build the section inside the Blocks that are open."""
    import gradio as gr

    with gr.Row(equal_height=False):
        with gr.Column():
            goal = gr.Textbox(
                label="Goal",
                placeholder="File a ticket for the pump with the serial number from the photo",
                lines=2,
                elem_id="act-goal",
            )
            url = gr.Textbox(label="Page", placeholder="http://localhost:8000", elem_id="act-url")
            shows = gr.Textbox(
                label="The page must show at the end",
                info="Success is checked, never claimed. Without this, the best end is “unverified”.",
                placeholder="The ticket was saved",
                elem_id="act-shows",
            )
            with gr.Accordion("Photo and limits", open=False):
                photo = gr.Image(
                    type="filepath",
                    sources=["upload", "webcam"],
                    label="Photo the agent may look at",
                    height=240,
                    buttons=[],
                    elem_id="act-photo",
                )
                observation = gr.Radio(
                    [("pixels and accessibility tree", "hybrid"), ("pixels alone", "pixels")],
                    value="hybrid",
                    label="What the agent sees",
                )
                steps = gr.Slider(1, 60, value=30, step=1, label="At most this many steps")
            with gr.Row():
                start = gr.Button("Start", variant="primary", min_width=100, elem_id="act-start")
                stop = gr.Button("Stop", variant="stop", interactive=False, min_width=100, elem_id="act-stop")
        with gr.Column():
            card = gr.HTML(
                hint_card("The steps arrive here, each verified before the next."),
                padding=False,
                elem_id="act-card",
            )
            picture = gr.Image(
                label="What the agent sees, and where it acts",
                show_label=False,
                format="jpeg",
                interactive=False,
                buttons=["fullscreen"],
                visible=False,
                elem_id="act-picture",
            )
            listing = gr.HTML(padding=False, elem_id="act-steps")
    run = gr.State("")

    async def go(
        words: str,
        address: str,
        text: str,
        path: str | None,
        sight: Literal["pixels", "hybrid"],
        most: float,
    ) -> AsyncIterator[tuple[object, ...]]:
        wish = Wish(words or "", address or "", text or "", path, sight, int(most))
        async for view in runs.follow(wish):
            going = bool(view.run)
            yield (
                view.card,
                view.steps,
                gr.Image(view.picture, visible=view.picture is not None),
                view.run,
                gr.Button(interactive=not going),
                gr.Button(interactive=going),
            )

    async def halt(name: str) -> None:
        runs.stop(name)

    start.click(
        go,
        [goal, url, shows, photo, observation, steps],
        [card, listing, picture, run, start, stop],
        api_name="act",
        show_progress="hidden",
        concurrency_limit=2,
    )
    stop.click(halt, [run], None, api_visibility="private", queue=False)
