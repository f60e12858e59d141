"""What this machine has and lacks for the product, and the one thing to do for each problem."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from llava_agent.errors import LlavaAgentError

Status = Literal["ok", "warn", "fail"]

_GB = 1e9
#: Free disk below which the embedded weights cannot be built, and below which room is short.
DISK_FAIL, DISK_WARN = 2 * _GB, 5 * _GB
#: Free memory below which the embedded preset does not run beside a browser, and below which it may be slow.
MEMORY_FAIL, MEMORY_WARN = 1 * _GB, 2 * _GB


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Attributes:
        status: `warn` does not stop the main job, `fail` does.
        found: what is there, on one line.
        mend: the one thing to do; empty where all is well.
    """

    name: str
    status: Status
    found: str
    mend: str = ""


def diagnose() -> list[Check]:
    """Look at everything; a problem becomes a `Check`, never an exception."""
    built = weights()
    return [python(), packages(), browser(), built, gpu(), disk(to_build=built.status != "ok"), memory()]


def healthy(checks: list[Check]) -> bool:
    """Whether the main job can run."""
    return all(check.status != "fail" for check in checks)


def python(version: tuple[int, ...] = sys.version_info[:3]) -> Check:
    found = ".".join(map(str, version))
    if version < (3, 11):
        return Check("Python", "fail", found, "use Python 3.11 or newer")
    return Check("Python", "ok", found)


def packages(lock: Path | None = None) -> Check:
    """Installed versions against the lock of a checkout, or else against what the package itself asks for."""
    from llava_agent.setup.lock import LOCK, read

    path = lock or LOCK
    if not path.is_file():
        return _asked_for()
    wanted = read(path)
    absent, other = [], []
    for name, version in wanted.items():
        try:
            installed = metadata.version(name)
        except metadata.PackageNotFoundError:
            absent.append(name)
            continue
        if installed != version:
            other.append(f"{name} {installed} (locked: {version})")
    if absent:
        return Check("packages", "fail", f"missing: {_some(absent)}", f"pip install -r {path.name}")
    if other:
        return Check("packages", "warn", f"other versions: {_some(other)}", f"pip install -r {path.name}")
    return Check("packages", "ok", f"{len(wanted)} as locked")


def _asked_for() -> Check:
    from packaging.requirements import Requirement

    try:
        wanted = [Requirement(text) for text in metadata.requires("llava-agent") or []]
    except metadata.PackageNotFoundError:
        return Check("packages", "warn", "llava-agent itself is not installed", "pip install .")
    wrong = []
    needed = [one for one in wanted if one.marker is None or one.marker.evaluate({"extra": ""})]
    for requirement in needed:
        try:
            installed = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            wrong.append(f"{requirement.name} (missing)")
            continue
        if not requirement.specifier.contains(installed, prereleases=True):
            wrong.append(f"{requirement.name} {installed} (needed: {requirement.specifier})")
    if wrong:
        return Check("packages", "fail", _some(wrong), "pip install --upgrade llava-agent")
    return Check("packages", "ok", f"{len(needed)} as needed")


def browser() -> Check:
    from llava_agent.setup import browser as setup
    from tools.browser.find import MEND

    try:
        found = setup.present()
    except LlavaAgentError as error:
        return Check("browser", "fail", error.what, error.mend or MEND)
    except Exception as error:  # Playwright itself may be broken, and that is what is asked here
        return Check("browser", "fail", f"Playwright does not start ({error})", "pip install playwright")
    if found is None:
        return Check("browser", "fail", "no Chromium or Chrome", MEND)
    trouble = setup.problem(found)
    return Check("browser", "fail", trouble, MEND) if trouble else Check("browser", "ok", str(found))


def weights() -> Check:
    """The embedded preset: there, whole, and built for what this version ships."""
    from llava_agent.vlm.weights import EMBEDDED, model_dir, present
    from llava_agent.vlm.weights.store import Manifest

    folder = model_dir(EMBEDDED)
    mend = f"llava-agent models pull {EMBEDDED}"
    manifest = Manifest.load(folder)
    if manifest is None:
        return Check("weights", "fail", f"no embedded weights in {folder}", mend)
    if not present(EMBEDDED):
        return Check("weights", "fail", f"the weights in {folder} are not whole or of an older build", mend)
    size = sum(size for _, size in manifest.files.values())
    return Check("weights", "ok", f"embedded, {size / 1e6:.0f} MB in {folder}")


def gpu() -> Check:
    """NVIDIA GPUs, and whether torch can use them. The embedded preset needs none."""
    command = shutil.which("nvidia-smi")
    if command is None:
        return Check("GPU", "ok", "none (the embedded preset runs on the CPU)")
    query = [command, "--query-gpu=name,memory.total", "--format=csv,noheader"]
    lines = _output(query).splitlines()
    if not lines:
        return Check("GPU", "warn", "nvidia-smi finds no GPU", "check the NVIDIA driver")
    found = "; ".join(lines)
    usable = _output([sys.executable, "-c", "import torch; print(torch.cuda.is_available())"]).strip()
    if usable != "True":
        return Check(
            "GPU", "warn", f"{found}, but torch cannot use it", "install the driver that torch's CUDA needs"
        )
    return Check("GPU", "ok", found)


def disk(to_build: bool = True) -> Check:
    """Free room where the weights live; once they are built, a lack of it is only a warning."""
    from llava_agent.vlm.weights import home

    folder = home()
    while not folder.exists():
        folder = folder.parent
    if not os.access(folder, os.W_OK):
        return Check(
            "disk", "fail", f"{folder} cannot be written", "set LLAVA_AGENT_HOME to a folder of yours"
        )
    free = shutil.disk_usage(folder).free
    found = f"{free / _GB:.1f} GB free in {folder}"
    mend = "free some space, or set LLAVA_AGENT_HOME to a folder on a larger disk"
    return _level("disk", free, DISK_FAIL if to_build else 0, DISK_WARN, found, mend)


def memory() -> Check:
    import psutil

    state = psutil.virtual_memory()
    found = f"{state.available / _GB:.1f} of {state.total / _GB:.1f} GB free"
    return _level("memory", state.available, MEMORY_FAIL, MEMORY_WARN, found, "close other programs")


def _level(name: str, have: float, fail: float, warn: float, found: str, mend: str) -> Check:
    if have >= warn:
        return Check(name, "ok", found)
    return Check(name, "fail" if have < fail else "warn", found, mend)


def _output(command: list[str]) -> str:
    """What a program prints; nothing where it fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
