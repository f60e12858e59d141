"""Exact versions of everything that is installed, written from the packages' own metadata.

    python -m llava_agent.setup.lock            # writes requirements.lock and requirements-dev.lock

The first holds what the product needs to run, the second what its tests need besides.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "requirements.lock"
DEV_LOCK = ROOT / "requirements-dev.lock"
#: Parts of torch's CUDA build, which exists for Linux only.
_LINUX_ONLY = ("nvidia-", "cuda-", "triton")


def closure(requirements: Iterable[str]) -> dict[str, str]:
    """Name and installed version of the required packages and of all that they require in turn.

    Raises:
        importlib.metadata.PackageNotFoundError: one of them is not installed.
    """
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    found: dict[str, str] = {}
    visited: set[tuple[str, frozenset[str]]] = set()
    waiting = [Requirement(text) for text in requirements]
    while waiting:
        requirement = waiting.pop()
        name, extras = canonicalize_name(requirement.name), frozenset(requirement.extras)
        if (name, extras) in visited:
            continue
        visited.add((name, extras))
        found[name] = metadata.version(name)
        for text in metadata.requires(name) or []:
            inner = Requirement(text)
            if inner.marker is None or any(
                inner.marker.evaluate({"extra": extra}) for extra in ("", *extras)
            ):
                waiting.append(inner)
    return found


def read(path: Path) -> dict[str, str]:
    """Names and versions of a lock file, entries for other systems left out."""
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    pins: dict[str, str] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        text = line.split("#", 1)[0].strip()
        if text:
            requirement = Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate():
                pins[canonicalize_name(requirement.name)] = next(iter(requirement.specifier)).version
    return pins


def _lines(pins: dict[str, str]) -> str:
    def line(name: str) -> str:
        marker = ' ; sys_platform == "linux"' if name.startswith(_LINUX_ONLY) else ""
        return f"{name}=={pins[name]}{marker}\n"

    return "".join(line(name) for name in sorted(pins))


def write() -> None:
    """Write both lock files from what `pyproject.toml` asks for and the environment has."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)
    needed = [*project["project"]["dependencies"], *project["build-system"]["requires"]]
    pins = closure(needed)
    more = closure(project["project"]["optional-dependencies"]["dev"])
    head = "# Written by `make lock` from an environment in which the tests pass.\n"
    LOCK.write_text(head + _lines(pins), encoding="utf-8")
    extra = {name: version for name, version in more.items() if name not in pins}
    DEV_LOCK.write_text(head + _lines(extra), encoding="utf-8")


if __name__ == "__main__":
    write()
    sys.stdout.write(f"wrote {LOCK.name} and {DEV_LOCK.name}\n")
