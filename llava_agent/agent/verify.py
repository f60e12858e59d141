"""Did the action happen? Each has an expectation of its own, checked on the live surface without a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from llava_agent.agent.repeats import fingerprint
from tools.action import Action, Target
from tools.dates import read_date
from tools.observation import Notice, Observation, Outcome, Surface

_FAULTS = frozenset({"console_error", "http_error", "request_failed", "crash"})
_TOGGLES = frozenset({"checkbox", "radio", "switch", "menuitemcheckbox", "menuitemradio", "option", "tab"})
_TOGGLED = frozenset({"checked", "selected", "pressed"})


@dataclass(frozen=True, slots=True)
class Verification:
    """Whether an expectation held.

    Attributes:
        status: `uncertain` where nothing could decide.
        by: what decided: a field's value, the page, a notice of the browser, a check from outside, a model.
        detail: one sentence.
    """

    status: Literal["held", "failed", "uncertain"]
    by: Literal["value", "page", "notice", "outside", "model", "outcome", "none"]
    detail: str

    @property
    def held(self) -> bool:
        return self.status == "held"


async def check_action(
    action: Action, before: Observation, after: Observation, outcome: Outcome, surface: Surface
) -> Verification:
    """The expectation that the action itself declares."""
    if not outcome.ok:
        return Verification("failed", "outcome", outcome.detail or f"refused: {outcome.reason}")
    fault = _fault([*outcome.notices, *after.notices])
    if fault:
        return Verification("failed", "notice", fault)
    if action.verb in ("type", "select"):
        wanted = action.text if action.verb == "type" else action.option
        return await _value_is(action.target, wanted, after, surface)
    if action.verb == "clear":
        return await _value_is(action.target, "", after, surface)
    if action.verb == "check":
        return await _value_is(action.target, "checked" if action.on else "unchecked", after, surface)
    if action.verb == "click" and action.button == "left":
        return _clicked(action.target, before, after)
    if action.verb in ("press", "scroll", "drag", "back"):
        return _changed(before, after, f"{action.verb} changed nothing")
    if action.verb == "navigate":
        reached = _same_address(action.url, after.address)
        return Verification("held" if reached else "uncertain", "page", f"the page is at {after.address}")
    return Verification("held", "outcome", outcome.detail or "carried out")


async def _value_is(target: Target, wanted: str, after: Observation, surface: Surface) -> Verification:
    ref = target.ref
    value = await surface.value(ref) if ref is not None else None
    mark = after.mark(ref) if ref is not None else None
    if value is None and mark is not None:
        value = mark.value
    if value is None:
        return Verification("uncertain", "none", "the field's value cannot be read here")
    if same_value(value, wanted):
        return Verification("held", "value", f"the field has the value {value!r}")
    return Verification("failed", "value", f"the field has the value {value!r}, not {wanted!r}")


def _clicked(target: Target, before: Observation, after: Observation) -> Verification:
    mark = before.mark(target.ref) if target.ref else None
    now = after.mark(target.ref) if target.ref else None
    if mark and now and mark.role in _TOGGLES:
        was, is_ = _TOGGLED & set(mark.states), _TOGGLED & set(now.states)
        if was != is_:
            return Verification("held", "value", f"it is now {', '.join(sorted(is_)) or 'off'}")
    return _changed(before, after, "the page is as it was before the click")


def _changed(before: Observation, after: Observation, otherwise: str) -> Verification:
    if before.address != after.address:
        return Verification("held", "page", f"the page is now {after.address}")
    if fingerprint(before) != fingerprint(after):
        return Verification("held", "page", "the page changed")
    if before.image_sha256 != after.image_sha256:
        return Verification("held", "page", "the pixels of the page changed")
    return Verification("failed", "page", otherwise)


def _fault(notices: Sequence[Notice]) -> str | None:
    """The first thing that went wrong beside the page (a page that says *submitted* after a 500 has not)."""
    return next((f"{one.kind.replace('_', ' ')}: {one.text}" for one in notices if one.kind in _FAULTS), None)


def same_value(left: str, right: str) -> bool:
    """Equal as text without the blanks around, as numbers (`3.40`, `3.4`), or as dates (`1/31/2016`, ISO)."""
    left, right = " ".join(left.split()), " ".join(right.split())
    if left == right:
        return True
    day = read_date(left)
    if day is not None:
        return day == read_date(right)
    try:
        return float(left) == float(right)
    except ValueError:
        return False


def _same_address(wanted: str, actual: str) -> bool:
    return actual.split("#")[0].rstrip("/") == wanted.split("#")[0].rstrip("/")
