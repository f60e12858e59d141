"""What happens beside the pages: dialogs, console errors, failed and refused requests."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from llava_agent.egress import AllowList
from tools.observation import Notice

if TYPE_CHECKING:
    from playwright.async_api import ConsoleMessage, Dialog, Download, Page, Request, Response, WebSocket

_TEXT = 300
_KEPT = 50
#: Dialogs between two looks; a page with more is taken for one that never stops.
_MOST_DIALOGS = 20
#: Requests whose answer says whether an action worked.
_MATTERS = frozenset({"document", "xhr", "fetch"})
#: Requests that a page waits for; a stream or a web socket may stay open for ever.
_AWAITED = _MATTERS | {"script", "stylesheet", "image", "font"}
#: A request that is older is taken for a long poll.
_LONG_POLL = 2.0
#: A page or tab that was announced and does not come in this many seconds was called off.
_ANNOUNCED = 4.0


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer of a server to a document, XHR or fetch request."""

    method: str
    url: str
    status: int
    kind: str
    asked: float

    def as_dict(self) -> dict[str, object]:
        return {"method": self.method, "url": self.url, "status": self.status, "kind": self.kind}


class Watch:
    """Listens to every page of a browser context.

    Attributes:
        crashed: a page or the browser has crashed.
        cut: why a page was closed by force, empty where none was.
    """

    def __init__(self, allow: AllowList, accept_dialogs: bool) -> None:
        self._allow = allow
        self._accept = accept_dialogs
        self._notices: deque[Notice] = deque(maxlen=_KEPT)
        self._answers: deque[Answer] = deque(maxlen=_KEPT)
        self._open: dict[Request, float] = {}
        self._announced = float("-inf")
        self._clock = time.monotonic
        self._next: tuple[bool, str | None] | None = None
        self._in_a_row = 0
        self.crashed = False
        self.cut = ""
        self.expects_download = False

    def adopt(self, page: Page) -> None:
        page.on("dialog", self._dialog)
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.note("console_error", str(error)))
        page.on("crash", lambda _page: self.crash("the page has crashed"))
        page.on("request", self._request)
        page.on("requestfinished", self._finished)
        page.on("requestfailed", self._failed)
        page.on("response", self._response)
        page.on("websocket", self._websocket)
        page.on("download", self._download)
        # Choosers are only caught while somebody listens, and beginning to listen takes a moment.
        page.on("filechooser", lambda _chooser: None)

    def note(self, kind: str, text: str) -> None:
        """Keep a notice, once where the same one repeats."""
        text = " ".join(text.split())
        notice = Notice(kind, text if len(text) <= _TEXT else text[: _TEXT - 1] + "…")  # type: ignore[arg-type]
        if not self._notices or self._notices[-1] != notice:
            self._notices.append(notice)

    def crash(self, text: str) -> None:
        if not self.crashed:
            self.crashed = True
            self.note("crash", text)

    def now(self) -> float:
        return self._clock()

    def peek(self) -> tuple[Notice, ...]:
        return tuple(self._notices)

    def drain(self) -> tuple[Notice, ...]:
        """Notices since the last call."""
        taken = tuple(self._notices)
        self._notices.clear()
        self._in_a_row = 0
        return taken

    def answers(self, since: float) -> list[Answer]:
        """Answers to requests that were sent at `since` (on `now`'s clock) or later."""
        return [answer for answer in self._answers if answer.asked >= since]

    def announce(self) -> None:
        """The page has asked for another page or tab, of which nothing else is to be seen yet."""
        self._announced = self.now()

    def arrived(self) -> None:
        """What was announced has come."""
        self._announced = float("-inf")

    def awaited_until(self) -> float:
        """When, on `now`'s clock, what was announced is given up; in the past where nothing was."""
        return self._announced + _ANNOUNCED

    def busy(self) -> bool:
        """A page still waits for something that is not a stream or a long poll."""
        if self.now() < self.awaited_until():
            return True
        start = self.now() - _LONG_POLL
        return any(asked > start for asked in self._open.values())

    def answer_next(self, accept: bool, text: str | None) -> None:
        """How the next dialog is answered; the ones after it as usual."""
        self._next = (accept, text)

    async def _dialog(self, dialog: Dialog) -> None:
        from playwright.async_api import Error

        leaving = dialog.type == "beforeunload"  # refusing it would keep the page for ever
        accept, text = self._next or (self._accept, None)
        if not leaving:
            self._next = None
        accept = accept or leaving
        self.note("dialog", f"{dialog.type} {'accepted' if accept else 'dismissed'}: {dialog.message}")
        self._in_a_row += 1
        with contextlib.suppress(Error):  # its page is gone already
            if self._in_a_row == _MOST_DIALOGS:
                await self._cut_short(dialog)
            elif accept:
                await (dialog.accept() if text is None else dialog.accept(text))
            else:
                await dialog.dismiss()

    async def _cut_short(self, dialog: Dialog) -> None:
        """A page that asks for ever holds its scripts and this session: nothing but closing it helps."""
        self.cut = f"the page was closed, because it showed {_MOST_DIALOGS} dialogs in a row"
        self.note("dialog", self.cut)
        closing = asyncio.ensure_future(dialog.page.close()) if dialog.page else None
        await dialog.dismiss()
        if closing:
            await asyncio.wait({closing}, timeout=5)

    def _console(self, message: ConsoleMessage) -> None:
        # A failed load is reported with its status by the response or the failed request.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self.note("console_error", message.text)

    def _request(self, request: Request) -> None:
        if request.resource_type in _AWAITED:
            self._open[request] = self.now()
        if request.is_navigation_request():
            self.arrived()
        if request.redirected_from is not None and not self._allow.permits(request.url):
            self.note("blocked", f"a redirect to {request.url} was refused: the host is not permitted")

    def _finished(self, request: Request) -> None:
        self._open.pop(request, None)

    def _failed(self, request: Request) -> None:
        self._open.pop(request, None)
        reason = request.failure or "no reason given"
        # Aborted: the page or its reader went on (or a refusal, which has its own notice).
        if "ERR_ABORTED" not in reason and "BLOCKED_BY_CLIENT" not in reason:
            self.note("request_failed", f"{request.method} {request.url}: {reason}")

    def _response(self, response: Response) -> None:
        request = response.request
        if request.resource_type in _MATTERS:
            asked = self._open.get(request, self.now())
            self._answers.append(
                Answer(request.method, request.url, response.status, request.resource_type, asked)
            )
        if response.status >= 400 and not request.url.endswith("/favicon.ico"):
            self.note("http_error", f"{request.method} {request.url} was answered with {response.status}")

    def _websocket(self, socket: WebSocket) -> None:
        if not self._allow.permits(socket.url):
            self.note("blocked", f"a web socket to {socket.url} was refused: the host is not permitted")

    async def _download(self, download: Download) -> None:
        self.arrived()
        if not self.expects_download:
            self.note("download", f"{download.suggested_filename} was offered and not kept")
            await download.cancel()
