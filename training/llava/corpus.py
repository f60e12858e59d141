"""Samples as token ids, ready to be drawn; images stay on disk until a batch needs them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from llava_agent.errors import ConfigError
from llava_agent.vlm.chat import IMAGE_MARK, Chat, ChatError, Turn
from llava_agent.vlm.fusion import IGNORE, FusionError, expand_placeholders
from training.data.files import read_rows, require_few_refusals
from training.data.sample import Picture, Refusal, RowError, Sample
from training.llava.settings import DataSettings

#: Image tokens of an image of that width and height.
Tokens = Callable[[int, int], int]


@dataclass(frozen=True, slots=True)
class Entry:
    """A sample that can be trained on.

    Attributes:
        name: file, row and id, for messages.
        ids, labels: before expansion, cut to the limit.
        images: in the order of the placeholders.
        length: positions after expansion.
        supervised: how many of them the loss counts.
    """

    name: str
    ids: NDArray[np.int32]
    labels: NDArray[np.int32]
    images: tuple[Picture, ...]
    length: int
    supervised: int


@dataclass(frozen=True, slots=True)
class Corpus:
    """Attributes:
    entries: usable samples of all files, repeated as the settings say.
    refused: rows of all files that cannot be used; `cut` counts those that were shortened.
    digest: of ids, labels and the names and sizes of the images.
    """

    entries: tuple[Entry, ...]
    refused: tuple[tuple[str, Refusal], ...]
    cut: int
    digest: str


def read_corpus(settings: DataSettings, chat: Chat, placeholder: int, tokens: Tokens) -> Corpus:
    """Read, render and measure everything.

    Raises:
        ConfigError: more rows cannot be used than the settings allow; the first are named with their reasons.
    """
    entries: list[Entry] = []
    refused: list[tuple[str, Refusal]] = []
    digest = hashlib.sha256()
    cut = 0
    for source in settings.sources:
        path = Path(source.file).expanduser()
        rows = read_rows(path, Path(source.images).expanduser() if source.images else None)
        problems = list(rows.refused)
        found = []
        for sample in rows.samples:
            try:
                entry, shortened = _entry(sample, path.name, settings, chat, placeholder, tokens)
            except (RowError, ChatError, FusionError) as error:
                problems.append(Refusal(sample.row, sample.id, error.what))
                continue
            cut += shortened
            found.append(entry)
            _update(digest, entry)
        require_few_refusals(problems, rows.total, settings.allow_unusable, path)
        refused += [(path.name, one) for one in problems]
        entries += found * source.repeat
    if not entries:
        raise ConfigError("no row of the data can be used", "see llava-agent data check")
    return Corpus(tuple(entries), tuple(refused), cut, digest.hexdigest()[:16])


def _entry(
    sample: Sample, file: str, settings: DataSettings, chat: Chat, placeholder: int, tokens: Tokens
) -> tuple[Entry, bool]:
    rendered = chat.render(_shown(sample.turns, settings.prompt))
    counts = [tokens(*image.size()) for image in sample.images]
    row = expand_placeholders(rendered.ids, counts, placeholder, row=sample.row)
    kept = row.truncated(settings.limit, sample.row)
    # What was cut off from the ids before expansion: everything after the last position that is kept.
    count = int(kept.source[-1]) + 1
    labels = np.asarray(rendered.labels(IGNORE), np.int32)[:count]
    # The first position has nothing before it that could foretell it.
    supervised = int((kept.labels(labels.tolist())[1:] != IGNORE).sum())
    if supervised == 0:
        cause = (
            f"the length limit of {settings.limit} cuts its answers off" if count < len(rendered.ids) else ""
        )
        raise RowError(cause or "nothing in it is supervised")
    ids = np.asarray(rendered.ids, np.int32)[:count]
    name = f"{file} row {sample.row} ({sample.id})"
    return Entry(name, ids, labels, sample.images, len(kept.ids), supervised), count < len(rendered.ids)


def _shown(turns: tuple[Turn, ...], prompt: str) -> tuple[Turn, ...]:
    if prompt == "full":
        return turns
    first = next(turn for turn in turns if turn.role == "user")
    answer = next(turn for turn in turns if turn.role == "assistant")
    marks = first.text.count(IMAGE_MARK)
    if marks == 0 or sum(turn.text.count(IMAGE_MARK) for turn in turns) != marks:
        raise RowError("prompt: images wants every image in the first turn")
    return Turn("user", IMAGE_MARK * marks), answer


def _update(digest: hashlib._Hash, entry: Entry) -> None:
    for part in (entry.ids, entry.labels):
        digest.update(len(part).to_bytes(4, "little") + part.tobytes())
    for image in entry.images:
        known = image.content if isinstance(image.content, bytes) else image.content.name.encode()
        digest.update(hashlib.sha256(known).digest() + repr(image.size()).encode())
