"""What the words alone say about a quotation: which source is named like the field, what is known already.

The pointer learns to bind a field to its value, but equal names are evidence that needs no learning; it is
added to the pointer's scores as a prior, and the pointer still decides where the words say nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from llava_agent.vlm.pointer import Floats
from llava_agent.vlm.prompt import Quotable

#: Added to the score of a source whose name is exactly the field's. Set by hand on the demo, not fitted.
FULL_AGREEMENT = 5.0

_WORD = re.compile(r"[^\W_]+")


def words(text: str) -> frozenset[str]:
    return frozenset(word.lower() for word in _WORD.findall(text))


def agreement(label: str, name: str) -> float:
    """0 to 1: how well `name` says what `label` says: half for its words, half for saying nothing else."""
    asked, said = words(label), words(name)
    if not asked or not said:
        return 0.0
    shared = len(asked & said)
    return (shared / len(asked) + shared / len(asked | said)) / 2


def source_prior(label: str, sources: Sequence[Quotable]) -> Floats:
    """`[N]` to add to the pointer's source scores for a field with that label.

    A fact is named before its ` = `; the instruction and a mark are taken whole.
    """
    values = [agreement(label, _named(source)) for source in sources]
    return (FULL_AGREEMENT * np.asarray(values)).astype(np.float32)


def _named(source: Quotable) -> str:
    if source.source == "fact":
        return source.text.partition(" = ")[0]
    # A mark's own text names nothing: quoting the field's label into the field is never meant.
    return source.text if source.source == "instruction" else ""


def known_positions(instruction: Quotable, facts: Sequence[str]) -> frozenset[int]:
    """Prompt positions of the names that facts already answer: they need not be looked for again."""
    taken: set[int] = set()
    text = instruction.text.lower()
    for fact in facts:
        name = fact.partition(" = ")[0].strip().lower()
        for found in re.finditer(rf"\b{re.escape(name)}\b", text) if name else ():
            begin, end = found.span()
            taken.update(
                instruction.start + i for i, (a, b) in enumerate(instruction.offsets) if a < end and b > begin
            )
    return frozenset(taken)


#: Words and signs between the things of a list.
_SEPARATOR = re.compile(r"[,;:.!?](?!\w)|\b(?:and|or|with|from|then|as)\b")


def separators(instruction: Quotable) -> frozenset[int]:
    """Prompt positions that part the things of a list: one look is for one thing, so no span may hold one."""
    found = [match.span() for match in _SEPARATOR.finditer(instruction.text)]
    return frozenset(
        instruction.start + i
        for i, (a, b) in enumerate(instruction.offsets)
        if any(a < end and b > begin for begin, end in found)
    )
