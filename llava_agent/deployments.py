"""From a policy's entries to models: a preset's weights, or a server, behind each."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from functools import partial
from typing import TYPE_CHECKING, NoReturn

from llava_agent.errors import ConfigError, LlavaAgentError, PermissionDenied
from llava_agent.gateway.deployment import Deployment
from llava_agent.gateway.model import LocalModel, Tier, Weights, stream_of
from llava_agent.gateway.policy import ModelEntry, Policy, ServerEntry
from llava_agent.gateway.request import Candidate, Choice, Completion, ModelRequest

if TYPE_CHECKING:
    from pathlib import Path

    from llava_agent.vlm.presets import ComposedPreset, LlavaPreset, ModelPreset


class Loading:
    """Weights that load in a thread of their own from `begin` on, or from the first call, which waits.

    Finding the marks of a photo and loading the weights take about as long, and neither needs the other.
    """

    def __init__(self, load: Callable[[], Weights]) -> None:
        self._load, self._lock = load, threading.Lock()
        self._future: Future[Weights] | None = None

    def begin(self) -> Future[Weights]:
        """Start once; the same future each time."""
        with self._lock:
            if self._future is None:
                self._future = Future()
                threading.Thread(target=self._run, args=(self._future,), daemon=True, name="weights").start()
            return self._future

    def _run(self, future: Future[Weights]) -> None:
        try:
            future.set_result(self._load())
        except BaseException as error:
            future.set_exception(error)

    def loaded(self) -> Weights:
        """The weights themselves, for who looks into them."""
        return self.begin().result()

    def choose(
        self, request: ModelRequest, candidates: Sequence[Candidate], verbs: Sequence[str], *, pixels: bool
    ) -> Choice:
        return self.begin().result().choose(request, candidates, verbs, pixels=pixels)

    def complete(self, request: ModelRequest, *, pixels: bool) -> Completion:
        return self.begin().result().complete(request, pixels=pixels)

    def stream(self, request: ModelRequest, *, pixels: bool) -> Iterator[str | Completion]:
        return stream_of(self.begin().result(), request, pixels=pixels)


class Absent:
    """Stands where weights or the key of a server are missing; it says so and is never asked.

    Attributes:
        error: what is missing, and the mend.
    """

    def __init__(self, error: LlavaAgentError) -> None:
        self.error = error

    def choose(
        self, request: ModelRequest, candidates: Sequence[Candidate], verbs: Sequence[str], *, pixels: bool
    ) -> NoReturn:
        raise self.error

    def complete(self, request: ModelRequest, *, pixels: bool) -> NoReturn:
        raise self.error


def deployments_of(policy: Policy, only: str | None = None, *, begin: bool = True) -> tuple[Deployment, ...]:
    """The deployments of a policy's entries; one whose weights or key are missing says so in `absent`.

    Args:
        only: the one entry that the user named.
        begin: start loading small weights now.

    Raises:
        ConfigError: an entry names no preset, or `only` is no entry any more.
        PermissionDenied: an entry's server is another machine, and nothing says that this is meant.
    """
    if only is not None and only not in policy.models:
        raise ConfigError(f"the policy does not know the model {only!r} any more", "restart without --model")
    entries = policy.models if only is None else {only: policy.models[only]}
    return tuple(one for name, entry in entries.items() for one in _deployments(name, entry, begin=begin))


def named_deployments(preset: str, *, begin: bool = True) -> tuple[Deployment, ...]:
    """The deployments of a preset that the user names and the policy does not list; raises as above."""
    from llava_agent.vlm.presets import load_preset

    entry = ModelEntry(preset=preset)
    return tuple(_deployments(load_preset(preset).name, entry, named=True, begin=begin))


def _deployments(
    name: str, entry: ModelEntry, *, named: bool = False, begin: bool = True
) -> Iterator[Deployment]:
    """One for each tier."""
    preset = None if entry.preset is None else _preset(entry.preset)
    server = entry.server or _server_of(preset)
    leaves = entry.leaves_machine or (
        preset is not None and preset.kind == "server" and preset.leaves_machine
    )
    if server is not None:
        leaves = _leaving(name, server, leaves)
    sees = entry.vision if entry.vision is not None else _sees(preset)
    absent = ""
    weights: Weights
    try:
        weights = _server(server, vision=sees) if server is not None else _weights(preset)
    except LlavaAgentError as error:
        weights, absent = Absent(error), str(error)
    # Small weights are wanted soon; large ones wait until a call is really routed to them.
    if begin and isinstance(weights, Loading) and preset is not None and preset.kind == "embedded":
        weights.begin()
    tiers: dict[str, Tier] = {f"{name}-text": "text", f"{name}-vision": "vision"} if sees else {name: "text"}
    for model, tier in tiers.items():
        yield Deployment(
            model=LocalModel(model, tier, weights, entry.price.price() if entry.price else None),
            entry=name,
            vision=tier == "vision",
            tools=entry.tools,
            json_schema=entry.json_schema,
            context=entry.context,
            image_tokens=entry.image_tokens,
            quality=entry.quality,
            leaves_machine=leaves,
            typical_ms=entry.typical_ms,
            named=named,
            served=server is not None,
            absent=absent,
        )


def _preset(name: str) -> ModelPreset:
    from llava_agent.vlm.presets import load_preset

    return load_preset(name)


def _server_of(preset: ModelPreset | None) -> ServerEntry | None:
    if preset is None or preset.kind != "server":
        return None
    return ServerEntry(
        base_url=preset.base_url,
        model=preset.model,
        api_key_env=preset.api_key_env,
        seconds=preset.seconds,
    )


def _sees(preset: ModelPreset | None) -> bool:
    """Whether there is a vision tier; a server of which nothing is said has one."""
    if preset is None:
        return True
    if preset.kind == "embedded":
        return preset.pixels
    return preset.kind != "server" or preset.vision


def _leaving(name: str, server: ServerEntry, said: bool) -> bool:
    """Whether the server is another machine, which has to be said."""
    from llava_agent.egress import Origin

    origin = Origin.of(server.base_url)
    if not origin.here and not said:
        raise PermissionDenied(
            f"{origin} is not this machine, so photos and page text would leave it",
            f"set `leaves_machine: true` for {name!r} if that is meant",
        )
    return said


def _server(server: ServerEntry, *, vision: bool) -> Weights:
    from llava_agent.gateway.providers.openai_server import OpenAIServer

    return OpenAIServer(
        server.base_url,
        server.model,
        vision=vision,
        api_key_env=server.api_key_env,
        seconds=server.seconds,
    )


_loaded: dict[str, Loading] = {}
_lock = threading.Lock()


def _weights(preset: ModelPreset | None) -> Loading:
    """Weights of a preset, of which each is loaded once in a process.

    Raises:
        WeightsError: they are not there; the message names the command that fetches them.
    """
    assert preset is not None
    if preset.kind == "embedded":
        from llava_agent.vlm.weights import paths

        parts = paths(preset.weights)
        key, load = preset.weights, partial(_load_embedded, parts["language"], parts["shipped"])
    else:
        assert preset.kind != "server"
        key, load = preset.model_dump_json(), partial(_load_generating, preset)
    with _lock:
        return _loaded.setdefault(key, Loading(load))


def _load_embedded(language: Path, shipped: Path) -> Weights:
    from llava_agent.vlm.embedded import EmbeddedModel

    return EmbeddedModel.load(language, shipped)


def _load_generating(preset: ComposedPreset | LlavaPreset) -> Weights:
    from llava_agent.vlm.choose_by_generation import GeneratingModel
    from llava_agent.vlm.decode import Sampling
    from llava_agent.vlm.loading import load_model

    template = preset.template if preset.kind == "llava" else None
    decoding = preset.decoding
    sampling = Sampling(
        max_tokens=decoding.max_tokens, temperature=decoding.temperature, top_p=decoding.top_p
    )
    return GeneratingModel(load_model(preset), template, sampling)
