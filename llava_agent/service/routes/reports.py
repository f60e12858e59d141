"""The report of a run as a page, for its owner. It shows text of foreign pages, so it loads nothing else."""

from __future__ import annotations

import mimetypes

from fastapi import APIRouter, Response

from llava_agent.errors import NotFound
from llava_agent.gateway.principal import Principal
from llava_agent.service.desk import Desk
from llava_agent.service.http.describe import content as media
from llava_agent.service.http.permission import needs
from llava_agent.service.routes.answers import Parts, Who

router = APIRouter(tags=["runs"])

#: Images of its own folder, its own style, no script.
_POLICY = (
    "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"
)
_SHOWN = (".html", ".png", ".jpg")


def report_address(run: str, page: str = "report.html") -> str:
    """Where the report of a run is shown."""
    return f"/runs/{run}/{page}"


@router.get(
    "/runs/{id}/{name:path}",
    summary="A page or a picture of a run's report",
    response_class=Response,
    responses=media("text/html", "image/png", "image/jpeg", text="as the run left it"),
)
@needs("content.read")
def report(id: str, name: str, desk: Parts, who: Who) -> Response:
    desk.runs.get(who, id)
    content = file_of(desk, who, id, name) if name.endswith(_SHOWN) else None
    if content is None:
        raise NotFound("this run has no page of that name", f"open {report_address(id)}")
    headers = {"Content-Security-Policy": _POLICY}
    return Response(content, media_type=mimetypes.guess_type(name)[0], headers=headers)


def file_of(desk: Desk, who: Principal, run: str, name: str) -> bytes | None:
    """A file of a run: what is stored of it, else what lies in its folder as yet."""
    if found := desk.artifacts.held(who.tenant, run).get(name):
        return desk.artifacts.read(who.tenant, found.sha256)
    folder = (desk.folder / run).resolve()
    path = (folder / name).resolve()
    if not path.is_relative_to(folder) or not path.is_file():
        return None
    return path.read_bytes()
