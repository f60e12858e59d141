"""Secrets by name: bound to hosts, put in at the last moment, masked in all that is kept or shown to a model.

The goal says `{{secret:PASSWORD}}`, and so do model, trace, report and whoever approves. The file:

```yaml
PASSWORD: {hosts: [shop.example], env: SHOP_PASSWORD}
TOKEN: {hosts: ["tool:tickets.create"], value: abcd-efgh}
```
"""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, quote_plus

from pydantic import BaseModel, ConfigDict, Field, RootModel, model_validator

from llava_agent.errors import ConfigError, PermissionDenied
from llava_agent.strict_yaml import read_yaml
from tools.action import ACTION, Action

_NAME = r"[A-Za-z0-9_.-]{1,64}"
#: Where a secret stands in a text; group 1 is its name.
PLACE = re.compile(r"\{\{secret:(" + _NAME + r")\}\}")
#: A shorter value would be found everywhere by chance.
SHORTEST = 4


@dataclass(frozen=True, slots=True)
class Secret:
    """One secret; its value is never printed.

    Attributes:
        hosts: where it may be typed, such as `shop.example` or `*.example`; `tool:NAME` for a tool.
    """

    name: str
    value: str = field(repr=False)
    hosts: tuple[str, ...]

    @property
    def place(self) -> str:
        """What stands for it: `{{secret:NAME}}`."""
        return f"{{{{secret:{self.name}}}}}"


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid")

    hosts: tuple[str, ...] = Field(min_length=1)
    env: str | None = None
    value: str | None = None

    @model_validator(mode="after")
    def _one(self) -> _Entry:
        if (self.env is None) == (self.value is None):
            raise ValueError("a secret needs exactly one of env, value")
        return self


class _File(RootModel[dict[str, _Entry]]):
    pass


class Secrets:
    """The secrets of a run.

    Raises:
        ConfigError: a value that is too short to be masked, or a malformed name.
    """

    def __init__(self, secrets: Iterable[Secret] = ()) -> None:
        self._known = {secret.name: secret for secret in secrets}
        for secret in self._known.values():
            if not re.fullmatch(_NAME, secret.name):
                raise ConfigError(f"{secret.name!r} is no name of a secret", "use letters, digits, _ . -")
            if len(secret.value) < SHORTEST:
                raise ConfigError(
                    f"the secret {secret.name} is shorter than {SHORTEST} characters",
                    "it cannot be told from other text; use a longer one",
                )
        pairs = [(form, one.place) for one in self._known.values() for form in _forms(one.value)]
        # The longest first: a secret may be a part of another.
        self._masks = sorted(pairs, key=lambda pair: -len(pair[0]))

    @classmethod
    def read(cls, path: Path, environment: Mapping[str, str] = os.environ) -> Secrets:
        """From a strict YAML file; `env` names a variable of the environment.

        Raises:
            ConfigError: unreadable, readable by others while it holds values, or a variable that is not set.
        """
        entries: dict[str, _Entry] = read_yaml(path, _File).root
        if any(entry.value is not None for entry in entries.values()) and path.stat().st_mode & 0o077:
            raise ConfigError(f"{path} holds secrets and others may read it", f"run: chmod 600 {path}")
        secrets = []
        for name, entry in entries.items():
            value = entry.value if entry.env is None else environment.get(entry.env)
            if not value:
                raise ConfigError(f"the secret {name} has no value", f"set the variable {entry.env}")
            secrets.append(Secret(name, value, entry.hosts))
        return cls(secrets)

    def __bool__(self) -> bool:
        return bool(self._known)

    @property
    def values(self) -> tuple[str, ...]:
        return tuple(secret.value for secret in self._known.values())

    def inject(self, action: Action, host: str) -> Action:
        """The action with the values in the place of the names.

        Raises:
            PermissionDenied: an unknown secret, one that is not for this host, or a place that takes none.
        """
        if action.verb == "type":
            return action.model_copy(update={"text": self._filled(action.text, host)})
        if action.verb == "tool":
            arguments = _each(dict(action.arguments), lambda text: self._filled(text, f"tool:{action.name}"))
            return ACTION.validate_python({**action.model_dump(), "arguments": arguments})
        if PLACE.search(action.model_dump_json()):
            raise PermissionDenied(
                f"a secret may be typed or given to a tool, and not used to {action.verb}", "use type"
            )
        return action

    def mask(self, text: str) -> str:
        """The text with names in the place of values, percent-encoded forms included."""
        for value, place in self._masks:
            text = text.replace(value, place)
        return text

    def masked(self, data: object) -> object:
        """The same for every text in JSON data."""
        return _each(data, self.mask)

    def _filled(self, text: str, host: str) -> str:
        def value(found: re.Match[str]) -> str:
            secret = self._known.get(found.group(1))
            if secret is None:
                raise PermissionDenied(
                    f"there is no secret {found.group(1)!r}", "name it in the file of secrets"
                )
            if not any(fnmatch.fnmatchcase(host, name.lower()) for name in secret.hosts):
                raise PermissionDenied(f"the secret {secret.name} is not for {host or 'this place'}")
            return secret.value

        return PLACE.sub(value, text)


def whole(text: str, goal: str) -> str:
    """A part of a secret's place that a model quoted from the goal, made whole again."""
    for found in PLACE.finditer(goal):
        if found.group(1) in text and text in found.group(0):
            return found.group(0)
    return text


def _forms(value: str) -> list[str]:
    """The value as it may stand in texts and addresses."""
    return list(dict.fromkeys((value, quote(value, safe=""), quote(value), quote_plus(value))))


def _each(data: object, change: Callable[[str], str]) -> object:
    if isinstance(data, str):
        return change(data)
    if isinstance(data, Mapping):
        return {str(key): _each(value, change) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_each(value, change) for value in data]
    return data
