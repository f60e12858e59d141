"""Opens the part of the world that a run acts on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Literal

from llava_agent.egress.reach import ANYWHERE, Reach
from llava_agent.errors import ToolError
from tools.observation import Surface

Kind = Literal["page", "api"]
Sight = Literal["pixels", "hybrid"]
#: Opens a surface at an address; it is closed at the end of the `with` block.
Open = Callable[[str], AbstractAsyncContextManager[Surface]]


def opener(
    kind: Kind, sight: Sight, folder: Path, photos: Sequence[Path] = (), reach: Reach = ANYWHERE
) -> Open:
    """The way to open a page in the browser, or an API from its OpenAPI document.

    Args:
        folder: of the run; what a page delivers is kept in its `downloads`.
        photos: the only files that the page may be given.
        reach: which addresses the page's host may lead to.
    """
    if kind == "api":
        return open_api

    def page(address: str) -> AbstractAsyncContextManager[Surface]:
        return open_page(address, sight, uploads=photos, downloads=folder / "downloads", reach=reach)

    return page


@asynccontextmanager
async def open_api(address: str) -> AsyncIterator[Surface]:
    """An API as a form; only the host of its document may be spoken to.

    Raises:
        ConfigError: a malformed document.
        ToolError: it cannot be fetched.
    """
    from llava_agent.egress import AllowList
    from tools.api import ApiClient, ApiSurface, load

    allow = AllowList.of(address)
    surface = ApiSurface(ApiClient(await load(address, allow), allow))
    try:
        yield surface
    finally:
        await surface.close()


@asynccontextmanager
async def open_page(
    address: str,
    sight: Sight = "hybrid",
    *,
    uploads: Sequence[Path] = (),
    downloads: Path | None = None,
    reach: Reach = ANYWHERE,
) -> AsyncIterator[Surface]:
    """A page in a headless browser that can reach the page's own host only.

    Raises:
        ConfigError: no such address.
        ToolError: no browser, the server cannot be reached, or it answers with an error.
    """
    from llava_agent.egress import AllowList
    from tools.browser import BrowserSession, PageSurface

    async with BrowserSession(AllowList.of(address), reach=reach) as session:
        surface = PageSurface(session, observation_mode=sight, uploads=uploads, downloads=downloads)
        opened = await surface.open(address)
        if not opened.ok:
            raise ToolError(f"{address} cannot be opened ({opened.detail})", "check the address")
        yield surface
