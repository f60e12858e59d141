"""The pointer head in numpy: which line, and which span, a hidden state points at.

Runs the weights that `llava_agent.vlm.pointer_head` trained, so that choosing needs no torch.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from llava_agent.errors import WeightsError
from llava_agent.vlm.prompt import Quotable

Floats = NDArray[np.float32]

WEIGHTS = "pointer.safetensors"
CALIBRATION = "calibration.json"

_LINEAR = (
    "target_query", "target_key", "source_query", "source_given", "source_key",
    "start_query", "start_given", "start_key", "end_query", "end_given", "end_key",
)  # fmt: skip
#: Names of the tensors of `PointerHead`.
PARTS = frozenset(f"{name}.{kind}" for name in ("norm", *_LINEAR) for kind in ("weight", "bias"))

#: A quoted span is at most this many tokens long.
LONGEST_SPAN = 48


@dataclass(frozen=True, slots=True)
class Calibration:
    """Temperatures that scores are divided by, fitted on held-out steps (Guo et al., 2017)."""

    verb: float = 1.0
    target: float = 1.0
    span: float = 1.0

    @classmethod
    def load(cls, folder: Path) -> Calibration:
        """The folder's temperatures, all 1 where it has none; WeightsError where the file is damaged."""
        path = folder / CALIBRATION
        try:
            return cls(**json.loads(path.read_text(encoding="utf-8"))) if path.exists() else cls()
        except (TypeError, ValueError) as error:
            raise WeightsError(f"{path} is not a calibration ({error})", "reinstall the package") from error

    def save(self, folder: Path) -> None:
        """Write `calibration.json` into `folder`."""
        (folder / CALIBRATION).write_text(json.dumps(asdict(self)) + "\n", encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Found:
    """A span: prompt positions of its first and last token, and its probability."""

    quotable: Quotable
    first: int
    last: int
    probability: float

    @property
    def text(self) -> str:
        """The quoted characters."""
        return self.quotable.quote(self.first, self.last)


def log_softmax(scores: Floats, temperature: float = 1.0) -> Floats:
    """Log probabilities of `[N]` scores at a temperature."""
    scaled = scores / temperature
    scaled = scaled - scaled.max()
    result: Floats = scaled - np.log(np.exp(scaled).sum())
    return result


class Pointer:
    """Scores lines and spans against the hidden state of the verb.

    Args:
        weights: tensors of `PointerHead`, by name.
    """

    def __init__(self, weights: dict[str, Floats]) -> None:
        self._weights = {
            name: np.ascontiguousarray(value, dtype=np.float32) for name, value in weights.items()
        }

    @classmethod
    def load(cls, folder: Path) -> Pointer:
        """Raises WeightsError where the file is absent or damaged."""
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        try:
            weights = load_file(folder / WEIGHTS)
        except (OSError, SafetensorError) as error:
            raise WeightsError(
                f"the pointer in {folder} cannot be read ({error})", "reinstall the package"
            ) from error
        if set(weights) != PARTS:
            differing = ", ".join(sorted(PARTS ^ set(weights))[:3])
            raise WeightsError(
                f"the pointer in {folder} is of another version ({differing})",
                "reinstall the package",
            )
        return cls(weights)

    def _norm(self, hidden: Floats) -> Floats:
        mean, variance = hidden.mean(-1, keepdims=True), hidden.var(-1, keepdims=True)
        normed: Floats = (hidden - mean) / np.sqrt(variance + 1e-5)
        return normed * self._weights["norm.weight"] + self._weights["norm.bias"]

    def _linear(self, name: str, values: Floats) -> Floats:
        product: Floats = values @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"]
        return product

    def _scores(self, name: str, query: Floats, keys: Floats, given: Floats | None = None) -> Floats:
        asked = self._linear(f"{name}_query", self._norm(query))
        if given is not None:
            asked = asked + self._linear(f"{name}_given", self._norm(given))
        known = self._linear(f"{name}_key", self._norm(keys))
        scores: Floats = known @ asked / np.sqrt(asked.shape[-1])
        return scores

    def target(self, query: Floats, keys: Floats) -> Floats:
        """Scores `[N]` of lines with hidden states `[N, H]` for the query `[H]`."""
        return self._scores("target", query, keys)

    def span(
        self,
        query: Floats,
        hidden: Floats,
        quotables: Sequence[Quotable],
        target: Floats | None,
        temperature: float = 1.0,
        prior: Floats | None = None,
        taken: frozenset[int] = frozenset(),
        parted: frozenset[int] = frozenset(),
    ) -> Found | None:
        """The span to quote: its source first, then its first token, then its last; None without a source.

        Args:
            hidden: `[T, H]` of the whole prompt.
            target: `[H]` of the line that the quotation goes into; None for a verb without target.
            prior: `[N]` added to the scores of `quotables` as sources.
            taken: prompt positions where no span may start, unless that leaves none.
            parted: prompt positions that no span may hold.
        """
        if not quotables:
            return None
        probability, part = 1.0, quotables[0]
        if len(quotables) > 1:
            keys = hidden[np.asarray([quotable.last for quotable in quotables])]
            scores = self._scores("source", query, keys, target)
            chances = np.exp(log_softmax(scores if prior is None else scores + prior, temperature))
            part, probability = quotables[int(chances.argmax())], float(chances.max())
        keys = hidden[part.start : part.last + 1]
        scores = self._scores("start", query, keys, target)
        free = np.array([p not in taken and p not in parted for p in range(part.start, part.last + 1)])
        if free.any():
            scores = np.where(free, scores, np.float32(-1e9))
        starts = np.exp(log_softmax(scores, temperature))
        first = int(starts.argmax())
        ends = np.exp(log_softmax(self._scores("end", query, keys, keys[first]), temperature))
        reach = next((p for p in sorted(parted) if p > part.start + first), part.last + 1) - part.start
        last = first + int(ends[first : min(first + LONGEST_SPAN, reach)].argmax())
        probability *= float(starts[first] * ends[last])
        return Found(part, part.start + first, part.start + last, probability)
