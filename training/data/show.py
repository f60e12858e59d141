"""A sample as the model reads it, with what it learns to say in colour."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from llava_agent.vlm.chat import Chat
from training.data.sample import Picture, Sample

#: Longest side of an image in the report, in pixels.
_THUMBNAIL = 480


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text that is learnt, or not."""

    text: str
    learnt: bool


def pieces(sample: Sample, chat: Chat | None) -> list[Piece]:
    """The whole conversation as stretches; with a template as its ids read, else turn by turn."""
    if chat is None:
        return [Piece(f"{turn.role}: {turn.text}\n", turn.role == "assistant") for turn in sample.turns]
    rendered = chat.render(sample.turns)
    paired = zip(rendered.ids, rendered.supervised, strict=True)
    return [
        Piece(chat.text([token for token, _ in run]), learnt)
        for learnt, run in groupby(paired, key=lambda pair: pair[1])
    ]


def thumbnails(images: Sequence[Picture]) -> list[str]:
    """Small JPEGs as data URLs."""
    urls = []
    for picture in images:
        small = picture.load()
        small.thumbnail((_THUMBNAIL, _THUMBNAIL))
        buffer = io.BytesIO()
        small.save(buffer, "JPEG", quality=85)
        urls.append("data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode())
    return urls


def page(survey: dict[str, object], sample: Sample | None, shown: Sequence[Piece]) -> str:
    """The report as one HTML page that needs nothing else."""
    from jinja2 import Environment, PackageLoader

    environment = Environment(loader=PackageLoader("training.data", "."), autoescape=True)
    images = thumbnails(sample.images) if sample else []
    name = sample.id if sample else ""
    return environment.get_template("report.html").render(
        survey=survey, sample=name, pieces=shown, images=images
    )
