"""A plan as a value: parts that are quoted from the goal, and what became of each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

#: What a part asks for. `free` is a part whose words are left to the model.
Kind = Literal["press", "fill", "choose", "drag", "scroll", "highlight", "free"]

#: `held` by a verified action; `tried` where the action was done and nothing could confirm it.
Tick = Literal["open", "held", "tried"]


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words of the goal that name something on the page.

    Attributes:
        names: what it may be called, the most exact first; empty where only role and place name it.
        role: family of roles (`button`, `field`, `link`, ...); empty where the goal does not say.
        ordinal: 0-based place among those alike, -1 for the last; None where the goal does not say.
        every: all of them are meant, `most` of them at most.
        extreme: the greatest or the smallest number is meant.
        near: words that stand in the same row or group.
    """

    names: tuple[str, ...] = ()
    role: str = ""
    ordinal: int | None = None
    every: bool = False
    most: int | None = None
    extreme: Literal["", "greatest", "smallest"] = ""
    near: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """A text that the goal does not say.

    Attributes:
        of: what it is read from.
        take: the whole text, the value beside a label, one word of it, the result of a sum; or (`fact`) what
            is known under that name, looked for on photos and in manuals, else asked of the user.
        word: 0-based place of that word, -1 for the last.
    """

    of: Phrase
    take: Literal["text", "value", "word", "result", "fact"] = "text"
    word: int = 0


@dataclass(frozen=True, slots=True)
class Part:
    """One thing to do, in the goal's words.

    Attributes:
        quote: the words of the goal that ask for it.
        value: what is filled in or chosen, in the goal's words or from the page.
        to: where something is dragged, or the way it is moved (`left`, `top`, ...).
    """

    kind: Kind
    quote: str
    target: Phrase = Phrase()
    value: str | Source = ""
    to: Phrase | str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """Parts in order, with a tick each.

    Attributes:
        used: what the part in work has already been tried on (names or refs), so that nothing is tried twice.
        by: who made it: the goal's own words, or a model.
    """

    parts: tuple[Part, ...] = ()
    ticks: tuple[Tick, ...] = ()
    used: tuple[str, ...] = ()
    by: str = "goal"

    @classmethod
    def of(cls, parts: tuple[Part, ...], by: str = "goal") -> Plan:
        return cls(parts, tuple("open" for _ in parts), by=by)

    @property
    def at(self) -> int | None:
        """Index of the part in work; None where all are done."""
        return next((index for index, tick in enumerate(self.ticks) if tick == "open"), None)

    @property
    def part(self) -> Part | None:
        return None if self.at is None else self.parts[self.at]

    @property
    def guides(self) -> bool:
        """Every part is understood, so that the order of the parts can be relied on."""
        return bool(self.parts) and all(part.kind != "free" for part in self.parts)

    def using(self, name: str) -> Plan:
        """The plan after something was tried for the part in work."""
        return replace(self, used=(*self.used, name))

    def ticked(self, index: int, tick: Tick) -> Plan:
        """The plan with a part ticked; the next one begins afresh."""
        ticks = (*self.ticks[:index], tick, *self.ticks[index + 1 :])
        return replace(self, ticks=ticks, used=())
