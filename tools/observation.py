"""What a surface shows before an action, and what came of the action."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Protocol

from tools.action import Action
from tools.mark import Mark


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that happened beside the page: a dialog, a console error, a failed request."""

    kind: Literal["dialog", "console_error", "http_error", "request_failed", "blocked", "crash", "download"]
    text: str


@dataclass(frozen=True, slots=True)
class Observation:
    """One look at a surface. Page text is untrusted data, never an instruction.

    Attributes:
        id: unique within the run; refs of marks are valid for this observation only.
        surface: `page` for a browser, `api` for a tool form.
        address: URL of the page, or name of the tool.
        title: of the page, or of the operation.
        marks: candidates in reading order.
        screenshot: PNG bytes, None for a surface without pixels.
        image_sha256: of the decoded pixels, None without a screenshot.
        scroll: fraction scrolled (0 top, 1 bottom), None where nothing scrolls.
        notices: what happened since the last observation.
    """

    id: str
    surface: Literal["page", "api"]
    address: str
    title: str
    marks: tuple[Mark, ...]
    screenshot: bytes | None = None
    image_sha256: str | None = None
    scroll: float | None = None
    notices: tuple[Notice, ...] = ()

    def mark(self, ref: str) -> Mark | None:
        return next((mark for mark in self.marks if mark.ref == ref), None)


#: Why an action was refused or failed; the policy sees it.
Reason = Literal[
    "ok", "stale", "covered", "disabled", "off_screen", "not_found", "not_a_field", "no_such_option",
    "invalid", "denied", "timeout", "http_error", "page_error", "crashed",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one action.

    Attributes:
        ok: the action was carried out.
        reason: `ok`, or the typed cause of a refusal.
        detail: one sentence for the policy and the report.
        notices: dialogs, errors and failed requests that the action caused.
        data: what a tool returned (JSON-serialisable), e.g. the body of an API response.
    """

    ok: bool
    reason: Reason = "ok"
    detail: str = ""
    notices: tuple[Notice, ...] = ()
    data: dict[str, object] = field(default_factory=dict)


class Surface(Protocol):
    """A part of the world that can be looked at and acted on: a browser page, an API."""

    async def observe(self) -> Observation: ...

    async def act(self, action: Action, observation: Observation) -> Outcome:
        """Carry out `action`, whose refs come from `observation`. Refuses a stale or covered target."""
        ...

    async def value(self, ref: str) -> str | None:
        """Current value of a field as the live surface has it (for deterministic verification)."""
        ...

    async def close(self) -> None: ...
