"""Puts each step of a run on record."""

from __future__ import annotations

import time
from pathlib import Path

from llava_agent.agent.decision import Decision
from llava_agent.agent.fact import Fact
from llava_agent.agent.gate import Admission
from llava_agent.agent.history import words
from llava_agent.agent.record import (
    Intent,
    StepRecord,
    StoredCall,
    StoredCheck,
    StoredEvidence,
    StoredFact,
    StoredPermission,
    now,
    outcome_kind,
    store_look,
)
from llava_agent.agent.repeats import fingerprint
from llava_agent.agent.state import State
from llava_agent.agent.trace import Trace
from llava_agent.agent.turn import Turn
from llava_agent.agent.verify import Verification
from llava_agent.gateway.ledger import Entry, Ledger
from tools.action import Action
from tools.observation import Observation

#: Alternatives kept with a step.
LIKELY = 5


class Scribe:
    """Writes steps and intents to the trace, with the model calls that the ledger knows of."""

    def __init__(self, trace: Trace, ledger: Ledger) -> None:
        self.trace = trace
        self.ledger = ledger

    def intent(self, action: Action, seen: Observation, state: State, approved_by: str = "") -> None:
        """Before an irreversible action, so that a kill in its middle leaves a trace."""
        self.trace.write(
            Intent(
                step=state.spent.steps,
                time=now(),
                address=seen.address,
                line=words(action, seen),
                action=action,
                approved_by=approved_by,
            )
        )

    def image(self, seen: Observation) -> Path | None:
        """The stored screenshot of an observation; None where it has none."""
        if seen.screenshot is None or seen.image_sha256 is None:
            return None
        return self.trace.image(self.trace.keep_image(seen.screenshot, seen.image_sha256))

    def step(
        self,
        decision: Decision,
        turn: Turn,
        seen: Observation,
        after: State,
        began: float,
        decided: float,
    ) -> StepRecord:
        """Record a step; `after` is the state after it, `began` and `decided` are monotonic seconds."""
        index = after.spent.steps - 1
        image = seen.image_sha256 if self.image(seen) else None
        record = StepRecord(
            step=index,
            time=now(),
            observation=store_look(seen, fingerprint(seen), image),
            action=decision.action,
            line=after.history[-1],
            target=_target(decision),
            reason=decision.reason,
            confidence=round(decision.confidence, 4),
            escalated=decision.escalated,
            likely=_likely(decision),
            outcome=outcome_kind(turn.outcome),
            outcome_reason=turn.outcome.reason,
            outcome_detail=turn.outcome.detail,
            data=turn.outcome.data,
            verification=store_check(turn.verification),
            fact=store_fact(turn.fact) if turn.fact else None,
            banned=turn.ban,
            permission=_permission(turn.admission),
            retried=turn.retried,
            part=decision.aim.part if decision.aim else None,
            ticks=after.plan.ticks,
            calls=tuple(_call(entry) for entry in self.ledger.of_step(index) if not entry.shadow),
            seconds=round(after.spent.seconds, 3),
            ms={
                "decide": round((decided - began) * 1000, 1),
                "act": round((time.monotonic() - decided) * 1000, 1),
            },
        )
        self.trace.write(record)
        return record


def store_check(check: Verification) -> StoredCheck:
    return StoredCheck(status=check.status, by=check.by, detail=check.detail)


def store_fact(fact: Fact) -> StoredFact:
    evidence = tuple(
        StoredEvidence(image=one.image_sha256, box=one.box, text=one.text, source=one.source)
        for one in fact.evidence
    )
    confidence = round(fact.confidence, 4)
    return StoredFact(name=fact.name, value=fact.value, confidence=confidence, evidence=evidence)


def _permission(admission: Admission | None) -> StoredPermission | None:
    if admission is None:
        return None
    return StoredPermission(
        decision=admission.ruling.decision,
        rule=admission.ruling.rule,
        allowed=admission.allowed,
        by=admission.by,
        hash=admission.hash,
    )


def _target(decision: Decision) -> str | None:
    target = getattr(decision.action, "target", None)
    return target.ref if target is not None else None


def _likely(decision: Decision) -> tuple[tuple[str, float], ...]:
    """The most probable marks with their probabilities."""
    if decision.choice is None:
        return ()
    pairs = zip(decision.refs, decision.choice.distribution, strict=False)
    best = sorted(pairs, key=lambda pair: -pair[1])[:LIKELY]
    return tuple((ref, round(probability, 4)) for ref, probability in best)


def _call(entry: Entry) -> StoredCall:
    return StoredCall(
        kind=entry.kind,
        model=entry.model,
        tier=entry.tier,
        reason=entry.reason,
        confidence=entry.confidence,
        prompt_tokens=entry.prompt_tokens,
        image_tokens=entry.image_tokens,
        output_tokens=entry.output_tokens,
        reused_tokens=entry.reused_tokens,
        ms=entry.ms.get("total", 0.0),
    )
