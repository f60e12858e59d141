"""The steps of a run. Everything that a step depends on is a function of settings, data and its number."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from llava_agent.errors import ConfigError
from llava_agent.vlm.llava import LlavaModel
from training import checkpoint
from training.llava.batches import Micro, Plan, rate_factor
from training.llava.corpus import Corpus
from training.llava.loader import Loader
from training.llava.meters import Meter, append, draw_curves, read_metrics
from training.llava.processes import Processes
from training.llava.settings import TrainSettings

CHECKPOINT = "state.pt"
METRICS = "metrics.jsonl"
CURVES = "curves.png"

#: Seconds between drawings of the curves.
_REDRAWN = 60.0

Tell = Callable[[dict[str, Any]], None]


@dataclass(slots=True)
class Trainer:
    """One run.

    Attributes:
        parts: trained parameters of each part.
        tell: is given each line of the log, on the first process.
        step: steps done.
    """

    model: LlavaModel
    parts: dict[Any, list[nn.Parameter]]
    corpus: Corpus
    plan: Plan
    loader: Loader
    settings: TrainSettings
    processes: Processes
    folder: Path
    tell: Tell = lambda line: None
    step: int = 0
    optimizer: torch.optim.Optimizer = field(init=False)
    _drawn: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        groups = [{"params": found, "name": part} for part, found in self.parts.items()]
        self.optimizer = torch.optim.AdamW(groups, lr=0.0, weight_decay=self.settings.weight_decay)

    @property
    def steps(self) -> int:
        wanted = self.settings.steps
        if wanted is not None:
            return wanted
        return max(1, math.ceil(self.settings.epochs * self.plan.steps_per_epoch))

    def resume(self) -> bool:
        """Go on from the run's checkpoint, if it has one.

        Raises:
            ConfigError: it is of other data.
        """
        state = checkpoint.load(self.folder / CHECKPOINT)
        if state is None:
            return False
        if state["data"] != self.corpus.digest:
            raise ConfigError(
                f"the checkpoint in {self.folder} saw other data (hash {state['data']}, "
                f"now {self.corpus.digest})",
                "give the same files, or start a new run",
            )
        with torch.no_grad():
            for part, found in self.parts.items():
                for parameter, saved in zip(found, state["parts"][part], strict=True):
                    parameter.copy_(saved)
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.loader.unusable = state["step"], state["unusable"]
        return True

    def run(self) -> None:
        """All steps that are left; a checkpoint every so many and at the end.

        Raises:
            ConfigError: too many samples cannot be read, or the loss is no number.
            ToolError: a checkpoint cannot be written; the one before it stays.
        """
        self._cut_metrics()
        meter, waited = Meter(), self.loader.waited
        reading = self.loader.read(self._coming())
        for step in range(self.step, self.steps):
            loss = self._one_step(step, reading, meter)
            self.step = step + 1
            ends = self.step == self.steps
            if self.step % self.settings.log_every == 0 or ends:
                self._log(loss, meter.line(self.loader.waited - waited, self.processes.device))
                meter, waited = Meter(), self.loader.waited
            if self.step % self.settings.checkpoint_every == 0 or ends:
                self.save()

    def save(self) -> None:
        """Write the checkpoint over the last one; the last one stays until the new one is whole."""
        if self.processes.first:
            state = {
                "step": self.step,
                "data": self.corpus.digest,
                "unusable": self.loader.unusable,
                "parts": {part: [p.detach().cpu() for p in found] for part, found in self.parts.items()},
                "optimizer": self.optimizer.state_dict(),
            }
            checkpoint.save(self.folder / CHECKPOINT, state)
            if time.monotonic() - self._drawn > _REDRAWN or self.step == self.steps:
                draw_curves(read_metrics(self.folder / METRICS), self.folder / CURVES)
                self._drawn = time.monotonic()
        self.processes.wait()

    def gradients(self, step: int, reading: Iterator[Any], meter: Meter) -> Tensor:
        """Add up the step's gradients over micro-batches and processes; the loss they are of.

        Each position counts once: micro-batches weigh as many positions as they supervise.
        """
        mine = self._micro_batches(step)
        whole = sum(self.corpus.entries[index].supervised for index in self.plan.samples(step))
        loss = torch.zeros((), device=self.processes.device)
        for _ in mine:
            loaded = next(reading)
            if not loaded.rows:
                continue
            with self._autocast():
                batch = self.model.batch(
                    loaded.rows,
                    limit=self.settings.data.limit,
                    lanes=loaded.lines if self.plan.packed else None,
                )
                out = self.model(batch)
            part = out.loss * (out.supervised / whole)
            if part.requires_grad:  # talk without images says nothing to a projector that is trained alone
                part.backward()
            loss += part.detach()
            meter.real += int(batch.mask.sum())
            meter.padded += batch.mask.numel()
            meter.supervised += out.supervised
            meter.samples += len(loaded.rows)
        self.processes.add_gradients(self._trained())
        return self.processes.add(loss)

    def _one_step(self, step: int, reading: Iterator[Any], meter: Meter) -> float:
        # Dropout of an adapter is the only thing that draws; its numbers depend on the step alone.
        torch.manual_seed((self.settings.seed * 1_000_003 + step) * 1_009 + self.processes.rank)
        factor = rate_factor(step, self.steps, self.settings.warmup, self.settings.schedule)
        for group in self.optimizer.param_groups:
            group["lr"] = self.settings.rates[group["name"]] * factor
        loss = float(self.gradients(step, reading, meter))
        if not math.isfinite(loss):
            raise ConfigError(
                f"the loss of step {step + 1} is {loss}", "lower the learning rate; the last checkpoint stays"
            )
        nn.utils.clip_grad_norm_(self._trained(), self.settings.clip)  # those without a gradient are skipped
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return loss

    def _trained(self) -> list[nn.Parameter]:
        return [parameter for found in self.parts.values() for parameter in found]

    def _micro_batches(self, step: int) -> list[Micro]:
        return self.plan.micro_batches(step, self.processes.rank, self.processes.count)

    def _coming(self) -> Iterator[tuple[int, Micro]]:
        for step in range(self.step, self.steps):
            for micro in self._micro_batches(step):
                yield step, micro

    def _autocast(self) -> AbstractContextManager[Any]:
        kind = torch.device(self.processes.device).type
        wanted = self.settings.precision
        half = wanted == "bf16" or (wanted == "auto" and kind == "cuda" and torch.cuda.is_bf16_supported())
        return torch.autocast(kind, torch.bfloat16) if half else nullcontext()

    def _log(self, loss: float, rates: dict[str, Any]) -> None:
        if not self.processes.first:
            return
        now = {group["name"]: group["lr"] for group in self.optimizer.param_groups}
        done = self.step / self.plan.steps_per_epoch
        line = {
            "step": self.step,
            "steps": self.steps,
            "epoch": round(done, 4),
            "loss": loss,
            "rates": now,
            **rates,
        }
        if self.loader.unusable:
            line["unusable"] = self.loader.unusable
        append(self.folder / METRICS, line)
        self.tell(line)

    def _cut_metrics(self) -> None:
        """After a kill the log may know more steps than the checkpoint; those are done again."""
        path = self.folder / METRICS
        if self.processes.first and path.exists():
            kept = read_metrics(path, self.step)
            path.unlink()
            for line in kept:
                append(path, line)
        self.processes.wait()
