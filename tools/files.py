"""Files of a run's own folder. A name is opened step by step without following links, so none leads out."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pydantic import Field

from llava_agent.errors import PermissionDenied, ToolError
from tools.action import Effect
from tools.tool import ToolResult
from tools.typed import Arguments, BadArguments, TypedTool

#: Characters of a name, and folders inside each other.
_LONGEST_NAME = 200
_DEEPEST = 8


@dataclass(frozen=True, slots=True)
class FolderLimits:
    """Bounds of a folder that an agent writes to.

    Attributes:
        file: bytes of one file.
        total: bytes of all files.
        files: how many there may be.
        read: bytes that one call reads.
    """

    file: int = 10_000_000
    total: int = 200_000_000
    files: int = 1_000
    read: int = 60_000


class Folder:
    """A folder, and nothing outside it.

    Args:
        root: made at the first writing.
    """

    def __init__(self, root: Path, limits: FolderLimits | None = None) -> None:
        self.limits = limits or FolderLimits()
        self.root = root.expanduser().resolve()

    def names(self) -> list[tuple[str, int]]:
        """Name and size of every file; links are not shown."""
        found: list[tuple[str, int]] = []
        for folder, inner, files in os.walk(self.root, followlinks=False):
            inner.sort()
            for file in sorted(files):
                path = Path(folder) / file
                about = path.lstat()
                if stat.S_ISREG(about.st_mode) and not file.startswith(".part-"):
                    found.append((path.relative_to(self.root).as_posix(), about.st_size))
        return found

    def read(self, name: str, offset: int = 0) -> tuple[bytes, int]:
        """At most `limits.read` bytes from `offset`, and the size of the file.

        Raises:
            PermissionDenied: the name leads out of the folder, or is a link.
            BadArguments: there is no such file.
            ToolError: it cannot be read.
        """
        with self._parent(name, make=False) as (folder, last):
            try:
                handle = os.open(last, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
            except OSError as error:
                raise _unreadable(name, error) from error
            about = os.fstat(handle)
            if not stat.S_ISREG(about.st_mode):
                os.close(handle)
                raise BadArguments(f"{name} is no file", "give the name of a file")
            with os.fdopen(handle, "rb") as file:
                file.seek(offset)
                return file.read(self.limits.read), about.st_size

    def write(self, name: str, content: bytes, *, overwrite: bool = False) -> str:
        """Write a file whole or not at all; gives its name.

        Raises:
            PermissionDenied: the name leads out of the folder, or is a link.
            BadArguments: it is there already, or a limit would be passed.
            ToolError: it cannot be written.
        """
        self._room(name, len(content))
        with self._parent(name, make=True) as (folder, last):
            try:
                about = os.lstat(last, dir_fd=folder)
            except FileNotFoundError:
                pass
            else:
                if not stat.S_ISREG(about.st_mode):
                    raise PermissionDenied(f"{name} is a link or a folder", "choose another name")
                if not overwrite:
                    raise BadArguments(f"{name} is there already", "choose another name, or overwrite it")
            part = f".part-{secrets.token_hex(8)}"
            try:
                handle = os.open(
                    part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644, dir_fd=folder
                )
                with os.fdopen(handle, "wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(handle)
                os.replace(part, last, src_dir_fd=folder, dst_dir_fd=folder)
            except OSError as error:
                with suppress(FileNotFoundError):
                    os.unlink(part, dir_fd=folder)
                raise _broken(name, error) from error
        return PurePosixPath(name).as_posix()

    def _room(self, name: str, size: int) -> None:
        limits = self.limits
        if size > limits.file:
            raise BadArguments(
                f"{name} would have {size} bytes, above the limit of {limits.file}", "write less"
            )
        others = [(other, length) for other, length in self.names() if other != name]
        if len(others) >= limits.files or sum(length for _, length in others) + size > limits.total:
            raise BadArguments("the folder of the run is full", "write less")

    @contextmanager
    def _parent(self, name: str, *, make: bool) -> Iterator[tuple[int, str]]:
        """An open folder that holds `name`, and its last part; every step refuses links."""
        *above, last = _parts(name)
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
        try:
            if make:
                self.root.mkdir(parents=True, exist_ok=True)
            handle = os.open(self.root, flags)
        except OSError as error:
            raise _unreadable(name, error) from error
        try:
            for part in above:
                if make:
                    with suppress(FileExistsError):
                        os.mkdir(part, dir_fd=handle)
                try:
                    inner = os.open(part, flags, dir_fd=handle)
                except OSError as error:
                    raise _unreadable(name, error) from error
                os.close(handle)
                handle = inner
            yield handle, last
        finally:
            os.close(handle)


def _parts(name: str) -> list[str]:
    path = PurePosixPath(name)
    parts = list(path.parts)
    bad = path.is_absolute() or ".." in parts or "\\" in name or any(ord(letter) < 32 for letter in name)
    if bad or not parts or any(part.startswith(".part-") for part in parts):
        raise PermissionDenied(
            f"{name!r} is no name inside the folder of the run", "use names such as report.md"
        )
    if len(name) > _LONGEST_NAME or len(parts) > _DEEPEST:
        raise BadArguments(f"the name {name[:40]!r} is too long or too deep", "use a shorter one")
    return parts


def _unreadable(name: str, error: OSError) -> PermissionDenied | BadArguments | ToolError:
    import errno

    if error.errno == errno.ENOENT:
        return BadArguments(f"there is no file {name!r}", "see files.list")
    if error.errno in (errno.ELOOP, errno.ENOTDIR):  # what O_NOFOLLOW says of a link to a file, to a folder
        return PermissionDenied(f"{name!r} leads over a link or through a file", "use files of this folder")
    return _broken(name, error)


def _broken(name: str, error: OSError) -> ToolError:
    return ToolError(f"{name} cannot be used ({error.strerror})", "check the disk and its permissions")


class Nothing(Arguments):
    """No arguments."""


class Name(Arguments):
    """Which file, and from where."""

    name: str = Field(min_length=1, description="name inside the run's folder, such as notes/report.md")
    offset: int = Field(default=0, ge=0, description="byte to begin at, for a long file")


class Text(Arguments):
    """What to write where."""

    name: str = Field(min_length=1, description="name inside the run's folder, such as notes/report.md")
    text: str = Field(max_length=1_000_000)
    overwrite: bool = Field(default=False, description="replace a file that is there")


class ListFiles(TypedTool[Nothing]):
    """Names and sizes of the files."""

    name = "files.list"
    description = "List the files in the run's folder."
    arguments = Nothing

    def __init__(self, folder: Folder) -> None:
        self._folder = folder

    async def run(self, given: Nothing) -> ToolResult:
        found = self._folder.names()
        lines = "\n".join(f"{name} ({size} bytes)" for name, size in found)
        return ToolResult(lines or "there are no files", {"files": [list(one) for one in found]})


class ReadFile(TypedTool[Name]):
    """The text of a file, in pieces where it is long."""

    name = "files.read"
    description = "Read a text file in the run's folder."
    arguments = Name

    def __init__(self, folder: Folder) -> None:
        self._folder = folder

    async def run(self, given: Name) -> ToolResult:
        content, size = self._folder.read(given.name, given.offset)
        if b"\0" in content:
            raise BadArguments(f"{given.name} is no text", "read text files only")
        end = given.offset + len(content)
        rest = {"next_offset": end} if end < size else {}
        return ToolResult(content.decode("utf-8", errors="replace"), {"size": size, **rest})


class WriteFile(TypedTool[Text]):
    """A new text file; one that is there only on demand."""

    name = "files.write"
    description = "Write a text file in the run's folder."
    arguments = Text

    def __init__(self, folder: Folder) -> None:
        self._folder = folder

    def effect(self, arguments: Mapping[str, object]) -> Effect:
        return "irreversible" if arguments.get("overwrite") else "reversible"

    async def run(self, given: Text) -> ToolResult:
        name = self._folder.write(given.name, given.text.encode(), overwrite=given.overwrite)
        return ToolResult(f"wrote {name}", {"name": name})
