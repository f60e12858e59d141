"""Puts the parts together: a preset's weights behind a gateway, and the detectors that find marks on photos.

This is the one place that knows which model serves which tier; the command line and the web page only call it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING

from llava_agent.agent.picture import find_marks
from llava_agent.errors import ConfigError
from llava_agent.gateway.gateway import Gateway
from llava_agent.gateway.model import Weights, both_tiers
from llava_agent.gateway.request import Candidate, Choice, Completion, ModelRequest

if TYPE_CHECKING:
    from llava_agent.agent.picture import Find

DEFAULT = "embedded"
#: Presets whose weights run inside this process.
IN_PROCESS = ("embedded", "embedded-int4")


@dataclass(frozen=True, slots=True)
class Core:
    """What the product thinks with.

    Attributes:
        gateway: every model that may be used; each run records in a ledger of its own.
        find: the detectors for photos.
    """

    gateway: Gateway
    find: Find


class Loading:
    """Weights that load in the background; the first call waits for what is left of it.

    Detecting the marks of a photo and loading the weights take about as long, and neither needs the other.
    """

    def __init__(self, load: Callable[[], Weights]) -> None:
        self._future: Future[Weights] = Future()
        threading.Thread(target=self._run, args=(load,), daemon=True, name="weights").start()

    def _run(self, load: Callable[[], Weights]) -> None:
        try:
            self._future.set_result(load())
        except BaseException as error:
            self._future.set_exception(error)

    def choose(
        self, request: ModelRequest, candidates: Sequence[Candidate], verbs: Sequence[str], *, pixels: bool
    ) -> Choice:
        return self._future.result().choose(request, candidates, verbs, pixels=pixels)

    def complete(self, request: ModelRequest, *, pixels: bool) -> Completion:
        return self._future.result().complete(request, pixels=pixels)


def without_models() -> Core:
    """A core whose gateway holds no model, for policies that ask none."""
    return Core(Gateway({}), find_marks)


_cores: dict[str, Core] = {}
_lock = threading.Lock()


def assemble(preset: str = DEFAULT) -> Core:
    """The core of a preset; its weights are loaded once in a process.

    Raises:
        ConfigError: there is no such preset.
        WeightsError: its weights are not there; the message names the command that fetches them.
    """
    if preset not in IN_PROCESS:
        raise ConfigError(f"there is no preset {preset!r}", f"choose one of {', '.join(IN_PROCESS)}")
    with _lock:
        if preset not in _cores:
            _cores[preset] = _embedded(preset)
        return _cores[preset]


def _embedded(preset: str) -> Core:
    from llava_agent.vlm.weights import paths

    parts = paths(preset)

    def load() -> Weights:
        from llava_agent.vlm.embedded import EmbeddedModel

        return EmbeddedModel.load(parts["language"], parts["shipped"])

    return Core(Gateway(both_tiers(preset, Loading(load))), find_marks)
