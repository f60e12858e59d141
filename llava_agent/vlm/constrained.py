"""Output that cannot be invalid: a JSON schema, a regular expression or choices, as a mask over tokens."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llava_agent.errors import ConfigError, WeightsError


class Vocabulary:
    """The tokens of a tokenizer as the grammar engine sees them. Make it once: its first use takes ~0.3 s.

    Args:
        tokenizer_json: content of a `tokenizer.json` (`Tokenizer.to_str()`).
        end_token: id that ends an output; only possible where the output is complete.
        size: width of the logits, where it is more than the tokenizer has tokens.
    """

    def __init__(self, tokenizer_json: str, end_token: int, size: int | None = None) -> None:
        self._json, self.end_token, self._size = tokenizer_json, end_token, size

    @classmethod
    def load(cls, path: Path, end_token: int, size: int | None = None) -> Vocabulary:
        """Raises WeightsError where the file cannot be read."""
        try:
            return cls(path.read_text(encoding="utf-8"), end_token, size)
        except (OSError, ValueError) as error:
            raise WeightsError(f"{path} cannot be read ({error})", "fetch the weights again") from error

    @property
    def size(self) -> int:
        return int(self.tokens.vocab_size)

    @cached_property
    def tokens(self) -> Any:
        """Raises WeightsError where the text describes no usable tokenizer."""
        from llguidance import LLTokenizer

        try:
            return LLTokenizer(self._json, n_vocab=self._size, eos_token=self.end_token)
        except (ValueError, RuntimeError) as error:
            raise WeightsError(f"the tokenizer is unusable ({error})", "fetch the weights again") from error


class Constraint:
    """The state of one constrained output (implements `llava_agent.vlm.decode.Constraint`). Not reusable.

    Raises:
        ConfigError: the grammar is invalid or uses something unsupported.
    """

    def __init__(self, vocabulary: Vocabulary, grammar: str) -> None:
        from llguidance import LLMatcher

        self._vocabulary = vocabulary
        self._matcher = LLMatcher(vocabulary.tokens, grammar, log_level=0)
        if self._matcher.is_error():
            raise ConfigError(f"the output constraint is invalid ({_first_line(self._matcher.get_error())})")
        self._mask = np.zeros((vocabulary.size + 31) // 32, np.int32)

    @classmethod
    def from_schema(cls, schema: Mapping[str, object], vocabulary: Vocabulary) -> Constraint:
        """JSON text without blanks between its parts that satisfies the schema."""
        from llguidance import LLMatcher

        overrides: Any = {"whitespace_flexible": False}
        try:
            grammar = LLMatcher.grammar_from_json_schema(json.dumps(schema), overrides=overrides)
        except (TypeError, ValueError) as error:
            raise ConfigError(f"the output schema is no JSON schema ({error})") from error
        return cls(vocabulary, grammar)

    @classmethod
    def from_regex(cls, pattern: str, vocabulary: Vocabulary) -> Constraint:
        """Text that the whole pattern matches, in the syntax without look-around and back-references.

        `\\d` and `\\w` are Unicode classes; write `[0-9]` where only these are meant.
        """
        from llguidance import LLMatcher

        return cls(vocabulary, LLMatcher.grammar_from_regex(pattern))

    @classmethod
    def from_choices(cls, choices: Sequence[str], vocabulary: Vocabulary) -> Constraint:
        """Exactly one of the given texts."""
        if not choices or not all(choices):
            raise ConfigError("a choice needs at least one text, and no empty one")
        return cls.from_regex("|".join(re.escape(choice) for choice in choices), vocabulary)

    def allowed(self) -> NDArray[np.bool_]:
        """`[V]`, true for each token that may come next; the end token where the output is complete."""
        self._matcher.unsafe_compute_mask_ptr(self._mask.ctypes.data, self._mask.nbytes)
        self._raise_error()
        bits = np.unpackbits(self._mask.view(np.uint8), bitorder="little")
        return bits[: self._vocabulary.size].astype(np.bool_)

    def accept(self, token: int) -> None:
        """Raises ConfigError for a token that was not allowed; the state is then unusable."""
        self._matcher.consume_token(token)
        self._raise_error()

    @property
    def finished(self) -> bool:
        """Nothing but the end token may follow."""
        return bool(self._matcher.is_stopped())

    def _raise_error(self) -> None:
        if self._matcher.is_error():
            raise ConfigError(
                f"a token broke the output constraint ({_first_line(self._matcher.get_error())})"
            )


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0] if text.strip() else "no reason given"
