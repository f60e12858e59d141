"""The doctor finds what is broken and names one mend for it."""

from __future__ import annotations

import json
from importlib import import_module, metadata
from pathlib import Path

import pytest

from llava_agent import doctor
from llava_agent.setup import lock
from llava_agent.vlm.weights.store import Manifest


def _program(folder: Path, name: str, script: str) -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_old_python() -> None:
    assert doctor.python((3, 10, 4)).status == "fail"
    assert doctor.python((3, 11, 0)).status == "ok"


def test_packages_against_a_lock(tmp_path: Path) -> None:
    version = metadata.version("pytest")
    path = tmp_path / "requirements.lock"
    path.write_text(f"# why\npytest=={version}\nwinonly==1 ; sys_platform == 'win32'\n")
    assert doctor.packages(path).status == "ok"
    path.write_text("pytest==0.0.1\n")
    found = doctor.packages(path)
    assert (found.status, found.found) == ("warn", f"other versions: pytest {version} (locked: 0.0.1)")
    path.write_text("no-such-package-at-all==1\n")
    found = doctor.packages(path)
    assert (found.status, found.mend) == ("fail", "pip install -r requirements.lock")


def test_packages_without_a_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def requires(name: str) -> list[str]:
        assert name == "llava-agent"
        return ["pytest>=1", "pytest<1", "no-such-package-at-all", "nothing ; extra == 'dev'"]

    monkeypatch.setattr(metadata, "requires", requires)
    found = doctor.packages(tmp_path / "none.lock")
    assert found.status == "fail"
    assert "no-such-package-at-all (missing)" in found.found
    assert "(needed: <1)" in found.found
    assert "nothing" not in found.found


def test_the_shipped_lock_covers_what_the_project_asks_for() -> None:
    import tomllib

    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    project = tomllib.loads((lock.ROOT / "pyproject.toml").read_text())["project"]
    pins = lock.read(lock.LOCK)
    for text in project["dependencies"]:
        requirement = Requirement(text)
        assert requirement.specifier.contains(pins[canonicalize_name(requirement.name)]), text


def test_closure_follows_requirements_and_extras() -> None:
    assert {"httpx", "httpcore", "anyio", "certifi", "idna", "h11"} <= set(lock.closure(["httpx>=0.20"]))
    with pytest.raises(metadata.PackageNotFoundError):
        lock.closure(["no-such-package-at-all"])


def test_browser_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLAVA_AGENT_BROWSER", str(tmp_path / "none"))
    assert doctor.browser().status == "fail"
    good = _program(tmp_path, "good", "echo Chromium 1.2.3")
    monkeypatch.setenv("LLAVA_AGENT_BROWSER", str(good))
    assert doctor.browser() == doctor.Check("browser", "ok", str(good))
    bad = _program(tmp_path, "bad", "echo libnss3.so: cannot open shared object file >&2; exit 127")
    monkeypatch.setenv("LLAVA_AGENT_BROWSER", str(bad))
    found = doctor.browser()
    assert found.status == "fail"
    assert "libnss3.so: cannot open" in found.found
    assert found.mend


def test_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLAVA_AGENT_HOME", str(tmp_path))
    found = doctor.weights()
    assert (found.status, found.mend) == ("fail", "llava-agent models pull embedded")
    folder = tmp_path / "models" / "embedded"
    folder.mkdir(parents=True)
    (folder / "a.bin").write_bytes(b"x" * 10)
    Manifest.of(folder, {"format": "0"}, {}).save(folder)
    assert "older build" in doctor.weights().found
    monkeypatch.setattr(import_module("llava_agent.vlm.weights.install"), "_fresh", lambda *_: True)
    assert doctor.weights().status == "ok"
    (folder / "a.bin").write_bytes(b"x")
    assert "not whole" in doctor.weights().found


def test_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert doctor.gpu().status == "ok"
    _program(tmp_path, "nvidia-smi", "exit 9")
    assert doctor.gpu().status == "warn"


def test_disk_and_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLAVA_AGENT_HOME", str(tmp_path / "not" / "yet"))
    monkeypatch.setattr(doctor, "DISK_FAIL", 1e18)
    monkeypatch.setattr(doctor, "DISK_WARN", 1e18)
    monkeypatch.setattr(doctor, "MEMORY_WARN", 1e18)
    monkeypatch.setattr(doctor, "MEMORY_FAIL", 0)
    assert doctor.disk().status == "fail"
    assert doctor.disk(to_build=False).status == "warn"
    assert str(tmp_path) in doctor.disk().found
    assert doctor.memory().status == "warn"


def test_everything_is_looked_at_and_every_problem_has_a_mend(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLAVA_AGENT_HOME", str(tmp_path))
    checks = doctor.diagnose()
    assert [check.name for check in checks] == [
        *("Python", "packages", "browser", "weights", "GPU", "disk", "memory"),
    ]
    assert all(check.mend for check in checks if check.status != "ok")
    assert not doctor.healthy(checks)
    assert doctor.healthy([check for check in checks if check.status != "fail"])
    json.dumps([(check.name, check.found) for check in checks])
