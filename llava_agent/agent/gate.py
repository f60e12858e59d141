"""Between a decision and the world: the policy's rule, an approval of exactly this action, or a refusal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from llava_agent.agent.attendant import Attendant, Nobody, Proposal
from llava_agent.agent.history import name, words
from llava_agent.agent.permission import Deed, Permission, Ruling, host_of
from llava_agent.agent.state import State
from llava_agent.errors import LlavaAgentError
from tools.action import Action, Effect, Target
from tools.observation import Observation


@dataclass(frozen=True, slots=True)
class Admission:
    """Whether an action may be carried out.

    Attributes:
        detail: why it may not, one sentence.
        blocked: nobody is there who could approve it, so the run cannot go on.
        by: who approved it; empty where no approval was needed.
        hash: of the approved proposal.
    """

    allowed: bool
    ruling: Ruling
    detail: str = ""
    blocked: bool = False
    by: str = ""
    hash: str = ""


@dataclass(slots=True)
class Gate:
    """One run's guard. What a person has refused once is not asked again on the same page.

    Attributes:
        start: address that the run was started on.
        image: path of a stored screenshot, for whoever approves.
    """

    permission: Permission
    start: str
    attendant: Attendant = field(default_factory=Nobody)
    image: Callable[[Observation], Path | None] = lambda _: None
    _refused: set[tuple[str, str]] = field(default_factory=set)

    def ruling(self, action: Action, effect: Effect, seen: Observation) -> Ruling:
        """What the policy says; a navigation is judged by the host that it leads to."""
        address = action.url if action.verb == "navigate" else seen.address
        tool = action.name if action.verb == "tool" else ""
        host, start = host_of(address), host_of(self.start)
        return self.permission.rule_on(Deed(action.verb, effect, host, start, _target(action, seen), tool))

    async def admit(self, action: Action, effect: Effect, seen: Observation, state: State) -> Admission:
        """Decide; waits for a person where the policy says `ask`."""
        ruling = self.ruling(action, effect, seen)
        if ruling.decision == "allow":
            return Admission(True, ruling)
        if ruling.decision == "deny":
            return Admission(False, ruling, f"the policy forbids it ({ruling.rule})")
        proposal = self._proposal(action, effect, seen, state, ruling)
        key = (seen.address, action.model_dump_json())
        if key in self._refused:
            return Admission(False, ruling, "it was refused before")
        try:
            verdict = await self.attendant.approve(proposal)
        except (OSError, LlavaAgentError) as error:
            return Admission(False, ruling, f"its approval failed ({error})", blocked=True)
        if verdict is None:
            waits = f"{proposal.line} needs an approval ({ruling.rule}), and nobody is there to give it"
            return Admission(False, ruling, waits, blocked=True, hash=proposal.hash)
        if verdict.approved and verdict.hash == proposal.hash:
            return Admission(True, ruling, by=verdict.by or "somebody", hash=proposal.hash)
        self._refused.add(key)
        why = (
            "the approval is for another action" if verdict.approved else verdict.reason or "no reason given"
        )
        return Admission(False, ruling, f"{verdict.by or 'somebody'} did not approve it ({why})")

    def _proposal(
        self, action: Action, effect: Effect, seen: Observation, state: State, ruling: Ruling
    ) -> Proposal:
        exact: dict[str, object] = {**action.model_dump(mode="json"), "words": words(action, seen)}
        return Proposal(
            state.run, state.spent.steps, exact, words(action, seen), seen.address, effect, ruling.rule,
            self.image(seen),
        )  # fmt: skip


def _target(action: Action, seen: Observation) -> str:
    """The words that a rule's `target` is searched in."""
    if action.verb == "tool":
        return action.model_dump_json(include={"arguments"})
    target = getattr(action, "target", None)
    if isinstance(target, Target):
        return name(target, seen)
    if action.verb != "press":
        return ""
    # A key goes to what has the focus, and Enter sends the form around it, whose button says what that does.
    focus = next((mark for mark in seen.marks if "focused" in mark.states), None)
    group = focus.ref.rpartition("/")[0] if focus else ""
    beside = [mark for mark in seen.marks if mark.role == "button" and mark.ref.rpartition("/")[0] == group]
    return " ".join(mark.text for mark in [*([focus] if focus else []), *beside])
