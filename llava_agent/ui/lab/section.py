"""The section *Model lab*: what drove an answer, two models side by side, training runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

# Not inside the function: gradio reads `gr.Request` from the handlers' annotations, by this module's names.
import gradio as gr

from llava_agent.assembly import DEFAULT
from llava_agent.errors import ConfigError, ImageError, LlavaAgentError
from llava_agent.gateway.principal import Principal
from llava_agent.lab.runs import training_run, training_runs
from llava_agent.service.routes.lab import MOST_PHOTOS
from llava_agent.service.work.explain import COMPARE, EXPLAIN
from llava_agent.ui.caller import caller, identity_of
from llava_agent.ui.cards import hint_card, problem_card, waiting_card
from llava_agent.ui.lab import words
from llava_agent.ui.lab.curves import COLOURS
from llava_agent.ui.lab.view import comparison_view, explanation_view, runs_view
from llava_agent.ui.tab import Tab

if TYPE_CHECKING:
    from llava_agent.lab.models import Models
    from llava_agent.service.context import Service
    from llava_agent.service.desk import Desk

#: Seconds between two looks at a run.
_LOOK_S = 0.3
_PRIVATE: Any = {"api_visibility": "private", "show_progress": "hidden", "concurrency_limit": None}


def lab_section(service: Service) -> None:
    """Build the section inside the Blocks that are open."""
    with gr.Tabs(elem_id="lab-parts"):
        with gr.Tab(words.WHY, id="why"):
            _why(service.desk, service.lab)
        with gr.Tab(words.SIDES, id="sides"):
            _sides(service.desk, service.lab)
        with gr.Tab(words.RUNS, id="runs") as tab:
            _runs(service.lab, tab)


def _why(desk: Desk, lab: Models) -> None:
    with gr.Row(equal_height=False):
        with gr.Column(scale=2, min_width=280):
            photo = gr.Image(
                type="filepath",
                sources=["upload", "webcam", "clipboard"],
                label=words.PHOTO,
                height=260,
                buttons=[],
                elem_id="lab-photo",
            )
            question = gr.Textbox(label=words.QUESTION, placeholder=words.EXAMPLE, elem_id="lab-question")
            view = gr.Radio(
                [(name, key) for key, name in words.VIEWS.items()],
                value="occlusion",
                label=words.VIEW,
                info=words.VIEW_HINTS["occlusion"],
                elem_id="lab-view",
            )
            model = _model(words.MODEL, "lab-model")
            button = gr.Button(words.SHOW, variant="primary", elem_id="lab-show")
        with gr.Column(scale=3, min_width=300):
            card = gr.HTML(hint_card(words.HINT), padding=False, elem_id="lab-card")

    async def show(
        path: str | None, asked: str, chosen: str, name: str, request: gr.Request
    ) -> AsyncIterator[str]:
        try:
            who = caller(request, "models.use")
            stored = await _stored(desk, who, [path] if path else [])
            body = {"photos": stored, "question": _question(asked), "view": chosen, "model": name}
            async for said, id, result in _followed(desk, who, EXPLAIN, body, words.COVERING):
                yield explanation_view(id, result) if result else said
        except LlavaAgentError as error:
            yield problem_card(error)

    view.change(lambda key: gr.Radio(info=words.VIEW_HINTS[key]), [view], [view], **_PRIVATE)
    _offer(lab, model)
    gr.on([button.click, question.submit], show, [photo, question, view, model], [card], **_PRIVATE)


def _sides(desk: Desk, lab: Models) -> None:
    with gr.Row(equal_height=False):
        with gr.Column(scale=3, min_width=280):
            files = gr.File(
                label=words.PHOTOS.format(most=MOST_PHOTOS),
                file_count="multiple",
                file_types=["image", ".heic", ".heif"],
                elem_id="lab-files",
            )
        with gr.Column(scale=2, min_width=280):
            question = gr.Textbox(
                label=words.QUESTION, placeholder=words.EXAMPLE, elem_id="lab-both-question"
            )
            first, second = _model(words.FIRST, "lab-first"), _model(words.SECOND, "lab-second")
            button = gr.Button(words.ASK_BOTH, variant="primary", elem_id="lab-both")
    card = gr.HTML(hint_card(words.SIDES_HINT), padding=False, elem_id="lab-pairs")

    async def both(
        paths: list[str] | None, asked: str, one: str, other: str, request: gr.Request
    ) -> AsyncIterator[str]:
        try:
            who = caller(request, "models.use")
            stored = await _stored(desk, who, paths or [])
            body = {"photos": stored, "question": _question(asked), "models": [one, other]}
            async for said, id, result in _followed(desk, who, COMPARE, body, words.ASKING):
                yield comparison_view(id, result) if result else said
        except LlavaAgentError as error:
            yield problem_card(error)

    for choice in (first, second):
        _offer(lab, choice)
    gr.on([button.click, question.submit], both, [files, question, first, second], [card], **_PRIVATE)


def _runs(lab: Models, tab: gr.Tab) -> None:
    chosen = gr.Dropdown(
        [], label=words.CHOOSE, multiselect=True, max_choices=len(COLOURS), elem_id="lab-runs"
    )
    shown = gr.HTML(hint_card(words.RUNS_HINT), padding=False, elem_id="lab-run-view")

    def listed(kept: list[str] | None, request: gr.Request) -> tuple[Any, str]:
        if not identity_of(request).may("models.use"):
            return gr.Dropdown([]), ""
        found = training_runs(lab.runs)
        names = [run.name for run in found]
        kept = [name for name in kept or names[:1] if name in names]
        if not found:
            return gr.Dropdown([]), hint_card(words.NO_RUNS if lab.runs else words.NO_FOLDER)
        return gr.Dropdown(names, value=kept), _shown(lab, kept)

    def pick(names: list[str] | None, request: gr.Request) -> str:
        try:
            caller(request, "models.use")
            return _shown(lab, names or [])
        except LlavaAgentError as error:
            return problem_card(error)

    tab.select(listed, [chosen], [chosen, shown], **_PRIVATE)
    chosen.input(pick, [chosen], [shown], **_PRIVATE)


def _model(label: str, id: str) -> Any:
    return gr.Dropdown([DEFAULT], value=DEFAULT, label=label, filterable=False, elem_id=id)


def _offer(lab: Models, choice: Any) -> None:
    """List the models that there are now once somebody opens the list."""

    def listed(request: gr.Request) -> Any:
        return gr.Dropdown(lab.names() if identity_of(request).may("models.use") else [DEFAULT])

    choice.focus(listed, None, [choice], **_PRIVATE)


def _shown(lab: Models, names: Sequence[str]) -> str:
    if not names:
        return hint_card(words.RUNS_HINT)
    return runs_view([training_run(lab.runs, name) for name in names])


def _question(asked: str) -> str:
    if not (asked or "").strip():
        raise ConfigError(words.NO_QUESTION, words.NO_QUESTION_MEND)
    return asked.strip()[:2000]


async def _stored(desk: Desk, who: Principal, paths: Sequence[str]) -> list[str]:
    """The photos in the store, by their ids."""
    from llava_agent.inspection.intake import take_in

    if not paths:
        raise ImageError(words.NO_PHOTO, words.NO_PHOTO_MEND)
    if len(paths) > MOST_PHOTOS:
        raise ImageError(
            words.TOO_MANY.format(count=len(paths)), words.TOO_MANY_MEND.format(most=MOST_PHOTOS)
        )
    ids = []
    for path in paths:
        taken = await asyncio.to_thread(take_in, Path(path), desk.intake)
        stored, _ = await asyncio.to_thread(desk.photos.add, who, taken, name=Path(path).name, asset="")
        ids.append(stored.id)
    return ids


async def _followed(
    desk: Desk, who: Principal, kind: str, body: dict[str, Any], said: str
) -> AsyncIterator[tuple[str, str, dict[str, Any] | None]]:
    """Queue the work and tell how it goes: card, run, and the result at the end."""
    run = await asyncio.to_thread(desk.begin, who, kind, body)
    yield waiting_card(words.WAITING), run.id, None
    while not run.over:
        await asyncio.sleep(_LOOK_S)
        run = await asyncio.to_thread(desk.runs.get, who, run.id)
        told = [one for one in await asyncio.to_thread(desk.runs.events, who, run.id) if one.kind == "look"]
        if told and not run.over:
            yield waiting_card(said.format(at=told[-1].body["at"], of=told[-1].body["of"])), run.id, None
    if run.state != "done" or run.result is None:
        raise ConfigError(words.ENDED.format(state=run.state, reason=run.reason), words.TRY_AGAIN)
    yield "", run.id, dict(run.result)


TAB = Tab("lab", words.TAB, ("models.use",), lab_section, Path(__file__).with_name("lab.css"))
