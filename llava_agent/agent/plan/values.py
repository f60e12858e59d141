"""Texts that the page says and the goal does not: copied, read beside a label, one word of many, a result."""

from __future__ import annotations

import re
from collections.abc import Sequence

from llava_agent.agent.fact import Fact
from llava_agent.agent.plan.match import match, plain, words_in
from llava_agent.agent.plan.part import Phrase, Source
from tools.calculate import evaluate
from tools.mark import Mark
from tools.typed import BadArguments

_SUM = re.compile(r"^[\d\s.+\-*/x×÷()−]+$")
_SIGNS = str.maketrans({"×": "*", "÷": "/", "−": "-"})


def known(name: str, facts: Sequence[Fact]) -> str | None:
    """The value of the fact of that name; None where there is none."""
    wanted = words_in(name)
    found = [fact.value for fact in facts if wanted and wanted <= words_in(fact.name)]
    return found[-1] if found else None


def resolve(
    source: Source, marks: Sequence[Mark], into: Mark | None = None, facts: Sequence[Fact] = ()
) -> str | None:
    """The text that the source means on the page as it is; None where it is not there.

    Args:
        into: the field that it is for; its own name counts where the page says nothing else.
    """
    if source.take == "result":
        return result(marks)
    if source.take == "fact":
        return known(source.of.names[0], facts)
    if source.take == "value":
        return _beside(source.of, marks)
    found = match(source.of, marks).marks or _texts(marks)
    texts = [_said(mark) for mark in found if (into is None or mark.ref != into.ref) and _said(mark)]
    if not texts:
        if into is None or not into.text:
            return None
        texts = [into.text]
    text = max(texts, key=len) if source.of.ordinal is None else texts[0]
    if source.take == "text":
        return text
    words = text.split()
    return words[source.word].strip(".,;:!?") if -len(words) <= source.word < len(words) else None


def result(marks: Sequence[Mark]) -> str | None:
    """The result of the first sum that the page shows."""
    for mark in marks:
        text = " ".join((mark.text or "").translate(_SIGNS).split()).rstrip("?= ").strip()
        value = _sum(text)
        if value is not None:
            return f"{value:g}"
    return None


def _sum(text: str) -> float | None:
    if not _SUM.match(text) or not re.search(r"\d\s*[-+*/x]\s*-?\d", text):
        return None
    return _evaluated(re.sub(r"(?<=\d)\s*x\s*(?=\d)", "*", text), {})


def _evaluated(expression: str, variables: dict[str, float]) -> float | None:
    try:
        return float(evaluate(expression, variables))
    except BadArguments:
        return None


def _beside(of: Phrase, marks: Sequence[Mark]) -> str | None:
    """What follows the label: its own value, or the text next to it in its row."""
    label = next((mark for name in of.names for mark in marks if plain(mark.text) == plain(name)), None)
    if label is None:
        return None
    if label.value:
        return label.value
    after = marks[list(marks).index(label) + 1 :]
    same_row = [mark for mark in after if one_row(label, mark) and mark.text]
    return next((mark.text for mark in [*same_row, *after] if mark.text), None)


def one_row(one: Mark, other: Mark) -> bool:
    """The other mark stands right of the first, at its height."""
    if one.box is None or other.box is None:
        return False
    return one.box.y0 < other.box.centre[1] < one.box.y1 and other.box.x0 >= one.box.x1 - 2


def _texts(marks: Sequence[Mark]) -> tuple[Mark, ...]:
    return tuple(mark for mark in marks if mark.role in ("text", "heading", "textbox"))


def _said(mark: Mark) -> str:
    return (mark.value or mark.text) if mark.role != "text" else mark.text
