"""Puts the parts together: a preset's weights or server behind a gateway, and what finds marks on photos.

This is the one place that knows which model serves which tier; the command line and the page only call it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from llava_agent.agent.picture import Find
from llava_agent.errors import PermissionDenied
from llava_agent.gateway.gateway import Gateway
from llava_agent.gateway.model import LocalModel, Weights, both_tiers, stream_of
from llava_agent.gateway.request import Candidate, Choice, Completion, ModelRequest
from llava_agent.sight import Sight

if TYPE_CHECKING:
    from pathlib import Path

    from llava_agent.vlm.dial import DialReader
    from llava_agent.vlm.presets import ComposedPreset, EmbeddedPreset, LlavaPreset, ServerPreset

DEFAULT = "embedded"


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

    def stream(self, request: ModelRequest, *, pixels: bool) -> Iterator[str | Completion]:
        return stream_of(self._future.result(), request, pixels=pixels)


_cores: dict[str, Core] = {}
_weights: dict[str, Weights] = {}
_lock = threading.Lock()


def assemble(name: str = DEFAULT) -> Core:
    """The core of a preset. Weights are loaded once in a process, in the background.

    Args:
        name: a preset, or the path of a YAML file.

    Raises:
        ConfigError: there is no such preset, or the key of its server is not set.
        PermissionDenied: its server is another machine and the preset does not permit that.
        WeightsError: its weights are not there; the message names the command that fetches them.
    """
    with _lock:
        if name not in _cores:
            from llava_agent.vlm.presets import load_preset

            preset = load_preset(name)
            if preset.kind == "embedded":
                _cores[name] = _embedded(preset)
            else:
                _cores[name] = _server(preset) if preset.kind == "server" else _generating(preset)
        return _cores[name]


def without_models() -> Core:
    """A core whose gateway holds no model, for policies that ask none; dials are found but not read."""
    return Core(Gateway({}), Sight())


def _embedded(preset: EmbeddedPreset) -> Core:
    """Both tiers from one set of weights; a preset without pixels has the text tier alone."""
    from llava_agent.vlm.dial import DIAL_ENCODER
    from llava_agent.vlm.weights import paths

    parts = paths(preset.weights)
    if preset.weights not in _weights:
        _weights[preset.weights] = Loading(partial(_load_embedded, parts["language"], parts["shipped"]))
    weights = _weights[preset.weights]
    models = both_tiers(preset.name, weights)
    if not preset.pixels:
        models = {preset.name: LocalModel(preset.name, "text", weights)}
    return Core(Gateway(models), Sight(partial(_load_reader, parts["language"] / DIAL_ENCODER)))


def _generating(preset: ComposedPreset | LlavaPreset) -> Core:
    """A model without a pointer; it chooses by constrained generation."""
    return Core(Gateway(both_tiers(preset.name, Loading(partial(_load_generating, preset)))), Sight())


def _server(preset: ServerPreset) -> Core:
    """A model behind a server; one that is not this machine only where the preset says so."""
    from llava_agent.egress import Origin, is_loopback
    from llava_agent.gateway.providers.openai_server import OpenAIServer

    origin = Origin.of(preset.base_url)
    here = origin.host == "localhost" or (origin.address is not None and is_loopback(origin.host))
    if not here and not preset.leaves_machine:
        raise PermissionDenied(
            f"{origin} is not this machine, so photos and page text would leave it",
            f"set `leaves_machine: true` in the preset {preset.name!r} if that is meant",
        )
    server = OpenAIServer(
        preset.base_url,
        preset.model,
        vision=preset.vision,
        api_key_env=preset.api_key_env,
        seconds=preset.seconds,
    )
    models = both_tiers(preset.name, server)
    if not preset.vision:
        models = {preset.name: LocalModel(preset.name, "text", server)}
    return Core(Gateway(models), Sight())


def _load_embedded(language: Path, shipped: Path) -> Weights:
    from llava_agent.vlm.embedded import EmbeddedModel

    return EmbeddedModel.load(language, shipped)


def _load_generating(preset: ComposedPreset | LlavaPreset) -> Weights:
    from llava_agent.vlm.choose_by_generation import GeneratingModel
    from llava_agent.vlm.decode import Sampling
    from llava_agent.vlm.loading import load_model

    decoding = preset.decoding
    sampling = Sampling(
        max_tokens=decoding.max_tokens, temperature=decoding.temperature, top_p=decoding.top_p
    )
    return GeneratingModel(load_model(preset), preset.template, sampling)


def _load_reader(encoder: Path) -> DialReader:
    from llava_agent.vlm.dial import DialReader

    return DialReader(encoder)
