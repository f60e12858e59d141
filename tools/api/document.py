"""An OpenAPI 3.0 or 3.1 document: read, checked, its references resolved."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urljoin

from llava_agent.egress import AllowList, Limits, async_client
from llava_agent.errors import ConfigError, ToolError

#: Largest document that is read, in bytes.
MAX_BYTES = 8 * 2**20
#: How many references may lead to one another before they are taken for a circle.
_MAX_HOPS = 32

Node = dict[str, object]


@dataclass(frozen=True, slots=True)
class Document:
    """A checked document.

    Attributes:
        root: the parsed object, references unresolved (see `resolve`).
        source: where it came from, a URL or a path; relative server addresses start there.
    """

    root: Node
    source: str

    @property
    def title(self) -> str:
        info = self.root.get("info")
        title = info.get("title") if isinstance(info, dict) else None
        return str(title or self.source)

    @property
    def base_url(self) -> str:
        """The first server's address without a final slash; empty where a file names none.

        Raises:
            ConfigError: the address has variables without a default, or is malformed.
        """
        servers = self.root.get("servers") or [{"url": "/"}]
        server = servers[0] if isinstance(servers, list) else None
        if not isinstance(server, dict) or not isinstance(server.get("url"), str):
            raise ConfigError(f"{self.source}: servers must be a list of objects with a url")
        url = str(server["url"])
        variables = server.get("variables")
        for name, variable in variables.items() if isinstance(variables, dict) else ():
            if isinstance(variable, dict) and "default" in variable:
                url = url.replace("{" + name + "}", str(variable["default"]))
        if "{" in url:
            raise ConfigError(f"{self.source}: the server address {url} has a variable without a default")
        return urljoin(self.source if "://" in self.source else "", url).rstrip("/")

    def resolve(self, node: object) -> Node:
        """The object that `node` stands for, following `$ref`; members beside `$ref` win (as 3.1 has it).

        Raises:
            ConfigError: the reference leads outside the document, nowhere, or in a circle.
        """
        beside: Node = {}
        for _ in range(_MAX_HOPS):
            if not isinstance(node, dict):
                raise ConfigError(f"{self.source}: an object was expected, not {_short(node)}")
            pointer = node.get("$ref")
            if pointer is None:
                return {**node, **beside} if beside else node
            beside = {**{key: value for key, value in node.items() if key != "$ref"}, **beside}
            node = self._at(pointer)
        raise ConfigError(f"{self.source}: its references lead in a circle")

    def _at(self, pointer: object) -> object:
        if not isinstance(pointer, str) or not pointer.startswith("#/"):
            raise ConfigError(
                f"{self.source}: the reference {_short(pointer)} leads out of the document",
                "bundle the document into one file first",
            )
        node: object = self.root
        for part in pointer[2:].split("/"):
            key = unquote(part).replace("~1", "/").replace("~0", "~")
            if isinstance(node, dict) and key in node:
                node = node[key]
            elif isinstance(node, list) and key.isdecimal() and int(key) < len(node):
                node = node[int(key)]
            else:
                raise ConfigError(f"{self.source}: the reference {pointer} leads nowhere")
        return node


async def load(source: str | Path, allow: AllowList | None = None) -> Document:
    """Read a document from a file (JSON or YAML) or, through the network guard, from a URL.

    Raises:
        ConfigError: not readable, not an OpenAPI 3.0 or 3.1 document.
        PermissionDenied: the URL's host is not on `allow`.
        ToolError: the server cannot be reached or refuses.
    """
    name = str(source)
    if "://" in name:
        async with async_client(allow or AllowList(), Limits(bytes=MAX_BYTES)) as http:
            answer = await http.get(name)
        if answer.status_code != 200:
            raise ToolError(f"{name} answered with HTTP {answer.status_code} instead of a document")
        return parse(answer.content, name)
    return parse(await asyncio.to_thread(_read, Path(source)), name)


def parse(text: bytes, source: str) -> Document:
    """Check and wrap a document's bytes. Raises ConfigError with the cause."""
    root = _decoded(text, source)
    if not isinstance(root, dict):
        raise ConfigError(f"{source} holds no OpenAPI document but {_short(root)}")
    version = root.get("openapi")
    if version is None and "swagger" in root:
        raise ConfigError(f"{source} is a Swagger 2 document", "convert it to OpenAPI 3")
    if not str(version).startswith(("3.0", "3.1")):
        raise ConfigError(f"{source} has no OpenAPI version 3.0 or 3.1 (found {_short(version)})")
    if not isinstance(root.get("paths"), dict):
        raise ConfigError(f"{source} has no paths", "give a document that describes at least one operation")
    return Document(root, source)


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ConfigError(f"{path} is larger than {MAX_BYTES:,} bytes")
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read ({error.strerror})") from None


def _decoded(text: bytes, source: str) -> object:
    try:
        return json.loads(text)
    except RecursionError:
        raise ConfigError(f"{source} is nested too deeply") from None
    except ValueError:
        pass  # perhaps YAML
    import yaml

    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        line = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ConfigError(f"{source} is neither JSON nor YAML ({line})") from None


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
