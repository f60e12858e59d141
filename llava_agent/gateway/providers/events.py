"""A chat completion that comes as server-sent events, read strictly."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, Literal

from llava_agent.gateway.failure import ModelFailure
from llava_agent.gateway.request import Usage


class Reading:
    """What a stream has said so far.

    Args:
        url: named in errors.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._ended = False
        self.text = ""
        self.usage = Usage()
        self.finish: Literal["stop", "length"] = "stop"

    def pieces(self, lines: Iterable[str]) -> Iterator[str]:
        """The pieces of the text.

        Raises:
            ModelFailure: an event that is none, an error event, or an end before the answer's end.
        """
        for line in lines:
            if not line.startswith("data:"):
                continue  # comments keep the connection open, other fields say nothing about the answer
            data = line.removeprefix("data:").strip()
            if data == "[DONE]":
                self._ended = True
                break
            if piece := self._piece(data):
                self.text += piece
                yield piece
        if not self._ended:
            raise ModelFailure(f"{self._url} stopped in the middle of its answer", "ask again")

    def _piece(self, data: str) -> str:
        try:
            event = json.loads(data)
            if "error" in event:
                raise ModelFailure(f"{self._url} broke off its answer", "ask again", said=str(event["error"]))
            if event.get("usage"):
                self.usage = usage_of(event["usage"])
            if not event.get("choices"):
                return ""
            first = event["choices"][0]
            if first.get("finish_reason"):
                # Some servers close the connection after this without saying [DONE].
                self._ended = True
                self.finish = "length" if first["finish_reason"] == "length" else "stop"
            piece = (first.get("delta") or {}).get("content") or ""
            if not isinstance(piece, str):
                raise TypeError("the content is no text")
            return piece
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise ModelFailure(
                f"{self._url} sent an event that is no part of a chat completion", "ask again", said=data
            ) from error


def usage_of(told: Any) -> Usage:
    """Tokens as a server tells them; nothing where it tells none, or an impossible number.

    Raises:
        ValueError, TypeError, AttributeError: it is no usage.
    """
    told = told or {}
    cached = int((told.get("prompt_tokens_details") or {}).get("cached_tokens") or 0)
    # Servers count image tokens among those of the prompt.
    numbers = (int(told.get("prompt_tokens") or 0), 0, int(told.get("completion_tokens") or 0), cached)
    return Usage(*numbers) if min(numbers) >= 0 else Usage()
