"""From the messages of a request to what a model is asked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from llava_agent.gateway.request import Message
from llava_agent.service.errors import BadRequest
from llava_agent.service.openai.bodies import (
    AssistantMessage,
    ChatBody,
    ImagePart,
    MessageBody,
    TextPart,
    ToolMessage,
    UserMessage,
)
from llava_agent.service.openai.images import photo_of
from llava_agent.service.openai.remote import Remote
from tools.photo import Photo

#: Images of one request.
MOST_IMAGES = 8


@dataclass(frozen=True, slots=True)
class Conversation:
    """What was said.

    Attributes:
        messages: in words; images stand apart.
        question: the last thing that the user said.
        photos: the images of the newest message that has any; a later question is about them too.
    """

    messages: tuple[Message, ...]
    question: str
    photos: tuple[Photo, ...]


def conversation_of(body: ChatBody, remote: Remote | None = None) -> Conversation:
    """The conversation of a request, with its images decoded.

    Args:
        remote: fetches images at addresses; None for nothing.

    Raises:
        BadRequest: nothing is asked, too many images, or one that may not or cannot be fetched.
        ImageError: an image cannot be read.
    """
    asked = [message for message in body.messages if isinstance(message, UserMessage)]
    if not asked:
        raise BadRequest("messages: there is no message of the user", "ask something", "messages")
    question = _text(asked[-1].content).strip()
    if not question:
        raise BadRequest("messages: the question is empty", "ask something in words", "messages")
    photos = _photos(body.messages, remote)
    return Conversation(tuple(_messages(body.messages)), question, photos)


def _photos(messages: Sequence[MessageBody], remote: Remote | None) -> tuple[Photo, ...]:
    urls: list[tuple[str, str]] = []
    for number, message in enumerate(messages):
        if not isinstance(message, UserMessage) or isinstance(message.content, str):
            continue
        here = [
            (part.image_url.url, f"messages.{number}.content.{place}.image_url.url")
            for place, part in enumerate(message.content)
            if isinstance(part, ImagePart)
        ]
        urls = here or urls
    if len(urls) > MOST_IMAGES:
        raise BadRequest(f"messages: at most {MOST_IMAGES} images can be asked about at once", "", "messages")
    return tuple(photo_of(url, where, remote) for url, where in urls)


def _messages(messages: Sequence[MessageBody]) -> list[Message]:
    """Tool calls and their results as words: the models know no roles for them."""
    found: list[Message] = []
    called: dict[str, str] = {}
    for message in messages:
        if isinstance(message, AssistantMessage):
            calls = message.tool_calls or []
            called |= {call.id: call.function.name for call in calls}
            lines = [_text(message.content or message.refusal or "")]
            lines += [_call(call.function.name, call.function.arguments) for call in calls]
            found.append(Message("assistant", "\n".join(line for line in lines if line)))
        elif isinstance(message, ToolMessage):
            name = called.get(message.tool_call_id, "the tool")
            found.append(Message("user", f"Result of {name}: {_text(message.content)}"))
        elif isinstance(message, UserMessage):
            found.append(Message("user", _text(message.content)))
        else:
            found.append(Message("system", _text(message.content)))
    return found


def _call(name: str, arguments: str) -> str:
    try:
        given = json.loads(arguments)
    except ValueError:
        given = arguments
    return json.dumps({"tool": name, "arguments": given}, ensure_ascii=False)


def _text(content: str | Sequence[TextPart | ImagePart]) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(part.text for part in content if isinstance(part, TextPart))
