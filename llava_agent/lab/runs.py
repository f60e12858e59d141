"""Training runs as their folders tell them: settings, metrics, machine, weights. Read, never imported."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from llava_agent.errors import NotFound

CONFIG, METRICS, ENVIRONMENT, DATA, PRESET = (
    "config.json",
    "metrics.jsonl",
    "environment.json",
    "data.json",
    "preset.yaml",
)
#: Folders of a run that hold what makes a model of it; checkpoints are for resuming and are not offered.
_WEIGHTS = ("projector", "adapter", "language", "tower")
#: Points of a curve that are handed out; a longer one is thinned evenly.
MOST_POINTS = 400


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """One run.

    Attributes:
        stage: what was trained (`align`, `lora`, ...); empty where the settings do not say.
        step, steps: taken, and wanted; 0 where nothing was logged yet.
        loss: of the last line of the log.
        changed: when the log last grew, or the run began.
        ready: its preset is there, so it can be asked.
    """

    name: str
    folder: Path
    stage: str
    step: int
    steps: int
    loss: float | None
    changed: datetime
    ready: bool

    @property
    def preset(self) -> Path:
        return self.folder / PRESET


def training_runs(root: Path | None) -> list[TrainingRun]:
    """The runs in a folder, the one that changed last first; none where there is no folder."""
    if root is None or not root.is_dir():
        return []
    found = [_read(path) for path in root.iterdir() if (path / CONFIG).is_file() and _json(path / CONFIG)]
    return sorted(found, key=lambda run: run.changed, reverse=True)


def training_run(root: Path | None, name: str) -> TrainingRun:
    """Raises NotFound."""
    for run in training_runs(root):
        if run.name == name:
            return run
    raise NotFound(
        f"there is no training run {name!r}", "list them; the server shows those of its --lab folder"
    )


def metrics(run: TrainingRun) -> list[dict[str, Any]]:
    """The whole lines of a run's log, at most `MOST_POINTS` of them, the last one always."""
    try:
        texts = (run.folder / METRICS).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    lines = []
    for text in texts:
        try:
            line = json.loads(text)
        except ValueError:
            continue  # cut off by a kill
        if isinstance(line, dict) and isinstance(line.get("step"), int):
            lines.append(line)
    if len(lines) <= MOST_POINTS:
        return lines
    step = (len(lines) - 1) / (MOST_POINTS - 1)
    return [lines[round(at * step)] for at in range(MOST_POINTS)]


def about(run: TrainingRun) -> dict[str, Any]:
    """Settings, machine and data of a run, as they were written down."""
    return {
        "config": _json(run.folder / CONFIG),
        "environment": _json(run.folder / ENVIRONMENT),
        "data": _json(run.folder / DATA),
    }


def files(run: TrainingRun) -> dict[str, Path]:
    """What may be fetched: preset, weights, log and settings, by the path in the run's folder."""
    root = run.folder.resolve()
    single = [root / name for name in (PRESET, CONFIG, METRICS, ENVIRONMENT, DATA, "curves.png")]
    inside = [path for name in _WEIGHTS for path in sorted((root / name).rglob("*"))]
    return {
        path.relative_to(root).as_posix(): path
        for path in [*single, *inside]
        if path.is_file() and path.resolve().is_relative_to(root)  # no link leads out of the run
    }


def thinned(lines: Sequence[Mapping[str, Any]], key: str) -> list[tuple[int, float]]:
    """A curve: step and value, of the lines that have it."""
    return [(line["step"], float(line[key])) for line in lines if isinstance(line.get(key), int | float)]


def _read(folder: Path) -> TrainingRun:
    config = _json(folder / CONFIG)
    run = TrainingRun(folder.name, folder, str(config.get("stage", "")), 0, 0, None, _changed(folder), False)
    lines = metrics(run)
    last = lines[-1] if lines else {}
    loss = last.get("loss")
    return TrainingRun(
        run.name,
        folder,
        run.stage,
        int(last.get("step", 0)),
        int(last.get("steps") or 0),
        float(loss) if isinstance(loss, int | float) else None,
        run.changed,
        (folder / PRESET).is_file(),
    )


def _changed(folder: Path) -> datetime:
    log = folder / METRICS
    return datetime.fromtimestamp((log if log.is_file() else folder / CONFIG).stat().st_mtime, UTC)


def _json(path: Path) -> dict[str, Any]:
    """An object; empty where the file is absent or no object."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
