"""One supervised decision: a request as the model sees it, and the right answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from llava_agent.gateway.quotable import Source
from llava_agent.vlm.prompt import Line


@dataclass(frozen=True, slots=True)
class Quote:
    """The characters `begin..end` of the instruction, a fact's value, or a candidate's quotable text."""

    source: Source
    index: int
    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class Step:
    """A request and its answer.

    Attributes:
        task: name of the generator, for accuracy by kind.
        lines: candidates; `region` says that a region token stands before the words.
        crops: for each line the row of its region features, -1 for a line without pixels.
        words: for each line the words that its region token stands for (the curriculum shows them at first).
        verbs: the verbs that are offered.
        verb: the right one.
        target: index of the right line; None is *none of these*; ignored for verbs that do not point.
        quote: what is to be quoted, for verbs that quote.
    """

    task: str
    kind: Literal["Goal", "Question"]
    instruction: str
    lines: tuple[Line, ...]
    verbs: tuple[str, ...]
    verb: str
    target: int | None = None
    quote: Quote | None = None
    facts: tuple[str, ...] = ()
    history: tuple[str, ...] = ()
    crops: tuple[int, ...] = ()
    words: tuple[str, ...] = ()
