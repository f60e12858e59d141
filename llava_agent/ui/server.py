"""Puts the pages into the web application."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from llava_agent.service.http.permission import mount_needs
from llava_agent.ui.page import build_page, scripts, styles, theme

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from llava_agent.service.context import Service

#: The page itself may fetch from this server alone.
_PAGE_POLICY = (
    "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; frame-ancestors 'none'; object-src 'none'"
)


def mount_pages(app: FastAPI, service: Service) -> None:
    """The page at `/`, below every route that is there already."""
    import gradio as gr

    examples = service.settings.examples
    gr.mount_gradio_app(
        app,
        build_page(service),
        path="/",
        theme=theme(),
        css_paths=styles(),
        head=scripts(),
        favicon_path=Path(__file__).with_name("favicon.svg"),
        footer_links=[],
        show_error=False,
        ssr_mode=False,
        max_file_size="200mb",
        allowed_paths=sorted({str(Path(path).parent) for path in examples}),
    )
    mounted = app.routes[-1]
    mounted.app = WithPolicy(mounted.app, _PAGE_POLICY)  # type: ignore[attr-defined]
    # What is done on the page asks for more: each handler requires its own permission.
    mount_needs(app, "/", "pages.open")


@dataclass(frozen=True, slots=True)
class WithPolicy:
    """ASGI middleware: what the pages of a mounted application may load, instead of the strict default."""

    app: ASGIApp
    policy: str

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        from starlette.datastructures import MutableHeaders

        async def answered(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["content-security-policy"] = self.policy
                headers.setdefault("cache-control", "no-cache")  # kept, but asked about each time
            await send(message)

        await self.app(scope, receive, answered)
