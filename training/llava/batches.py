"""Which samples a step sees: a pure function of seed and step, so resuming needs no reader's position."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np

#: Samples are sorted by length inside stretches of so many batches.
_STRETCH = 32

#: A micro-batch: lines of sample numbers, each line padded to the longest.
Micro = tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """Batches of all epochs.

    Attributes:
        lengths: positions of each sample.
        batch: samples a step; the last step of an epoch may have fewer.
        micro_tokens: most positions of a micro-batch, padding included.
        packed: whether samples are laid end to end.
    """

    lengths: tuple[int, ...]
    batch: int
    micro_tokens: int
    packed: bool
    seed: int

    @property
    def steps_per_epoch(self) -> int:
        return math.ceil(len(self.lengths) / self.batch)

    def samples(self, step: int) -> tuple[int, ...]:
        """The samples of a step, over all processes."""
        epoch, place = divmod(step, self.steps_per_epoch)
        return _epoch(self.lengths, self.batch, self.seed, epoch)[place]

    def micro_batches(self, step: int, rank: int = 0, processes: int = 1) -> list[Micro]:
        """What one process computes of a step; all processes together see each of its samples once."""
        mine = _share(self.samples(step), self.lengths, processes)[rank]
        return _packs(mine, self) if self.packed else _padded(mine, self)


def packing_pays(
    lengths: Sequence[int], batch: int, micro_tokens: int, seed: int, width: int, layers: int, parameters: int
) -> bool:
    """Whether laying samples end to end costs clearly less than padding, by counted operations.

    A position costs two operations a parameter, a line of T positions 4 T^2 a layer and channel for
    attention, which long lines pay more of. Looked at on the first steps of an epoch.
    """

    def cost(packed: bool) -> float:
        plan = Plan(tuple(lengths), batch, micro_tokens, packed, seed)
        total = 0.0
        for step in range(min(16, plan.steps_per_epoch)):
            for micro in plan.micro_batches(step):
                longest = max(sum(lengths[i] for i in line) for line in micro)
                total += len(micro) * (2.0 * parameters * longest + 4.0 * layers * width * longest**2)
        return total

    return cost(True) < 0.95 * cost(False)


@lru_cache(maxsize=2)
def _epoch(lengths: tuple[int, ...], batch: int, seed: int, epoch: int) -> tuple[tuple[int, ...], ...]:
    """Batches of samples of about one length, in random order; the short last batch comes last."""
    rng = np.random.default_rng([seed, epoch])
    order = rng.permutation(len(lengths))
    size = batch * _STRETCH
    grouped: list[int] = []
    for start in range(0, len(order), size):
        stretch = order[start : start + size]
        grouped += sorted(stretch.tolist(), key=lambda i: (lengths[i], i))
    batches = [tuple(grouped[start : start + batch]) for start in range(0, len(grouped), batch)]
    whole = len(grouped) // batch
    shuffled = [batches[i] for i in rng.permutation(whole)]
    return tuple(shuffled + batches[whole:])


def _share(samples: Sequence[int], lengths: Sequence[int], processes: int) -> list[list[int]]:
    """The samples over processes, each the next longest to whoever has least to do."""
    shares: list[list[int]] = [[] for _ in range(processes)]
    loads = [0] * processes
    for index in sorted(samples, key=lambda i: (-lengths[i], i)):
        least = loads.index(min(loads))
        shares[least].append(index)
        loads[least] += lengths[index]
    return shares


def _padded(samples: Sequence[int], plan: Plan) -> list[Micro]:
    """One sample a line; samples come longest first, so the first of a micro-batch sets its width."""
    micros: list[Micro] = []
    lines: list[tuple[int, ...]] = []
    for index in samples:
        if lines and (len(lines) + 1) * plan.lengths[lines[0][0]] > plan.micro_tokens:
            micros.append(tuple(lines))
            lines = []
        lines.append((index,))
    return [*micros, tuple(lines)] if lines else micros


def _packs(samples: Sequence[int], plan: Plan) -> list[Micro]:
    """One line a micro-batch, filled first-fit with the longest first."""
    lines: list[list[int]] = []
    room: list[int] = []
    for index in samples:
        length = plan.lengths[index]
        place = next((i for i, left in enumerate(room) if left >= length), None)
        if place is None:
            lines.append([index])
            room.append(plan.micro_tokens - length)
        else:
            lines[place].append(index)
            room[place] -= length
    return [(tuple(line),) for line in lines]


def rate_factor(
    step: int, steps: int, warmup: float, schedule: Literal["cosine", "linear", "constant"]
) -> float:
    """Share of the full learning rate at a step."""
    rise = max(1, math.ceil(warmup * steps)) if warmup else 0
    if step < rise:
        return (step + 1) / rise
    done = (step - rise) / max(1, steps - rise)
    if schedule == "cosine":
        return 0.5 * (1 + math.cos(math.pi * done))
    return 1 - done if schedule == "linear" else 1.0
