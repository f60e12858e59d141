"""One line for each thing that was done, as the model reads it under `Done:`.

The training data uses the same lines, so the words here are part of the embedded model's format.
"""

from __future__ import annotations

import json

from tools.action import Action, Target
from tools.mark import Mark
from tools.observation import Observation, Outcome


def done_line(action: Action, observation: Observation, outcome: Outcome | None = None) -> str:
    """`click "New ticket" link`, `type SN-48213 in "Serial number" textbox`; with the typed reason where the
    action was refused: `click "Save" button: refused, covered`."""
    line = words(action, observation)
    if outcome is None or outcome.ok:
        return line
    return f"{line}: refused, {outcome.reason.replace('_', ' ')}"


def words(action: Action, observation: Observation) -> str:
    """The action alone."""
    match action.verb:
        case "click":
            how = {1: "", 2: "double ", 3: "triple "}[action.count]
            side = "" if action.button == "left" else f"{action.button} "
            return f"{side}{how}click {name(action.target, observation)}"
        case "download" | "clear" | "hover":
            return f"{action.verb} {name(action.target, observation)}"
        case "check":
            return f"{'check' if action.on else 'uncheck'} {name(action.target, observation)}"
        case "drag":
            return f"drag {name(action.target, observation)} to {name(action.to, observation)}"
        case "type":
            return f"type {action.text} in {name(action.target, observation)}"
        case "select":
            return f"select {action.option} in {name(action.target, observation)}"
        case "upload":
            return f"upload {action.path} in {name(action.target, observation)}"
        case "navigate":
            return f"navigate to {action.url}"
        case "press":
            return f"press {action.key}" if action.count == 1 else f"press {action.key} {action.count} times"
        case "scroll":
            inside = f" in {name(action.target, observation)}" if action.target else ""
            return f"scroll {action.direction}{inside}"
        case "wait_for":
            return f"wait for {action.text or action.url}"
        case "dialog":
            return f"{'accept' if action.accept else 'dismiss'} the next dialog"
        case "ask":
            return f"ask {action.question}"
        case "tool":
            return f"tool {action.name} {json.dumps(action.arguments, ensure_ascii=False)[:200]}"
        case "look":
            return f"look {action.question}"
        case "tab":
            return f"tab {action.index}"
        case "done":
            return f"done {action.answer}" if action.answer else "done"
        case _:
            return action.verb


def name(target: Target, observation: Observation) -> str:
    """The target by its words, without its value (which the action may have changed)."""
    if target.ref is not None:
        mark = observation.mark(target.ref)
        return short(mark) if mark else target.ref
    if target.point is not None:
        return f"point {target.point.x},{target.point.y}"
    return f'"{target.text}"'


def short(mark: Mark) -> str:
    return f'"{mark.text}" {mark.role}' if mark.text else mark.role
