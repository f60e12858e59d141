"""Guards and the audit log, called so that whatever goes wrong in them refuses the call."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import TypeVar

from llava_agent.errors import LlavaAgentError, PermissionDenied, ToolError
from llava_agent.gateway.request import Completion, ModelRequest
from llava_agent.gateway.screen import Answer, AuditLog, Hidden, Screen, Screened

Seen = TypeVar("Seen")
Kept = TypeVar("Kept")

_MEND = "the call is refused, since a check that did not run is none"


def screened_request(
    screen: Screen, request: ModelRequest, *, leaves_machine: bool
) -> Screened[ModelRequest]:
    """The request after the guards, with its candidates.

    Raises:
        PermissionDenied: a guard blocks, fails, or gives back something else than the request.
    """
    result = _guarded(
        ModelRequest,
        lambda: screen.inbound(
            request, request.principal, leaves_machine=leaves_machine, candidates=request.candidates
        ),
    )
    if len(result.candidates) != len(request.candidates):
        raise PermissionDenied("a guard dropped a candidate", _MEND)
    return replace(result, value=replace(result.value, candidates=result.candidates))


def screened_answer(
    screen: Screen, answer: Answer, request: ModelRequest, hidden: Hidden | None
) -> Screened[Answer]:
    """The answer after the guards; PermissionDenied as above."""
    return _guarded(type(answer), lambda: screen.outbound(answer, request, request.principal, hidden))


def screened_pieces(
    screen: Screen, pieces: Iterator[str | Completion], request: ModelRequest, hidden: Hidden | None
) -> Iterator[str | Screened[Completion]]:
    """The pieces as the guards let them pass, then the whole; PermissionDenied as above, also midway."""
    looking = _run(lambda: screen.stream(request, request.principal, hidden))
    shown: list[str] = []
    for piece in pieces:
        if isinstance(piece, Completion):
            end = _guarded(str, looking.end)
            shown.append(end.value)
            if end.value:
                yield end.value
            yield Screened(replace(piece, text="".join(shown).strip()), end.results)
            return
        passed = _run(partial(looking.push, piece))
        if not isinstance(passed, str):
            raise PermissionDenied("a guard gave back nothing usable", _MEND)
        shown.append(passed)
        if passed:
            yield passed


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


def _guarded(kind: type[Seen], check: Callable[[], object]) -> Screened[Seen]:
    return _checked(kind, _run(check))


def _run(check: Callable[[], Kept]) -> Kept:
    """What a guard gives back; one that fails blocks."""
    try:
        return check()
    except LlavaAgentError:
        raise
    except Exception as error:
        raise PermissionDenied(f"a guard failed ({type(error).__name__})", _MEND) from error


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
