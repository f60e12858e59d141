"""What a spec does before it looks: typed actions on named controls, and errands for the agent."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from llava_agent.checks.expectation import Named, thing
from llava_agent.checks.look.subject import PageSubject
from llava_agent.checks.spans import folded
from llava_agent.checks.spec import Do, Step
from llava_agent.checks.things import TEXTS
from llava_agent.errors import ToolError

if TYPE_CHECKING:
    from tools.action import Action
    from tools.browser import BrowserSession
    from tools.mark import Mark
    from tools.observation import Observation

#: Does an errand on the front page; returns the sentence that says why it could not, or nothing.
Errand = Callable[["BrowserSession", Do], Awaitable[str]]
#: Seconds between two tries of a step whose control is not there yet.
_AGAIN = 0.25


async def take(step: Step, subject: PageSubject, seconds: float, errand: Errand | None) -> None:
    """One step; its control may take so many seconds to appear.

    Raises:
        ToolError: it cannot be done.
    """
    if step.errand is not None:
        if errand is None:
            raise ToolError(
                f"the step {step.words()} needs a model, and none is given", "give one with --model"
            )
        problem = await errand(subject.surface.session, step.errand)
        if problem:
            raise ToolError(f"the step {step.words()} was not done ({problem})", "say it with typed steps")
        return
    deadline = time.monotonic() + seconds
    while True:
        seen = await subject.surface.observe()
        subject.notices += seen.notices
        action = _action(step, seen)
        if isinstance(action, str):
            problem = action
        else:
            outcome = await subject.surface.act(action, seen)
            # An answer of 400 or more is what was done, not what was not: `no_errors` is for it.
            if outcome.ok or outcome.reason == "http_error":
                return
            problem = outcome.detail
        if time.monotonic() >= deadline:
            raise ToolError(
                f"the step {step.words()} cannot be done ({problem})", "check the names in `steps`"
            )
        await asyncio.sleep(_AGAIN)


def _action(step: Step, seen: Observation) -> Action | str:
    """The typed action of a step, or why its control cannot be told."""
    from tools.action import Click, Navigate, Press, Select, Target, Type, Wait

    if step.press is not None:
        return Press(key=step.press)
    if step.wait is not None:
        return Wait(seconds=step.wait)
    if step.go is not None:
        return Navigate(url=urljoin(seen.address, step.go))
    named = step.click or (step.type.into if step.type else step.select.of if step.select else None)
    assert named is not None  # exactly one key is set
    found = _control(named, seen)
    if isinstance(found, str):
        return found
    target = Target(ref=found.ref)
    if step.type is not None:
        text = step.type.text if step.type.secret is None else os.environ.get(step.type.secret, "")
        return Type(target=target, text=text or "")
    if step.select is not None:
        return Select(target=target, option=step.select.option)
    return Click(target=target)


def _control(named: Named, seen: Observation) -> Mark | str:
    """The one control of that name."""
    wanted = thing(named)
    found = [
        mark
        for mark in seen.marks
        if (mark.role == wanted.role if wanted.role else mark.role not in TEXTS)
        and folded(mark.text) == folded(wanted.name)
    ]
    if len(found) == 1:
        return found[0]
    return f"{len(found)} controls have that name, add a role" if found else "there is no such control"
