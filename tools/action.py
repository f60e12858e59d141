"""The one versioned schema of what an agent can do (pydantic, discriminated by `verb`)."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter

#: Raised whenever a field or verb changes its meaning; stored with each recorded step.
ACTION_VERSION = 2

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


class Back(_Base):
    """Go to the page before, as the browser's own button does."""

    verb: Literal["back"] = "back"


class Click(_Base):
    """Press a button of the mouse, once or (a double click) twice."""

    verb: Literal["click"] = "click"
    target: Target
    button: Literal["left", "middle", "right"] = "left"
    count: int = Field(default=1, ge=1, le=3)


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


class Clear(_Base):
    """Empty a field."""

    verb: Literal["clear"] = "clear"
    target: Target


class Check(_Base):
    """Set a checkbox, radio button or switch; one that is as wanted already is left alone."""

    verb: Literal["check"] = "check"
    target: Target
    on: bool = True


class Hover(_Base):
    """Rest the pointer on a target, as for menus and hints that open by themselves."""

    verb: Literal["hover"] = "hover"
    target: Target


class Drag(_Base):
    """Press on `target`, move to `to`, and let go there."""

    verb: Literal["drag"] = "drag"
    target: Target
    to: Target


class Press(_Base):
    """Press a key or a chord, such as `Enter`, `ArrowDown`, `Control+A`, once or `count` times."""

    verb: Literal["press"] = "press"
    key: str = Field(min_length=1, max_length=60)
    count: int = Field(default=1, ge=1, le=200)


class Scroll(_Base):
    """Scroll the page, or the box around `target` where one is given."""

    verb: Literal["scroll"] = "scroll"
    direction: Literal["up", "down", "left", "right"] = "down"
    target: Target | None = None


class Wait(_Base):
    verb: Literal["wait"] = "wait"
    seconds: float = Field(default=1.0, gt=0, le=30)


class WaitFor(_Base):
    """Wait until the page shows `text`, or its address contains `url`; exactly one of the two."""

    verb: Literal["wait_for"] = "wait_for"
    text: str | None = None
    url: str | None = None
    seconds: float = Field(default=10.0, gt=0, le=60)

    def model_post_init(self, _context: object) -> None:
        if bool(self.text) == bool(self.url):
            raise ValueError("wait_for needs exactly one of text, url")


class Dialog(_Base):
    """Say how the next alert, confirm or prompt of the page is answered; they are dismissed otherwise."""

    verb: Literal["dialog"] = "dialog"
    accept: bool = True
    text: str | None = None


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


class Ask(_Base):
    """Ask the user; the answer becomes a fact under the name `about`."""

    verb: Literal["ask"] = "ask"
    question: str = Field(min_length=1, max_length=500)
    about: str = Field(default="answer", min_length=1, max_length=60)


class ToolCall(_Base):
    """Call a registered tool (`tools.tool`); the arguments satisfy its JSON schema."""

    verb: Literal["tool"] = "tool"
    name: str = Field(min_length=1, max_length=100)
    arguments: dict[str, JsonValue] = Field(default_factory=dict)


class Done(_Base):
    """The policy believes that the goal is reached; the verifier decides."""

    verb: Literal["done"] = "done"
    answer: str | None = None


Action = Annotated[
    Navigate
    | Back
    | Click
    | Type
    | Clear
    | Select
    | Check
    | Press
    | Scroll
    | Drag
    | Hover
    | Wait
    | WaitFor
    | Dialog
    | Tab
    | Upload
    | Download
    | Screenshot
    | Look
    | Ask
    | ToolCall
    | Done,
    Field(discriminator="verb"),
]

ACTION: TypeAdapter[Action] = TypeAdapter(Action)

VERBS = frozenset(str(kind.model_fields["verb"].default) for kind in get_args(get_args(Action)[0]))

_READ = frozenset(
    {"scroll", "wait", "wait_for", "tab", "screenshot", "look", "ask", "done", "navigate", "back"}
    | {"download", "hover"}
)


def effect(action: Action, *, submits: bool = False) -> Effect:
    """Class of an action: `read`, `reversible`, or `irreversible` (one that submits or sends).

    A tool call is as irreversible as can be: what it really is, only its tool can say (`Tool.effect`).
    """
    if action.verb in _READ:
        return "read"
    return "irreversible" if submits or action.verb == "tool" else "reversible"
