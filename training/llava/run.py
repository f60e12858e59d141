"""A run from its settings to what it leaves."""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from llava_agent.agent.trace import write_whole
from llava_agent.errors import ConfigError
from llava_agent.vlm.chat import Chat
from llava_agent.vlm.llava import LlavaModel
from llava_agent.vlm.presets import ComposedPreset, LlavaPreset
from training.llava.batches import Plan, packing_pays
from training.llava.build import build, preset_of
from training.llava.corpus import Corpus, read_corpus
from training.llava.feature_cache import FeatureCache
from training.llava.loader import Loader
from training.llava.processes import Processes
from training.llava.result import require_savable, write_result
from training.llava.settings import TrainSettings, difference
from training.llava.stage import prepare
from training.llava.trainer import Tell, Trainer

CONFIG = "config.json"
ENVIRONMENT = "environment.json"
DATA = "data.json"

Note = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Finished:
    """Attributes:
    folder: of the run.
    step: steps that were taken, those of earlier sittings included.
    loss: of the last line of the log.
    """

    folder: Path
    step: int
    loss: float | None


def train(
    settings: TrainSettings, folder: Path, *, resume: bool = False, tell: Tell = lambda line: None,
    note: Note = lambda text: None,
) -> Finished:  # fmt: skip
    """Train, and write weights and preset into `folder`.

    Args:
        resume: go on with the run that the folder holds; else it may hold none.
        tell: is given each line of the log.
        note: is told what was decided before the first step.

    Raises:
        ConfigError, WeightsError, ToolError: with what is wrong and the mend.
    """
    processes = Processes()
    _open(settings, folder, resume, processes)
    last: list[dict[str, Any]] = []

    def heard(line: dict[str, Any]) -> None:
        last[:] = [line]
        tell(line)

    ready = prepare_run(settings, folder, processes, heard, note if processes.first else lambda text: None)
    trainer = ready.trainer
    if processes.first:
        _store(folder, settings, trainer.corpus)
    if resume and trainer.resume() and processes.first:
        note(f"goes on after step {trainer.step} of {trainer.steps}")
    trainer.run()
    if processes.first:
        model = trainer.model.eval()
        write_result(folder, model, ready.peft, settings, ready.preset, trainer.step, trainer.corpus.digest)
    processes.wait()
    return Finished(folder, trainer.step, last[0]["loss"] if last else None)


@dataclass(frozen=True, slots=True)
class Ready:
    """A run before its first step.

    Attributes:
        peft: the peft model around the adapter, or None.
    """

    trainer: Trainer
    preset: ComposedPreset | LlavaPreset
    peft: Any


def prepare_run(settings: TrainSettings, folder: Path, processes: Processes, tell: Tell, note: Note) -> Ready:
    """Load the model, read the data and plan the batches; nothing is written.

    Raises:
        ConfigError, WeightsError: with what is wrong and the mend.
    """
    preset = preset_of(settings)
    model = build(settings, preset, processes.device)
    require_savable(model, settings, preset)
    corpus = read_for(settings, model, preset)
    # Before an adapter with dropout is there, which would make every trial of the model another one.
    plan = _plan(settings, model, corpus, note)
    parts, peft = prepare(model, settings)
    cache = None
    if settings.cache is not None:
        cache = FeatureCache(Path(settings.cache).expanduser(), model.tower.fingerprint())
    most = int(settings.data.allow_unusable * len(corpus.entries))
    loader = Loader(corpus.entries, model.tower.preprocessing, model.tower.grid, cache, most)
    trainer = Trainer(model, parts, corpus, plan, loader, settings, processes, folder, tell)
    return Ready(trainer, preset, peft)


def read_for(settings: TrainSettings, model: LlavaModel, preset: ComposedPreset | LlavaPreset) -> Corpus:
    """The data as this model reads it."""
    chat = Chat(model.language.tokenizer, model.placeholder, preset.template)
    per_view = model.projector.tokens((model.tower.grid.rows, model.tower.grid.cols))

    def tokens(width: int, height: int) -> int:
        return model.tower.preprocessing.views(width, height) * per_view

    return read_corpus(settings.data, chat, model.placeholder, tokens)


def resolved(settings: TrainSettings) -> dict[str, Any]:
    """All settings, defaults included, as they are stored."""
    return json.loads(settings.model_dump_json())


