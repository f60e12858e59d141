"""The page and the reports of its runs as one web application."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from llava_agent.assembly import Core
from llava_agent.ui.act import REPORTS
from llava_agent.ui.page import STYLE, build_page, theme

if TYPE_CHECKING:
    from fastapi import FastAPI

#: A report shows text of foreign pages: it may show images of its own folder and nothing else.
_REPORT_POLICY = "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; base-uri 'none'"
#: The page itself may fetch from this server alone.
_PAGE_POLICY = (
    "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; frame-ancestors 'none'; object-src 'none'"
)


def web_app(core: Callable[[], Core], runs: Path, examples: list[str] | None = None) -> FastAPI:
    """The web application: the page at `/`, reports at `/runs`.

    Args:
        core: called when models are needed first.
        runs: folder for the runs that visitors start; made here.
    """
    import gradio as gr
    from fastapi import FastAPI, Request, Response
    from fastapi.staticfiles import StaticFiles

    runs.mkdir(parents=True, exist_ok=True)
    app = FastAPI(title="llava-agent", docs_url=None, redoc_url=None, openapi_url=None)

    @app.middleware("http")
    async def policy(request: Request, call_next: Callable[[Request], object]) -> Response:
        response: Response = await call_next(request)  # type: ignore[misc]
        inside = request.url.path.startswith(f"{REPORTS}/")
        response.headers["Content-Security-Policy"] = _REPORT_POLICY if inside else _PAGE_POLICY
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        return response

    app.mount(REPORTS, StaticFiles(directory=runs), name="runs")
    return gr.mount_gradio_app(
        app,
        build_page(core, runs, examples or []),
        path="/",
        theme=theme(),
        css_paths=[STYLE],
        footer_links=[],
        show_error=False,
        ssr_mode=False,
        max_file_size="200mb",
        allowed_paths=sorted({str(Path(path).parent) for path in examples or []}),
    )
