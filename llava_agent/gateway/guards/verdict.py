"""From what was found to what is done: the actions of the settings, and what each guard reports."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import get_args

from llava_agent.gateway.guards.finding import Finding
from llava_agent.gateway.guards.rounds import Round
from llava_agent.gateway.guards.settings import Action, GuardSettings, PatternActions
from llava_agent.gateway.screen import ApprovalNeeded, Blocked, GuardResult

#: What is done about a kind that a guard found.
Rule = Callable[[str, str], Action]

_SEVERITY: dict[Action, int] = {"none": 0, "mask": 1, "ask": 2, "block": 3}
assert set(_SEVERITY) == set(get_args(Action))


def rule_of(settings: GuardSettings, patterns: PatternActions) -> Rule:
    """The settings as one function of guard and kind; a guard that they do not know blocks."""
    topics: dict[str, Action] = {topic.name: topic.action for topic in settings.topics}
    entities = settings.presidio.entities if settings.presidio else {}

    def rule(guard: str, kind: str) -> Action:
        if guard in ("patterns", "secrets"):
            return patterns.of(kind)
        if guard == "presidio":
            return entities.get(kind.upper(), "block")
        if guard == "injection":
            return settings.injection
        return topics.get(kind, "block") if guard == "topics" else "block"

    return rule


def results_of(round: Round, rule: Rule) -> tuple[GuardResult, ...]:
    """One result a guard, with the gravest of its actions."""
    return tuple(_result(name, round, rule) for name in round.status)


def _result(name: str, round: Round, rule: Rule) -> GuardResult:
    kinds = sorted(set(_kinds(name, round)))
    if round.status[name] != "ran":
        return GuardResult(name, round.status[name], "block" if round.status[name] == "error" else "none")
    actions = [rule(name, kind) for kind in kinds]
    return GuardResult(name, "ran", gravest(actions), tuple(kinds))


def _kinds(name: str, round: Round) -> Iterable[str]:
    for findings in round.found.get(name, ()):
        yield from (one.kind for one in findings)
    for lines in round.lines.get(name, ()):
        for kinds in lines.values():
            yield from kinds


def gravest(actions: Iterable[Action]) -> Action:
    return max(actions, key=_SEVERITY.__getitem__, default="none")


def enforce(results: Sequence[GuardResult], what: str, *, approved: bool = False) -> None:
    """Raise where the results do not let `what` (`the request`, `the answer`) pass.

    Raises:
        Blocked: a guard failed, or found what is blocked.
        ApprovalNeeded: a guard found what a person has to decide, and nobody has.
    """
    known = tuple(results)
    for one in known:
        if one.status == "error":
            raise Blocked(
                f"the guard {one.guard!r} did not end well, so {what} was refused",
                "see the log of this machine; nothing passes unseen",
                known,
            )
    for one in known:
        if one.action == "block":
            raise Blocked(
                f"{what} holds what may not pass ({one.guard}: {', '.join(one.found)})",
                "take it out, or let the policy's guards mask it",
                known,
            )
    for one in known:
        if one.action == "ask" and not approved:
            raise ApprovalNeeded(
                f"{what} holds what a person must approve ({one.guard}: {', '.join(one.found)})",
                "ask for an approval",
                known,
            )


def to_mask(round: Round, rule: Rule, index: int) -> list[Finding]:
    """What is to be masked in the text at `index`."""
    return [
        one for name, texts in round.found.items() for one in texts[index] if rule(name, one.kind) == "mask"
    ]


def to_blacken(round: Round, rule: Rule, index: int) -> list[int]:
    """Lines that are to be blackened in the image at `index`."""
    return sorted(
        {
            line
            for name, images in round.lines.items()
            for line, kinds in images[index].items()
            if any(rule(name, kind) == "mask" for kind in kinds)
        }
    )
