"""Files: nothing outside the folder is read or written, by no name and over no link."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llava_agent.errors import LlavaAgentError, PermissionDenied, ToolError
from tools.files import Folder, FolderLimits, ListFiles, ReadFile, WriteFile
from tools.tool import Toolbox
from tools.typed import BadArguments


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    (tmp_path / "secret.txt").write_text("secret")
    return Folder(tmp_path / "run")


def test_writing_and_reading(folder: Folder) -> None:
    assert folder.write("notes/day one.md", b"hello") == "notes/day one.md"
    assert folder.read("notes/day one.md") == (b"hello", 5)
    assert folder.read("notes/day one.md", 3) == (b"lo", 5)
    assert folder.names() == [("notes/day one.md", 5)]
    with pytest.raises(BadArguments, match="there already"):
        folder.write("notes/day one.md", b"other")
    folder.write("notes/day one.md", b"other", overwrite=True)
    assert folder.read("notes/day one.md")[0] == b"other"


_ESCAPES = ("../secret.txt", "/etc/passwd", "a/../../secret.txt", "", ".", "..", "a\\..\\b", "a\0b", "a\nb")


@pytest.mark.parametrize("name", _ESCAPES)
def test_names_that_lead_out(folder: Folder, name: str) -> None:
    with pytest.raises(PermissionDenied):
        folder.read(name)
    with pytest.raises(PermissionDenied):
        folder.write(name, b"x")


def test_links_are_not_followed(folder: Folder, tmp_path: Path) -> None:
    folder.root.mkdir()
    (folder.root / "link.txt").symlink_to(tmp_path / "secret.txt")
    (folder.root / "up").symlink_to(tmp_path)
    for name in ("link.txt", "up/secret.txt"):
        with pytest.raises(PermissionDenied):
            folder.read(name)
    for name in ("link.txt", "up/new.txt"):
        with pytest.raises(PermissionDenied):
            folder.write(name, b"x", overwrite=True)
    assert folder.names() == []
    assert (tmp_path / "secret.txt").read_text() == "secret"
    assert not (tmp_path / "new.txt").exists()


@given(st.text("ab./\\~\0 ", min_size=1, max_size=20))
def test_no_name_reaches_outside(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    outside = tmp_path_factory.mktemp("outside")
    folder = Folder(outside / "run")
    with suppress(LlavaAgentError):
        folder.write(name, b"x")
    assert [path.name for path in outside.iterdir()] in ([], ["run"])


def test_limits(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "run", FolderLimits(file=10, total=15, files=2, read=4))
    with pytest.raises(BadArguments, match="above the limit of 10"):
        folder.write("a", b"x" * 11)
    folder.write("a", b"x" * 10)
    with pytest.raises(BadArguments, match="full"):
        folder.write("b", b"x" * 6)
    folder.write("b", b"x")
    with pytest.raises(BadArguments, match="full"):
        folder.write("c", b"")
    folder.write("a", b"y" * 10, overwrite=True)
    assert folder.read("a") == (b"yyyy", 10)


def test_what_is_no_file(folder: Folder) -> None:
    (folder.root / "inner").mkdir(parents=True)
    with pytest.raises(BadArguments, match="no file"):
        folder.read("absent.txt")
    with pytest.raises((BadArguments, ToolError)):
        folder.read("inner")
    with pytest.raises(PermissionDenied):
        folder.write("inner", b"x", overwrite=True)
    folder.write("plain", b"x")
    with pytest.raises(PermissionDenied):
        folder.write("plain/below", b"x")


async def test_as_tools(folder: Folder) -> None:
    box = Toolbox([ListFiles(folder), ReadFile(folder), WriteFile(folder)])
    assert (await box.call("files.list", {})).data["text"] == "there are no files"
    assert (await box.call("files.write", {"name": "a.txt", "text": "ä"})).ok
    assert (await box.call("files.read", {"name": "a.txt"})).data["text"] == "ä"
    assert box.effect("files.write", {"name": "a.txt", "text": ""}) == "reversible"
    assert box.effect("files.write", {"name": "a.txt", "text": "", "overwrite": True}) == "irreversible"
    assert box.effect("files.read", {"name": "a.txt"}) == "read"
    denied = await box.call("files.read", {"name": "../secret.txt"})
    assert denied.reason == "denied" and "secret" not in str(denied.data)
