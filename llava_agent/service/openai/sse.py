"""An answer as server-sent events. A failure after the first event is an event too, never a silent end."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING

from fastapi.responses import StreamingResponse

from llava_agent.errors import LlavaAgentError
from llava_agent.gateway.request import Route
from llava_agent.service.http.problems import code_of, problem_body, report, sentence
from llava_agent.service.openai.complete import Listener
from llava_agent.service.openai.reply import Reply, route_headers, usage_json
from llava_agent.service.queue import FairQueue
from llava_agent.service.turn import ClientGone, Stop, gone, in_turn

if TYPE_CHECKING:
    from starlette.requests import Request

#: Proxies close connections on which nothing moves; a comment line keeps them open.
_QUIET_S = 15.0


class Telling:
    """The events of one answer, handed from its thread to the event loop. Ends when the client goes away.

    Args:
        queue, caller, work: whose turn it is to do what.
    """

    def __init__(
        self, request: Request, queue: FairQueue, caller: str, work: Callable[[Listener, Stop], Reply]
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self.events: asyncio.Queue[Route | str | Reply | BaseException] = asyncio.Queue()
        listener = Listener(self._tell, self._tell)
        self._task = asyncio.ensure_future(in_turn(queue, caller, lambda stop: work(listener, stop)))
        self._task.add_done_callback(self._ended)
        # A response notices a closed connection only when it sends, which may be long after.
        self._watch = asyncio.ensure_future(gone(request))
        self._watch.add_done_callback(lambda _: self._task.cancel())

    def close(self) -> None:
        """End what still goes on; the turn is passed on."""
        self._watch.cancel()
        self._task.cancel()

    def _tell(self, event: Route | str) -> None:
        self._loop.call_soon_threadsafe(self.events.put_nowait, event)

    def _ended(self, task: asyncio.Future[Reply]) -> None:
        if task.cancelled():
            self.events.put_nowait(ClientGone())
        else:
            self.events.put_nowait(task.exception() or task.result())


async def streamed(
    request: Request,
    queue: FairQueue,
    caller: str,
    work: Callable[[Listener, Stop], Reply],
    name: str,
    *,
    include_usage: bool,
) -> StreamingResponse:
    """Begin an answer and give the response that tells it; what fails before the first word raises here.

    Args:
        name: id of the completion.
        include_usage: whether the last event holds the tokens.
    """
    telling = Telling(request, queue, caller, work)
    try:
        first = await telling.events.get()
    except asyncio.CancelledError:
        telling.close()
        raise
    if isinstance(first, BaseException):
        telling.close()
        raise first
    route = first.route if isinstance(first, Reply) else first
    assert isinstance(route, Route)
    events = _events(telling, first, route, name, request.state.request_id, include_usage=include_usage)
    headers = {**route_headers(route), "x-accel-buffering": "no"}
    return StreamingResponse(events, media_type="text/event-stream", headers=headers)


async def _events(
    telling: Telling,
    first: Route | str | Reply | BaseException,
    route: Route,
    name: str,
    request_id: str,
    *,
    include_usage: bool,
) -> AsyncIterator[str]:
    head = {
        "id": name,
        "object": "chat.completion.chunk",
        "created": int(time.time()),
        "model": route.model,
    }

    def chunk(delta: dict[str, object], finish: str | None = None) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
        return _event({**head, "choices": [choice], **({"usage": None} if include_usage else {})})

    try:
        yield chunk({"role": "assistant", "content": ""})
        event = first
        while not isinstance(event, Reply | BaseException):
            if isinstance(event, str):
                yield chunk({"content": event})
            try:
                event = await asyncio.wait_for(telling.events.get(), _QUIET_S)
            except TimeoutError:
                yield ": still at it\n\n"
                event = route
        if isinstance(event, BaseException):
            yield _failure(event, request_id)
            return
        yield chunk(_rest(event))
        yield chunk({}, event.finish)
        if include_usage:
            yield _event({**head, "choices": [], "usage": usage_json(event.usage)})
        yield "data: [DONE]\n\n"
    finally:
        telling.close()


def _rest(reply: Reply) -> dict[str, object]:
    """What stands beside the words, once they are all told."""
    rest = reply.beside()
    if reply.calls:
        rest["tool_calls"] = [{"index": at, **call.as_dict()} for at, call in enumerate(reply.calls)]
    return {**rest, **({"refusal": reply.refusal} if reply.refusal else {})}


def _failure(error: BaseException, request_id: str) -> str:
    """An event `error`; what was said before it stays said, and no other model goes on."""
    if isinstance(error, LlavaAgentError):
        body = problem_body(error.http_status, sentence(error), code_of(error), request_id)
    else:
        report(error, request_id)
        detail = "this server failed: tell whoever runs it the id of this request."
        body = problem_body(500, detail, "internal_error", request_id)
    return f"event: error\n{_event(body)}"


def _event(body: dict[str, object]) -> str:
    return f"data: {json.dumps(body, ensure_ascii=False)}\n\n"
