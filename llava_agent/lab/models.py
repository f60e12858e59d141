"""Which models the lab may ask by name: those of the policy, and training runs of the server's folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from llava_agent.assembly import DEFAULT, Core, assemble
from llava_agent.errors import ConfigError
from llava_agent.lab.runs import training_run, training_runs

#: Before the name of a training run.
RUN = "run:"


@dataclass(frozen=True, slots=True)
class Models:
    """Attributes:
    core: every model of the policy.
    runs: folder of training runs; None shows none.
    """

    core: Callable[[], Core]
    runs: Path | None = None

    def names(self) -> list[str]:
        """`auto`, the entries of the policy that see images, and the runs that are ready."""
        ready = [RUN + run.name for run in training_runs(self.runs) if run.ready]
        return [DEFAULT, *self.core().gateway.seeing(), *ready]

    def named(self, name: str) -> Core:
        """What answers under a name. Whoever asks over the network cannot load any other weights.

        Raises:
            ConfigError: the name is none of `names`.
            NotFound: there is no such run.
            WeightsError: its weights are not there.
        """
        core = self.core()
        if name == DEFAULT:
            return core
        if name in core.gateway.seeing():
            return replace(core, gateway=core.gateway.only(name))
        if name.startswith(RUN):
            run = training_run(self.runs, name.removeprefix(RUN))
            if not run.ready:
                raise ConfigError(
                    f"the run {run.name!r} has no preset yet", "wait until its training is done"
                )
            return replace(assemble(str(run.preset)), find=core.find)
        raise ConfigError(f"there is no model {name!r} here", f"models: {', '.join(self.names())}")
