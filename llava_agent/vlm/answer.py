"""An answer as it is written behind a prompt: fixed parts, scored choices, and text under a constraint."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llava_agent.errors import ConfigError
from llava_agent.vlm.decode import Constraint
from llava_agent.vlm.engines import Engine, Floats


class Answer:
    """Grows behind what the engine holds.

    Args:
        engine: holds the prompt.
        tokenizer: of transformers.
        logits: of the prompt's last position.
    """

    def __init__(self, engine: Engine, tokenizer: Any, logits: Floats) -> None:
        self._engine, self._tokenizer, self._logits = engine, tokenizer, logits
        self._so_far = ""
        #: Tokens of the answer so far.
        self.written = 0

    def write(self, text: str) -> None:
        """Append fixed text."""
        self._append(self._tail(text))
        self._so_far += text

    def distribution(self, options: Sequence[str]) -> NDArray[np.float64]:
        """Probability of each continuation when nothing else may come: they add up to 1.

        The same numbers as drawing token by token among the options that are still possible, so an option is
        not punished for being long. None may be the beginning of another.
        """
        tails = [tuple(self._tail(option)) for option in options]
        if len(set(tails)) != len(tails):
            raise ConfigError("two options are the same", "each may be offered once")
        chances = np.zeros(len(tails))
        self._share(self._logits, list(enumerate(tails)), 1.0, chances)
        return chances

    def text(self, constraint: Constraint, limit: int) -> tuple[str, float]:
        """Generate the rest of a JSON string greedily; the constraint includes the closing `"}`.

        Returns:
            The string's value, and the product of its tokens' probabilities among those that were possible.
            At `limit` tokens what there is so far counts.
        """
        tokens: list[int] = []
        probability = 1.0
        while len(tokens) < limit and not constraint.finished:
            possible = np.flatnonzero(constraint.allowed()[: len(self._logits)])
            chances = _softmax(self._logits[possible])
            best = int(chances.argmax())
            probability *= float(chances[best])
            token = int(possible[best])
            if token == self._tokenizer.eos_token_id:
                break
            constraint.accept(token)
            tokens.append(token)
            self._append([token])
        written: str = self._tokenizer.decode(tokens, clean_up_tokenization_spaces=False)
        return _string(written.removesuffix('"}')), probability

    def _share(
        self,
        logits: Floats,
        options: list[tuple[int, tuple[int, ...]]],
        weight: float,
        out: NDArray[np.float64],
    ) -> None:
        """Divide `weight` among the options by first token, then each part among those that share it."""
        if len(options) == 1:
            out[options[0][0]] = weight
            return
        groups: dict[int, list[tuple[int, tuple[int, ...]]]] = {}
        for index, tokens in options:
            if not tokens:
                raise ConfigError("an option is the beginning of another", "end each with a sign of its own")
            groups.setdefault(tokens[0], []).append((index, tokens[1:]))
        firsts = list(groups)
        chances = _softmax(logits[firsts]) if len(firsts) > 1 else np.ones(1)
        for token, chance in zip(firsts, chances, strict=True):
            group = groups[token]
            if len(group) == 1:
                out[group[0][0]] = weight * chance
                continue
            length = self._engine.length
            _, deeper = self._engine.forward(self._engine.embed(np.array([token], dtype=np.int64)))
            self._share(deeper, group, weight * float(chance), out)
            self._engine.cut(length)

    def _append(self, tokens: Sequence[int]) -> None:
        if tokens:
            _, self._logits = self._engine.forward(self._engine.embed(np.asarray(tokens, dtype=np.int64)))
            self.written += len(tokens)

    def _tail(self, text: str) -> list[int]:
        """Tokens of `text` behind what is written (some tokenizers mark the first word of a text)."""
        before = self._encode(self._so_far)
        whole = self._encode(self._so_far + text)
        if whole[: len(before)] == before:
            return whole[len(before) :]
        return self._encode(text)

    def _encode(self, text: str) -> list[int]:
        if not text:
            return []
        ids: list[int] = self._tokenizer(text, add_special_tokens=False, split_special_tokens=True)[
            "input_ids"
        ]
        return ids


def _softmax(logits: Floats) -> NDArray[np.float64]:
    weights = np.exp(logits.astype(np.float64) - float(logits.max()))
    return weights / weights.sum()


def _string(written: str) -> str:
    """Value of a JSON string without its quotes; one that was cut inside an escape loses the escape."""
    for end in range(len(written), max(-1, len(written) - 7), -1):
        try:
            return str(json.loads(f'"{written[:end]}"'))
        except ValueError:
            continue
    return ""
