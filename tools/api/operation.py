"""What an API offers: its operations and their parameters, with every schema resolved."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from llava_agent.errors import ConfigError
from tools.action import Effect
from tools.api.document import Document, Node
from tools.api.schema import Schema, choices

Location = Literal["path", "query", "header", "cookie", "body"]

_METHODS = {"get", "put", "post", "delete", "options", "head", "patch"}
_SAFE = {"get", "head", "options"}
#: Headers that the document may not set (OpenAPI says so of the first three) or that frame the message.
_RESERVED = {
    "accept",
    "content-type",
    "authorization",
    "host",
    "content-length",
    "transfer-encoding",
    "cookie",
}
#: Objects inside an object are laid out as arguments of their own down to this depth, then asked for as JSON.
_FLAT_DEPTH = 3
#: A document that unfolds into more schema nodes than this is refused.
_MAX_NODES = 20_000


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument of an operation.

    Attributes:
        name: as the API calls it; a member of an object in the body is `outer.inner`, a body that is no
            object is `body`.
        location: where it travels.
        required: the API refuses a call without it.
        schema: JSON schema, references resolved.
        path: keys that lead to the value inside the body; empty for a body that is no object.
    """

    name: str
    location: Location
    required: bool
    schema: Schema = field(hash=False)
    description: str = ""
    path: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """The name in words: `serial_number` is `serial number`."""
        return words(self.name)

    @property
    def choices(self) -> tuple[str, ...]:
        """The labels of a closed list of values; empty where it is open."""
        return choices(self.schema)


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that the API can do.

    Attributes:
        id: the document's operationId, or `METHOD path` where it has none of its own.
        method: in upper case.
        path: template such as `/tickets/{id}`.
        content_type: of the request's body; empty where it has none.
        unsupported: why it cannot be called from a form; empty where it can.
    """

    id: str
    method: str
    path: str
    summary: str
    description: str
    parameters: tuple[Parameter, ...]
    content_type: str = ""
    unsupported: str = ""

    @property
    def label(self) -> str:
        return self.summary or words(self.id)

    @property
    def effect(self) -> Effect:
        """`read` for the methods that HTTP calls safe, `irreversible` for all others."""
        return "read" if self.method.lower() in _SAFE else "irreversible"


def words(name: str) -> str:
    """An identifier in words: `findPets`, `find_pets` and `find-pets` are `find pets`."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return " ".join(re.sub(r"[_\-.\[\]]+", " ", spaced).lower().split())


def operations(document: Document) -> tuple[Operation, ...]:
    """Every operation of the document, in its order.

    Raises:
        ConfigError: something in the document is not as OpenAPI has it.
    """
    reader = _Reader(document)
    found = list(reader.operations())
    if not found:
        raise ConfigError(f"{document.source} describes no operation")
    seen: dict[str, int] = {}
    for one in found:
        seen[one.id] = seen.get(one.id, 0) + 1
    doubled = [name for name, times in seen.items() if times > 1]
    if doubled:
        raise ConfigError(f"{document.source} uses the operationId {doubled[0]!r} twice", "give each its own")
    return tuple(found)


