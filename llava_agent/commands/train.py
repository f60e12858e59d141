"""`llava-agent train`: train a projector, parts of a model, or an adapter on your own data."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from llava_agent.commands.options import AsJson
from llava_agent.commands.output import INTERRUPTED, note, print_json, say

#: What stands in the place of a configuration to fill the feature cache instead.
_CACHE = "cache"

Changes = Annotated[
    list[str] | None, typer.Option("--set", metavar="A.B=C", help="Change a setting; may be repeated.")
]


def train(
    what: Annotated[
        list[str] | None,
        typer.Argument(metavar="[cache] CONFIG", help="Settings; see configs/training/. Not with --resume."),
    ] = None,
    changes: Changes = None,
    resume: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Go on with a run, with the settings it has.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of the run, runs/<config>-<time> where not given."),
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="With cache: do not only estimate, but fill it.")
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Compute two steps, tell what the run needs, and write nothing."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Train on your data; a run that was killed goes on with --resume and ends as if it had not been.

    `train cache CONFIG` says what keeping the frozen tower's features costs and gains, and with --yes
    computes them. Several processes: accelerate launch -m llava_agent.cli train CONFIG --out DIR.

    \b
    Examples:
      llava-agent train configs/training/llava-1.5-align.yaml --set data.sources.0.file=mine.json
      llava-agent train configs/training/gpu-24gb.yaml --dry-run
      llava-agent train --resume runs/llava-1.5-align-20260101-120000
      llava-agent train cache configs/training/gpu-24gb.yaml --yes
    """
    words = list(what or ())
    if words[:1] == [_CACHE]:
        _fill_cache(_only_config(words[1:]), changes or (), yes, as_json)
        return
    if yes:
        raise typer.BadParameter("--yes goes with `train cache`")
    from training.llava.run import read_resolved
    from training.llava.run import train as run
    from training.llava.settings import read_settings

    if resume is not None:
        if words or changes or out or dry_run:
            raise typer.BadParameter("--resume takes the run's own settings; leave the rest away")
        settings, folder = read_resolved(resume), resume
    else:
        config = _only_config(words)
        settings = read_settings(config, changes or ())
        if dry_run:
            _rehearse(settings, as_json)
            return
        folder = out or Path("runs") / f"{config.stem}-{datetime.now():%Y%m%d-%H%M%S}"
    try:
        finished = run(settings, folder, resume=resume is not None, tell=_teller(), note=note)
    except KeyboardInterrupt:
        note(f"interrupted; llava-agent train --resume {folder} goes on from the last checkpoint")
        raise typer.Exit(INTERRUPTED) from None
    if as_json:
        print_json({"run": str(finished.folder), "step": finished.step, "loss": finished.loss})
    else:
        say(f"trained {finished.step} steps: use it with --model {finished.folder / 'preset.yaml'}")


def _rehearse(settings: Any, as_json: bool) -> None:
    from dataclasses import asdict

    from training.llava.rehearsal import rehearse

    found = rehearse(settings, note)
    if as_json:
        print_json(asdict(found))
        return
    say(
        f"{found.samples} samples in {found.steps} steps, {'packed' if found.packed else 'padded'}; "
        f"{found.trained:,} parameters trained, {found.frozen:,} frozen"
    )
    say(
        f"memory: weights {found.weights_mb:.0f} MB, gradients and optimiser {found.optimizer_mb:.0f} MB, "
        f"{found.peak_mb:.0f} MB at the peak of two steps; time: about {found.seconds / 3600:.2f} h"
    )


def _only_config(words: list[str]) -> Path:
    if len(words) != 1:
        raise typer.BadParameter("give one configuration file; see configs/training/")
    return Path(words[0])


def _teller() -> Any:
    from training.llava.meters import told

    def tell(line: dict[str, Any]) -> None:
        sys.stderr.write(told(line) + "\n")
        sys.stderr.flush()

    return tell


def _fill_cache(config: Path, changes: Any, yes: bool, as_json: bool) -> None:
    from llava_agent.errors import ConfigError
    from training.llava.build import build, preset_of
    from training.llava.feature_cache import estimate, fill, room
    from training.llava.processes import Processes
    from training.llava.run import read_for
    from training.llava.settings import read_settings

    settings = read_settings(config, changes)
    if settings.cache is None:
        raise ConfigError(f"{config} names no folder for features", "set cache: DIR (or --set cache=DIR)")
    folder = Path(settings.cache).expanduser()
    preset = preset_of(settings)
    model = build(settings, preset, Processes().device)
    pictures = [one for entry in read_for(settings, model, preset).entries for one in entry.images]
    cost = estimate(model.tower, pictures, folder)
    free = room(folder)
    if cost.megabytes > free:
        raise ConfigError(
            f"the features take {cost.megabytes:.0f} MB, {folder} has {free:.0f} MB free", "name another disk"
        )
    document: dict[str, Any] = {**cost.as_dict(), "free_megabytes": round(free), "added": 0, "problems": []}
    if yes:
        document["added"], document["problems"] = fill(model.tower, pictures, folder, _shown)
    if as_json:
        print_json(document)
        return
    epochs = cost.as_dict()["break_even_epochs"]
    pays = (
        f"pays from epoch {epochs} on"
        if epochs is not None
        else "never pays: reading is slower than the tower"
    )
    say(
        f"{cost.images} images, {cost.megabytes:.0f} MB of {free:.0f} MB free; "
        f"tower {cost.tower_ms:.1f} ms an image, reading {cost.read_ms:.1f} ms: {pays}"
    )
    for problem in document["problems"][:20]:
        say(f"  {problem}")
    say(f"{document['added']} images added to {folder}" if yes else "--yes computes them")


def _shown(done: int, total: int) -> None:
    note(f"{done} of {total} images")
