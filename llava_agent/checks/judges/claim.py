"""`asks`: a claim that only a model can judge."""

from __future__ import annotations

from collections.abc import Callable

from llava_agent.agent.expect import weigh
from llava_agent.checks.sighting import Sighting
from llava_agent.checks.verdict import Verdict

#: Affirms or denies a claim about a screenshot: `yes` or `no`, and how sure it is.
Ask = Callable[[bytes, str], tuple[str, float]]


def asks(claim: str, seen: Sighting, ask: Ask | None) -> Verdict:
    """The model's word counts only where it denies the opposite."""
    picture = seen.parts[0].screenshot
    if ask is None:
        return Verdict("uncertain", claim, "none", "no model is asked", screenshot=picture)
    weighed, sure = weigh(claim, lambda question: ask(picture, question))
    if weighed == "yes":
        return Verdict("pass", claim, "model", "", weighed, None, picture, sure)
    if weighed == "no":
        return Verdict("fail", claim, "model", "the model denies it", weighed, None, picture, sure)
    return Verdict("uncertain", claim, "model", "the model contradicts itself", "", None, picture, sure)
