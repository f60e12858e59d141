"""One record of a data file as a sample: LLaVA's `conversations`, or chat `messages`."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from llava_agent.vlm.chat import IMAGE_MARK, Role, Turn
from training.data.sample import Picture, RowError, Sample, require_sound

_SPEAKERS: Mapping[str, Role] = {
    "human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant", "system": "system",
}  # fmt: skip


def sample_of(record: object, row: int, folder: Path) -> Sample:
    """Read and check a record.

    Args:
        record: `{"id", "image" or "images", "conversations": [{"from", "value"}]}`, or the same with
            `"messages": [{"role", "content"}]`, whose content may be a list of texts and images.
        row: its number.
        folder: where relative paths of images begin.

    Raises:
        RowError: with the reason.
    """
    if not isinstance(record, Mapping):
        raise RowError(f"the row is a {type(record).__name__}, not an object")
    if "conversations" in record:
        said, speaker, words = record["conversations"], "from", "value"
    elif "messages" in record:
        said, speaker, words = record["messages"], "role", "content"
    else:
        raise RowError("the row has neither `conversations` nor `messages`")
    if not isinstance(said, Sequence) or isinstance(said, str):
        raise RowError("the conversation is not a list")
    images = _images(record, folder)
    turns, inline = [], []
    for number, one in enumerate(said, start=1):
        if not isinstance(one, Mapping) or one.get(speaker) not in _SPEAKERS:
            who = one.get(speaker) if isinstance(one, Mapping) else one
            raise RowError(f"turn {number} is of an unknown speaker ({who!r})")
        text, found = _content(one.get(words), number, folder)
        turns.append(Turn(_SPEAKERS[one[speaker]], text))
        inline += found
    if inline and images:
        raise RowError("images stand both in the turns and beside them")
    named = record.get("id")
    identity = str(row) if named is None else str(named)
    return require_sound(Sample(identity, row, tuple(turns), tuple(inline or images)))


def _images(record: Mapping[str, Any], folder: Path) -> list[Picture]:
    given = record.get("images", record.get("image"))
    if given is None or given == "":
        return []
    many = given if isinstance(given, Sequence) and not isinstance(given, str | bytes) else [given]
    return [_picture(one, folder) for one in many]


def _content(content: object, number: int, folder: Path) -> tuple[str, list[Picture]]:
    """A turn's words with image marks, and the images that it holds itself."""
    if isinstance(content, str):
        return content, []
    if not isinstance(content, Sequence):
        raise RowError(f"turn {number} has no text")
    text, images = "", []
    for part in content:
        kind = part.get("type") if isinstance(part, Mapping) else None
        if kind == "text" and isinstance(part.get("text"), str):
            if IMAGE_MARK in part["text"]:
                raise RowError(f"turn {number} writes an image mark beside a list of parts")
            text += part["text"]
        elif kind in ("image", "image_url"):
            text += IMAGE_MARK
            given = part.get("image_url", part.get("image", part.get("url", part.get("path"))))
            given = given.get("url") if kind == "image_url" and isinstance(given, Mapping) else given
            if given is not None:
                images.append(_picture(given, folder))
        else:
            raise RowError(f"turn {number} has a part of kind {kind!r}")
    return text, images


def _picture(given: object, folder: Path) -> Picture:
    """A path, a data URL, or what the `datasets` library stores: `{"bytes", "path"}`."""
    if isinstance(given, Mapping):
        content = given.get("bytes")
        if isinstance(content, bytes):
            return Picture(content)
        given = given.get("path")
    if isinstance(given, bytes):
        return Picture(given)
    if not isinstance(given, str) or not given:
        raise RowError(f"an image is given as {type(given).__name__}, not as a path")
    if given.startswith("data:"):
        try:
            return Picture(base64.b64decode(given.partition(",")[2], validate=True))
        except binascii.Error as error:
            raise RowError("an image's data URL is damaged") from error
    if given.startswith(("http://", "https://")):
        raise RowError(f"the image {given} lies on a server; fetch it and name the file")
    return Picture(folder / given.removeprefix("file://"))
