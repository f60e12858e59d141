"""Filing through an operation of an API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import JsonValue

from llava_agent.egress import AllowList, Limits, NotConnected
from llava_agent.errors import ConfigError, LlavaAgentError, PermissionDenied, ToolError
from llava_agent.filing.config import ApiTarget, filled
from llava_agent.filing.destination import Difference, Receipt, equal
from llava_agent.filing.fill import Problem
from tools.api import ApiClient, ApiResponse, InvalidArgument, Operation, load
from tools.api.client import checked
from tools.api.operation import Parameter

_NOTHING_SENT = "nothing was sent"


class ApiDestination:
    """One destination over an open client.

    Args:
        client: with the headers of the destination.
    """

    def __init__(self, target: ApiTarget, client: ApiClient) -> None:
        self._target, self._client = target, client
        self._operation = self._known(target.operation)
        if self._operation.unsupported:
            raise ConfigError(
                f"{target.operation!r} cannot be called here: {self._operation.unsupported}",
                "name another operation, or file through the web form",
            )
        for other in (target.read_back, target.look_up):
            if other is not None and self._known(other.operation).effect != "read":
                raise ConfigError(
                    f"{other.operation!r} may change something, so it is no way to look",
                    "name one that reads",
                )

    @classmethod
    async def open(cls, target: ApiTarget, document: str, once: str = "") -> ApiDestination:
        """Read the document and connect; only its host, and that of `base_url`, may be spoken to.

        Args:
            document: URL or path of the OpenAPI document.
            once: the record's id, for the header that the destination knows repeated calls by.

        Raises:
            ConfigError: a malformed document, an operation that it lacks, or a variable that is not set.
            PermissionDenied: the API's server is another host than the configuration names.
            ToolError: the document cannot be fetched.
        """
        named = [one for one in (document, target.base_url) if "://" in one]
        read = await load(document, AllowList.of(*named) if named else None)
        # A document from a file says itself where its server is: whoever wrote the file chose that host.
        allow = AllowList.of(*named, *([] if "://" in document else [target.base_url or read.base_url]))
        headers = target.headers()
        if target.once_header and once:
            headers[target.once_header] = once
        limits = Limits(seconds=target.seconds)
        client = ApiClient(read, allow, base_url=target.base_url or None, headers=headers, limits=limits)
        try:
            return cls(target, client)
        except ConfigError:
            await client.close()
            raise

    async def check(
        self, values: Mapping[str, JsonValue], *, live: bool = True
    ) -> tuple[Mapping[str, JsonValue], list[Problem]]:
        known = {one.name: one for one in self._operation.parameters}
        if unknown := sorted(set(values) - set(known)):
            raise ConfigError(
                f"{self._operation.label} has no argument {unknown[0]!r}", f"it takes {', '.join(known)}"
            )
        sent: dict[str, JsonValue] = {}
        problems = []
        for name, value in values.items():
            try:
                sent[name] = checked(known[name], value)  # type: ignore[assignment]
            except InvalidArgument as refusal:
                problems.append(Problem(name, f"{refusal.what}: correct it in the table"))
        problems += [
            Problem(one.name, f"{one.label} is required by {self._operation.label}: map it, or write it in")
            for one in known.values()
            if one.required and one.name not in values
        ]
        return sent, problems

    async def send(self, values: Mapping[str, JsonValue], once: str) -> Receipt:
        try:
            answer = await self._client.call(self._operation, values)
        except (InvalidArgument, PermissionDenied, NotConnected) as refusal:
            return Receipt("failed", f"{refusal}; {_NOTHING_SENT}")
        except ToolError as failure:
            return Receipt("unknown", f"{failure}; it may have arrived")
        evidence = {"status": answer.status, "ms": round(answer.milliseconds, 1)}
        if answer.status >= 500:
            reason = f"the other system failed (HTTP {answer.status}: {answer.message}); it may have arrived"
            return Receipt("unknown", reason, evidence=evidence)
        if not answer.ok:
            return Receipt(
                "failed", f"refused with HTTP {answer.status}: {answer.message}", evidence=evidence
            )
        return await self._filed(values, answer, evidence)

    async def look_up(self, values: Mapping[str, JsonValue], once: str) -> Receipt:
        look = self._target.look_up
        if look is None:
            return Receipt("unknown", "this destination has no look-up: look in the other system yourself")
        try:
            given = {**values, "record": once}
            arguments = {name: filled(text, given.__getitem__) for name, text in look.arguments.items()}
            answer = await self._client.call(self._known(look.operation), arguments)
        except (KeyError, LlavaAgentError) as failure:
            return Receipt("unknown", f"the other system could not be looked into ({failure})")
        items = _at(answer.body, look.items) if answer.ok else None
        if not isinstance(items, list):
            return Receipt("unknown", f"the look-up answered with HTTP {answer.status} and no list")
        found = [one for one in items if not self._differences(values, one)]
        if not found:
            return Receipt("failed", "it never arrived: the other system has no such entry")
        if len(found) > 1:
            return Receipt("unknown", f"the other system has {len(found)} such entries: look there yourself")
        reference, link = self._names(found[0])
        return Receipt("filed", "found there by a look-up", reference, link, True)

    async def close(self) -> None:
        await self._client.close()

    async def _filed(
        self, values: Mapping[str, JsonValue], answer: ApiResponse, evidence: Mapping[str, Any]
    ) -> Receipt:
        """What was taken, read back from the other system."""
        reference, link = self._names(answer.body)
        back = self._target.read_back
        if back is None:
            return Receipt("filed", "this destination has no read-back", reference, link, None, (), evidence)
        try:
            arguments = {name: filled(text, _inside(answer.body)) for name, text in back.arguments.items()}
            there = await self._client.call(self._known(back.operation), arguments)
        except (KeyError, LlavaAgentError) as failure:
            reason = f"it was taken, but could not be read back ({failure})"
            return Receipt("filed", reason, reference, link, None, (), evidence)
        if not there.ok:
            reason = f"it was taken, but could not be read back (HTTP {there.status})"
            return Receipt("filed", reason, reference, link, None, (), evidence)
        differences = self._differences(values, there.body)
        reason = "; ".join(one.sentence for one in differences)
        return Receipt("filed", reason, reference, link, not differences, differences, evidence)

    def _differences(self, values: Mapping[str, JsonValue], there: object) -> tuple[Difference, ...]:
        without = self._target.read_back.without if self._target.read_back else ()
        found = []
        for name, value in values.items():
            parameter = next(one for one in self._operation.parameters if one.name == name)
            if name in without or parameter.location in ("header", "cookie"):
                continue
            seen = _at(there, ".".join(_path(parameter)))
            if not equal(value, seen):
                found.append(Difference(name, value, seen))  # type: ignore[arg-type]
        return tuple(found)

    def _names(self, body: object) -> tuple[str, str]:
        """The new entry's number, and the address for people; empty where the answer does not say."""
        reference = _at(body, self._target.reference) if self._target.reference else None
        try:
            link = filled(self._target.link, _inside(body))
        except KeyError:
            link = ""
        return "" if reference is None else str(reference), link

    def _known(self, name: str) -> Operation:
        try:
            return self._client.operation(name)
        except InvalidArgument as error:
            known = ", ".join(one.id for one in self._client.operations)
            raise ConfigError(error.what, f"it has {known}") from None


def _path(parameter: Parameter) -> tuple[str, ...]:
    return parameter.path or (parameter.name,)


def _inside(body: object) -> Any:
    def look(path: str) -> object:
        value = _at(body, path)
        if value is None:
            raise KeyError(f"the answer has no {path}")
        return value

    return look


def _at(body: object, path: str) -> Any:
    """The value at a path such as `data.id`; None where it leads nowhere."""
    for key in path.split(".") if path else ():
        if not isinstance(body, dict):
            return None
        body = body.get(key)
    return body
