"""Who uses the page, as the gate knows it, and whether they may."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llava_agent.gateway.principal import Principal
from llava_agent.service.auth.identity import Identity
from llava_agent.service.auth.rights import Permission

if TYPE_CHECKING:
    import gradio as gr


def identity_of(request: gr.Request) -> Identity:
    found: Identity = request.state.identity
    return found


def caller(request: gr.Request, permission: Permission) -> Principal:
    """Raises PermissionDenied where the caller may not do this."""
    return identity_of(request).require(permission)
