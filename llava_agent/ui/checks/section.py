"""The section *UI checks*: write a spec, run it, browse its verdicts, accept baselines, see its history."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

# Not inside the function: gradio reads `gr.Request` from the handlers' annotations, by this module's names.
import gradio as gr

from llava_agent.errors import ConfigError, LlavaAgentError
from llava_agent.service.errors import BadRequest
from llava_agent.service.routes.baselines import accepted
from llava_agent.ui.caller import caller, identity_of
from llava_agent.ui.cards import hint_card, problem_card, waiting_card
from llava_agent.ui.checks import words
from llava_agent.ui.checks.view import check_choices, line_card
from llava_agent.ui.checks.work import Shown, drafted, follow, is_spec, kept, shown, stop
from llava_agent.ui.tab import Tab

if TYPE_CHECKING:
    from llava_agent.service.desk import Desk

#: Checks in the list.
_LISTED = 100
_TO_CARD = "() => document.querySelector('#checks-card').scrollIntoView({block: 'nearest'})"
_PRIVATE: Any = {"api_visibility": "private", "show_progress": "hidden"}


TAB = Tab(
    "checks",
    words.TAB,
    ("runs.use",),
    lambda service: checks_section(service.desk),
    Path(__file__).with_name("checks.css"),
)


def checks_section(desk: Desk) -> None:
    """Build the section inside the Blocks that are open."""
    with gr.Row(equal_height=False):
        with gr.Column():
            check = gr.Dropdown(
                [(words.NEW, "")],
                value="",
                label=words.CHECKS,
                info=words.CHECKS_HINT,
                filterable=False,
                elem_id="checks-list",
            )
            with gr.Row():
                url = gr.Textbox(
                    label=words.PAGE, placeholder=words.PAGE_EXAMPLE, elem_id="checks-url", scale=3
                )
                draft = gr.Button(words.DRAFT, min_width=90, elem_id="checks-draft")
            text = gr.Textbox(
                label=words.SPEC,
                info=words.SPEC_HINT,
                placeholder=words.SPEC_EXAMPLE,
                lines=12,
                max_lines=16,
                elem_id="checks-spec",
            )
            with gr.Accordion(words.FILES, open=False):
                files = gr.File(
                    label=words.FILES,
                    show_label=False,
                    file_count="multiple",
                    file_types=["image", ".yaml", ".yml"],
                    elem_id="checks-files",
                )
            with gr.Row():
                run = gr.Button(words.RUN, variant="primary", min_width=110, elem_id="checks-run")
                save = gr.Button(words.SAVE, min_width=80, elem_id="checks-save")
                delete = gr.Button(words.DELETE, variant="stop", min_width=110, elem_id="checks-delete")
        with gr.Column():
            card = gr.HTML(hint_card(words.HINT), padding=False, elem_id="checks-card")
            end = gr.Button(words.STOP, variant="stop", visible=False, elem_id="checks-stop")
            with gr.Row(visible=False) as acceptance:
                picture = gr.Dropdown(
                    [], label=words.BASELINES, filterable=False, elem_id="checks-pictures", scale=3
                )
                accept = gr.Button(words.ACCEPT, variant="primary", min_width=90, elem_id="checks-accept")
            history = gr.HTML(padding=False, elem_id="checks-history")
            past = gr.Dropdown([], label=words.RUNS, filterable=False, visible=False, elem_id="checks-runs")
    view = gr.HTML(padding=False, elem_id="checks-view")
    current = gr.State("")
    outputs = [card, current, view, history, end, acceptance, picture, past]

    async def go(
        id: str, spec: str, paths: list[str] | None, request: gr.Request
    ) -> AsyncIterator[tuple[Any, ...]]:
        try:
            who = caller(request, "runs.use")
            caller(request, "content.write")
            made = await asyncio.to_thread(kept, desk, who, id or "", spec or "", paths or [])
            listed = _listed(desk, request, made.id)
            async for one in follow(desk, who, made):
                yield listed, gr.skip(), *_outputs(one, request)
        except LlavaAgentError as error:
            yield gr.skip(), gr.skip(), *_outputs(Shown(_problem(error, spec or "")), request)

    def keep(id: str, spec: str, paths: list[str] | None, request: gr.Request) -> tuple[Any, ...]:
        try:
            who = caller(request, "content.write")
            made = kept(desk, who, id or "", spec or "", paths or [])
        except LlavaAgentError as error:
            return gr.skip(), _problem(error, spec or "")
        return _listed(desk, request, made.id), hint_card(words.SAVED)

    async def write(page: str, request: gr.Request) -> AsyncIterator[tuple[Any, ...]]:
        try:
            who = caller(request, "runs.use")
            yield gr.skip(), gr.skip(), waiting_card(words.DRAFTING)
            spec = await drafted(desk, who, page or "")
            yield "", spec, hint_card(words.DRAFTED)
        except LlavaAgentError as error:
            yield gr.skip(), gr.skip(), problem_card(error)

    def choose(id: str, request: gr.Request) -> tuple[Any, ...]:
        if not id:
            return "", None, *_outputs(Shown(hint_card(words.HINT)), request)
        try:
            who = caller(request, "content.read")
            return desk.checks.get(who, id).text, None, *_outputs(shown(desk, who, id), request)
        except LlavaAgentError as error:
            return gr.skip(), gr.skip(), *_outputs(Shown(problem_card(error)), request)

    def look(id: str, of: str, request: gr.Request) -> tuple[Any, ...]:
        try:
            return _outputs(shown(desk, caller(request, "content.read"), id, of or ""), request)
        except LlavaAgentError as error:
            return _outputs(Shown(problem_card(error)), request)

    def halt(of: str, request: gr.Request) -> Any:
        try:
            stop(desk, caller(request, "content.write"), of)
        except LlavaAgentError as error:
            return problem_card(error)
        return waiting_card(words.STOPPING)

    def take(id: str, of: str, name: str, request: gr.Request) -> Any:
        try:
            accepted(desk, caller(request, "baselines.accept"), id, of, name or "")
        except LlavaAgentError as error:
            return problem_card(error)
        return hint_card(words.ACCEPTED.format(name=name))

    def remove(id: str, request: gr.Request) -> tuple[Any, ...]:
        try:
            if not id:
                raise ConfigError(words.NO_CHECK, words.NO_CHECK_MEND)
            desk.checks.delete(caller(request, "content.write"), id)
        except LlavaAgentError as error:
            return gr.skip(), gr.skip(), *_outputs(Shown(problem_card(error)), request)
        return _listed(desk, request, ""), "", *_outputs(Shown(hint_card(words.DELETED)), request)

    def upload(paths: list[str] | None) -> Any:
        spec = next((path for path in paths or [] if is_spec(path)), None)
        return Path(spec).read_text(encoding="utf-8", errors="replace") if spec else gr.skip()

    many: Any = {**_PRIVATE, "concurrency_limit": None}
    check.input(choose, [check], [text, files, *outputs], **many)
    draft.click(write, [url], [check, text, card], **many)
    url.submit(write, [url], [check, text, card], **many)
    files.upload(upload, [files], [text], **many)
    # On a phone the card lies far below the button.
    run.click(None, None, None, js=_TO_CARD, queue=False, api_visibility="private")
    run.click(go, [check, text, files], [check, files, *outputs], **many)
    save.click(keep, [check, text, files], [check, card], **many)
    delete.click(remove, [check], [check, text, *outputs], **many)
    past.input(look, [check, past], outputs, **many)
    end.click(halt, [current], [card], **many)
    accept.click(take, [check, current, picture], [card], **many)

    def listed(id: str, request: gr.Request) -> Any:
        return _listed(desk, request, id or "")

    check.focus(listed, [check], [check], **_PRIVATE)


def _listed(desk: Desk, request: gr.Request, chosen: str) -> Any:
    identity = identity_of(request)
    if not identity.may("content.read"):
        return gr.Dropdown([(words.NEW, "")], value="")
    found = desk.checks.list(identity.principal, limit=_LISTED).items
    return gr.Dropdown(check_choices(found), value=chosen)


def _problem(error: LlavaAgentError, text: str) -> str:
    """A problem of the spec at its line, any other as a sentence."""
    if isinstance(error, BadRequest) and error.line is not None:
        return line_card(str(error), text, error.line)
    return problem_card(error)


def _outputs(one: Shown, request: gr.Request) -> tuple[Any, ...]:
    """Values for the card, the run, the view, the history, Stop, and the pictures to accept."""
    mine = bool(one.baselines) and identity_of(request).may("baselines.accept")
    first = one.baselines[0] if one.baselines else None
    listed = any(id == one.run for _, id in one.runs)
    return (
        one.card,
        one.run,
        one.view,
        one.history,
        gr.Button(visible=not one.over),
        gr.Row(visible=mine),
        gr.Dropdown(list(one.baselines), value=first),
        gr.Dropdown(one.runs, value=one.run if listed else None, visible=len(one.runs) > 1),
    )
