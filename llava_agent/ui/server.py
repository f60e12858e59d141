"""Puts the pages and the reports of their runs into the web application."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from llava_agent.assembly import Core
from llava_agent.service.http.permission import mount_needs
from llava_agent.ui.act import REPORTS
from llava_agent.ui.page import DESK_SCRIPT, DESK_STYLE, STYLE, build_page, theme

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from llava_agent.service.desk import Desk

#: A report shows text of foreign pages: it may show images of its own folder and nothing else.
_REPORT_POLICY = "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; base-uri 'none'"
#: The page itself may fetch from this server alone.
_PAGE_POLICY = (
    "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; frame-ancestors 'none'; object-src 'none'"
)


def mount_pages(
    app: FastAPI, core: Callable[[], Core], runs: Path, desk: Desk, examples: list[str] | None = None
) -> None:
    """The page at `/`, below every route that is there already; reports at `/runs`.

    Args:
        core: called when models are needed first.
        runs: folder for the runs that visitors start; made here.
        desk: the store and the worker of the photo desk.
        examples: paths of images to start with.
    """
    import gradio as gr
    from fastapi.staticfiles import StaticFiles

    runs.mkdir(parents=True, exist_ok=True)
    app.mount(REPORTS, WithPolicy(StaticFiles(directory=runs), _REPORT_POLICY), name="runs")
    mount_needs(app, REPORTS, "content.read")
    gr.mount_gradio_app(
        app,
        build_page(core, runs, examples or [], desk),
        path="/",
        theme=theme(),
        css_paths=[STYLE, DESK_STYLE],
        head=f"<script>{DESK_SCRIPT.read_text(encoding='utf-8')}</script>",
        footer_links=[],
        show_error=False,
        ssr_mode=False,
        max_file_size="200mb",
        allowed_paths=sorted({str(Path(path).parent) for path in examples or []}),
    )
    mounted = app.routes[-1]
    mounted.app = WithPolicy(mounted.app, _PAGE_POLICY)  # type: ignore[attr-defined]
    mount_needs(app, "/", "models.use")


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
