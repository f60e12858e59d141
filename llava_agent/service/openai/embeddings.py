"""`POST /v1/embeddings`: of texts, and of images by their addresses, as for chats."""

from __future__ import annotations

import base64
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response

from llava_agent.errors import NotFound
from llava_agent.service.auth.identity import Identity
from llava_agent.service.context import Service, service_of
from llava_agent.service.errors import BadRequest
from llava_agent.service.http.describe import content
from llava_agent.service.http.permission import identity_of, needs
from llava_agent.service.openai.bodies import EmbeddingsBody
from llava_agent.service.openai.chat import caller_of
from llava_agent.service.openai.embedders import IMAGE, TEXT, Vectors, embed_images, embed_texts
from llava_agent.service.openai.images import is_data_url, is_remote, photo_of
from llava_agent.service.openai.models import AUTO
from llava_agent.service.openai.remote import Remote
from llava_agent.service.turn import Stop, unless_gone

router = APIRouter(prefix="/v1", tags=["OpenAI-compatible"])

#: Characters of one text; the model reads its first 256 tokens.
_LONGEST = 100_000


@router.post(
    "/embeddings",
    summary="Vectors of texts or of images",
    response_class=Response,
    responses=content("application/json", text="as OpenAI's"),
)
@needs("models.use")
async def embeddings(
    body: EmbeddingsBody,
    request: Request,
    service: Annotated[Service, Depends(service_of)],
    identity: Annotated[Identity, Depends(identity_of)],
) -> Response:
    """`auto` takes the model by what comes in. Vectors of texts and of images cannot be compared."""
    inputs = [body.input] if isinstance(body.input, str) else body.input
    images = kind_of(body.model, inputs)
    remote = Remote(service.core, identity.principal)

    def work(stop: Stop) -> Vectors:
        if not images:
            return embed_texts(inputs)
        photos = []
        for number, url in enumerate(inputs):
            stop.check()
            photos.append(photo_of(url, f"input.{number}", remote))
        return embed_images(photos)

    vectors = await unless_gone(request, service.queue, caller_of(identity), work)
    headers = {"x-route-model": vectors.model, "x-route-reason": "the only model for this kind of input"}
    return JSONResponse(_json(vectors, body.encoding_format), headers=headers)


def kind_of(model: str, inputs: list[str]) -> bool:
    """Whether the inputs are images.

    Raises:
        NotFound: there is no such model.
        BadRequest: texts and images at once, a text that is too long, or the other model's kind.
    """
    # An address alone may be a text as well as an image: the model's name says which.
    kinds = {is_data_url(one) or (model == IMAGE and is_remote(one)) for one in inputs}
    if model not in (AUTO, TEXT, IMAGE):
        raise NotFound("there is no model of that name for embeddings", f"use {AUTO}, {TEXT} or {IMAGE}")
    if len(kinds) > 1:
        raise BadRequest("input: texts and images cannot be mixed", "send two requests", "input")
    images = kinds.pop()
    if model != AUTO and images != (model == IMAGE):
        wanted = "images as data: URLs" if model == IMAGE else "texts"
        raise BadRequest(f"input: {model} takes {wanted}", f"use {AUTO}", "input")
    if not images and any(len(one) > _LONGEST for one in inputs):
        raise BadRequest(f"input: a text may have {_LONGEST} characters", "cut it into passages", "input")
    return images


def _json(vectors: Vectors, form: str) -> dict[str, object]:
    data = [
        {
            "object": "embedding",
            "index": number,
            "embedding": base64.b64encode(row.astype("<f4").tobytes()).decode()
            if form == "base64"
            else [float(value) for value in row],
        }
        for number, row in enumerate(vectors.rows)
    ]
    tokens = vectors.usage.prompt_tokens
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return {"object": "list", "data": data, "model": vectors.model, "usage": usage}
