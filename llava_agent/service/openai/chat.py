"""`POST /v1/chat/completions`."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, Response

from llava_agent.assembly import Core
from llava_agent.gateway.request import Route
from llava_agent.service.auth.identity import Identity
from llava_agent.service.context import Service, service_of
from llava_agent.service.errors import BadRequest
from llava_agent.service.http.describe import content
from llava_agent.service.http.permission import identity_of, needs
from llava_agent.service.openai.bodies import ChatBody, SchemaFormat
from llava_agent.service.openai.complete import Listener, complete, request_of
from llava_agent.service.openai.conversation import Conversation, conversation_of
from llava_agent.service.openai.extract import extract, fields_of
from llava_agent.service.openai.look import Looker, look_reply
from llava_agent.service.openai.models import core_of
from llava_agent.service.openai.remote import Remote
from llava_agent.service.openai.reply import Reply, completion_json, route_headers
from llava_agent.service.openai.sse import streamed
from llava_agent.service.openai.tools import offered
from llava_agent.service.turn import Stop, unless_gone

router = APIRouter(prefix="/v1", tags=["OpenAI-compatible"])


@dataclass(frozen=True, slots=True)
class Job:
    """One request, ready to be worked on in a thread."""

    body: ChatBody
    said: Conversation
    core: Core
    identity: Identity
    name: str

    def work(self, listener: Listener, stop: Stop) -> Reply:
        """Ask the models. Runs in a thread of its own, in its turn."""
        core, principal = self.core, self.identity.principal
        if not self.said.photos:
            request = request_of(self.body, self.said, principal, self.name)
            return complete(core.gateway, request, listener, stop)
        looker = Looker(core.gateway, core.find, principal, self.name, stop)
        if isinstance(self.body.response_format, SchemaFormat):
            fields = fields_of(self.body.response_format.json_schema.schema_)
            reply = extract(looker, self.said.photos, fields)
        else:
            reply = look_reply(looker, self.said.photos, self.said.question)
        listener.opened(reply.route)
        if reply.text:
            listener.piece(reply.text)
        return reply


@router.post(
    "/chat/completions",
    summary="Answer a conversation, about images too",
    response_class=Response,
    responses=content("application/json", "text/event-stream", text="as OpenAI's, with `stream` as events"),
)
@needs("models.use")
async def chat(
    body: ChatBody,
    request: Request,
    service: Annotated[Service, Depends(service_of)],
    identity: Annotated[Identity, Depends(identity_of)],
) -> Response:
    """As OpenAI's endpoint of that name. Beside it: `message.evidence` and `message.confidence` for questions
    about images, and the headers `x-route-model` and `x-route-reason`.

    Images come as `data:` URLs, or from the servers of the policy's `image_urls`. With a JSON schema each
    field is read from the image by its own question.
    """
    said = await run_in_threadpool(conversation_of, body, Remote(service.core, identity.principal))
    check_kind(body, said)
    name = f"chatcmpl-{secrets.token_hex(12)}"
    core = await run_in_threadpool(core_of, service, body.model, identity.principal)
    job = Job(body, said, core, identity, name)
    caller = caller_of(identity)
    if body.stream:
        usage = body.stream_options is not None and body.stream_options.include_usage
        return await streamed(request, service.queue, caller, job.work, name, include_usage=usage)
    reply = await unless_gone(request, service.queue, caller, lambda stop: job.work(_DEAF, stop))
    return JSONResponse(completion_json(name, reply), headers=route_headers(reply.route))


def caller_of(identity: Identity) -> str:
    """Whose line a request waits in."""
    return f"{identity.principal.user} {identity.principal.key}"


def check_kind(body: ChatBody, said: Conversation) -> None:
    """Raises BadRequest for what cannot be asked about images."""
    if not said.photos:
        return
    if offered(body):
        raise BadRequest(
            "tools: a question about an image cannot offer tools",
            "ask about the image first, then offer tools in a request without it",
            "tools",
        )
    if body.response_format is not None and body.response_format.type == "json_object":
        raise BadRequest(
            "response_format: about an image, JSON needs a schema", "use type json_schema", "response_format"
        )
    if isinstance(body.response_format, SchemaFormat):
        fields_of(body.response_format.json_schema.schema_)


def _nothing(_: Route | str) -> None:
    """Nobody listens: the answer is sent as a whole."""


_DEAF = Listener(_nothing, _nothing)
