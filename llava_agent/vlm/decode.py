"""Token by token over any engine: greedy or sampled, stopped by ids or by a constraint. numpy only."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from llava_agent.errors import ConfigError
from llava_agent.vlm.engines import Engine, Floats


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is drawn.

    Attributes:
        max_tokens: most tokens to generate.
        temperature: 0 is greedy.
        top_p: only the most probable tokens that together reach this probability.
        seed: repeats a sampled run exactly.
    """

    max_tokens: int = 64
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.max_tokens < 1 or self.temperature < 0 or not 0 < self.top_p <= 1:
            raise ConfigError(
                f"sampling out of range: {self}", "max_tokens >= 1, temperature >= 0, 0 < top_p <= 1"
            )


class Constraint(Protocol):
    """What may come next, e.g. under a grammar."""

    def allowed(self) -> NDArray[np.bool_]:
        """`[V]`, true for each token that may come next; at least one is true unless `finished`."""
        ...

    def accept(self, token: int) -> None: ...

    @property
    def finished(self) -> bool:
        """Nothing may follow."""
        ...


def generate(
    engine: Engine,
    embeddings: Floats,
    sampling: Sampling,
    stop: Collection[int],
    constraint: Constraint | None = None,
) -> Iterator[int]:
    """Append `[T, D]` prompt embeddings and yield generated ids; a stop id ends the run and is not yielded.

    Every yielded token but the last one is in the engine's cache afterwards.
    """
    random = np.random.default_rng(sampling.seed)
    _, logits = engine.forward(embeddings)
    for count in range(1, sampling.max_tokens + 1):
        if constraint is not None:
            logits = _masked(logits, constraint.allowed())
        token = pick(logits, sampling, random)
        if token in stop:
            return
        if constraint is not None:
            constraint.accept(token)
        yield token
        if count == sampling.max_tokens or (constraint is not None and constraint.finished):
            return
        _, logits = engine.forward(engine.embed(np.array([token], dtype=np.int64)))


def pick(logits: Floats, sampling: Sampling, random: np.random.Generator) -> int:
    """One id from logits `[V]`."""
    if sampling.temperature == 0:
        return int(logits.argmax())
    scaled = logits.astype(np.float64) / sampling.temperature
    weights = np.exp(scaled - scaled.max())
    weights /= weights.sum()
    if sampling.top_p < 1:
        order = np.argsort(-weights, kind="stable")
        before = np.cumsum(weights[order]) - weights[order]
        weights[order[before >= sampling.top_p]] = 0.0
        weights /= weights.sum()
    return int(random.choice(len(weights), p=weights))


def _masked(logits: Floats, allowed: NDArray[np.bool_]) -> Floats:
    """Logits with everything else at minus infinity (a head may be wider than the mask)."""
    out = np.full_like(logits, -np.inf)
    kept = np.flatnonzero(allowed[: len(logits)])
    out[kept] = logits[kept]
    return out
