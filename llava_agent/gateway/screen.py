"""What the gateway asks of a guard and of an audit log. Implementations live in `guards/` and `audit/`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, Literal, Protocol, TypeVar, runtime_checkable

from llava_agent.errors import PermissionDenied
from llava_agent.gateway.principal import Principal
from llava_agent.gateway.request import Choice, Completion, ModelRequest

Seen = TypeVar("Seen")
Answer = TypeVar("Answer", Choice, Completion)


@dataclass(frozen=True, slots=True)
class GuardResult:
    """What one guard did with one call.

    Attributes:
        status: `not_run` is never reported as a check; `error` blocks the call.
        action: what was done about what was found.
        found: kinds of what was found (`credit_card`), never the content.
    """

    guard: str
    status: Literal["ran", "not_run", "error"]
    action: Literal["none", "mask", "block", "ask"] = "none"
    found: tuple[str, ...] = ()


class Blocked(PermissionDenied):
    """A guard refused a call, or did not end well. `results` says which; the sentence holds no content."""

    def __init__(self, what: str, mend: str = "", results: tuple[GuardResult, ...] = ()) -> None:
        self.results = results
        super().__init__(what, mend)


class ApprovalNeeded(Blocked):
    """A guard or a rule wants a person to decide (see `gateway/consent.py`); as approved, the call passes.

    Attributes:
        approval: id of the approval that waits; empty where none could be asked for.
    """

    approval: str = ""


class ApprovalRefused(Blocked):
    """A person has decided that the call may not be made."""


def asked_by(rule: str) -> ApprovalNeeded:
    """What a rule asks about."""
    return ApprovalNeeded(
        f"the rule {rule!r} wants a person to approve it", "", (GuardResult("rules", "ran", "ask"),)
    )


class Hidden(Protocol):
    """What was masked in a call, so that its answer can be read again here; shows nothing of its content."""

    def restore(self, text: str) -> str:
        """`text` with the originals in place of the masks."""
        ...


@dataclass(frozen=True, slots=True)
class Screened(Generic[Seen]):
    """A request or an answer after the guards, masked where they say so.

    Attributes:
        hidden: to be handed to `outbound` or `streaming` with the answer.
    """

    value: Seen
    results: tuple[GuardResult, ...] = ()
    hidden: Hidden | None = None


class Screen(Protocol):
    """The guards of an installation. Fails closed: an exception of a guard blocks the call.

    A request carries all that a model would be sent, the candidates of a choice included; they may be masked,
    but not be fewer or in another order. Nothing of a stream is given out before `outbound` saw the whole,
    unless the screen has `streaming` as well.
    """

    def inbound(
        self,
        request: ModelRequest,
        principal: Principal,
        *,
        leaves_machine: bool,
        approved: bool = False,
    ) -> Screened[ModelRequest]:
        """Raises Blocked, or ApprovalNeeded unless `approved`."""
        ...

    def outbound(
        self, answer: Answer, request: ModelRequest, principal: Principal, hidden: Hidden | None = None
    ) -> Screened[Answer]:
        """Raises Blocked where a guard blocks, or where the answer does not satisfy the request's schema."""
        ...


class AuditLog(Protocol):
    """The record that proves afterwards what happened; never holds content."""

    def intent(self, record: Mapping[str, object]) -> int:
        """Commit what is about to be done, before it is; gives the sequence number. Raises ToolError."""
        ...

    def outcome(self, sequence: int, record: Mapping[str, object]) -> None:
        """Commit how it ended. Raises ToolError."""
        ...


@runtime_checkable
class StreamingScreen(Protocol):
    """Guards that can look at an answer as it comes. Without this, a stream is given out at its end."""

    def streaming(
        self,
        pieces: Iterator[str | Completion],
        request: ModelRequest,
        principal: Principal,
        hidden: Hidden | None = None,
    ) -> Iterator[str | Screened[Completion]]:
        """The pieces, held back by as much as the longest thing that is looked for, and at the end the whole.

        Raises (while it runs) PermissionDenied where a guard blocks; what was held back is not given out.
        """
        ...
