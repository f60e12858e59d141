"""The section *Photo desk*: photos, their quality at once, the inspection, the record, where it is filed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

# Not inside the function: gradio reads `gr.Request` from the handlers' annotations, by this module's names.
import gradio as gr

from llava_agent.errors import LlavaAgentError
from llava_agent.ui.caller import caller, identity_of
from llava_agent.ui.cards import hint_card, problem_card
from llava_agent.ui.desk import words
from llava_agent.ui.desk.filing import filing_part
from llava_agent.ui.desk.work import check_photos, confirm, earlier, follow, show
from llava_agent.ui.tab import Tab

if TYPE_CHECKING:
    from llava_agent.service.desk import Desk

_PHOTOS = ["image", ".heic", ".heif"]
_PRIVATE: Any = {"api_visibility": "private", "show_progress": "hidden"}


def desk_section(desk: Desk) -> None:
    """Build the section inside the Blocks that are open."""
    with gr.Row(equal_height=False):
        with gr.Column(scale=3):
            files = gr.File(
                label=words.PHOTOS, file_count="multiple", file_types=_PHOTOS, elem_id="desk-files"
            )
        with gr.Column(scale=2):
            asset = gr.Textbox(label=words.ASSET, info=words.ASSET_HINT, elem_id="desk-asset")
            start = gr.Button(words.INSPECT, variant="primary", elem_id="desk-start")
    card = gr.HTML(hint_card(words.HINT), padding=False, elem_id="desk-card")
    view = gr.HTML(padding=False, elem_id="desk-view")
    edits = gr.Textbox("{}", show_label=False, container=False, elem_id="desk-edits")
    with gr.Row(visible=False, elem_id="desk-after") as after:
        more = gr.UploadButton(
            words.ANSWER, file_count="multiple", file_types=_PHOTOS, min_width=140, elem_id="desk-more"
        )
        save = gr.Button(words.SAVE, variant="primary", min_width=140, elem_id="desk-save")
    record = gr.State("")
    file = filing_part(desk, record)
    with gr.Accordion(words.OLD, open=False, elem_id="desk-old"):
        old = gr.Dropdown([], label=words.OLD_PICK, filterable=False, elem_id="desk-records")
    shown = [card, view, edits, record, after]

    def check(paths: list[str] | None) -> str:
        return check_photos(paths or [])

    async def inspect(
        paths: list[str] | None, name: str, request: gr.Request
    ) -> AsyncIterator[tuple[Any, ...]]:
        nothing = ("", "{}", "", gr.Row(visible=False))
        try:
            who = caller(request, "content.write")
            async for said, made in follow(desk, who, paths or [], name or ""):
                yield (said, *(await opened(made, request) if made else nothing))
        except LlavaAgentError as error:
            yield problem_card(error), *nothing

    async def answer(
        paths: list[str] | None, made: str, changed: str, name: str, request: gr.Request
    ) -> AsyncIterator[tuple[Any, ...]]:
        """Another photo as the answer: what was changed by hand is kept first."""
        same = (gr.skip(), gr.skip(), gr.skip(), gr.skip())
        try:
            who = caller(request, "content.write")
            if changed not in ("", "{}"):
                await asyncio.to_thread(confirm, desk, who, made, changed, name or "")
            async for said, grown in follow(desk, who, paths or [], name or "", made):
                yield (said, *(await opened(grown, request) if grown else same))
        except LlavaAgentError as error:
            yield problem_card(error), *same

    async def opened(id: str, request: gr.Request) -> tuple[Any, ...]:
        """The view, no edits, the record, and the row of what can be done with it."""
        who = caller(request, "content.read")
        found = await asyncio.to_thread(desk.records.get, who, id)
        open_ = found.state not in ("filing", "filed", "unknown")
        return await asyncio.to_thread(show, desk, who, found), "{}", id, gr.Row(visible=open_)

    def keep(made: str, changed: str, name: str, request: gr.Request) -> tuple[str, str, str]:
        try:
            who = caller(request, "content.write")
            found = confirm(desk, who, made, changed, name or "")
        except LlavaAgentError as error:
            return problem_card(error), changed, gr.skip()
        return hint_card(words.SAVED.format(id=found.id)), "{}", show(desk, who, found)

    async def again(id: str | None, request: gr.Request) -> tuple[Any, ...]:
        try:
            return (hint_card(id or ""), *await opened(id or "", request))
        except LlavaAgentError as error:
            return problem_card(error), "", "{}", "", gr.Row(visible=False)

    def listed(request: gr.Request) -> Any:
        identity = identity_of(request)
        return gr.Dropdown(earlier(desk, identity.principal) if identity.may("content.read") else [])

    async def settled(made: str, request: gr.Request) -> tuple[Any, ...]:
        """The record after its filing: what was filed can no longer be changed."""
        return await opened(made, request) if made else (gr.skip(),) * 4

    for end in file.ends:
        end.then(settled, [record], shown[1:], **_PRIVATE)
    files.change(check, [files], [card], **_PRIVATE)
    gr.on([start.click], inspect, [files, asset], shown, **_PRIVATE).then(*file.hide, **_PRIVATE)
    more.upload(answer, [more, record, edits, asset], shown, **_PRIVATE).then(*file.hide, **_PRIVATE)
    save.click(keep, [record, edits, asset], [card, edits, view], **_PRIVATE).then(*file.offer, **_PRIVATE)
    old.focus(listed, None, [old], **_PRIVATE)
    old.input(again, [old], shown, **_PRIVATE).then(*file.offer, **_PRIVATE)


TAB = Tab(
    "desk",
    words.TAB,
    ("content.write",),
    lambda service: desk_section(service.desk),
    Path(__file__).with_name("desk.css"),
    Path(__file__).with_name("desk.js"),
)
