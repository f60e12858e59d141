"""The section *Agent desk*: begin a run, watch it, steer it, and find it again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

# Not inside the function: gradio reads `gr.Request` from the handlers' annotations, by this module's names.
import gradio as gr

from llava_agent.errors import ConfigError, LlavaAgentError
from llava_agent.gateway.principal import Principal
from llava_agent.service.work.task import KIND
from llava_agent.ui.agent import words
from llava_agent.ui.agent.view import approval_card, choices, question_card
from llava_agent.ui.agent.watch import View, watch
from llava_agent.ui.caller import caller, identity_of
from llava_agent.ui.cards import hint_card, problem_card
from llava_agent.ui.tab import Tab

if TYPE_CHECKING:
    from llava_agent.service.desk import Desk
    from llava_agent.service.store.runs import StoredRun

#: Runs in the list.
_LISTED = 30
_PRIVATE: Any = {"api_visibility": "private", "show_progress": "hidden"}


def agent_section(desk: Desk) -> None:
    """Build the section inside the Blocks that are open."""
    with gr.Row(equal_height=False):
        with gr.Column():
            wish, start = _wish()
            past = gr.Dropdown(
                [], label=words.RUNS, info=words.RUNS_HINT, filterable=False, elem_id="agent-runs"
            )
        with gr.Column():
            with gr.Row():
                pause = gr.Button(words.PAUSE, interactive=False, min_width=100, elem_id="agent-pause")
                stop = gr.Button(
                    words.STOP, variant="stop", interactive=False, min_width=100, elem_id="agent-stop"
                )
                replay = gr.Button(words.REPLAY, interactive=False, min_width=100, elem_id="agent-replay")
            card = gr.HTML(hint_card(words.HINT), padding=False, elem_id="agent-card")
            said = gr.HTML(padding=False, elem_id="agent-said")
            asked = gr.HTML(padding=False, visible=False, elem_id="agent-asked")
            with gr.Row(visible=False) as question:
                answer = gr.Textbox(label=words.ANSWER, elem_id="agent-answer", scale=3)
                send = gr.Button(words.SEND, variant="primary", elem_id="agent-send")
            with gr.Row(visible=False) as approval:
                reason = gr.Textbox(label=words.REASON, elem_id="agent-reason", scale=2)
                approve = gr.Button(words.APPROVE, variant="primary", elem_id="agent-approve")
                refuse = gr.Button(words.REFUSE, variant="stop", elem_id="agent-refuse")
            picture = gr.Image(
                label=words.PICTURE,
                show_label=False,
                format="jpeg",
                interactive=False,
                buttons=["fullscreen"],
                visible=False,
                elem_id="agent-picture",
            )
            listing = gr.HTML(padding=False, elem_id="agent-steps")
    run, waits = gr.State(""), gr.State({})
    shown = [run, waits, card, listing, picture, pause, stop, replay, said, asked, question, approval]

    async def go(
        goal: str,
        page: str,
        text: str,
        files: list[str] | None,
        sight: str,
        most: float,
        request: gr.Request,
    ) -> AsyncIterator[tuple[Any, ...]]:
        try:
            who = caller(request, "runs.use")
            made = await begin(desk, who, goal, page, text, files or [], sight, int(most))
            async for view in watch(desk, who, made.id):
                yield _shown(desk, request, view)
        except LlavaAgentError as error:
            yield _problem(error)

    async def repeat(id: str, request: gr.Request) -> AsyncIterator[tuple[Any, ...]]:
        try:
            who = caller(request, "runs.use")
            made = await asyncio.to_thread(desk.replay, who, id)
            async for view in watch(desk, who, made.id):
                yield _shown(desk, request, view)
        except LlavaAgentError as error:
            yield _problem(error)

    async def look(id: str | None, request: gr.Request) -> AsyncIterator[tuple[Any, ...]]:
        try:
            async for view in watch(desk, caller(request, "content.read"), id or ""):
                yield _shown(desk, request, view)
        except LlavaAgentError as error:
            yield _problem(error)

    def hold(id: str, open: dict[str, Any], request: gr.Request) -> str:
        kind = "resume" if open.get("paused") else "pause"
        return _done(lambda: desk.runs.order(caller(request, "runs.use"), id, kind, {}))

    def end(id: str, request: gr.Request) -> str:
        return _done(lambda: desk.runs.cancel(caller(request, "content.write"), id))

    def reply(id: str, open: dict[str, Any], text: str, request: gr.Request) -> tuple[str, str]:
        if not text.strip():
            return problem_card(ConfigError(words.ANSWER_NEEDED, words.ANSWER_NEEDED_MEND)), text
        body = {"question": int(open.get("question") or 0), "text": text.strip()[:2000]}
        return _done(lambda: desk.runs.order(caller(request, "runs.use"), id, "reply", body)), ""

    def yes(open: dict[str, Any], why: str, request: gr.Request) -> tuple[str, str]:
        id = str(open.get("approval"))
        return _done(lambda: desk.approvals.approve(id, caller(request, "approvals.decide"), why)), ""

    def no(open: dict[str, Any], why: str, request: gr.Request) -> tuple[str, str]:
        id = str(open.get("approval"))
        return _done(lambda: desk.approvals.refuse(id, caller(request, "approvals.decide"), why)), ""

    def listed(request: gr.Request) -> Any:
        identity = identity_of(request)
        if not identity.may("content.read"):
            return gr.Dropdown([])
        return gr.Dropdown(choices(desk.runs.list(identity.principal, kind=KIND, limit=_LISTED).items))

    many: Any = {**_PRIVATE, "concurrency_limit": None}
    watching = start.click(go, wish, shown, **many)
    repeating = replay.click(repeat, [run], shown, cancels=[watching], **many)
    again = past.input(look, [past], shown, cancels=[watching, repeating], **many)
    alone: Any = {"queue": False, "api_visibility": "private"}
    start.click(None, None, None, cancels=[again, repeating], **alone)
    replay.click(None, None, None, cancels=[again], **alone)
    past.focus(listed, None, [past], **_PRIVATE)
    pause.click(hold, [run, waits], [said], **many)
    stop.click(end, [run], [said], **many)
    gr.on([send.click, answer.submit], reply, [run, waits, answer], [said, answer], **many)
    approve.click(yes, [waits, reason], [said, reason], **many)
    refuse.click(no, [waits, reason], [said, reason], **many)


def _wish() -> tuple[list[Any], Any]:
    """The fields that say what to do, and the button that begins it."""
    goal = gr.Textbox(label=words.GOAL, placeholder=words.GOAL_EXAMPLE, lines=2, elem_id="agent-goal")
    page = gr.Textbox(label=words.PAGE, placeholder=words.PAGE_EXAMPLE, elem_id="agent-url")
    shows = gr.Textbox(
        label=words.SHOWS, info=words.SHOWS_HINT, placeholder=words.SHOWS_EXAMPLE, elem_id="agent-shows"
    )
    with gr.Accordion(words.MORE, open=False):
        photos = gr.File(
            label=words.PHOTOS,
            file_count="multiple",
            file_types=["image", ".heic", ".heif"],
            elem_id="agent-photos",
        )
        sight = gr.Radio(
            [(words.BOTH, "hybrid"), (words.PIXELS, "pixels")], value="hybrid", label=words.SIGHT
        )
        steps = gr.Slider(1, 100, value=30, step=1, label=words.MOST_STEPS)
    start = gr.Button(words.START, variant="primary", elem_id="agent-start")
    return [goal, page, shows, photos, sight, steps], start


async def begin(
    desk: Desk, who: Principal, goal: str, page: str, shows: str, files: list[str], sight: str, steps: int
) -> StoredRun:
    """Store the photos and queue the run.

    Raises:
        ConfigError: no goal, or no page.
        ImageError: a photo that is none.
    """
    from pydantic import ValidationError

    from llava_agent.inspection.intake import take_in
    from llava_agent.service.routes.runs import NewTask

    if not (goal or "").strip():
        raise ConfigError(words.NO_GOAL, words.NO_GOAL_MEND)
    if not (page or "").strip():
        raise ConfigError(words.NO_PAGE, words.NO_PAGE_MEND)
    photos = []
    for path in files:
        taken = await asyncio.to_thread(take_in, Path(path))
        stored, _ = await asyncio.to_thread(desk.photos.add, who, taken, name=Path(path).name, asset="")
        photos.append(stored.id)
    expected = [shows.strip()] if (shows or "").strip() else []
    asked = {"goal": goal.strip(), "url": page.strip(), "shows": expected, "photos": photos}
    try:
        body = NewTask.model_validate({**asked, "observation": sight, "steps": steps})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise ConfigError(f"{first['loc'][0]}: {first['msg']}", words.NO_PAGE_MEND) from error
    return await asyncio.to_thread(desk.begin, who, KIND, body.model_dump(mode="json"))


def _done(act: Callable[[], object]) -> str:
    """Nothing to say where it went well: the run itself shows what came of it."""
    try:
        act()
    except LlavaAgentError as error:
        return problem_card(error)
    return ""


def _shown(desk: Desk, request: gr.Request, view: View) -> tuple[Any, ...]:
    open = {
        "paused": view.paused,
        "question": view.question.key if view.question else "",
        "approval": view.approval.key if view.approval else "",
    }
    asked, mine = "", False
    if view.approval is not None:
        identity = identity_of(request)
        found = desk.approvals.waiting(identity.principal) if identity.may("approvals.decide") else []
        mine = any(one.id == view.approval.key for one in found)
        asked = approval_card(view.approval.body, mine)
    elif view.question is not None:
        asked = question_card(view.question.body)
    picture: Any = (
        gr.skip()
        if view.steps and view.picture is None
        else gr.Image(view.picture, visible=view.picture is not None)
    )
    return (
        view.run,
        open,
        view.card,
        view.steps,
        picture,
        gr.Button(words.RESUME if view.paused else words.PAUSE, interactive=not view.over),
        gr.Button(interactive=not view.over),
        gr.Button(interactive=view.passed),
        "",
        gr.HTML(asked, visible=bool(asked)),
        gr.Row(visible=view.question is not None and view.approval is None),
        gr.Row(visible=mine),
    )


def _problem(error: LlavaAgentError) -> tuple[Any, ...]:
    off, hidden = gr.Button(interactive=False), gr.Row(visible=False)
    nothing = gr.Image(None, visible=False)
    return (
        "",
        {},
        problem_card(error),
        "",
        nothing,
        off,
        off,
        off,
        "",
        gr.HTML("", visible=False),
        hidden,
        hidden,
    )


TAB = Tab(
    "agent",
    words.TAB,
    ("runs.use",),
    lambda service: agent_section(service.desk),
    Path(__file__).with_name("agent.css"),
)
