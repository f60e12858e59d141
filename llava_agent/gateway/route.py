"""Which model takes a call, and why every other does not. The same request always goes the same way.

Order: policy, capability on what the model would really be sent, money, then the rank among what is left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from llava_agent.errors import BudgetExceeded, NoPermittedModel
from llava_agent.gateway.classify import Case
from llava_agent.gateway.deployment import Deployment
from llava_agent.gateway.policy import Policy, Rule
from llava_agent.gateway.session import Session

#: Order of tiers by cost; an escalation goes to the right.
TIERS = ("text", "vision")

#: What refused a candidate: a rule, the tier that the step needs, what the model can do, an unknown price, a
#: budget without room, a circuit that is open, or weights that are not there.
Stage = Literal["rule", "tier", "capability", "price", "budget", "health", "absent"]

#: Why a model may not be asked although rules and capabilities permit it; None where it may.
Objection = Callable[[Deployment], tuple[Stage, str] | None]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one candidate.

    Attributes:
        verdict: `taken` is asked first, `fallback` only where those before it fail.
        stage: what refused it; None where nothing did.
        asks: the rule by which a person must approve the call; empty where none must.
    """

    deployment: Deployment
    verdict: Literal["taken", "fallback", "refused"]
    reason: str
    stage: Stage | None = None
    asks: str = ""

    @property
    def model(self) -> str:
        return self.deployment.name


def judge(
    case: Case,
    deployments: Iterable[Deployment],
    policy: Policy,
    session: Session,
    objections: Iterable[Objection | None] = (),
) -> list[Verdict]:
    """Every candidate with its verdict: the one to ask first, the fallbacks in their order, the refused."""
    least, why = _least(case, policy, session)
    raised = [objection for objection in objections if objection is not None]
    able: list[tuple[Deployment, int]] = []
    asking: dict[str, str] = {}
    refused = []
    for deployment in deployments:
        weight, refusal, asks = _permission(case, deployment, policy)
        found: tuple[Stage, str] | None = ("rule", refusal) if refusal else None
        asking[deployment.name] = asks
        found = found or _incapable(case, deployment, policy, least, why)
        for objection in raised:
            found = found or objection(deployment)
        if found is None:
            able.append((deployment, weight))
        else:
            refused.append(Verdict(deployment, "refused", found[1], found[0]))
    within = policy.step(case.request.step_kind).within_ms
    best_first = case.request.minimum_tier >= 2
    able.sort(key=lambda one: _rank(one[0], one[1], within, best_first=best_first))
    ranked = [
        _able(one, _reason(one, weight, why, least), "taken", asking[one.name])
        if place == 0
        else _able(
            one, "permitted and able; asked only if those before it fail", "fallback", asking[one.name]
        )
        for place, (one, weight) in enumerate(able)
    ]
    return ranked + refused


def _able(one: Deployment, reason: str, verdict: Literal["taken", "fallback"], asks: str) -> Verdict:
    waits = f"; a person must approve it (rule {asks!r})" if asks else ""
    return Verdict(one, verdict, reason + waits, asks=asks)


def first(case: Case, verdicts: list[Verdict]) -> Verdict:
    """The one to ask.

    Raises:
        BudgetExceeded: what may and can take it has no room in a budget.
        NoPermittedModel: every candidate is refused.
    """
    if verdicts and verdicts[0].verdict == "taken":
        return verdicts[0]
    for verdict in verdicts:
        if verdict.stage == "budget":
            raise BudgetExceeded(verdict.reason, "wait for the next period, or raise the limit in the policy")
    raise nobody(case, verdicts)


def nobody(case: Case, verdicts: Iterable[Verdict]) -> NoPermittedModel:
    """No model may and can; the sentence says of each why."""
    verdicts, kind = list(verdicts), case.request.step_kind
    if not verdicts:
        return NoPermittedModel(f"no model is configured for a {kind} step", "see llava-agent models list")
    if all(verdict.stage == "tier" for verdict in verdicts):
        return NoPermittedModel(
            f"no vision model is configured for a {kind} step ({verdicts[0].reason})",
            "pull or configure one: llava-agent models list",
        )
    reasons = "; ".join(f"{verdict.model}: {verdict.reason}" for verdict in verdicts)
    return NoPermittedModel(
        f"no model may and can take a {kind} step with {case.data_class} data ({reasons})",
        "change the policy or the models; llava-agent gateway explain shows each candidate",
    )


