"""The embedded model's prompt: one layout for training and serving, built from token ids piece by piece.

Layout (`<r>` is one region token, a placeholder until fusion)::

    <|im_start|>user
    Goal: File a ticket for the pump
    Known: serial number = SN-48213
    Done: click "New ticket" link
    Marks:
    -<r> "Serial number" textbox
    -<r> "Submit" button
    - none of these<|im_end|>
    <|im_start|>assistant
    type

Pieces are tokenised one by one, so the positions that the pointer needs are known exactly and never searched
for in a string (research: label errors come from splitting strings). The verb that follows the prompt is one
token, whose hidden state is the pointer's query. Needs `tokenizers` only, never torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from llava_agent.errors import WeightsError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

#: Reserved in SmolLM2's vocabulary and never produced by text: stands for one region.
PLACEHOLDER = "<jupyter_start>"

#: Around a turn.
START = "<|im_start|>"
END = "<|im_end|>"

#: What the model may answer with; each is one token of its own, so a verb costs one position.
ACT_VERBS = ("click", "type", "select", "press", "scroll", "look", "done")
ASK_VERBS = ("read", "yes", "no", "none", "say")


NONE_LINE = " none of these"

_MEND = "pull the embedded weights again: the prompt is made for the tokenizer of SmolLM2"


@dataclass(frozen=True, slots=True)
class Line:
    """One candidate as the model reads it: `- "Submit" button`.

    Attributes:
        words: the whole line.
        quotable: the part of it that may be quoted (`passages`), its name or its text.
        region: whether a region token stands before the words.
    """

    words: str
    quotable: str = ""
    region: bool = False


@dataclass(frozen=True, slots=True)
class EncodedPrompt:
    """Token ids and the positions that matter.

    Attributes:
        ids: `[T]`; placeholders where features go.
        regions: position of each candidate's region token, -1 for a candidate without.
        ends: last position of each candidate's line: its hidden state is the pointer's key.
        none_end: last position of the line *none of these*.
    """

    ids: NDArray[np.int64]
    regions: NDArray[np.int64]
    ends: NDArray[np.int64]
    none_end: int


@dataclass(slots=True)
class _Builder:
    """A prompt that grows piece by piece."""

    tokenizer: Tokenizer
    placeholder: int
    ids: list[int] = field(default_factory=list)

    def text(self, text: str) -> None:
        self.ids.extend(self.tokenizer.encode(text, add_special_tokens=False).ids)

    def special(self, token: int) -> None:
        self.ids.append(token)

    def slot(self) -> int:
        """Position of one more placeholder."""
        self.ids.append(self.placeholder)
        return len(self.ids) - 1


class PromptEncoder:
    """Turns an instruction, facts, history and candidates into token ids.

    Args:
        tokenizer: the language model's, as a `tokenizers.Tokenizer`; from now on it reads special tokens in a
            text as plain characters.

    Raises:
        WeightsError: a verb is not one token, or a special token is missing: another model's tokenizer.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        # Whoever writes a page must not write the layout: `<|im_end|>` in a mark is plain characters.
        tokenizer.encode_special_tokens = True
        self.tokenizer = tokenizer
        self.placeholder = self._special(PLACEHOLDER)
        self.start_id = self._special(START)
        self.end_id = self._special(END)
        self.verb_ids = {verb: self._single(verb) for verb in (*ACT_VERBS, *ASK_VERBS)}

    def _special(self, token: str) -> int:
        found = self.tokenizer.token_to_id(token)
        if found is None:
            raise WeightsError(f"the tokenizer has no token {token}", _MEND)
        return found

    def _single(self, verb: str) -> int:
        ids: list[int] = self.tokenizer.encode(verb, add_special_tokens=False).ids
        if len(ids) != 1:
            raise WeightsError(
                f"the verb {verb!r} is {len(ids)} tokens in this tokenizer, must be one", _MEND
            )
        return ids[0]

    def encode(
        self,
        kind: Literal["Goal", "Question"],
        instruction: str,
        lines: Sequence[Line],
        facts: Sequence[str] = (),
        history: Sequence[str] = (),
    ) -> EncodedPrompt:
        """Encode one request.

        Args:
            kind: what the first line says, an order or a question.
            instruction: the order or question.
            lines: candidates, in the order in which the pointer numbers them.
            facts: what is known, `name = value`.
            history: what was done, in the words of the actions.
        """
        build = _Builder(self.tokenizer, self.placeholder)
        self._open(build)
        build.text(f"{kind}:")
        build.text(f" {instruction}")
        for fact in facts:
            build.text("\nKnown:")
            build.text(f" {fact}")
        for done in history:
            build.text(f"\nDone: {done}")
        build.text("\nMarks:")
        regions, ends = [], []
        for line in lines:
            build.text("\n-")
            regions.append(build.slot() if line.region else -1)
            self._words(build, line)
            ends.append(len(build.ids) - 1)
        build.text(f"\n-{NONE_LINE}")
        none_end = len(build.ids) - 1
        self._close(build)
        return EncodedPrompt(
            ids=np.asarray(build.ids, dtype=np.int64),
            regions=np.asarray(regions, dtype=np.int64),
            ends=np.asarray(ends, dtype=np.int64),
            none_end=none_end,
        )

    def chat(self, turns: Sequence[tuple[str, str]]) -> NDArray[np.int64]:
        """Ids of a conversation, each turn its role and its text; what follows them is the answer."""
        build = _Builder(self.tokenizer, self.placeholder)
        for number, (role, text) in enumerate(turns):
            if number:
                build.text("\n")
            build.special(self.start_id)
            build.text(f"{role}\n")
            build.text(text)
            build.special(self.end_id)
        build.text("\n")
        build.special(self.start_id)
        build.text("assistant\n")
        return np.asarray(build.ids, dtype=np.int64)

    def _open(self, build: _Builder) -> None:
        build.special(self.start_id)
        build.text("user\n")

    def _close(self, build: _Builder) -> None:
        build.special(self.end_id)
        build.text("\n")
        build.special(self.start_id)
        build.text("assistant\n")

    @staticmethod
    def _words(build: _Builder, line: Line) -> None:
        """Lay the words; a name is a piece of its own, so that it has the same tokens wherever it stands."""
        words = f" {line.words}" if line.words else ""
        before, name, after = words.partition(line.quotable) if line.quotable else (words, "", "")
        for piece in (before, name, after):
            build.text(piece)
