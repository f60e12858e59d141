"""An API shown as a form, so that the same policy that fills web pages can call it.

Three views: the list of operations; the form of one operation (its arguments, *send* and *back*); the answer
(the values as text, and *back*). Nothing has pixels.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from llava_agent.egress import EgressTimeout
from llava_agent.errors import PermissionDenied, ToolError
from tools.action import Action, Click, Effect, Press, Scroll, Select, Target, Type
from tools.api.client import ApiClient, ApiResponse, InvalidArgument, checked
from tools.api.operation import Operation, Parameter, words
from tools.api.schema import alternatives, shown
from tools.mark import Mark
from tools.observation import Observation, Outcome, Reason

#: Marks of one screenful; more are reached by scrolling, as on a page.
PAGE = 40
#: A longer list of permitted values is not laid out; a wrong one is answered with the list.
_OPTIONS = 20
_TEXT_CHARACTERS = 200
_RESPONSE_MARKS = 400
_RESPONSE_DEPTH = 6
_SEND, _BACK = "send", "back"


class ApiSurface:
    """A `tools.observation.Surface` over one `ApiClient`.

    A ref is valid for the observation that gave it until the view changes; then it is refused as `stale`.
    """

    def __init__(self, client: ApiClient) -> None:
        self._client = client
        self._operation: Operation | None = None
        self._values: dict[str, str] = {}
        self._answer: ApiResponse | None = None
        self._error = ""
        self._first = 0
        self._view = 0
        self._looks = 0
        self._seen: tuple[str, int] | None = None

    async def observe(self) -> Observation:
        marks = list(self._marks())
        self._looks += 1
        name = f"api-{self._looks}"
        self._seen = name, self._view
        last = max(0, len(marks) - PAGE)
        self._first = min(self._first, last)
        return Observation(
            id=name,
            surface="api",
            address=self._client.document.title,
            title=self._title(),
            marks=tuple(marks[self._first : self._first + PAGE]),
            scroll=self._first / last if last else None,
        )

    async def act(self, action: Action, observation: Observation) -> Outcome:
        if self._seen != (observation.id, self._view):
            return Outcome(False, "stale", "the form has changed since that observation")
        match action:
            case Scroll():
                return self._scroll(action.direction)
            case Press(key="Enter") if self._operation and self._answer is None:
                return await self._send()
            case Click() | Type() | Select():
                mark, refusal = _find(action.target, observation)
                if mark is None:
                    return refusal
                if isinstance(action, Click):
                    return await self._click(mark)
                if isinstance(action, Type):
                    return self._fill(mark, action.text, "invalid")
                return self._fill(mark, action.option, "no_such_option")
        if action.verb in ("wait", "screenshot", "done", "look"):
            if action.verb == "wait":
                await asyncio.sleep(action.seconds)
            return Outcome(True)
        return Outcome(False, "invalid", f"an API form cannot {action.verb}")

    async def value(self, ref: str) -> str | None:
        """The text in an argument of the open form, or None."""
        return self._values.get(ref)

    async def close(self) -> None:
        await self._client.close()

    def effect(self, action: Action, observation: Observation) -> Effect:
        """`irreversible` for what sends an operation that may change something; all else is `read` here.

        Filling a form changes nothing outside it.
        """
        operation = self._operation
        if operation is None or self._answer is not None:
            return "read"
        if isinstance(action, Click):
            mark, _ = _find(action.target, observation)
            sends = mark is not None and mark.ref == f"{operation.id}/{_SEND}"
        else:
            sends = isinstance(action, Press) and action.key == "Enter"
        return operation.effect if sends else "read"

    # What is shown

    def _title(self) -> str:
        if self._operation is None:
            return self._client.document.title
        if self._answer is not None:
            return f"{self._operation.label}: {self._answer.status} {self._answer.reason}".rstrip()
        return self._operation.label

    def _marks(self) -> Iterator[Mark]:
        operation = self._operation
        if operation is None:
            for one in self._client.operations:
                states = ("disabled",) if one.unsupported else ()
                yield _mark(one.id, "operation", one.label, states=states)
            return
        if self._answer is not None:
            yield from _answer_marks(operation, self._answer)
        else:
            if self._error:
                yield _mark(f"{operation.id}/error", "text", "error", self._error)
            for parameter in operation.parameters:
                yield from self._argument(operation, parameter)
            yield _mark(f"{operation.id}/{_SEND}", "button", _SEND)
        yield _mark(f"{operation.id}/{_BACK}", "button", _BACK)

    def _argument(self, operation: Operation, parameter: Parameter) -> Iterator[Mark]:
        ref = _ref(operation, parameter)
        value = self._values.get(ref)
        states = ("required",) if parameter.required else ()
        yield _mark(ref, "argument", parameter.label, value, states)
        if _is_boolean(parameter) or len(parameter.choices) > _OPTIONS:
            return
        for label in parameter.choices:
            chosen = ("selected",) if value is not None and value.casefold() == label.casefold() else ()
            yield _mark(f"{ref}={label}", "option", label, states=chosen)

    # What is done

    def _change_view(self, operation: Operation | None, answer: ApiResponse | None = None) -> None:
        self._operation, self._answer = operation, answer
        self._error = ""
        self._first = 0
        self._view += 1

    def _scroll(self, direction: str) -> Outcome:
        step = PAGE // 2 if direction == "down" else -PAGE // 2
        before, total = self._first, len(list(self._marks()))
        self._first = min(max(0, before + step), max(0, total - PAGE))
        return Outcome(True, detail="" if self._first != before else "there is nothing more that way")

    async def _click(self, mark: Mark) -> Outcome:
        operation = self._operation
        if "disabled" in mark.states:
            reason = next(one.unsupported for one in self._client.operations if one.id == mark.ref)
            return Outcome(False, "disabled", f"{mark.text} cannot be called here: {reason}")
        if mark.role == "operation":
            self._values = {}
            self._change_view(self._client.operation(mark.ref))
            return Outcome(True)
        if operation is None:
            return Outcome(False, "not_found", f"there is no {mark.text!r} here")
        if mark.ref == f"{operation.id}/{_BACK}":
            # From an answer back to the form, which keeps its values; from the form back to the list.
            self._change_view(operation if self._answer is not None else None)
            return Outcome(True)
        if mark.ref == f"{operation.id}/{_SEND}":
            return await self._send()
        for parameter in operation.parameters:
            ref = _ref(operation, parameter)
            if mark.ref == ref and _is_boolean(parameter):
                return self._fill(mark, "false" if self._values.get(ref) == "true" else "true", "invalid")
            if mark.role == "option" and mark.ref == f"{ref}={mark.text}":
                self._values[ref] = mark.text
                return Outcome(True)
        what = "is filled by typing" if mark.role == "argument" else "is only text"
        return Outcome(False, "invalid", f"{mark.text} {what}; a click does nothing")

    def _fill(self, mark: Mark, text: str, otherwise: Reason) -> Outcome:
        operation = self._operation
        for parameter in operation.parameters if operation else ():
            assert operation is not None
            if _ref(operation, parameter) != mark.ref:
                continue
            text = text.strip()
            if not text:
                self._values.pop(mark.ref, None)
                return Outcome(True)
            try:
                checked(parameter, text)
            except InvalidArgument as refusal:
                return Outcome(False, otherwise, refusal.what)
            self._values[mark.ref] = text
            return Outcome(True)
        return Outcome(False, "not_a_field", f"{mark.text!r} is no argument that takes a value")

    async def _send(self) -> Outcome:
        operation = self._operation
        assert operation is not None
        given = {
            parameter.name: self._values[ref]
            for parameter in operation.parameters
            if (ref := _ref(operation, parameter)) in self._values
        }
        try:
            answer = await self._client.call(operation, given)
        except InvalidArgument as refusal:
            return Outcome(False, "invalid", refusal.what)
        except PermissionDenied as refusal:
            return Outcome(False, "denied", str(refusal))
        except EgressTimeout as failure:
            return Outcome(False, "timeout", str(failure))
        except ToolError as failure:
            return Outcome(False, "http_error", str(failure))
        data: dict[str, object] = {"status": answer.status, "body": answer.body, "ms": answer.milliseconds}
        if not answer.ok:
            self._change_view(operation)
            self._error = answer.message
            return Outcome(False, "http_error", f"HTTP {answer.status}: {answer.message}", data=data)
        self._change_view(operation, answer)
        return Outcome(True, detail=f"HTTP {answer.status} {answer.reason}".rstrip(), data=data)


def _find(target: Target, observation: Observation) -> tuple[Mark | None, Outcome]:
    """The one mark that a target names, or why there is none."""
    if target.point is not None:
        return None, Outcome(False, "not_found", "an API form has no positions")
    if target.ref is not None:
        found = [mark for mark in observation.marks if mark.ref == target.ref]
    else:
        wanted = (target.text or "").strip().casefold()
        found = [mark for mark in observation.marks if mark.text.casefold() == wanted]
    if len(found) == 1:
        return found[0], Outcome(True)
    named = target.ref or target.text
    if found:
        return None, Outcome(False, "invalid", f"{named!r} names {len(found)} things here")
    return None, Outcome(False, "not_found", f"there is no {named!r} here")


def _ref(operation: Operation, parameter: Parameter) -> str:
    return f"{operation.id}/{parameter.location}.{parameter.name}"


def _is_boolean(parameter: Parameter) -> bool:
    return all(option.get("type") == "boolean" for option in alternatives(parameter.schema))


def _mark(ref: str, role: str, text: str, value: str | None = None, states: tuple[str, ...] = ()) -> Mark:
    return Mark(ref, role, _cut(text), None, "api", _cut(value) if value is not None else None, states)


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _TEXT_CHARACTERS else line[: _TEXT_CHARACTERS - 3] + "..."


def _answer_marks(operation: Operation, answer: ApiResponse) -> Iterator[Mark]:
    """The answer's values, one text a leaf: `"serial number" text = SN-48213`."""
    yield _mark(f"{operation.id}/status", "text", "status", f"{answer.status} {answer.reason}".rstrip())
    for number, (path, value) in enumerate(_leaves(answer.body, ())):
        if number == _RESPONSE_MARKS:
            yield _mark(f"{operation.id}/more", "text", "more", "the answer goes on")
            return
        name = " ".join(words(part) for part in path) or "answer"
        yield _mark(f"{operation.id}/answer.{'.'.join(path)}", "text", name, value)


def _leaves(value: object, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Entries of a list are counted from 1, and the list's length is told first."""
    if isinstance(value, dict) and value and len(path) < _RESPONSE_DEPTH:
        for key, part in value.items():
            yield from _leaves(part, (*path, str(key)))
    elif isinstance(value, list) and len(path) < _RESPONSE_DEPTH:
        yield (*path, "count"), str(len(value))
        for number, part in enumerate(value, 1):
            yield from _leaves(part, (*path, str(number)))
    elif value is not None:
        yield path, shown(value)
