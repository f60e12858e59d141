"""Going in circles: the same action on the same page is stopped, not nudged."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field

from tools.action import Action
from tools.observation import Observation

#: The same action on the same page this often takes its target away.
REPEATS = 3
#: After this many bans the run stops.
MOST_BANS = 3


def fingerprint(observation: Observation) -> str:
    """16 hex digits of what the page says: address, scroll position, each mark with value and states.

    Pixels are left out, so that a clock or an animation does not make an old page look new.
    """
    digest = hashlib.sha256()
    scroll = "" if observation.scroll is None else f"{observation.scroll:.2f}"
    digest.update(f"{observation.address}\x1f{observation.title}\x1f{scroll}".encode())
    for mark in observation.marks:
        states = ",".join(sorted(set(mark.states) - {"focused"}))
        digest.update(f"\x1e{mark.role}\x1f{mark.text}\x1f{mark.value}\x1f{states}".encode())
    return digest.hexdigest()[:16]


@dataclass(slots=True)
class Repeats:
    """Counts actions per page of one run."""

    seen: Counter[tuple[str, str]] = field(default_factory=Counter)
    bans: int = 0

    def note(self, page: str, action: Action) -> str | None:
        """Count one more attempt; return what to ban (a ref or a verb) when it is one too many."""
        key = (page, action.model_dump_json())
        self.seen[key] += 1
        if self.seen[key] < REPEATS:
            return None
        self.bans += 1
        target = getattr(action, "target", None)
        ref: str | None = target.ref if target is not None else None
        return ref or action.verb

    @property
    def stuck(self) -> bool:
        return self.bans >= MOST_BANS
