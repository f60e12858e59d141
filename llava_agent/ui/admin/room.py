"""A part of the admin desk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from llava_agent.service.auth.identity import Identity
from llava_agent.service.auth.rights import Permission
from llava_agent.ui.forms import Sent

if TYPE_CHECKING:
    from llava_agent.service.context import Service


@dataclass(frozen=True, slots=True)
class Room:
    """Attributes:
    needs: whoever holds it sees the room; what is changed there asks for its own right again.
    answer: does what a form asks for, and gives the room's HTML. Errors are shown by the desk.
    """

    id: str
    title: str
    needs: Permission
    answer: Callable[[Service, Identity, Sent], str]