def _least(case: Case, policy: Policy, session: Session) -> tuple[int, str]:
    """Least tier that can decide the request, and the sentence that says why."""
    request = case.request
    if policy.step(request.step_kind).tier == "vision":
        return 1, "reading an image needs pixels" if request.step_kind == "perceive" else "the policy says so"
    if any(message.images for message in request.messages):
        return 1, request.because or "the conversation shows images"
    if request.needs_pixels:
        return 1, request.because or "the step needs pixels"
    if request.minimum_tier >= 1:
        return 1, request.because or "escalated by the caller"
    if policy.tier_only_rises and session.tier == "vision":
        return 1, "an earlier step of the run needed the vision tier"
    return 0, request.because or "the words of the marks are enough, so the text model decides"


def _permission(case: Case, deployment: Deployment, policy: Policy) -> tuple[int, str, str]:
    """Sum of the preferences, why the rules do not permit the model, and the rule by which a person must."""
    request, weight, allowed, asks = case.request, 0, False, ""
    for rule in policy.rules:
        if not _holds(rule, case, deployment):
            continue
        if rule.deny is not None:
            return 0, f"denied by the rule {rule.name!r}", ""
        if rule.permits:
            allowed = True
            asks = asks or (rule.name if rule.ask is not None else "")
        else:
            weight += rule.weight
    if allowed:
        return weight, "", asks
    who = f" of {request.principal.user}" if request.principal.user != "local" else ""
    return 0, f"no rule allows it for a {request.step_kind} step{who} with {case.data_class} data", ""


def _holds(rule: Rule, case: Case, deployment: Deployment) -> bool:
    when = rule.when
    if rule.models != "all" and deployment.entry not in rule.models:
        return False
    return (
        when.holds_for(case.request.step_kind, case.data_class, case.request.principal, case.needs)
        and (when.tier is None or deployment.tier == when.tier)
        and (when.leaves_machine is None or deployment.leaves_machine == when.leaves_machine)
        and (when.quality_at_least is None or deployment.quality >= when.quality_at_least)
        and (when.named is None or deployment.named == when.named)
    )


def _incapable(
    case: Case, deployment: Deployment, policy: Policy, least: int, why: str
) -> tuple[Stage, str] | None:
    """Why the model cannot do it, judged on what it would be sent: a text tier is sent no pixels."""
    request, pixels = case.request, deployment.tier == "vision"
    if TIERS.index(deployment.tier) < least:
        return "tier", f"it reads words only, and {why}"
    lacks = [
        words
        for capability, has, words in (
            ("vision", deployment.vision, "it takes no images"),
            ("tools", deployment.tools, "it cannot call tools"),
            ("json_schema", deployment.json_schema, "it cannot keep to a JSON schema"),
        )
        if capability in case.needs and not has
    ]
    if lacks:
        return "capability", lacks[0]
    quality = policy.step(request.step_kind).quality
    if deployment.quality < quality:
        return (
            "capability",
            f"its quality is {deployment.quality}, a {request.step_kind} step needs {quality}",
        )
    if deployment.context is not None:
        needed = case.prompt_tokens(deployment.image_tokens, pixels=pixels) + case.output_tokens
        if needed > deployment.context:
            return "capability", f"about {needed} tokens do not fit its context of {deployment.context}"
    return ("absent", deployment.absent) if deployment.absent else None


def _rank(
    deployment: Deployment, weight: int, within: int | None, *, best_first: bool
) -> tuple[bool, int, int, int, Decimal, str]:
    """Latency target, then preference, then tier, then price, then name, so that ties are stable.

    A second escalation asks the best first.
    """
    price = deployment.model.price
    rate = price.per_prompt_token + price.per_output_token + price.per_second if price else Decimal(0)
    slow = within is not None and deployment.typical_ms is not None and deployment.typical_ms > within
    quality = -deployment.quality if best_first else 0
    return slow, -weight, quality, TIERS.index(deployment.tier), rate, deployment.name


def _reason(deployment: Deployment, weight: int, why: str, least: int) -> str:
    if weight > 0:
        return f"{why}; preferred by the policy"
    if TIERS.index(deployment.tier) > least:
        return f"{why}; there is no text model that may and can, so the vision model takes it"
    return why
