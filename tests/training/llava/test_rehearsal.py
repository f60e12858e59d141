import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from llava_agent.cli import app
from tests.training.llava.tiny import config


def test_a_dry_run_tells_what_a_run_needs_and_writes_nothing(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = config(made, steps=6)
    done = CliRunner().invoke(app, ["train", str(path), "--dry-run", "--json"])
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    projector = 32 * 64 + 64 + 64 * 64 + 64
    assert (said["samples"], said["steps"], said["trained"]) == (12, 6, projector)
    assert said["optimizer_mb"] == pytest.approx(12 * projector / 1e6)
    # Weights are fp32 here; the two steps and the whole run take some time.
    assert said["weights_mb"] == pytest.approx(4 * (said["trained"] + said["frozen"]) / 1e6)
    assert said["seconds"] > 0 and said["peak_mb"] > said["weights_mb"]
    assert list(tmp_path.iterdir()) == []
    told = CliRunner().invoke(app, ["train", str(path), "--dry-run"])
    assert "12 samples in 6 steps" in told.stdout and "memory: weights" in told.stdout
    again = CliRunner().invoke(app, ["train", "--resume", str(tmp_path), "--dry-run"])
    assert again.exit_code == 2
