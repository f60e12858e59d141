"""Puts the parts together: a preset's weights behind a gateway, and the detectors that find marks on photos.

This is the one place that knows which model serves which tier. The command line and the web page only call it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING

from llava_agent.agent.picture import Find, find_marks
from llava_agent.errors import ConfigError
from llava_agent.gateway.gateway import Gateway
from llava_agent.gateway.model import ChatModel, LocalModel, Weights, both_tiers
from llava_agent.gateway.request import Candidate, Choice, Completion, ModelRequest

if TYPE_CHECKING:
    from llava_agent.vlm.presets import EmbeddedPreset
    from tools.mark import Mark
    from tools.photo import Photo

DEFAULT = "embedded"
#: Photos whose marks are kept; finding them takes longer than answering.
KEPT_PHOTOS = 16


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

    Finding the marks of a photo and loading the weights take about as long, and neither needs the other.
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


class Remembering:
    """Detectors that look at the same photo once, however many questions are asked about it."""

    def __init__(self, find: Find, kept: int = KEPT_PHOTOS) -> None:
        self._find, self._kept = find, kept
        self._known: OrderedDict[str, tuple[Mark, ...]] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(self, photo: Photo) -> Sequence[Mark]:
        with self._lock:
            if photo.sha256 in self._known:
                self._known.move_to_end(photo.sha256)
                return self._known[photo.sha256]
        marks = tuple(self._find(photo))
        with self._lock:
            self._known[photo.sha256] = marks
            while len(self._known) > self._kept:
                self._known.popitem(last=False)
        return marks


_cores: dict[str, Core] = {}
_weights: dict[str, Weights] = {}
_lock = threading.Lock()


def assemble(name: str = DEFAULT) -> Core:
    """The core of a preset. Weights are loaded once in a process, in the background.

    Args:
        name: a preset, or the path of a YAML file.

    Raises:
        ConfigError: there is no such preset, or it cannot choose among marks.
        WeightsError: its weights are not there; the message names the command that fetches them.
    """
    with _lock:
        if name not in _cores:
            from llava_agent.vlm.presets import load_preset

            preset = load_preset(name)
            if preset.kind != "embedded":
                raise ConfigError(
                    f"the preset {name!r} has no pointer, so it cannot choose among marks",
                    "use an embedded one: llava-agent models list",
                )
            _cores[name] = _embedded(preset)
        return _cores[name]


def without_models() -> Core:
    """A core whose gateway holds no model, for policies that ask none."""
    return Core(Gateway({}), Remembering(find_marks))


def _embedded(preset: EmbeddedPreset) -> Core:
    """Both tiers from one set of weights; a preset without pixels has the text tier alone."""
    if preset.weights not in _weights:
        _weights[preset.weights] = _load(preset.weights)
    weights = _weights[preset.weights]
    models: dict[str, ChatModel] = both_tiers(preset.name, weights)
    if not preset.pixels:
        models = {preset.name: LocalModel(preset.name, "text", weights)}
    return Core(Gateway(models), Remembering(find_marks))


def _load(name: str) -> Loading:
    from llava_agent.vlm.weights import paths

    parts = paths(name)

    def load() -> Weights:
        from llava_agent.vlm.embedded import EmbeddedModel

        return EmbeddedModel.load(parts["language"], parts["shipped"])

    return Loading(load)
