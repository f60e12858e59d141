"""Guards and the audit log, called so that whatever goes wrong in them refuses the call."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from llava_agent.errors import LlavaAgentError, PermissionDenied, ToolError
from llava_agent.gateway.request import Choice, Completion, ModelRequest
from llava_agent.gateway.screen import Answer, AuditLog, Hidden, Screen, Screened, StreamingScreen

Seen = TypeVar("Seen", ModelRequest, Choice, Completion)
Kept = TypeVar("Kept")

_MEND = "the call is refused, since a check that did not run is none"


def screened_request(
    screen: Screen, request: ModelRequest, *, leaves_machine: bool, approved: bool = False
) -> Screened[ModelRequest]:
    """The request after the guards.

    Args:
        approved: a person has decided that what the guards ask about may pass.

    Raises:
        ApprovalNeeded: a person must decide.
        PermissionDenied: a guard blocks, fails, or gives back something else than the request.
    """
    given = {"leaves_machine": leaves_machine, **({"approved": True} if approved else {})}
    result = _guarded(request, lambda: screen.inbound(request, request.principal, **given))
    if len(result.value.candidates) != len(request.candidates):
        raise PermissionDenied("a guard dropped a candidate", _MEND)
    return result


def screened_answer(
    screen: Screen, answer: Answer, request: ModelRequest, hidden: Hidden | None = None
) -> Screened[Answer]:
    """The answer after the guards, what they masked in the request put back; PermissionDenied as above."""
    return _guarded(answer, lambda: screen.outbound(answer, request, request.principal, hidden))


def screened_pieces(
    screen: StreamingScreen,
    pieces: Iterator[str | Completion],
    request: ModelRequest,
    hidden: Hidden | None = None,
) -> Iterator[str | Screened[Completion]]:
    """The pieces as the guards let them pass, then the whole; PermissionDenied as above, also midway."""
    ended = False
    try:
        for piece in screen.streaming(pieces, request, request.principal, hidden):
            if isinstance(piece, str) and not ended:
                yield piece
            else:
                ended = True
                yield _checked(Completion, piece)
    except LlavaAgentError:
        raise
    except Exception as error:
        raise PermissionDenied(f"a guard failed ({type(error).__name__})", _MEND) from error
    if not ended:
        raise PermissionDenied("a guard did not say that the whole answer may pass", _MEND)


def _checked(kind: type[Seen], result: object) -> Screened[Seen]:
    """A guard's result that holds what was asked, and no guard that failed."""
    if not isinstance(result, Screened) or not isinstance(result.value, kind):
        raise PermissionDenied("a guard gave back nothing usable", _MEND)
    failed = [one.guard for one in result.results if one.status == "error"]
    if failed:
        raise PermissionDenied(f"the guard {failed[0]} failed", _MEND)
    return result


def intend(audit: AuditLog, record: dict[str, object]) -> int:
    """Commit an intent; ToolError where that fails in any way."""
    return _audited(lambda: audit.intent(record))


def conclude(audit: AuditLog, sequence: int, record: dict[str, object]) -> None:
    """Commit an outcome; ToolError where that fails in any way."""
    _audited(lambda: audit.outcome(sequence, record))


def _guarded(like: Seen, check: Callable[[], object]) -> Screened[Seen]:
    try:
        result = check()
    except LlavaAgentError:
        raise
    except Exception as error:
        raise PermissionDenied(f"a guard failed ({type(error).__name__})", _MEND) from error
    return _checked(type(like), result)


def _audited(write: Callable[[], Kept]) -> Kept:
    try:
        return write()
    except ToolError:
        raise
    except Exception as error:
        raise ToolError(
            f"the audit log cannot be written ({type(error).__name__})",
            "calls are refused until it can; see llava-agent audit verify",
        ) from error