def read_resolved(folder: Path) -> TrainSettings:
    """Settings of the run in a folder; ConfigError where it holds none."""
    try:
        return TrainSettings.model_validate_json((folder / CONFIG).read_bytes())
    except OSError as error:
        raise ConfigError(f"{folder} holds no training run", "name the folder of a run") from error
    except ValueError as error:
        raise ConfigError(f"{folder / CONFIG} is of another version", "start a new run") from error


def _open(settings: TrainSettings, folder: Path, resume: bool, processes: Processes) -> None:
    exists = (folder / CONFIG).exists()
    processes.wait()  # before the first process makes the folder
    if exists and not resume:
        raise ConfigError(f"{folder} holds a run", f"go on with it (--resume {folder}) or name another --out")
    if resume:
        if found := difference(resolved(read_resolved(folder)), resolved(settings)):
            raise ConfigError(
                f"the run in {folder} has another {found}", "leave the change away, or start a new run"
            )
        return
    if processes.first:
        folder.mkdir(parents=True, exist_ok=True)
    processes.wait()


def _store(folder: Path, settings: TrainSettings, corpus: Corpus) -> None:
    """The resolved settings, what computed, and what was learnt from."""
    packages = ("torch", "transformers", "open_clip_torch", "timm", "peft", "accelerate", "bitsandbytes")
    environment = {
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "packages": {name: version(name) for name in (*packages, "llava-agent")},
        "gpus": [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())],
        "threads": torch.get_num_threads(),
    }
    data = {
        "hash": corpus.digest,
        "samples": len(corpus.entries),
        "cut": corpus.cut,
        "refused": [{"file": file, **one.as_dict()} for file, one in corpus.refused],
    }
    documents = ((ENVIRONMENT, environment), (DATA, data), (CONFIG, resolved(settings)))
    for name, document in documents:
        write_whole(folder / name, (json.dumps(document, indent=1) + "\n").encode())


def _plan(settings: TrainSettings, model: LlavaModel, corpus: Corpus, note: Note) -> Plan:
    lengths = tuple(entry.length for entry in corpus.entries)
    plan = Plan(lengths, settings.batch, settings.micro_tokens, settings.packing == "on", settings.seed)
    exact = settings.packing != "off" and packing_is_exact(model)
    if settings.packing == "on" and not exact:
        raise ConfigError(
            f"{type(model.language.model).__name__} lets samples in one line see each other",
            "set packing: off",
        )
    if settings.packing == "auto" and exact:
        config = model.language.model.config.get_text_config()
        width, layers = config.hidden_size, config.num_hidden_layers
        # Quantised weights hold two to a byte; the shape of the layer tells their number.
        size = sum(p.numel() * (2 if p.dtype == torch.uint8 else 1) for p in model.language.parameters())
        pays = packing_pays(
            lengths, settings.batch, settings.micro_tokens, settings.seed, width, layers, size
        )
        plan = Plan(lengths, settings.batch, settings.micro_tokens, pays, settings.seed)
    how = "packed" if plan.packed else "padded"
    refused = len(corpus.refused)
    note(
        f"{len(lengths)} samples, {refused} rows refused, {corpus.cut} cut; "
        f"{plan.steps_per_epoch} steps an epoch, batches {how}; data {corpus.digest}"
    )
    return plan


@torch.no_grad()
def packing_is_exact(model: LlavaModel) -> bool:
    """Whether two samples in one line give the hidden states that each gives alone: it is tried."""
    language = model.language
    generator = torch.Generator().manual_seed(0)
    scale = language.embed(torch.arange(8, device=language.device)).float().std()
    both = (torch.randn(1, 12, language.hidden_size, generator=generator) * scale.cpu()).to(
        language.device, language.dtype
    )
    positions = torch.cat([torch.arange(7), torch.arange(5)])[None].to(language.device)
    together = language.hidden(both, None, positions).float()
    apart = torch.cat([language.hidden(part).float() for part in (both[:, :7], both[:, 7:])], dim=1)
    allowed = 2e-2 if language.dtype in (torch.bfloat16, torch.float16) else 1e-3
    return bool((together - apart).abs().max() <= allowed * apart.abs().max())
