"""Which actions send something away and cannot be taken back."""

from __future__ import annotations

import re
from typing import Protocol, runtime_checkable

from tools.action import Action, Effect, effect
from tools.observation import Observation, Surface

#: Words of a button that sends.
SENDS = re.compile(
    r"\b(submit|save|send|create|file|add|confirm|ok|yes|apply|post|order|buy|pay|delete|remove|register|"
    r"sign up|book|upload|publish|approve|accept|transfer)\b",
    re.IGNORECASE,
)
_BUTTONS = frozenset({"button", "menuitem", "region", "text", "img"})


def submits(action: Action, seen: Observation) -> bool:
    """The action presses a button that sends, or Enter (which submits a form).

    Judged by role and words alone, so a harmless button may count; the price is one line in the trace.
    """
    if action.verb == "press":
        return action.key.endswith("Enter")
    if action.verb != "click":
        return False
    if action.target.ref is None:
        return True  # a bare point may be anything
    mark = seen.mark(action.target.ref)
    return mark is not None and mark.role in _BUTTONS and bool(SENDS.search(mark.text) or not mark.text)


@runtime_checkable
class KnowsEffects(Protocol):
    """A surface that knows what an action does, such as an API whose operations say it."""

    def effect(self, action: Action, observation: Observation) -> Effect: ...


def effect_on(surface: Surface, action: Action, seen: Observation) -> Effect:
    """Class of an action: as the surface knows it, else judged by what it presses.

    A page knows which button sends a form, and not what its scripts do; there the words count as well.
    """
    known = surface.effect(action, seen) if isinstance(surface, KnowsEffects) else effect(action)
    if known == "reversible" and (seen.surface == "page" or not isinstance(surface, KnowsEffects)):
        return effect(action, submits=submits(action, seen))
    return known
