"""What a run would need: two steps are computed and nothing is written."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from training.llava.meters import Meter, peak_megabytes
from training.llava.processes import Processes
from training.llava.run import prepare_run
from training.llava.settings import TrainSettings


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """Attributes:
    samples, refused, cut: rows that are used, that cannot be, and that were shortened.
    steps: of the whole run.
    packed: whether samples are laid end to end.
    trained, frozen: parameters.
    weights_mb, optimizer_mb: of all weights; of gradients and both moments of the trained ones.
    peak_mb: most memory in use while the steps were computed, of this process on a CPU and of the GPU there.
    seconds: estimate of the whole run, from the second step's share of an epoch's positions.
    """

    samples: int
    refused: int
    cut: int
    steps: int
    packed: bool
    trained: int
    frozen: int
    weights_mb: float
    optimizer_mb: float
    peak_mb: float
    seconds: float


def rehearse(settings: TrainSettings, note: Callable[[str], None] = lambda text: None) -> Rehearsal:
    """Compute the gradients of the first two steps of a run, and change nothing.

    Raises:
        ConfigError, WeightsError: as the run itself would.
    """
    trainer = prepare_run(settings, Path(), Processes(), lambda line: None, note).trainer
    plan, corpus, steps = trainer.plan, trainer.corpus, trainer.steps
    seconds, measured = 0.0, 1
    for step in range(min(2, steps)):
        reading = trainer.loader.read((step, micro) for micro in plan.micro_batches(step, 0, 1))
        start = time.perf_counter()
        trainer.gradients(step, reading, Meter())
        seconds = time.perf_counter() - start
        measured = sum(corpus.entries[index].length for index in plan.samples(step))
    mean = sum(entry.length for entry in corpus.entries) / plan.steps_per_epoch
    trained = sum(one.numel() for found in trainer.parts.values() for one in found)
    every = list(trainer.model.parameters())
    return Rehearsal(
        samples=len(corpus.entries),
        refused=len(corpus.refused),
        cut=corpus.cut,
        steps=steps,
        packed=plan.packed,
        trained=trained,
        # Quantised weights hold two to a byte.
        frozen=sum(p.numel() * (2 if p.dtype == torch.uint8 else 1) for p in every) - trained,
        weights_mb=sum(p.numel() * p.element_size() for p in every) / 1e6,
        optimizer_mb=12 * trained / 1e6,
        peak_mb=peak_megabytes(trainer.processes.device),
        seconds=seconds * mean / measured * steps,
    )
