"""The section *Photo desk*: photos, their quality at once, the inspection, the record and its files."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

# Not inside the function: gradio reads `gr.Request` from the handlers' annotations, by this module's names.
import gradio as gr

from llava_agent.errors import ConfigError, ImageError, LlavaAgentError
from llava_agent.gateway.principal import Principal
from llava_agent.ui.caller import caller
from llava_agent.ui.cards import hint_card, problem_card
from llava_agent.ui.desk import words
from llava_agent.ui.tab import Tab

if TYPE_CHECKING:
    from llava_agent.service.desk import Desk
    from llava_agent.service.store.records import Record

#: Seconds between two looks at a run.
_LOOK_S = 0.3


def desk_section(desk: Desk) -> None:
    """Build the section inside the Blocks that are open."""
    with gr.Row(equal_height=False):
        with gr.Column(scale=3):
            files = gr.File(
                label=words.PHOTOS,
                file_count="multiple",
                file_types=["image", ".heic", ".heif"],
                elem_id="desk-files",
            )
        with gr.Column(scale=2):
            asset = gr.Textbox(label=words.ASSET, info=words.ASSET_HINT, elem_id="desk-asset")
            start = gr.Button(words.INSPECT, variant="primary", elem_id="desk-start")
    card = gr.HTML(hint_card(words.HINT), padding=False, elem_id="desk-card")
    view = gr.HTML(padding=False, elem_id="desk-view")
    edits = gr.Textbox("{}", show_label=False, container=False, elem_id="desk-edits")
    with gr.Row(visible=False) as after:
        save = gr.Button(words.SAVE, variant="primary", elem_id="desk-save")
    record = gr.State("")

    def check(paths: list[str] | None) -> str:
        return check_photos(paths or [])

    async def inspect(
        paths: list[str] | None, name: str, request: gr.Request
    ) -> AsyncIterator[tuple[Any, ...]]:
        nothing = ("", "{}", "", gr.Row(visible=False))
        try:
            who = caller(request, "content.write")
            async for said, made in follow(desk, who, paths or [], name or ""):
                if not made:
                    yield said, *nothing
                    continue
                found = desk.records.get(who, made)
                shown = await asyncio.to_thread(show, desk, who, found)
                yield said, shown, "{}", made, gr.Row(visible=True)
        except LlavaAgentError as error:
            yield problem_card(error), *nothing

    def keep(made: str, changed: str, name: str, request: gr.Request) -> tuple[str, str, str]:
        try:
            who = caller(request, "content.write")
            found = confirm(desk, who, made, changed, name or "")
        except LlavaAgentError as error:
            return problem_card(error), changed, gr.skip()
        return hint_card(words.SAVED.format(id=found.id)), "{}", show(desk, who, found)

    private: Any = {"api_visibility": "private", "show_progress": "hidden"}
    files.change(check, [files], [card], **private)
    start.click(inspect, [files, asset], [card, view, edits, record, after], **private)
    save.click(keep, [record, edits, asset], [card, edits, view], **private)


def check_photos(paths: list[str]) -> str:
    """The quality of each photo as soon as it is there."""
    from llava_agent.inspection.quality import measure
    from llava_agent.service.store.photos import plain_name
    from llava_agent.ui.desk.view import quality_card
    from tools.photo import load_image

    if not paths:
        return hint_card(words.HINT)
    try:
        return quality_card([(plain_name(path), measure(load_image(path).image)) for path in paths])
    except ImageError as error:
        return problem_card(error)


async def follow(desk: Desk, who: Principal, paths: list[str], asset: str) -> AsyncIterator[tuple[str, str]]:
    """Store the photos, let the worker inspect them, and say how it goes: card, and the record at the end.

    Whoever leaves the page loses nothing: the run goes on and its record is there later.
    """
    from llava_agent.inspection.intake import take_in
    from llava_agent.service.work.inspect import KIND
    from llava_agent.ui.cards import waiting_card

    if not paths:
        raise ImageError(words.NO_PHOTOS, words.NO_PHOTOS_MEND)
    photos = []
    for path in paths:
        taken = await asyncio.to_thread(take_in, Path(path), desk.intake)
        stored, _ = await asyncio.to_thread(desk.photos.add, who, taken, name=Path(path).name, asset=asset)
        photos.append(stored.id)
    run = await asyncio.to_thread(desk.begin, who, KIND, {"photos": photos, "asset": asset})
    yield waiting_card(words.WAITING), ""
    while not run.over:
        await asyncio.sleep(_LOOK_S)
        run = await asyncio.to_thread(desk.runs.get, who, run.id)
        said = [one for one in await asyncio.to_thread(desk.runs.events, who, run.id) if one.kind == "look"]
        if said and not run.over:
            yield (
                waiting_card(words.LOOKING.format(**{k: said[-1].body[k] for k in ("name", "at", "of")})),
                "",
            )
    if run.state != "done" or run.result is None:
        raise ConfigError(f"the inspection ended as {run.state} ({run.reason})", "try it again")
    yield check_photos(paths), run.result["record"]


def show(desk: Desk, who: Principal, record: Record) -> str:
    """The record with its photos and what changed since the last one of its asset."""
    from llava_agent.inspection.compare import compare
    from llava_agent.inspection.document import read_document
    from llava_agent.ui.desk.view import inspection_view
    from tools.photo import load_image

    images = [load_image(desk.photos.content(who, id)) for id in record.photos]
    document, before = read_document(record.body), desk.records.before(who, record)
    changes = compare(read_document(before.body), document) if before is not None else ()
    return inspection_view(document, {image.sha256: image.image for image in images}, changes, record.id)


def confirm(desk: Desk, who: Principal, id: str, changed: str, asset: str) -> Record:
    """The record with its values as a person left them, confirmed.

    Args:
        changed: JSON: values by the position of their line.
    """
    from llava_agent.inspection.document import read_document
    from llava_agent.inspection.units import quantity

    if not id:
        raise ConfigError(words.NO_RECORD, words.NO_RECORD_MEND)
    record = desk.records.get(who, id)
    document = read_document(record.body).model_dump(mode="json")
    for position, value in json.loads(changed or "{}").items():
        line, taken = document["lines"][int(position)], quantity(str(value))
        line |= {"value": str(value)[:500], "edited": True}
        if line["number"] is not None:
            line |= {"number": taken.number if taken else None, "unit": taken.unit if taken else ""}
    read_document(document)
    return desk.records.change(
        who, id, record.version, body=document, asset=asset.strip() or record.asset, confirmed=True
    )


TAB = Tab(
    "desk",
    words.TAB,
    ("content.write",),
    lambda service: desk_section(service.desk),
    Path(__file__).with_name("desk.css"),
    Path(__file__).with_name("desk.js"),
)
