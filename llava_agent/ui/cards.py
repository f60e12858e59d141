"""Small pieces of HTML. Everything that comes from a page, a photo or a model is escaped here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from llava_agent.agent.perceive import Answer
from llava_agent.agent.record import StepRecord
from llava_agent.errors import LlavaAgentError

_SIGNS = {"held": "✓", "failed": "✗", "uncertain": "?"}


def problem_card(error: LlavaAgentError) -> str:
    """What is wrong and the mend, as one sentence."""
    return failed_card(str(error))


def failed_card(reason: str) -> str:
    """Why something ended badly, as it was noted."""
    end = "" if reason.endswith("?") else "."
    return f'<div class="card problem" role="alert">{escape(reason.rstrip("."))}{end}</div>'


def hint_card(text: str) -> str:
    return f'<div class="card hint">{escape(text)}</div>'


def answer_card(answer: Answer) -> str:
    """The answer, how sure the model is, and what it rests on."""
    tokens = answer.usage.prompt_tokens + answer.usage.output_tokens
    quotes = "".join(
        f"<li>“{escape(one.text)}” <span>{escape(one.source)}</span></li>" for one in answer.evidence
    )
    evidence = f'<ul class="evidence">{quotes}</ul>' if quotes else ""
    shade = "" if answer.visible else " unseen"
    return (
        f'<div class="card"><div class="answer{shade}">{escape(answer.answer)}</div>'
        f"{_bar(answer.confidence)}{evidence}"
        f'<div class="small">{escape(answer.model)} · {tokens} tokens, '
        f"{answer.usage.image_tokens} of the image · {answer.ms.get('total', 0.0) / 1000:.2f} s</div></div>"
    )


def plan_list(lines: Sequence[str], ticks: Sequence[str]) -> str:
    """The parts of a plan and what became of each; nothing for a plan of one part."""
    if len(lines) < 2:
        return ""
    items = []
    for index, line in enumerate(lines):
        tick = ticks[index] if index < len(ticks) else "open"
        sign = {"held": "✓", "tried": "?"}.get(tick, "·")
        items.append(f'<li class="{tick}"><span aria-hidden="true">{sign}</span> {escape(line)}</li>')
    return f'<ul class="plan" aria-label="plan">{"".join(items)}</ul>'


def steps_list(steps: Sequence[StepRecord]) -> str:
    """The steps so far, oldest first, as a list that also reads well on a phone."""
    return f'<ol class="steps">{"".join(_step(step) for step in steps)}</ol>' if steps else ""


def going_card(steps: Sequence[StepRecord]) -> str:
    words = f"step {len(steps) + 1}: looking and deciding" if steps else "opening the page"
    return waiting_card(words)


def waiting_card(words: str) -> str:
    """Something goes on."""
    return f'<div class="card going" role="status"><span class="pulse"></span>{escape(words)} …</div>'


def result_card(result: Mapping[str, Any], report: str) -> str:
    """How the run ended, what was read, what it cost, and where the report is.

    Args:
        result: of a stored run of the agent.
        report: address of the report page.
    """
    facts = "".join(
        f"<li>{escape(fact['name'])} <b>{escape(fact['value'])}</b> "
        f"<span>{fact['confidence']:.0%}</span></li>"
        for fact in result["facts"]
    )
    models = " · ".join(
        f"{escape(name)}: {total['calls']} calls, {total['tokens']} tokens, {total['ms'] / 1000:.1f} s"
        for name, total in result.get("models", {}).items()
    )
    status = escape(result["status"])
    return (
        f'<div class="card result {status}" role="status"><div class="answer">{status}</div>'
        f"<p>{escape(result['reason'])}</p>{f'<ul class=evidence>{facts}</ul>' if facts else ''}"
        f'<div class="small">{models}</div>{_report(report)}</div>'
    )


def stopped_card(steps: int, report: str) -> str:
    words = f"stopped after {steps} step{'' if steps == 1 else 's'}"
    return f'<div class="card result" role="status"><div class="answer">{words}</div>{_report(report)}</div>'


def _report(address: str) -> str:
    return f'<a class="report" href="{escape(address)}" target="_blank" rel="noopener">Open the report</a>'


def _bar(share: float) -> str:
    percent = f"{max(0.0, min(1.0, share)) * 100:.0f}"
    return (
        f'<div class="sure"><div class="track"><div style="width:{percent}%"></div></div>'
        f"<span>{percent} % sure</span></div>"
    )


def _step(step: StepRecord) -> str:
    check = step.verification
    sign = _SIGNS[check.status]
    known = f' <b class="fact">{escape(step.fact.value)}</b>' if step.fact else ""
    tiers = ", ".join(dict.fromkeys(escape(call.model) for call in step.calls)) or "no model"
    spent = sum(call.ms for call in step.calls)
    tokens = sum(call.prompt_tokens + call.output_tokens for call in step.calls)
    return (
        f'<li class="{check.status}"><span class="sign" title="{check.status}">{sign}</span>'
        f'<div><div class="line">{escape(step.line)}{known}</div>'
        f'<div class="small">{tiers} · {step.confidence:.0%} sure · {tokens} tokens · {spent:.0f} ms · '
        f"{escape(check.detail)}</div></div></li>"
    )
