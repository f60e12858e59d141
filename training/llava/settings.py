"""Settings of a run, in one strict YAML file; `--set a.b=c` changes single ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from llava_agent.errors import ConfigError
from llava_agent.strict_yaml import checked, read_mapping
from llava_agent.vlm.presets import ComposedPreset, LanguageSpec, ProjectorSpec, TowerSpec
from training.settings import Settings

StageName = Literal["align", "instruct", "lora", "qlora"]
Part = Literal["projector", "language", "tower", "adapter"]

_Rate = Annotated[float, Field(gt=0, strict=False)]
_Share = Annotated[float, Field(ge=0, le=1, strict=False)]


class Source(Settings):
    """A file of conversations.

    Attributes:
        file: LLaVA JSON, JSON lines of `messages`, or a folder that `datasets` saved.
        images: where paths of images begin; the file's folder where None.
        repeat: how often an epoch sees it.
    """

    file: str
    images: str | None = None
    repeat: int = Field(default=1, ge=1)


class DataSettings(Settings):
    """Attributes:
    sources: files; text-only conversations may be among them.
    limit: longest sample in positions, image tokens included; what is longer is cut after its last image.
    allow_unusable: share of rows that may be unusable before the run is refused or stopped.
    prompt: `full`, or `images` to keep only the first turn's image marks and the first answer (LLaVA's
        stage 1 shows a caption right after the image).
    """

    sources: Annotated[tuple[Source, ...], Field(min_length=1, strict=False)]
    limit: int = Field(default=2048, ge=8)
    allow_unusable: _Share = 0.0
    prompt: Literal["full", "images"] = "full"


class ModelParts(Settings):
    """Tower, projector and language model, as in a preset of kind `composed`."""

    tower: TowerSpec
    projector: ProjectorSpec = ProjectorSpec()
    language: LanguageSpec
    template: str | None = None

    def preset(self) -> ComposedPreset:
        return ComposedPreset(
            name="trained", summary="trained here", needs=(), tower=self.tower, projector=self.projector,
            language=self.language, template=self.template,
        )  # fmt: skip


class Lora(Settings):
    """Attributes:
    rank, alpha: of the adapter; its change is scaled by alpha / rank.
    dropout: on the adapter's input.
    targets: names of modules; every linear layer but the head where empty.
    """

    rank: int = Field(default=16, ge=1)
    alpha: int = Field(default=32, ge=1)
    dropout: _Share = 0.0
    targets: Annotated[tuple[str, ...], Field(strict=False)] = ()


class TrainSettings(Settings):
    """One run.

    Attributes:
        stage: `align` trains the projector, `instruct` the parts that `rates` names, `lora` and `qlora` an
            adapter of the language model (over 4-bit weights) and, where it has a rate, the projector.
        model: a preset's name or file, or its parts.
        start: run or folder whose projector is gone on with; a fresh one where None.
        rates: learning rate of each part that is trained.
        batch: samples a step, over all processes.
        micro_tokens: most positions of a micro-batch, padding included; memory follows it.
        packing: samples laid end to end; `auto` where that costs less than padding.
        epochs, steps: how long; `steps` wins.
        warmup: share of the steps in which the rates rise.
        checkpoint_every: steps between checkpoints.
        cache: folder of `train cache`; features that it holds are not computed again.
        precision: `auto` is bf16 on a GPU that has it and fp32 elsewhere.
        activation_checkpointing: compute the language model's activations twice, to hold fewer of them.
    """

    stage: StageName
    model: str | ModelParts
    start: str | None = None
    data: DataSettings
    rates: dict[Part, _Rate]
    lora: Lora | None = None
    batch: int = Field(default=16, ge=1)
    micro_tokens: int = Field(default=4096, ge=8)
    packing: Literal["auto", "on", "off"] = "auto"
    epochs: Annotated[float, Field(gt=0, strict=False)] = 1.0
    steps: int | None = Field(default=None, ge=1)
    warmup: _Share = 0.03
    schedule: Literal["cosine", "linear", "constant"] = "cosine"
    weight_decay: Annotated[float, Field(ge=0, strict=False)] = 0.0
    clip: Annotated[float, Field(gt=0, strict=False)] = 1.0
    seed: int = 0
    checkpoint_every: int = Field(default=200, ge=1)
    log_every: int = Field(default=10, ge=1)
    cache: str | None = None
    precision: Literal["auto", "bf16", "fp32"] = "auto"
    activation_checkpointing: bool = False

    @model_validator(mode="after")
    def _stage_fits(self) -> TrainSettings:
        from training.llava.stage import STAGES

        stage = STAGES[self.stage]
        parts = set(self.rates)
        if missing := sorted(stage.needs - parts):
            raise ValueError(f"stage {self.stage} needs a rate for {missing[0]}")
        if extra := sorted(parts - stage.may):
            raise ValueError(
                f"stage {self.stage} does not train the {extra[0]}; it may train {sorted(stage.may)}"
            )
        if not parts:
            raise ValueError(f"stage {self.stage} needs a rate for at least one of {sorted(stage.may)}")
        if self.lora is not None and "adapter" not in parts:
            raise ValueError(f"stage {self.stage} has no adapter, so lora has no meaning")
        if self.cache is not None and "tower" in parts:
            raise ValueError("a tower that is trained has no features to keep; remove cache")
        if self.micro_tokens < self.data.limit:
            raise ValueError(f"micro_tokens {self.micro_tokens} is less than data.limit {self.data.limit}")
        return self


def read_settings(path: Path, changes: Sequence[str] = ()) -> TrainSettings:
    """Settings of a file with `a.b=c` changes; ConfigError names what is wrong."""
    data = read_mapping(path)
    for change in changes:
        _set(data, change)
    settings: TrainSettings = checked(data, TrainSettings, path)
    return settings


def _set(data: dict[str, Any], change: str) -> None:
    import yaml

    name, equals, value = change.partition("=")
    if not equals or not name:
        raise ConfigError(f"--set {change!r} changes nothing", "write it as a.b=value")
    *outer, last = name.split(".")
    place: Any = data
    for key in outer:
        if isinstance(place, list) and key.isdigit() and int(key) < len(place):
            place = place[int(key)]
            continue
        if not isinstance(place, dict) or not isinstance(place.get(key, {}), dict | list):
            raise ConfigError(f"--set {change!r} goes into {key!r}, which holds a value", "name a setting")
        place = place.setdefault(key, {})
    try:
        read = yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise ConfigError(f"--set {change!r} has no YAML value", "quote it") from error
    if isinstance(place, list) and last.isdigit() and int(last) < len(place):
        place[int(last)] = read
    elif isinstance(place, dict):
        place[last] = read
    else:
        raise ConfigError(f"--set {change!r} goes into a list", "name an entry by its number")


def difference(one: Mapping[str, Any], other: Mapping[str, Any], prefix: str = "") -> str | None:
    """Name of the first setting in which two resolved configurations differ."""
    for key in sorted(set(one) | set(other)):
        mine, theirs = one.get(key), other.get(key)
        if isinstance(mine, Mapping) and isinstance(theirs, Mapping):
            if found := difference(mine, theirs, f"{prefix}{key}."):
                return found
        elif mine != theirs:
            return f"{prefix}{key}"
    return None
