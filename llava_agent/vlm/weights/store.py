"""Where weights live on disk, and how a folder of them is written: whole and checked, or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from llava_agent.errors import WeightsError

MANIFEST = "manifest.json"

#: What happens now, how much of it is done, and how much there is (0 where unknown).
Progress = Callable[[str, int, int], None]


def quiet(step: str, done: int, total: int) -> None:
    """The progress nobody looks at."""


def home() -> Path:
    """`$LLAVA_AGENT_HOME`, else the user's cache folder. Not created by asking."""
    chosen = os.environ.get("LLAVA_AGENT_HOME")
    if chosen:
        return Path(chosen).expanduser()
    from platformdirs import user_cache_path

    return user_cache_path("llava-agent")


def model_dir(preset: str) -> Path:
    """Folder of a preset's built weights."""
    return home() / "models" / preset


def downloads() -> Path:
    """Folder of files as they were fetched."""
    return home() / "downloads"


def sha256_of(path: Path, progress: Callable[[int], None] | None = None) -> str:
    """Hex digest of a file, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
            if progress:
                progress(len(piece))
    return digest.hexdigest()


def check_sha256(path: Path, expected: str) -> None:
    """Raises WeightsError where a file is not the expected one."""
    found = sha256_of(path)
    if found != expected:
        raise WeightsError(
            f"{path.name} is damaged or not the expected file (sha256 {found[:12]}…, not {expected[:12]}…)",
            "remove it and fetch it again",
        )


def room_for(folder: Path, size: int) -> None:
    """Raises WeightsError where `size` more bytes do not fit on the disk of `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    if free < size:
        raise WeightsError(
            f"{folder} has {free / 1e9:.1f} GB free and {size / 1e9:.1f} GB are needed",
            "free some space, or set LLAVA_AGENT_HOME to a folder on a larger disk",
        )


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a folder of built weights holds and what it was built from.

    Attributes:
        identity: decides whether the folder is the one that is wanted now (sources, precision, format).
        files: name -> (sha256, bytes).
        notes: measured or informative, not compared.
    """

    identity: Mapping[str, str]
    files: Mapping[str, tuple[str, int]]
    notes: Mapping[str, object] = field(default_factory=dict)

    @classmethod
    def of(cls, folder: Path, identity: Mapping[str, str], notes: Mapping[str, object]) -> Manifest:
        """Reads and hashes every file of `folder`."""
        files = {
            str(path.relative_to(folder)): (sha256_of(path), path.stat().st_size)
            for path in sorted(folder.rglob("*"))
            if path.is_file() and path.name != MANIFEST
        }
        return cls(dict(identity), files, dict(notes))

    @classmethod
    def load(cls, folder: Path) -> Manifest | None:
        """None where there is no readable manifest: then the folder does not count."""
        try:
            raw = json.loads((folder / MANIFEST).read_text())
            files = {name: (str(sha), int(size)) for name, (sha, size) in raw["files"].items()}
            return cls(dict(raw["identity"]), files, dict(raw["notes"]))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def save(self, folder: Path) -> None:
        text = json.dumps({"identity": self.identity, "files": self.files, "notes": self.notes}, indent=1)
        part = folder / f"{MANIFEST}.part"
        part.write_text(text + "\n")
        part.replace(folder / MANIFEST)

    def sizes_fit(self, folder: Path) -> bool:
        """Every file is there with its size: the quick look at each start."""
        return all(_size(folder / name) == size for name, (_, size) in self.files.items())

    def damaged(self, folder: Path) -> list[str]:
        """Names of the files whose content changed or that are gone: the thorough look."""
        return [
            name
            for name, (sha, size) in self.files.items()
            if _size(folder / name) != size or sha256_of(folder / name) != sha
        ]


@contextlib.contextmanager
def whole_folder(target: Path) -> Iterator[Path]:
    """A working folder beside `target` that takes its place when the block ends well, and vanishes otherwise.

    What stood at `target` before stays until then.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}.part-"))
    try:
        yield part
        part.chmod(0o755)
        if target.exists():
            old = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}.part-"))
            target.replace(old / "old")
            part.replace(target)
            shutil.rmtree(old, ignore_errors=True)
        else:
            part.replace(target)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1
