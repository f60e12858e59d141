"""Files of conversations: LLaVA JSON, JSON lines, and folders of the `datasets` library."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llava_agent.errors import ConfigError
from training.data.record import sample_of
from training.data.sample import Refusal, RowError, Sample


@dataclass(frozen=True, slots=True)
class Rows:
    """A file's samples, and the rows that cannot be used.

    Attributes:
        path: the file or folder.
        samples, refused: each in the order of the file.
    """

    path: Path
    samples: tuple[Sample, ...]
    refused: tuple[Refusal, ...]

    @property
    def total(self) -> int:
        return len(self.samples) + len(self.refused)


def read_rows(path: Path, images: Path | None = None) -> Rows:
    """Read everything; images are not opened.

    Args:
        path: a `.json` list (or one object a line), a `.jsonl` file, or a folder of `Dataset.save_to_disk`.
        images: folder that the paths of images begin in; the file's own where None.

    Raises:
        ConfigError: the file cannot be read, or holds no row.
    """
    folder = images if images is not None else path if path.is_dir() else path.parent
    samples: list[Sample] = []
    refused: list[Refusal] = []
    for row, record in enumerate(_records(path)):
        try:
            if isinstance(record, RowError):
                raise record
            samples.append(sample_of(record, row, folder))
        except RowError as error:
            named = record.get("id") if isinstance(record, dict) else None
            refused.append(Refusal(row, str(row if named is None else named), error.what))
    if not samples and not refused:
        raise ConfigError(f"{path} holds no row", "give a file with conversations in it")
    return Rows(path, tuple(samples), tuple(refused))


def require_few_refusals(refused: Sequence[Refusal], total: int, most: float, path: Path) -> None:
    """ConfigError if more than the share `most` of a file's rows cannot be used; the first are named."""
    if total and len(refused) / total > most:
        first = "; ".join(f"row {one.row} ({one.id}): {one.reason}" for one in refused[:3])
        raise ConfigError(
            f"{len(refused)} of {total} rows of {path} cannot be used, more than {most:.2%}: {first}",
            f"see llava-agent data check {path}, mend the rows, or raise the threshold",
        )


def _records(path: Path) -> Iterator[Any]:
    """Records in order; a line that is no JSON comes as a RowError."""
    if path.is_dir():
        yield from _saved(path)
        return
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise ConfigError(f"{path} cannot be read ({reason})", "name a file of conversations") from error
    if text.lstrip().startswith("["):
        try:
            yield from json.loads(text)
        except ValueError as error:
            raise ConfigError(f"{path} is not valid JSON ({error})", "mend the file") from error
        return
    for line in text.splitlines():
        if line.strip():
            try:
                yield json.loads(line)
            except ValueError as error:
                yield RowError(f"the line is not valid JSON ({error})")


def _saved(folder: Path) -> Iterator[Any]:
    try:
        from datasets import Dataset, Image, List, load_from_disk
    except ImportError as error:
        raise ConfigError(
            f"{folder} is a saved data set, which the package `datasets` reads",
            "pip install 'llava-agent[data]'",
        ) from error
    try:
        dataset = load_from_disk(str(folder))
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"{folder} is no saved data set ({str(error).splitlines()[0]})",
            "name a folder that Dataset.save_to_disk wrote",
        ) from error
    if not isinstance(dataset, Dataset):
        raise ConfigError(
            f"{folder} holds several splits: {', '.join(dataset)}", "name the folder of one split"
        )
    for name, feature in dataset.features.items():  # the bytes are decoded when a row is used, by us
        if isinstance(feature, Image):
            dataset = dataset.cast_column(name, Image(decode=False))
        elif isinstance(feature, List) and isinstance(feature.feature, Image):
            dataset = dataset.cast_column(name, List(Image(decode=False)))
    yield from dataset
