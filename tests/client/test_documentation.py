"""What docs/api.md shows is run as it stands there, and prints what it says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.client.conftest import Served
from tests.service.serving import key_of

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
#: Seconds that all examples of a language may take; a hang must end.
_PATIENCE_S = 300


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def environment(served: Served, name: str) -> dict[str, str]:
    return {**os.environ, "SERVER": served.url, "KEY": key_of(served.app, name), "PYTHONPATH": str(ROOT)}


def test_the_page_has_examples() -> None:
    assert len(blocks("bash")) >= 6 and len(blocks("python")) == 1
    assert all("# → " in block for block in blocks("bash"))


@pytest.mark.skipif(
    not (shutil.which("curl") and shutil.which("jq") and shutil.which("bash")), reason="needs curl and jq"
)
def test_the_curl_examples_print_what_they_say(served: Served) -> None:
    """One after the other in one shell: each line takes up what those before it left."""
    script = "set -euo pipefail\n" + "\n".join(blocks("bash"))
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=served.folder,
        env=environment(served, "curl"),
        capture_output=True,
        text=True,
        timeout=_PATIENCE_S,
        check=False,
    )
    promised = [line.strip() for line in re.findall(r"# → (.*)$", script, re.MULTILINE)]
    said = done.stdout.replace("%PDF", "%PDF\n").split("\n")
    assert done.returncode == 0, done.stdout + done.stderr
    assert " ".join(said).split() == " ".join(promised).split()


def test_the_python_example_works(served: Served) -> None:
    done = subprocess.run(
        [sys.executable, "-c", blocks("python")[0]],
        cwd=served.folder,
        env=environment(served, "python"),
        capture_output=True,
        text=True,
        timeout=_PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "end" in done.stdout.splitlines() and "was changed meanwhile" in done.stdout
    assert "SN-48213" in (served.folder / "record.csv").read_text()
