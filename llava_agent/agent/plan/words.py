"""A plan in words, for reports and for whoever watches."""

from __future__ import annotations

from llava_agent.agent.plan.part import Part, Phrase, Plan, Source

_TAKES = {
    "text": "the text of",
    "value": "what stands beside",
    "word": "a word of",
    "result": "the result of the sum",
    "fact": "the",
}


def lines(plan: Plan) -> tuple[str, ...]:
    """One line a part: `click "Save" button`, `fill "name" field with "Ann"`; a free one as it is said."""
    return tuple(_line(part) for part in plan.parts)


def _line(part: Part) -> str:
    if part.kind == "free":
        return part.quote
    line = f"{'click' if part.kind == 'press' else part.kind} {_named(part.target)}"
    if part.kind == "choose":
        return f"choose {_given(part.value)} in {_named(part.target)}"
    if part.value:
        line += f" with {_given(part.value)}"
    if part.to:
        line += f" {part.to}" if isinstance(part.to, str) else f" to {_named(part.to)}"
    return line


def _given(value: str | Source) -> str:
    return f'"{value}"' if isinstance(value, str) else f"{_TAKES[value.take]} {_named(value.of)}".strip()


def _named(phrase: Phrase) -> str:
    """The phrase: `"Save" button`, `the 2nd field`, `every "Reply" button of @ann`."""
    parts = []
    if phrase.every:
        parts.append("every")
    if phrase.ordinal is not None:
        parts.append("the last" if phrase.ordinal == -1 else f"number {phrase.ordinal + 1} of the")
    parts.append(phrase.extreme)
    parts += [f'"{name}"' for name in phrase.names[-1:]]
    parts.append(phrase.role)
    if phrase.near:
        parts.append(f"of {phrase.near}")
    return " ".join(part for part in parts if part)
