"""The set-up: which browser is taken, what is fetched, and the Makefile's own decisions."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from llava_agent.errors import ToolError
from llava_agent.setup import browser
from llava_agent.setup.lock import ROOT

_GOOD, _BAD = "echo Chromium 1", "exit 1"


def _program(path: Path, script: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without browsers: an empty PATH, and nothing of Playwright's."""
    monkeypatch.delenv("LLAVA_AGENT_BROWSER", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(browser, "downloaded", lambda: None)
    return tmp_path


def test_a_browser_on_path_is_taken_and_nothing_is_fetched(machine: Path) -> None:
    chromium = _program(machine / "bin" / "chromium", _GOOD)
    said: list[str] = []
    assert browser.ensure(said.append) == chromium
    assert said == []


def test_download_comes_before_the_package_manager(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []

    def download(_: object) -> bool:
        order.append("download")
        return False

    def install(_: object) -> bool:
        order.append("package")
        _program(machine / "bin" / "chromium", _GOOD)
        return True

    monkeypatch.setattr(browser, "_download", download)
    monkeypatch.setattr(browser, "_install_package", install)
    assert browser.ensure(order.append).name == "chromium"
    assert [word for word in order if " " not in word] == ["download", "package"]


def test_where_nothing_works_one_sentence_says_what_to_do(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browser, "_run", lambda *_: False)
    with pytest.raises(ToolError, match=r"no Chromium or Chrome: .*LLAVA_AGENT_BROWSER"):
        browser.ensure(lambda _: None)
    _program(machine / "bin" / "chromium", _BAD)
    with pytest.raises(ToolError, match="does not start"):
        browser.ensure(lambda _: None)


def test_only_root_installs_packages(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = machine / "log"
    _program(machine / "bin" / "apt-get", f'echo "$@" >> {log}')
    monkeypatch.setattr(browser, "_is_root", lambda: False)
    assert not browser._install_package(lambda _: None)
    assert not log.exists()
    monkeypatch.setattr(browser, "_is_root", lambda: True)
    assert browser._install_package(lambda _: None)
    assert [line.split()[1] for line in log.read_text().splitlines()] == ["update", "-y"]


def test_a_fetch_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    note = tmp_path / "child"
    script = f"sleep 600 & echo $! > {note}.part; mv {note}.part {note}; wait"
    with browser._group(["sh", "-c", script], dict(os.environ)) as started:
        while not note.exists():
            assert started.poll() is None
    child = int(note.read_text())
    for _ in range(600):  # it has been told to end; a busy machine may take a while to do it
        if not _runs(child):
            break
        time.sleep(0.05)
    assert not _runs(child)
    assert not browser._run(["sh", "-c", "sleep 600"], 0.05)


def _runs(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


def _make(*words: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    # `make test` runs these tests: what it tells its children must not reach the make that is tested.
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))}
    command = ["make", "--no-print-directory", *words]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)


@needs_make
def test_an_old_python_is_refused_in_one_sentence(tmp_path: Path) -> None:
    old = _program(tmp_path / "python3.8", _BAD)
    done = _make(f"VENV={tmp_path}/venv", f"PYTHON={old}", f"{tmp_path}/venv/.stamps/python")
    assert done.returncode != 0
    assert "Python 3.11 or newer is needed" in done.stderr
    assert not (tmp_path / "venv").exists()


@needs_make
def test_set_up_once_there_is_nothing_left_to_do(tmp_path: Path) -> None:
    stamps = tmp_path / "venv" / ".stamps"
    stamps.mkdir(parents=True)
    venv = f"VENV={tmp_path}/venv"
    assert " pip " in _make("-n", "setup", venv).stdout
    for name in ("python", "packages", "project", "dev", "browser"):
        (stamps / name).touch()
    assert _make("-n", "setup", venv).stdout.split("/venv/bin/")[1:] == [
        "llava-agent models pull embedded\n",
    ]
    (stamps / "packages").unlink()
    assert " pip " in _make("-n", "setup", venv).stdout


def test_ci_calls_make_test() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert script.read_text().rstrip().endswith("make test")
