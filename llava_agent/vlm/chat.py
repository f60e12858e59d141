"""Conversations as token ids, turn by turn, with the positions that a model learns to say.

Every turn's words are tokenised apart from the template's around them, and without special tokens, so nothing
that a text says can become an image or end a turn, and no label is ever found by splitting a string. Serving
takes its frame from here too (`Chat.frame`), so a prompt has the same ids in both.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import Any, Literal

from llava_agent.errors import ConfigError, LlavaAgentError

#: Where an image stands in a turn's words.
IMAGE_MARK = "<image>"

Role = Literal["system", "user", "assistant"]

_SENTINEL = "\u241f"
#: An image mark, with the line break that separates it from the words; that break is tokenised alone.
_MARKS = re.compile(r"(<image>\n?|\n(?=<image>))")


class ChatError(LlavaAgentError):
    """A conversation that the template cannot write."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What one side says; `IMAGE_MARK` stands for an image in the words of a user."""

    role: Role
    text: str


@dataclass(frozen=True, slots=True)
class Rendered:
    """Attributes:
    ids: token ids with one placeholder an image.
    supervised: whether a model learns to say the id: an assistant's words and what ends its turn.
    """

    ids: tuple[int, ...]
    supervised: tuple[bool, ...]

    def labels(self, ignore: int) -> tuple[int, ...]:
        """The supervised ids, `ignore` elsewhere."""
        return tuple(
            token if wanted else ignore for token, wanted in zip(self.ids, self.supervised, strict=True)
        )


