"""A request in words, for models that generate: numbered candidates, and the form of the answer."""

from __future__ import annotations

from collections.abc import Sequence

from llava_agent.gateway.request import Candidate, ModelRequest


def question_text(
    request: ModelRequest, candidates: Sequence[Candidate], verbs: Sequence[str], *, pixels: bool
) -> str:
    """What is known and done, the numbered candidates, and the form of the answer.

    Args:
        pixels: the image is seen, so each candidate also says where it is.
    """
    lines = [known_text(request), "Candidates:", "0. none of these"]
    for number, candidate in enumerate(candidates, start=1):
        where = ""
        if pixels and candidate.region is not None:
            x0, y0, x1, y1 = candidate.region
            where = f" at ({(x0 + x1) / 2:.0f}, {(y0 + y1) / 2:.0f})"
        lines.append(f"{number}. {candidate.line}{where}")
    lines.append(
        'Answer with JSON: {"verb": one of ' + ", ".join(verbs) + ', "mark": number of the candidate, '
        '"text": words to type or to quote}'
    )
    return "\n".join(lines)


def known_text(request: ModelRequest) -> str:
    """Instruction, facts and history."""
    facts = [f"Known: {fact}" for fact in request.facts]
    return "\n".join([request.instruction, *facts, *(f"Done: {line}" for line in request.history)])
