"""A browser with one isolated context, which reaches listed hosts only."""

from __future__ import annotations

import asyncio
import contextlib
import os
from typing import TYPE_CHECKING, Any

from llava_agent.egress import ANYWHERE, AllowList, Reach
from llava_agent.errors import PermissionDenied, ToolError
from tools.browser.find import MEND, find_browser
from tools.browser.wall import Wall
from tools.browser.watch import Watch

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.async_api import Browser, BrowserContext, Frame, Page, Playwright, Route

#: Nothing of its own may speak to the network: no updates, no sync, no QUIC, no name look-ups, no WebRTC
#: around the proxy.
FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-domain-reliability",
    "--no-pings",
    # Chromium has renamed this one; each version knows one of the two.
    "--webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
    "--proxy-bypass-list=<-loopback>",
)
#: Pages that need no network.
_LOCAL = ("about:", "data:", "blob:")
#: Pages in front that no server sent: they would pass for pages of the listed host.
_MADE_UP = ("data:", "blob:", "filesystem:", "file:")
_START_SECONDS = 30.0


class BrowserSession:
    """Start it with `async with`, or `start` and `close`; after a crash, `restart`.

    Every request of every page, popup, frame and web socket goes through a proxy that knows only the origins
    on `allow`; service workers are blocked. Nothing outlives the session: no profile, no cookies.

    Args:
        allow: origins that may be reached.
        viewport: width and height of the window in CSS pixels.
        scale: screenshot pixels per CSS pixel.
        headless: without a window.
        locale: language of the browser, such as `de-DE`.
        accept_dialogs: answer alert, confirm and prompt with OK; they are dismissed otherwise.
        executable: path of the browser; found by `find_browser` where None.
        reach: which addresses the origins may lead to.

    Attributes:
        watch: notices and answers of all pages.
        pages: open tabs in order of opening.
    """

    def __init__(
        self,
        allow: AllowList,
        *,
        viewport: tuple[int, int] = (1000, 750),
        scale: float = 1.0,
        headless: bool = True,
        locale: str = "en-GB",
        accept_dialogs: bool = False,
        executable: Path | None = None,
        reach: Reach = ANYWHERE,
    ) -> None:
        self.allow = allow
        self._reach = reach
        self.viewport = viewport
        self.scale = scale
        self._headless = headless
        self._locale = locale
        self._accept_dialogs = accept_dialogs
        self._executable = executable
        self._playwright: Playwright | None = None
        self._browser: Browser | None = None
        self._context: BrowserContext | None = None
        self._wall = Wall(allow, reach)
        self._front: Page | None = None
        self._listening: set[asyncio.Future[None]] = set()
        self.watch = Watch(allow, accept_dialogs)
        self.pages: list[Page] = []

    async def __aenter__(self) -> BrowserSession:
        await self.start()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.close()

    async def start(self) -> None:
        """Launch the browser with one empty tab.

        Raises:
            ToolError: no browser was found, or it does not start.
        """
        from playwright.async_api import async_playwright

        self.watch = Watch(self.allow, self._accept_dialogs)
        self._wall = Wall(self.allow, self._reach)
        await self._wall.start()
        self._playwright = await async_playwright().start()
        try:
            self._browser = await self._launch(self._playwright)
            self._browser.on("disconnected", lambda _browser: self._gone())
            self._context = await self._browser.new_context(
                viewport={"width": self.viewport[0], "height": self.viewport[1]},
                device_scale_factor=self.scale,
                service_workers="block",
                accept_downloads=True,
                locale=self._locale,
            )
            self._context.on("page", self._adopt)
            await self._context.route("**/*", self._gate)
            await self._context.new_page()
            await asyncio.gather(*self._listening)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """End the browser. Does nothing where it is ended already."""
        from playwright.async_api import Error

        browser, playwright = self._browser, self._playwright
        self._browser = self._playwright = self._context = self._front = None
        self.pages = []
        for task in self._listening:
            task.cancel()
        self._listening = set()
        with contextlib.suppress(Error, TimeoutError):
            if browser is not None:
                await asyncio.wait_for(browser.close(), 10)
        if playwright is not None:
            await playwright.stop()
        await self._wall.close()

    async def restart(self) -> None:
        """A fresh browser after a crash; cookies and pages are lost."""
        await self.close()
        await self.start()

    @property
    def page(self) -> Page:
        """The tab in front.

        Raises:
            ToolError: the browser is not started, has crashed, or has no tab left.
        """
        if self.watch.crashed:
            raise ToolError("the browser has crashed", "restart the browser session")
        if self._context is None:
            raise ToolError("the browser is not started", "start the browser session first")
        if self._front is None:
            raise ToolError(
                self.watch.cut or "the last tab of the browser is closed", "restart the browser session"
            )
        return self._front

    async def show(self, index: int) -> bool:
        """Bring a tab to the front; False where there is none with that index."""
        if not 0 <= index < len(self.pages):
            return False
        self._front = self.pages[index]
        await self._front.bring_to_front()
        return True

    async def open(self, url: str, seconds: float = 15.0) -> int | None:
        """Load an address in the front tab.

        Returns:
            The status of the answer; None for a page without one (`about:blank`).

        Raises:
            PermissionDenied: the host is not listed.
            ToolError: the server cannot be reached or does not answer in time.
        """
        from playwright.async_api import Error
        from playwright.async_api import TimeoutError as Late

        if url != "about:blank":
            self.allow.check(url)
        page = self.page
        try:
            response = await page.goto(url, wait_until="commit", timeout=seconds * 1000)
        except Late:
            raise ToolError(
                f"{url} did not answer in {seconds:g} seconds", "check the server or try again"
            ) from None
        except Error as error:
            raise ToolError(
                f"{url} cannot be reached ({self._why(url, error)})",
                "check the address and that the server runs",
            ) from error
        return response.status if response else None

    def _why(self, url: str, error: Exception) -> str:
        if self.watch.crashed:
            return "the browser has crashed"
        origin = self.allow.check(url)
        for place in (f"{origin.host}:{origin.port}", origin.host):
            if place in self._wall.failures:
                return self._wall.failures.pop(place)
        text = str(error).splitlines()[0]
        return (
            text.rpartition("net::")[2].split(" ")[0].removeprefix("ERR_").replace("_", " ").lower() or text
        )

    async def _launch(self, playwright: Playwright) -> Browser:
        from playwright.async_api import Error

        path = self._executable or find_browser()
        options: dict[str, Any] = {
            "executable_path": str(path) if path else None,
            "headless": self._headless,
            "args": [*FLAGS, f"--proxy-server={self._wall.address}"],
            "timeout": _START_SECONDS * 1000,
        }
        # The sandbox protects the machine from the page. Root cannot use it, and some containers forbid it.
        last: Error | None = None
        for sandbox in (False,) if os.geteuid() == 0 else (True, False):
            try:
                return await playwright.chromium.launch(chromium_sandbox=sandbox, **options)
            except Error as error:
                last = error
        if path is None and last and "Executable doesn't exist" in str(last):
            raise ToolError("no Chromium or Chrome was found", MEND)
        cause = str(last).splitlines()[0] if last else "no reason given"
        raise ToolError(f"the browser {path or 'of Playwright'} does not start ({cause})", MEND)

    def _adopt(self, page: Page) -> None:
        self.watch.adopt(page)
        self.watch.arrived()
        self._listening.add(asyncio.ensure_future(self._listen(page)))
        self.pages.append(page)
        self._front = page
        page.on("close", self._closed)
        page.on("framenavigated", self._arrived)
        self._arrived(page.main_frame)

    async def _listen(self, page: Page) -> None:
        """Hear of a link, form or popup at once: Playwright tells of one only when the server answers."""
        from playwright.async_api import Error

        with contextlib.suppress(Error):  # a tab that is closed again already
            talk = await page.context.new_cdp_session(page)
            talk.on("Page.frameRequestedNavigation", lambda _event: self.watch.announce())
            talk.on("Page.windowOpen", lambda _event: self.watch.announce())
            talk.on("Page.navigatedWithinDocument", lambda _event: self.watch.arrived())
            await talk.send("Page.enable")

    def _arrived(self, frame: Frame) -> None:
        """A page that was made up in the browser has no host: it is left at once, and shown to nobody."""
        if frame.parent_frame is None and frame.url.startswith(_MADE_UP):
            self.watch.note("blocked", f"a page without a host was left ({frame.url[:60]})")
            self._listening.add(asyncio.ensure_future(self._leave(frame.page)))

    async def _leave(self, page: Page) -> None:
        from playwright.async_api import Error

        with contextlib.suppress(Error):  # it is gone already
            if page in self.pages[1:]:
                await page.close()
            else:
                await page.goto("about:blank")

    def _closed(self, page: Page) -> None:
        if page in self.pages:
            self.pages.remove(page)
        if self._front is page:
            self._front = self.pages[-1] if self.pages else None

    def _gone(self) -> None:
        if self._browser is not None:  # `close` forgets the browser before ending it
            self.watch.crash("the browser has ended unexpectedly")

    async def _gate(self, route: Route) -> None:
        """Refuse what is not listed before it costs a connection, and keep the page where it is.

        The proxy behind it would refuse as well, but with an error page in place of the current one.
        """
        url = route.request.url
        if url.startswith(_LOCAL):
            await route.continue_()
            return
        try:
            self.allow.check(url)
        except PermissionDenied as error:
            self.watch.note("blocked", f"a request for {url} was refused: {error.what}")
            await route.abort("aborted" if route.request.is_navigation_request() else "blockedbyclient")
            return
        await route.continue_()