class _Reader:
    """Walks a document; counts the nodes that it unfolds."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._nodes = 0

    def operations(self) -> Iterator[Operation]:
        paths = self._document.resolve(self._document.root["paths"])
        for path, item in paths.items():
            if not path.startswith("/"):
                continue  # an extension (x-...)
            shared = self._document.resolve(item)
            for method in shared:
                if method in _METHODS:
                    yield self._operation(path, method, shared, self._document.resolve(shared[method]))

    def _operation(self, path: str, method: str, shared: Node, node: Node) -> Operation:
        name = str(node.get("operationId") or f"{method.upper()} {path}")
        given: dict[tuple[str, str], Parameter] = {}
        for listed in (shared.get("parameters"), node.get("parameters")):
            for parameter in self._parameters(name, listed or []):
                given[parameter.name, parameter.location] = parameter
        absent = set(re.findall(r"{([^}]+)}", path)) - {one for one, place in given if place == "path"}
        if absent:
            raise self._bad(name, f"does not describe {sorted(absent)[0]!r} of its path {path}")
        body, content_type, unsupported = self._body(name, node.get("requestBody"))
        return Operation(
            id=name,
            method=method.upper(),
            path=path,
            summary=_text(node.get("summary")),
            description=_text(node.get("description")),
            parameters=(*given.values(), *body),
            content_type=content_type,
            unsupported=unsupported,
        )

    def _parameters(self, operation: str, listed: object) -> Iterator[Parameter]:
        if not isinstance(listed, list):
            raise self._bad(operation, "has parameters that are no list")
        for entry in listed:
            node = self._document.resolve(entry)
            name, place = node.get("name"), node.get("in")
            if not isinstance(name, str) or place not in ("path", "query", "header", "cookie"):
                raise self._bad(operation, "has a parameter without a name or a known place")
            if place == "header" and name.lower() in _RESERVED:
                continue
            schema = node.get("schema")
            if schema is None:  # the long form: one media type with a schema
                media = next(iter(self._document.resolve(node.get("content") or {}).values()), {})
                schema = self._document.resolve(media).get("schema", {})
            required = place == "path" or node.get("required") is True
            unfolded = self._schema(schema, ())
            yield Parameter(name, place, required, unfolded, _text(node.get("description")))

    def _body(self, operation: str, node: object) -> tuple[tuple[Parameter, ...], str, str]:
        """The arguments of a request body, its content type, and why it cannot be sent."""
        if node is None:
            return (), "", ""
        body = self._document.resolve(node)
        content = self._document.resolve(body.get("content") or {})
        known = [kind for kind in content if _is_json(kind)]
        known += [kind for kind in content if kind.startswith("application/x-www-form-urlencoded")]
        if not known:
            kinds = ", ".join(content) or "nothing"
            return (), "", f"its body is {kinds}, which cannot be filled in as a form"
        schema = self._schema(self._document.resolve(content[known[0]]).get("schema", {}), ())
        required = body.get("required") is True
        if isinstance(schema.get("properties"), Mapping):
            return tuple(self._members(schema, (), required)), known[0], ""
        if not _is_json(known[0]):
            raise self._bad(operation, "has a form body without properties")
        return (Parameter("body", "body", required, schema, _text(body.get("description"))),), known[0], ""

    def _members(self, schema: Schema, above: tuple[str, ...], required: bool) -> Iterator[Parameter]:
        members = schema["properties"]
        needed = schema.get("required")
        assert isinstance(members, Mapping)
        for key, member in members.items():
            if member.get("readOnly") is True:
                continue
            path = (*above, str(key))
            must = required and isinstance(needed, list) and key in needed
            if isinstance(member.get("properties"), Mapping) and len(path) < _FLAT_DEPTH:
                yield from self._members(member, path, must)
            else:
                yield Parameter(".".join(path), "body", must, member, _text(member.get("description")), path)

    def _schema(self, node: object, trail: tuple[str, ...]) -> dict[str, object]:
        """The schema, references resolved and `allOf` merged; where it contains itself, anything goes."""
        self._nodes += 1
        if self._nodes > _MAX_NODES:
            raise ConfigError(f"{self._document.source} unfolds into more than {_MAX_NODES:,} schemas")
        if isinstance(node, bool) or node is None:
            return {}
        pointer = node.get("$ref") if isinstance(node, dict) else None
        if isinstance(pointer, str):
            if pointer in trail:
                return {}
            trail = (*trail, pointer)
        schema = dict(self._document.resolve(node))
        base: dict[str, object] = {}
        for part in _listed(schema.pop("allOf", None)):
            base = _merged(base, self._schema(part, trail))
        schema = _merged(base, schema)
        for key in ("anyOf", "oneOf"):
            if key in schema:
                schema[key] = [self._schema(part, trail) for part in _listed(schema[key])]
        if isinstance(schema.get("items"), dict):
            schema["items"] = self._schema(schema["items"], trail)
        members = schema.get("properties")
        if isinstance(members, dict):
            schema["properties"] = {key: self._schema(part, trail) for key, part in members.items()}
        return schema

    def _bad(self, operation: str, what: str) -> ConfigError:
        return ConfigError(f"{self._document.source}: operation {operation!r} {what}")


def _merged(base: dict[str, object], over: dict[str, object]) -> dict[str, object]:
    """Both schemas at once: properties and requirements join, for the rest `over` wins."""
    result = {**base, **over}
    for key in ("properties", "required"):
        low, high = base.get(key), over.get(key)
        if isinstance(low, dict) and isinstance(high, dict):
            result[key] = {**low, **high}
        elif isinstance(low, list) and isinstance(high, list):
            result[key] = list(dict.fromkeys([*low, *high]))
    return result


def _listed(value: object) -> list:
    return value if isinstance(value, list) else []


def _is_json(kind: str) -> bool:
    name = kind.split(";")[0].strip().lower()
    return name == "application/json" or name.endswith("+json")


def _text(value: object) -> str:
    return " ".join(value.split()) if isinstance(value, str) else ""
