"""A live page as something that is checked."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from llava_agent.checks.look.page import look_at
from llava_agent.checks.secrets import veiled
from llava_agent.checks.sighting import Sighting
from llava_agent.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Collection

    from tools.browser import PageSurface
    from tools.observation import Notice

#: A look takes at most this many seconds; a page that is busy in a script never answers.
LOOK_SECONDS = 40.0


class PageSubject:
    """A live page, looked at from top to bottom each time.

    Attributes:
        notices: errors, dialogs and failed requests since the page was opened.
    """

    def __init__(self, surface: PageSurface, secrets: Collection[str] = ()) -> None:
        self.surface = surface
        self.secrets = secrets
        self.notices: list[Notice] = []

    async def look(self) -> Sighting:
        """ToolError where the browser has crashed or the page does not answer."""
        from playwright.async_api import Error

        session = self.surface.session
        for again in (True, False):
            try:
                seen = await asyncio.wait_for(look_at(session.page), LOOK_SECONDS)
                break
            except TimeoutError:
                raise ToolError(
                    f"the page did not answer in {LOOK_SECONDS:g} seconds",
                    "look for a script that never ends",
                ) from None
            except Error as error:
                await asyncio.sleep(0.1)  # a crash is reported a moment after the failed call
                if session.watch.crashed or not again:
                    session.page  # noqa: B018  (says so where it was a crash)
                    cause = str(error).splitlines()[0]
                    raise ToolError(f"the page cannot be looked at ({cause})", "try again") from error
        self.notices += session.watch.drain()
        return veiled(replace(seen, notices=tuple(self.notices)), self.secrets)
