"""What a request is and needs, before any model is looked at."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

from llava_agent.gateway.data_class import DataClass, highest, rank
from llava_agent.gateway.policy import Capability
from llava_agent.gateway.request import ModelRequest

#: The answer to a choice is short: verb, number, and a quotation.
CHOICE_TOKENS = 160


@dataclass(frozen=True, slots=True)
class Case:
    """A classified request.

    Attributes:
        data_class: the highest of its parts, and of what its run has seen before.
        sources: the class of each part that counts, such as `image: internal`.
        needs: what a model must be able to do.
        text_bytes: UTF-8 bytes of everything that a model reads.
        images: how many images it carries.
        output_tokens: most tokens that the answer can have.
    """

    request: ModelRequest
    data_class: DataClass
    sources: tuple[str, ...]
    needs: frozenset[Capability]
    text_bytes: int
    images: int
    output_tokens: int

    def prompt_tokens(self, image_tokens: int, *, pixels: bool) -> int:
        """About how many tokens the prompt has: three bytes a token, and the images at their most."""
        return self.text_bytes // 3 + 1 + (self.images * image_tokens if pixels else 0)

    def most_prompt_tokens(self, image_tokens: int, *, pixels: bool) -> int:
        """No tokenizer makes more tokens than bytes; a little for the template of each turn."""
        turns = max(1, len(self.request.messages))
        return self.text_bytes + 64 * turns + (self.images * image_tokens if pixels else 0)


def classify(request: ModelRequest, seen: DataClass = "public", *, choosing: bool = False) -> Case:
    """The class of a request and what it needs.

    The words for marks were read from the image, so a request has the image's class even where its pixels
    are left out.

    Args:
        seen: the highest class that the run has met; facts and history come from there.
        choosing: the answer is a choice, which has a length of its own.
    """
    parts: dict[str, DataClass] = {}
    if request.instruction or request.facts or request.history or request.candidates:
        parts["words"] = request.data_class
    if request.image is not None:
        parts["image"] = request.image_class
    for number, message in enumerate(request.messages):
        parts[f"message {number}"] = message.data_class
    if rank(seen) > rank("public") and request.declassified is None:
        parts["the run so far"] = seen
    whole = highest(parts.values())
    return Case(
        request=request,
        data_class=whole,
        sources=tuple(f"{part}: {found}" for part, found in parts.items() if found == whole),
        needs=_needs(request),
        text_bytes=_bytes(request),
        images=len(request.images),
        output_tokens=max(request.max_tokens, CHOICE_TOKENS) if choosing else request.max_tokens,
    )


def lowered(request: ModelRequest, to: DataClass) -> ModelRequest:
    """The request with every part at most of the class `to`."""

    def at_most(found: DataClass) -> DataClass:
        return min(found, to, key=rank)

    messages = tuple(replace(one, data_class=at_most(one.data_class)) for one in request.messages)
    return replace(
        request,
        data_class=at_most(request.data_class),
        image_class=at_most(request.image_class),
        messages=messages,
    )


def digest(request: ModelRequest) -> str:
    """SHA-256 over everything that a model would read or see."""
    content = hashlib.sha256()
    words = [request.instruction, *request.facts, "", *request.history, ""]
    words += [
        f"{candidate.line}\x00{candidate.text}\x00{candidate.region}" for candidate in request.candidates
    ]
    words += [f"{message.role}\x00{message.text}\x00{len(message.images)}" for message in request.messages]
    for word in words:
        encoded = word.encode("utf-8", errors="surrogatepass")
        content.update(len(encoded).to_bytes(8, "big") + encoded)
    for image in request.images:
        content.update(hashlib.sha256(image).digest())
    return content.hexdigest()


def _needs(request: ModelRequest) -> frozenset[Capability]:
    needs: set[Capability] = set()
    if request.needs_pixels or request.step_kind == "perceive" or any(one.images for one in request.messages):
        needs.add("vision")
    if request.offers_tools:
        needs.add("tools")
    if request.json_schema is not None:
        needs.add("json_schema")
    return frozenset(needs)


def _bytes(request: ModelRequest) -> int:
    words = [request.instruction, *request.facts, *request.history]
    words += [candidate.line for candidate in request.candidates]
    words += [message.text for message in request.messages]
    return sum(len(word.encode("utf-8", errors="surrogatepass")) + 1 for word in words)