class Chat:
    """The template of a model.

    Args:
        tokenizer: of transformers.
        placeholder: id that stands for an image.
        template: one round with `{prompt}` in it, after which the answer follows; None uses the tokenizer's
            chat template.

    Raises:
        ConfigError: the tokenizer has no chat template, or the template has no place for the prompt.
    """

    def __init__(self, tokenizer: Any, placeholder: int, template: str | None = None) -> None:
        self._tokenizer = tokenizer
        self._placeholder = placeholder
        self._template = template
        if template is None and not getattr(tokenizer, "chat_template", None):
            raise ConfigError(
                "the tokenizer has no chat template", "set template in the preset, with {prompt} in it"
            )
        if template is not None and "{prompt}" not in template:
            raise ConfigError("the prompt template has no place for the prompt", "write {prompt} in it")
        self._specials = {index for index, token in tokenizer.added_tokens_decoder.items() if token.special}
        self._end = tokenizer.eos_token_id
        self._literal = lru_cache(maxsize=256)(self._literal_ids)
        self._pieces = lru_cache(maxsize=256)(self._pieces_of)
        turn_end = self._turn_end()
        #: Ids after which an answer is over.
        self.stops = frozenset(one for one in (self._end, turn_end) if one is not None)

    def render(self, turns: Sequence[Turn]) -> Rendered:
        """The whole conversation.

        Raises:
            ChatError: the template refuses these roles, or changes what a turn says.
        """
        pieces = self._pieces(tuple(turn.role for turn in turns))
        ids = list(self._literal(pieces[0]))
        supervised = [False] * len(ids)
        for turn, piece in zip(turns, pieces[1:], strict=True):
            said = self.words(turn.text) if turn.role == "user" else self.ids(turn.text)
            learnt = turn.role == "assistant"
            ids += said
            supervised += [learnt] * len(said)
            following = list(self._literal(piece))
            ends = 0
            if learnt:
                following, ends = self._ended(following)
            ids += following
            supervised += [place < ends for place in range(len(following))]
        return Rendered(tuple(ids), tuple(supervised))

    def frame(self, roles: Sequence[Role]) -> tuple[str, ...]:
        """What stands before each turn's words and after the last, up to where the answer begins.

        Raises:
            ChatError: the template refuses these roles.
        """
        return self._pieces(tuple(roles), True)

    def prompt(self, text: str) -> list[int]:
        """Ids of one user turn up to where the answer begins."""
        before, after = self.frame(("user",))
        return [*self._literal(before), *self.words(text), *self._literal(after)]

    def text(self, ids: Sequence[int]) -> str:
        """What ids read, with image marks and special tokens."""
        parts = []
        for is_image, run in groupby(ids, key=lambda one: one == self._placeholder):
            many = list(run)
            parts.append(IMAGE_MARK * len(many) if is_image else self._tokenizer.decode(many))
        return "".join(parts)

    def words(self, text: str) -> list[int]:
        """Ids of a user's words, with a placeholder for each image mark."""
        ids: list[int] = []
        for part in _MARKS.split(text):
            if part.startswith(IMAGE_MARK):
                ids += [self._placeholder, *self.ids(part[len(IMAGE_MARK) :])]
            else:
                ids += self.ids(part)
        return ids

    def ids(self, text: str, *, special: bool = False) -> list[int]:
        """Ids of a text; with `special`, tokens such as `<|im_end|>` are read as what they are."""
        if not text:
            return []
        encoded = self._tokenizer(text, add_special_tokens=False, split_special_tokens=not special)
        found: list[int] = encoded["input_ids"]
        return found

    def _literal_ids(self, text: str) -> tuple[int, ...]:
        return tuple(self.ids(text, special=True))

    def _ended(self, following: list[int]) -> tuple[list[int], int]:
        """What follows an answer, and how much of it ends the answer; an end is put in where none is."""
        for place, token in enumerate(following):
            if token in self.stops:
                return following, place + 1
            # Only blanks may stand between the words and their end, or the model would learn the next turn.
            if token in self._specials or self._tokenizer.decode([token]).strip():
                break
        if self._end is None:
            raise ChatError(
                "neither the template nor the tokenizer ends an answer", "set the tokenizer's eos token"
            )
        return [self._end, *following], 1

    def _turn_end(self) -> int | None:
        """The special token that ends a turn of either side (`<|im_end|>`); None where there is none."""
        if self._template is not None:
            return None
        try:
            pieces = self._pieces(("user", "assistant"))
        except ChatError:
            return None
        user, assistant = (
            next((i for i in self._literal(piece) if i in self._specials), None) for piece in pieces[1:]
        )
        return user if user == assistant else None

    def _pieces_of(self, roles: tuple[Role, ...], answering: bool = False) -> tuple[str, ...]:
        """What the template writes before, between and after the turns' words."""
        if self._template is not None:
            before, _, after = self._template.partition("{prompt}")
            tokens = (self._tokenizer.bos_token or "", self._tokenizer.eos_token or "")
            return _rounds(roles, before, after, *tokens)
        marks = [f"{_SENTINEL}{index}{_SENTINEL}" for index in range(len(roles))]
        turns = [{"role": role, "content": mark} for role, mark in zip(roles, marks, strict=True)]
        try:
            rest: str = self._tokenizer.apply_chat_template(
                turns, tokenize=False, add_generation_prompt=answering
            )
        except Exception as error:  # a template is a program of its author's, and raises what it likes
            said = str(error).strip().splitlines() or [type(error).__name__]
            raise ChatError(f"the chat template refuses the roles {', '.join(roles)} ({said[0]})") from error
        pieces = []
        for mark in marks:
            piece, found, rest = rest.partition(mark)
            if not found:
                raise ChatError(f"the chat template leaves out a turn of the roles {', '.join(roles)}")
            pieces.append(piece)
        return (*pieces, rest)


def _rounds(roles: Sequence[Role], before: str, after: str, first: str, last: str) -> tuple[str, ...]:
    """Pieces for a template of one round, written once a round.

    Args:
        before, after: what stands around the user's words.
        first, last: the tokens that begin a text, written once, and that end an answer.
    """
    pieces = [first]
    for index, role in enumerate(roles):
        previous = roles[index - 1] if index else None
        if role == "system":
            if index:
                raise ChatError("a system turn that is not the first has no place in the template")
            pieces.append(" ")
        elif role == "user":
            if previous == "user":
                raise ChatError("two user turns follow each other, which the template has no place for")
            pieces[-1] += before.removeprefix(first)
            pieces.append(after)
        else:
            if previous != "user":  # an answer to nothing: its round has no words
                pieces[-1] += before.removeprefix(first) + after
            pieces.append(last)
    return tuple(pieces)
