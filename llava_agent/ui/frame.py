"""What is around the desks: the masthead, whose page it is, and which tabs they see."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any

# Not inside the function: gradio reads `gr.Request` from the handlers' annotations, by this module's names.
import gradio as gr

from llava_agent.service.http.access import PASSWORD_PAGE
from llava_agent.ui import words
from llava_agent.ui.caller import identity_of
from llava_agent.ui.cards import hint_card
from llava_agent.ui.tab import Tab

if TYPE_CHECKING:
    from llava_agent.service.auth.identity import Identity
    from llava_agent.service.context import Service

_MASTHEAD = f'<header class="masthead"><h1>{words.TITLE}</h1><p>{words.CLAIM}</p></header>'


def build_frame(service: Service, desks: Sequence[Tab], page: gr.Blocks) -> None:
    """Build masthead and tabs inside the Blocks that are open. Tabs appear once it is known who asks."""
    gr.HTML(_MASTHEAD, padding=False)
    account = gr.HTML(padding=False, elem_id="account")
    with gr.Tabs(elem_id="desks", overflow_behavior="wrap") as bar:
        tabs = []
        for desk in desks:
            with gr.Tab(desk.title, id=desk.id, visible=False) as tab:
                desk.build(service)
            tabs.append(tab)

    def open_for(request: gr.Request) -> list[Any]:
        identity = identity_of(request)
        seen = [desk.id for desk in desks if desk.shown_to(identity)]
        wanted = dict(request.query_params).get("desk", "")
        selected = wanted if wanted in seen else next(iter(seen), None)
        shown = [gr.Tab(visible=desk.id in seen) for desk in desks]
        return [account_line(identity, bool(seen)), gr.Tabs(selected=selected), *shown]

    page.load(
        open_for,
        None,
        [account, bar, *tabs],
        api_visibility="private",
        show_progress="hidden",
        queue=False,
    )


def account_line(identity: Identity, anything: bool) -> str:
    """Who is logged in, and the way out; empty for this machine's own user.

    Args:
        anything: whether there is a desk that they may open.
    """
    if identity.by == "machine":
        return ""
    who = escape(identity.principal.user)
    roles = ", ".join(sorted(identity.principal.roles)).replace("_", " ")
    ways = (
        f'<a href="{PASSWORD_PAGE}">{words.PASSWORD}</a>'
        f'<form method="post" action="/logout"><button>{words.LOG_OUT}</button></form>'
    )
    nothing = "" if anything else hint_card(words.NOTHING)
    return (
        f'<nav class="account" aria-label="{words.ACCOUNT}"><span><b>{who}</b> {roles}</span>{ways}</nav>'
        f"{nothing}"
    )
