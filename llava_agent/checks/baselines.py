"""Writes the baselines of `matches`: whole files, each change named, and not in CI unless that is asked
for.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from llava_agent.checks.expectation import Expectation
from llava_agent.checks.sighting import Sighting
from llava_agent.errors import ConfigError

#: Variables by which a CI server makes itself known.
_CI = ("CI", "GITHUB_ACTIONS", "GITLAB_CI", "JENKINS_URL", "TF_BUILD", "BUILDKITE", "TEAMCITY_VERSION")


@dataclass(frozen=True, slots=True)
class Written:
    """What became of one baseline."""

    path: Path
    change: Literal["new", "changed", "unchanged"]


def refuse_in_ci(environment: Mapping[str, str] = os.environ, *, asked: bool = False) -> None:
    """ConfigError in CI: a server that stores what it sees as right can never find a change."""
    found = next((name for name in _CI if environment.get(name, "").lower() not in ("", "0", "false")), None)
    if found and not asked:
        raise ConfigError(
            f"baselines are not updated in CI (the variable {found} is set)",
            "update them on your machine and commit them, or add --in-ci if that is meant",
        )


def write_baselines(expect: tuple[Expectation, ...], seen: Sighting, folder: Path) -> list[Written]:
    """Store what is seen now as right; a file whose picture is the same stays as it is."""
    from llava_agent.agent.trace import write_whole

    written = []
    picture = seen.parts[0].screenshot
    for path in dict.fromkeys(folder / one.matches.baseline for one in expect if one.matches is not None):
        change: Literal["new", "changed", "unchanged"] = "new"
        if path.is_file():
            change = "unchanged" if _same(path.read_bytes(), picture) else "changed"
        if change != "unchanged":
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, picture)
        written.append(Written(path, change))
    return written


def _same(stored: bytes, now: bytes) -> bool:
    import io

    from PIL import Image, UnidentifiedImageError

    from tools.photo import pixel_sha256

    try:
        with Image.open(io.BytesIO(stored)) as then, Image.open(io.BytesIO(now)) as here:
            return pixel_sha256(then.convert("RGB")) == pixel_sha256(here.convert("RGB"))
    except (UnidentifiedImageError, OSError):
        return False
