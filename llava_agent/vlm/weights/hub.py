"""Bring a model repository of the Hugging Face hub to the disk.

The hub's own downloader starts a file over when it was cut off; a file of hundreds of megabytes must go on
where it stopped, so the transfer is done here; the hub's library is asked for addresses and checksums only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from llava_agent.errors import WeightsError
from llava_agent.vlm.weights.sources import HubFolder
from llava_agent.vlm.weights.store import Progress, downloads, quiet, room_for, sha256_of
from llava_agent.vlm.weights.transfer import SECONDS, client, transfer

if TYPE_CHECKING:
    import httpx


@dataclass(frozen=True, slots=True)
class _File:
    """One file as the hub describes it: `digest` is sha256 for a large file, else git's blob id."""

    name: str
    url: str
    size: int
    digest: str
    large: bool

    def is_whole(self, path: Path) -> bool:
        if not path.is_file() or path.stat().st_size != self.size:
            return False
        if self.large:
            return sha256_of(path) == self.digest
        content = path.read_bytes()
        return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest() == self.digest


def fetch_hub(item: HubFolder, progress: Progress = quiet, endpoint: str | None = None) -> Path:
    """A transformers folder from the hub. Whole files are kept, a partial one goes on where it stopped.

    Args:
        endpoint: another hub than the usual one.

    Raises:
        WeightsError: the hub cannot be reached, or a file does not have the checksum that the hub states.
    """
    from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

    target = downloads() / item.name
    files = _listing(item, endpoint)
    total, step = sum(file.size for file in files), f"fetch {item.repository}"
    room_for(target, total)
    before = 0
    with client(build_hf_headers()) as http:
        for file in files:
            progress(step, before, total)
            _fetch(http, file, target / file.name, partial(_report, progress, step, total, before))
            before += file.size
    progress(step, total, total)
    return target


def _report(progress: Progress, step: str, total: int, before: int, done: int) -> None:
    progress(step, before + done, total)


def _listing(item: HubFolder, endpoint: str | None) -> list[_File]:
    from huggingface_hub import HfApi, hf_hub_url

    # HTTPError: of whichever HTTP client the library stands on
    from huggingface_hub.errors import HTTPError, OfflineModeIsEnabled  # type: ignore[attr-defined]

    try:
        info = HfApi(endpoint=endpoint).model_info(
            item.repository, revision=item.revision, files_metadata=True, timeout=SECONDS
        )
    except (HTTPError, OfflineModeIsEnabled, OSError) as error:
        raise _unreachable(item.repository, error) from error
    return [
        _File(
            name=file.rfilename,
            url=hf_hub_url(item.repository, file.rfilename, revision=info.sha, endpoint=endpoint),
            size=file.size or 0,
            digest=file.lfs.sha256 if file.lfs else file.blob_id or "",
            large=file.lfs is not None,
        )
        for file in info.siblings or []
        if any(fnmatch(file.rfilename, pattern) for pattern in item.patterns)
    ]


def _fetch(http: httpx.Client, file: _File, path: Path, report: Callable[[int], None]) -> None:
    from httpx import HTTPError

    if file.is_whole(path):
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{file.digest[:12]}.part")  # of this version, never of another
    try:
        transfer(http, file.url, part, file.size, report)
    except HTTPError as error:
        raise _unreachable(file.name, error) from error
    if not file.is_whole(part):
        part.unlink(missing_ok=True)
        raise WeightsError(f"{file.name} from the hub is damaged (checksum differs)", "pull again")
    part.replace(path)


def _unreachable(name: str, error: Exception) -> WeightsError:
    lines = str(error).strip().splitlines()
    why = lines[0] if lines else type(error).__name__
    return WeightsError(
        f"{name} could not be fetched from the hub ({why})", "check the network, then pull again"
    )
