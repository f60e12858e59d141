"""What a file of conversations holds: problems, lengths, images, and how much of it is supervised."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from llava_agent.vlm.chat import IMAGE_MARK, Chat, ChatError
from training.data.files import Rows
from training.data.sample import Picture, Refusal, RowError, Sample

#: Upper ends of the histogram of lengths; what is longer falls into a last one.
BOUNDS = (64, 128, 256, 512, 1024, 2048, 4096)

Progress = Callable[[int, int], None]


@dataclass(slots=True)
class Survey:
    """Attributes:
    unit: what lengths are counted in, `tokens` or `words`.
    refused: rows that cannot be used; a row is named once, with its first problem.
    images: number of images a sample -> samples.
    turns: number of answers a sample -> samples.
    lengths: of each sample, images included.
    supervised: of each sample, in the same unit.
    """

    path: str
    unit: str
    rows: int = 0
    refused: list[Refusal] = field(default_factory=list)
    images: Counter[int] = field(default_factory=Counter)
    turns: Counter[int] = field(default_factory=Counter)
    lengths: list[int] = field(default_factory=list)
    supervised: list[int] = field(default_factory=list)

    @property
    def refused_share(self) -> float:
        return len(self.refused) / self.rows if self.rows else 0.0

    @property
    def supervised_share(self) -> float:
        return sum(self.supervised) / max(1, sum(self.lengths))

    def histogram(self) -> list[tuple[str, int]]:
        """Samples by length."""
        counts = Counter(next((b for b in BOUNDS if length <= b), 0) for length in self.lengths)
        return [*((f"<= {b}", counts[b]) for b in BOUNDS), (f"> {BOUNDS[-1]}", counts[0])]

    def as_dict(self) -> dict[str, object]:
        ordered = sorted(self.lengths)
        return {
            "file": self.path,
            "rows": self.rows,
            "usable": self.rows - len(self.refused),
            "refused": [one.as_dict() for one in self.refused],
            "refused_share": round(self.refused_share, 6),
            "images_per_sample": {str(k): v for k, v in sorted(self.images.items())},
            "answers_per_sample": {str(k): v for k, v in sorted(self.turns.items())},
            "unit": self.unit,
            "length": {
                "total": sum(ordered),
                "median": ordered[len(ordered) // 2] if ordered else 0,
                "longest": ordered[-1] if ordered else 0,
                "histogram": dict(self.histogram()),
            },
            "supervised_share": round(self.supervised_share, 4),
        }


def survey(
    rows: Rows,
    chat: Chat | None = None,
    *,
    image_tokens: int = 576,
    decode: bool = True,
    limit: int | None = None,
    progress: Progress | None = None,
) -> Survey:
    """Look at every row.

    Args:
        rows: as they were read.
        chat: the template that counts tokens; words are counted where None.
        image_tokens: what an image costs.
        decode: open and decode every image; else only see that its file is there.
        limit: a longer sample is refused.
        progress: told the samples done and their number.
    """
    found = Survey(str(rows.path), "tokens" if chat else "words", rows.total, list(rows.refused))
    for done, (sample, problem) in enumerate(_looked(rows.samples, decode), start=1):
        reason = problem
        length = supervised = 0
        if not reason:
            try:
                length, supervised = _measure(sample, chat, image_tokens)
            except ChatError as error:
                reason = error.what
        if not reason and limit is not None and length > limit:
            reason = f"{length} {found.unit}, more than the limit of {limit}"
        if reason:
            found.refused.append(Refusal(sample.row, sample.id, reason))
        else:
            found.images[len(sample.images)] += 1
            found.turns[sum(turn.role == "assistant" for turn in sample.turns)] += 1
            found.lengths.append(length)
            found.supervised.append(supervised)
        if progress:
            progress(done, len(rows.samples))
    found.refused.sort(key=lambda one: one.row)
    return found


def _looked(samples: Sequence[Sample], decode: bool) -> Iterator[tuple[Sample, str]]:
    """Every sample with the first problem of its images; decoding runs on all cores."""
    with ThreadPoolExecutor() as pool:
        for start in range(0, len(samples), 256):
            part = samples[start : start + 256]
            yield from zip(part, pool.map(lambda sample: _problem(sample.images, decode), part), strict=True)


def _problem(images: Sequence[Picture], decode: bool) -> str:
    try:
        for image in images:
            if decode:
                image.load()
            else:
                image.size()
    except RowError as error:
        return error.what
    return ""


def _measure(sample: Sample, chat: Chat | None, image_tokens: int) -> tuple[int, int]:
    """Length and supervised part."""
    pictures = len(sample.images)
    if chat is None:
        words = [(turn.role, len(turn.text.replace(IMAGE_MARK, " ").split())) for turn in sample.turns]
        return sum(n for _, n in words) + pictures * image_tokens, sum(
            n for r, n in words if r == "assistant"
        )
    rendered = chat.render(sample.turns)
    return len(rendered.ids) + pictures * (image_tokens - 1), sum(rendered.supervised)
