"""Opens the part of the world that a run acts on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Literal

from tools.observation import Surface

Kind = Literal["page", "api"]
Sight = Literal["pixels", "hybrid"]
#: Opens a surface at an address; it is closed at the end of the `with` block.
Open = Callable[[str], AbstractAsyncContextManager[Surface]]


def opener(kind: Kind, sight: Sight) -> Open:
    """The way to open a page in the browser, or an API from its OpenAPI document."""
    if kind == "api":
        return open_api

    def open_page_with_sight(address: str) -> AbstractAsyncContextManager[Surface]:
        return open_page(address, sight)

    return open_page_with_sight


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
async def open_page(address: str, sight: Sight) -> AsyncIterator[Surface]:
    """A page in a headless browser.

    Raises:
        ToolError: no browser, or the page cannot be reached.
    """
    from tools.browser import open_browser

    async with open_browser(address, observation=sight) as surface:
        yield surface
