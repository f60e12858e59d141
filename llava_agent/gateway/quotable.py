"""What a choice may quote: the words of the request, never words that a model made up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Source = Literal["instruction", "fact", "candidate"]


@dataclass(frozen=True, slots=True)
class Passage:
    """Characters that may be quoted.

    Attributes:
        source, index: where they stand.
        text: the characters.
        name: what a fact is called.
    """

    source: Source
    index: int
    text: str
    name: str = ""


def passages_of(
    verb: str, instruction: str, facts: Sequence[str], texts: Sequence[str], target: int | None
) -> list[Passage]:
    """What may be quoted: a reading from its own line, a look from the instruction, the rest from anywhere.

    Args:
        facts: `name = value`; one without a name is all value.
        texts: the part of each candidate that may be quoted.
    """
    if verb == "read":
        return [] if target is None else [Passage("candidate", target, texts[target])]
    passages = [Passage("instruction", 0, instruction)]
    for index, fact in enumerate(facts):
        name, _, value = fact.partition(" = ") if " = " in fact else ("", "", fact)
        passages.append(Passage("fact", index, value, name))
    if verb != "look":
        others = [index for index in range(len(texts)) if index != target and texts[index]]
        passages += [Passage("candidate", index, texts[index]) for index in others]
    return passages
