"""One step as it is stored (`steps.jsonl`), versioned, and the result of a run (`result.json`)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from tools.action import ACTION_VERSION, Action
from tools.mark import Mark
from tools.observation import Observation, Outcome

TRACE_VERSION = 1

#: `passed` only where an expectation was checked and held; a model cannot set it.
Status = Literal["passed", "failed", "unverified", "blocked", "budget"]


class _Stored(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class StoredMark(_Stored):
    ref: str
    role: str
    text: str
    box: tuple[float, float, float, float] | None
    source: str
    value: str | None = None
    states: tuple[str, ...] = ()


class StoredLook(_Stored):
    """The observation that a step was decided on; the screenshot lies under its hash in `images/`."""

    id: str
    surface: Literal["page", "api"]
    address: str
    title: str
    fingerprint: str
    image: str | None
    scroll: float | None
    marks: tuple[StoredMark, ...]
    notices: tuple[str, ...] = ()


class StoredEvidence(_Stored):
    image: str
    box: tuple[int, int, int, int] | None
    text: str
    source: str


class StoredFact(_Stored):
    name: str
    value: str
    confidence: float
    evidence: tuple[StoredEvidence, ...] = ()


class StoredCheck(_Stored):
    status: Literal["held", "failed", "uncertain"]
    by: str
    detail: str


class StoredCall(_Stored):
    """One model call of the step, from the ledger."""

    kind: str
    model: str
    tier: str
    reason: str
    confidence: float | None
    prompt_tokens: int
    image_tokens: int
    output_tokens: int
    reused_tokens: int
    ms: float


class StoredPermission(_Stored):
    """What the gate said: the policy's decision and rule, and who approved which hash."""

    decision: Literal["allow", "ask", "deny"]
    rule: str
    allowed: bool
    by: str = ""
    hash: str = ""


class StepRecord(_Stored):
    """One step: seen, decided, done, verified.

    Attributes:
        part: of the plan, that the action was for; None where it was for none.
        ticks: what became of each part of the plan, after the step.
    """

    kind: Literal["step"] = "step"
    v: int = TRACE_VERSION
    action_v: int = ACTION_VERSION
    step: int
    time: str
    observation: StoredLook
    action: Action | None
    line: str
    target: str | None = None
    reason: str
    confidence: float
    escalated: bool = False
    likely: tuple[tuple[str, float], ...] = ()
    outcome: Literal["ok", "refused", "invalid"]
    outcome_reason: str
    outcome_detail: str = ""
    data: dict[str, object] = Field(default_factory=dict)
    verification: StoredCheck
    fact: StoredFact | None = None
    banned: str | None = None
    permission: StoredPermission | None = None
    retried: bool = False
    part: int | None = None
    ticks: tuple[Literal["open", "held", "tried"], ...] = ()
    calls: tuple[StoredCall, ...] = ()
    seconds: float
    ms: dict[str, float] = Field(default_factory=dict)


class Intent(_Stored):
    """Written before an irreversible action, so that a kill in its middle leaves a trace."""

    kind: Literal["intent"] = "intent"
    v: int = TRACE_VERSION
    step: int
    time: str
    address: str
    line: str
    action: Action
    approved_by: str = ""


class Resumed(_Stored):
    """Marks the place where a run was picked up again."""

    kind: Literal["resumed"] = "resumed"
    v: int = TRACE_VERSION
    step: int
    time: str
    note: str


class StoredResult(_Stored):
    v: int = TRACE_VERSION
    status: Status
    reason: str
    steps: int
    seconds: float
    facts: tuple[StoredFact, ...]
    verification: StoredCheck
    models: dict[str, dict[str, float]]
    counters: dict[str, int]
    policy: str
    report: str | None = None


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def store_look(observation: Observation, page: str, image: str | None) -> StoredLook:
    return StoredLook(
        id=observation.id,
        surface=observation.surface,
        address=observation.address,
        title=observation.title,
        fingerprint=page,
        image=image,
        scroll=observation.scroll,
        marks=tuple(store_mark(mark) for mark in observation.marks),
        notices=tuple(f"{notice.kind}: {notice.text}" for notice in observation.notices),
    )


def store_mark(mark: Mark) -> StoredMark:
    box = mark.box
    return StoredMark(
        ref=mark.ref,
        role=mark.role,
        text=mark.text,
        box=(round(box.x0, 1), round(box.y0, 1), round(box.x1, 1), round(box.y1, 1)) if box else None,
        source=mark.source,
        value=mark.value,
        states=mark.states,
    )


def outcome_kind(outcome: Outcome) -> Literal["ok", "refused", "invalid"]:
    if outcome.ok:
        return "ok"
    return "invalid" if outcome.reason == "invalid" else "refused"
