"""A step as one line on a terminal."""

from __future__ import annotations

from llava_agent.agent.record import StepRecord

_SIGNS = {"held": "✓", "failed": "✗", "uncertain": "?"}


def step_line(step: StepRecord) -> str:
    """`  3 ✓ type SN-48213 in "Serial number" textbox   [text 92 %, 81 ms]`."""
    sign = _SIGNS[step.verification.status]
    how = ""
    if step.calls:
        tiers = "+".join(dict.fromkeys(call.tier for call in step.calls))
        how = f"   [{tiers} {step.confidence * 100:.0f} %, {sum(call.ms for call in step.calls):.0f} ms]"
    known = f" -> {step.fact.value}" if step.fact else ""
    why = f"   ({step.verification.detail})" if step.verification.status == "failed" else ""
    return f"{step.step + 1:3} {sign} {step.line}{known}{why}{how}"
