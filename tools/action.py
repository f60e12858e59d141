"""The one versioned schema of what an agent can do (pydantic, discriminated by `verb`)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

#: Raised whenever a field or verb changes its meaning; stored with each recorded step.
ACTION_VERSION = 1

Effect = Literal["read", "reversible", "irreversible"]


class _Base(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Point(_Base):
    """A position as thousandths of the screenshot's width and height (0 to 1000)."""

    x: int = Field(ge=0, le=1000)
    y: int = Field(ge=0, le=1000)


class Target(_Base):
    """Exactly one way to name a target; it is resolved to a live element before acting."""

    ref: str | None = None
    point: Point | None = None
    text: str | None = None

    def model_post_init(self, _context: object) -> None:
        if sum(part is not None for part in (self.ref, self.point, self.text)) != 1:
            raise ValueError("a target needs exactly one of ref, point, text")


class Navigate(_Base):
    verb: Literal["navigate"] = "navigate"
    url: str


class Click(_Base):
    verb: Literal["click"] = "click"
    target: Target


class Type(_Base):
    """Replace the content of a field."""

    verb: Literal["type"] = "type"
    target: Target
    text: str


class Select(_Base):
    """Choose an option of a list by its label."""

    verb: Literal["select"] = "select"
    target: Target
    option: str


class Press(_Base):
    verb: Literal["press"] = "press"
    key: str


class Scroll(_Base):
    verb: Literal["scroll"] = "scroll"
    direction: Literal["up", "down"] = "down"


class Wait(_Base):
    verb: Literal["wait"] = "wait"
    seconds: float = Field(default=1.0, gt=0, le=30)


class Tab(_Base):
    """Bring the tab with that index (0-based, in order of opening) to the front."""

    verb: Literal["tab"] = "tab"
    index: int = Field(ge=0)


class Upload(_Base):
    """Give a file of the run's inputs to a file field."""

    verb: Literal["upload"] = "upload"
    target: Target
    path: str


class Download(_Base):
    """Click a target and keep the file that it delivers in the run's folder."""

    verb: Literal["download"] = "download"
    target: Target


class Screenshot(_Base):
    verb: Literal["screenshot"] = "screenshot"


class Look(_Base):
    """Read something from the run's photos; the answer becomes a fact with its region as evidence."""

    verb: Literal["look"] = "look"
    question: str


class Done(_Base):
    """The policy believes that the goal is reached; the verifier decides."""

    verb: Literal["done"] = "done"
    answer: str | None = None


Action = Annotated[
    Navigate
    | Click
    | Type
    | Select
    | Press
    | Scroll
    | Wait
    | Tab
    | Upload
    | Download
    | Screenshot
    | Look
    | Done,
    Field(discriminator="verb"),
]

ACTION: TypeAdapter[Action] = TypeAdapter(Action)

_READ = {"scroll", "wait", "tab", "screenshot", "look", "done", "navigate", "download"}


def effect(action: Action, *, submits: bool = False) -> Effect:
    """Class of an action: `read`, `reversible`, or `irreversible` (one that submits or sends)."""
    if action.verb in _READ:
        return "read"
    return "irreversible" if submits else "reversible"
