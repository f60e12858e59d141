"""One process or many: started by `accelerate launch`, or alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn


class Processes:
    """Who this process is among all that train together.

    Gradients are added up by one call a step, not by a wrapper around the model: processes may differ in how
    many micro-batches they have and in whether these hold images, and none waits for another.
    """

    def __init__(self, cpu: bool = False) -> None:
        from accelerate import PartialState

        self._state: Any = PartialState(cpu=cpu or not torch.cuda.is_available())
        self.count: int = self._state.num_processes
        self.rank: int = self._state.process_index
        self.device: str = str(self._state.device)

    @property
    def first(self) -> bool:
        return self.rank == 0

    def wait(self) -> None:
        """Until all are here."""
        self._state.wait_for_everyone()

    def add(self, values: Tensor) -> Tensor:
        """The sum over all processes."""
        if self.count == 1:
            return values
        from accelerate.utils import reduce

        total: Tensor = reduce(values, reduction="sum")
        return total

    def add_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replace each gradient by its sum over all processes; who had none counts as zero."""
        if self.count == 1:
            return
        trained = list(parameters)
        for one in trained:
            if one.grad is None:
                one.grad = torch.zeros_like(one)
        flat = self.add(torch.cat([one.grad.flatten() for one in trained if one.grad is not None]))
        for one, part in zip(trained, flat.split([one.numel() for one in trained]), strict=True):
            one.grad = part.view_as(one)
