"""The desk's last step: what will be sent, the one button, how it ended, and the history of the record."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

# Not inside the function: gradio reads `gr.Request` from the handlers' annotations, by this module's names.
import gradio as gr

from llava_agent.errors import LlavaAgentError
from llava_agent.ui.caller import caller, identity_of
from llava_agent.ui.cards import problem_card, waiting_card
from llava_agent.ui.desk import words
from llava_agent.ui.desk.filing_view import filed_card, history_list, preview_card
from llava_agent.ui.desk.work import LOOK_S

if TYPE_CHECKING:
    from llava_agent.service.desk import Desk
    from llava_agent.service.store.filings import Filing

_PRIVATE: Any = {"api_visibility": "private", "show_progress": "hidden"}
#: States in which the page waits by itself; an approval may take hours.
_GOING = ("ready", "sending")
#: A filing that takes longer is looked at again by the button.
_PATIENCE_S = 300.0


@dataclass(frozen=True, slots=True)
class FilingPart:
    """What other parts of the desk call: function, inputs and outputs of an event.

    Attributes:
        offer: after a record was saved or opened.
        hide: while there is nothing to file.
        ends: events after which the record may be another one than before.
    """

    offer: tuple[Any, ...]
    hide: tuple[Any, ...]
    ends: tuple[Any, ...]


def filing_part(desk: Desk, record: gr.State) -> FilingPart:
    """Build the part inside the Blocks that are open."""
    names = [(one.config.title, one.config.name) for one in desk.filing.targets]
    first = names[0][1] if names else ""
    with gr.Column(visible=False, elem_id="desk-filing") as part:
        to = gr.Radio(names, value=first, label=words.FILE_IN, visible=len(names) > 1, elem_id="desk-to")
        preview = gr.HTML(padding=False, elem_id="desk-preview")
        send = gr.Button(words.FILE, variant="primary", visible=False, elem_id="desk-file")
        with gr.Row(visible=False) as decision:
            approve = gr.Button(words.APPROVE, variant="primary", min_width=120, elem_id="desk-approve")
            refuse = gr.Button(words.REFUSE, variant="stop", min_width=120, elem_id="desk-refuse")
        look = gr.Button(words.REFRESH, visible=False, elem_id="desk-look")
        history = gr.HTML(padding=False, elem_id="desk-history")
    content = gr.State("")
    shown = [part, preview, send, decision, look, history, content]

    def stands(made: str, name: str, request: gr.Request) -> tuple[Any, ...]:
        """How the record stands with a destination: to be filed, under way, or over."""
        if not made or not identity_of(request).may("content.read"):
            return _nothing()
        who = caller(request, "content.read")
        past = desk.filing.filings.of(who, made)
        if not names and not past:
            return _nothing()
        last, state = (past[0] if past else None), desk.records.get(who, made).state
        if last is not None and (last.state in ("waiting", *_GOING) or state in ("filed", "unknown")):
            return _last(desk, request, last, past)
        if not names or state == "draft":
            return _nothing()
        try:
            found = desk.filing.preview(who, made, name or first)
        except LlavaAgentError as error:
            return gr.Column(visible=True), problem_card(error), gr.Button(visible=False), *_rest(past, True)
        may = not found.parcel.problems and found.ruling.decision != "deny"
        button = gr.Button(words.FILE.format(title=found.target.config.title), visible=may)
        shown = preview_card(found)
        return (
            gr.Column(visible=True), shown, button, gr.Row(visible=False), gr.Button(visible=False),
            history_list(past), found.content,
        )  # fmt: skip

    async def file(made: str, name: str, seen: str, request: gr.Request) -> AsyncIterator[tuple[Any, ...]]:
        try:
            who = caller(request, "content.write")
            filing = await asyncio.to_thread(desk.file, who, made, name or first, seen)
            async for one in follow(filing, request):
                yield one
        except LlavaAgentError as error:
            yield gr.skip(), problem_card(error), *[gr.skip()] * 5

    async def follow(filing: Filing, request: gr.Request) -> AsyncIterator[tuple[Any, ...]]:
        who, waited = caller(request, "content.read"), 0.0
        while filing.state in _GOING and waited < _PATIENCE_S:
            yield (
                gr.Column(visible=True), waiting_card(words.FILING.format(title=filing.title)),
                gr.Button(visible=False), gr.Row(visible=False), gr.Button(visible=False), gr.skip(), "",
            )  # fmt: skip
            await asyncio.sleep(LOOK_S)
            waited += LOOK_S
            filing = await asyncio.to_thread(desk.filing.filings.get, who, filing.id)
        yield _last(desk, request, filing, desk.filing.filings.of(who, filing.record))

    async def decide(made: str, verdict: str, request: gr.Request) -> AsyncIterator[tuple[Any, ...]]:
        try:
            by = caller(request, "approvals.decide")
            (filing, *_) = desk.filing.filings.of(by, made)
            act = desk.approvals.approve if verdict == "approve" else desk.approvals.refuse
            act(filing.approval, by)
            await asyncio.to_thread(desk.upkeep)
            async for one in follow(desk.filing.filings.get(by, filing.id), request):
                yield one
        except LlavaAgentError as error:
            yield gr.skip(), problem_card(error), *[gr.skip()] * 5

    async def yes(made: str, request: gr.Request) -> AsyncIterator[tuple[Any, ...]]:
        async for one in decide(made, "approve", request):
            yield one

    async def no(made: str, request: gr.Request) -> AsyncIterator[tuple[Any, ...]]:
        async for one in decide(made, "refuse", request):
            yield one

    async def again(made: str, name: str, request: gr.Request) -> AsyncIterator[tuple[Any, ...]]:
        """What waited may have been decided; what is of unknown fate is looked for."""
        who = caller(request, "content.write")
        past = desk.filing.filings.of(who, made)
        if past and past[0].state == "unknown":
            run = await asyncio.to_thread(desk.look, who, past[0].id)
            while not run.over:
                yield (gr.skip(), waiting_card(words.REFRESH), *[gr.skip()] * 5)
                await asyncio.sleep(LOOK_S)
                run = await asyncio.to_thread(desk.runs.get, who, run.id)
        yield await asyncio.to_thread(stands, made, name, request)

    ends = (
        send.click(file, [record, to, content], shown, **_PRIVATE),
        approve.click(yes, [record], shown, **_PRIVATE),
        refuse.click(no, [record], shown, **_PRIVATE),
        look.click(again, [record, to], shown, **_PRIVATE),
    )
    to.input(stands, [record, to], shown, **_PRIVATE)
    return FilingPart((stands, [record, to], shown), (_nothing, None, shown), ends)


def _last(desk: Desk, request: gr.Request, filing: Filing, past: tuple[Filing, ...]) -> tuple[Any, ...]:
    """The last filing as it stands, with what the caller can do about it."""
    identity = identity_of(request)
    waits = filing.state == "waiting"
    asked = desk.approvals.get(filing.approval, filing.tenant) if waits else None
    may = asked is not None and asked in desk.approvals.waiting(identity.principal)
    return (
        gr.Column(visible=True),
        filed_card(filing),
        gr.Button(visible=False),
        gr.Row(visible=may and identity.may("approvals.decide")),
        gr.Button(visible=filing.state in ("waiting", "unknown", *_GOING)),
        history_list(past),
        "",
    )


def _rest(past: tuple[Filing, ...], look: bool) -> tuple[Any, ...]:
    return gr.Row(visible=False), gr.Button(visible=look), history_list(past), ""


def _nothing() -> tuple[Any, ...]:
    return gr.Column(visible=False), "", gr.Button(visible=False), *_rest((), False)
