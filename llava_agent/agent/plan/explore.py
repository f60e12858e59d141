"""What is asked for is not in sight: open what is closed, turn a page, scroll on, put away what covers it."""

from __future__ import annotations

from collections.abc import Sequence

from llava_agent.agent.plan.match import plain
from llava_agent.agent.plan.move import click
from llava_agent.agent.plan.part import Plan
from tools.action import Action, Scroll, Target, Wait
from tools.mark import Mark
from tools.observation import Observation

_OPENS = frozenset({"more", "menu", "options", "more options", "…", "...", "⋮", "⋯", "▾", "▼", "☰"})
_NEXT = frozenset({"next", ">", "›", "»", "→", "next page", "load more", "show more"})
_PUTS_AWAY = ("cancel", "close", "dismiss", "not now", "no thanks", "no", "x", "×", "✕")
_OPEN = frozenset({"selected", "expanded"})
#: How attempts of a search are remembered, so that they are not taken for the thing itself.
SEARCHED = "search: "
_SCROLLED, _INSIDE, _WAITED = f"{SEARCHED}scrolled", f"{SEARCHED}scrolled inside", f"{SEARCHED}waited"
#: Pages turned, and screens scrolled, in search of one thing.
_PATIENCE = 6


def explore(
    plan: Plan, observation: Observation, near: str = "", covered: bool = False
) -> tuple[Action, str, str] | None:
    """The next action of the search, under which name it is remembered, and why; None where nothing is left.

    Args:
        near: words of the row that it belongs to.
        covered: what was wanted was in sight before, and something lies over it now.
    """
    marks = observation.marks
    if covered:
        away = next((mark for name in _PUTS_AWAY for mark in marks if plain(mark.text) == name), None)
        if away and f"{SEARCHED}{away.ref}" not in plan.used:
            return click(away), f"{SEARCHED}{away.ref}", "something lies over what is wanted"
    if _offers(plan) and _WAITED not in plan.used:
        return Wait(seconds=1), _WAITED, "what was typed may call up what is wanted"
    before = plan.parts[plan.at - 1].target.names if plan.at else ()
    opened = {plain(name) for name in before}  # pressed by the part before: once more would close it
    for mark in _closed(marks, near):
        if mark.text and plain(mark.text) in opened:
            continue
        if f"{SEARCHED}{mark.ref}" not in plan.used:
            return click(mark), f"{SEARCHED}{mark.ref}", f'what is wanted may be behind "{mark.text}"'
    turned = next((mark for mark in marks if plain(mark.text) in _NEXT or mark.text.strip() in _NEXT), None)
    if turned and plan.used.count(f"{SEARCHED}{turned.ref}") < _PATIENCE and "disabled" not in turned.states:
        return click(turned), f"{SEARCHED}{turned.ref}", "what is wanted may be on the next page"
    if observation.scroll is not None and observation.scroll < 1 and plan.used.count(_SCROLLED) < _PATIENCE:
        return Scroll(), _SCROLLED, "what is wanted may be further down"
    if marks and _INSIDE not in plan.used:
        last = marks[-1]
        return Scroll(target=Target(ref=last.ref)), _INSIDE, "what is wanted may be further down in its box"
    return None


def _offers(plan: Plan) -> bool:
    """The part before filled a field, and pages take their time to offer what completes it."""
    return bool(plan.at) and plan.parts[(plan.at or 0) - 1].kind == "fill"


def _closed(marks: Sequence[Mark], near: str) -> list[Mark]:
    """Things that open and are not open yet; in a row that is named, the first one in it."""
    if near:
        said = [plain(near) in plain(mark.text).split() for mark in marks]
        after = marks[said.index(True) + 1 :] if True in said else ()
        return [mark for mark in after if plain(mark.text) in _OPENS][:1]
    tabs = [mark for mark in marks if mark.role == "tab" and not _OPEN & set(mark.states)]
    if not tabs:
        tabs = [mark for mark in marks if mark.role == "link" and plain(mark.text).startswith("tab ")]
    opens = [mark for mark in marks if mark.text.strip() in _OPENS or plain(mark.text) in _OPENS]
    menus = [
        mark for mark in marks if mark.role in ("menuitem", "treeitem") and "expanded" not in mark.states
    ]
    nameless = [mark for mark in marks if mark.role in ("img", "button") and not mark.text.strip()]
    return [*tabs, *opens, *menus, *(nameless if len(nameless) == 1 else ())]
