"""The section *Admin*: a room for each thing that is managed, shown to whom it is open."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from llava_agent.errors import LlavaAgentError, PermissionDenied
from llava_agent.service.auth.identity import Identity
from llava_agent.ui.admin import accounts, audit, budgets, policy, usage, words
from llava_agent.ui.admin.room import Room
from llava_agent.ui.cards import problem_card
from llava_agent.ui.forms import Sent, form_desk
from llava_agent.ui.tab import Tab

if TYPE_CHECKING:
    from llava_agent.service.context import Service

ROOMS: tuple[Room, ...] = (accounts.ROOM, policy.ROOM, usage.ROOM, budgets.ROOM, audit.ROOM)


def answer(service: Service, identity: Identity, sent: Sent) -> str:
    """The whole desk after what a form asked for; its buttons say `ROOM:ACT`.

    Raises:
        PermissionDenied: no room is open to this caller.
    """
    open_rooms = [room for room in ROOMS if identity.may(room.needs)]
    if not open_rooms:
        raise PermissionDenied("you may not open the admin desk")
    id, _, act = sent.act.partition(":")
    room = next((one for one in open_rooms if one.id == id), open_rooms[0])
    try:
        body = room.answer(service, identity, Sent(act, sent.values))
    except LlavaAgentError as error:
        body = problem_card(error) + room.answer(service, identity, Sent("open", {}))
    return f'<div class="admin">{_ways(open_rooms, room)}<div class="room">{body}</div></div>'


def _ways(rooms: Sequence[Room], here: Room) -> str:
    listed = "".join(
        f'<button type="submit" value="{room.id}:open"{" aria-current=page" if room is here else ""}>'
        f"{escape(room.title)}</button>"
        for room in rooms
    )
    return f'<form><nav aria-label="{words.ROOMS}">{listed}</nav></form>'


TAB = Tab(
    "admin",
    words.TAB,
    tuple(dict.fromkeys(room.needs for room in ROOMS)),
    lambda service: form_desk("admin-desk", partial(answer, service)),
    Path(__file__).with_name("admin.css"),
)
