"""What an agent may do: allow, ask or deny, by effect, host, verb, tool and target; no model has a say."""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator

from llava_agent.strict_yaml import read_yaml
from tools.action import VERBS, Effect

Decision = Literal["allow", "ask", "deny"]

#: The shipped policy.
DEFAULT = Path(__file__).parent.parent / "configs" / "policy" / "agent.yaml"
#: Stands for the host that the run was started on.
START = "@start"


class Rule(BaseModel):
    """One rule; what it leaves empty fits everything."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1)
    effects: tuple[Effect, ...] = ()
    hosts: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    target: str | None = None
    decision: Decision

    @field_validator("target")
    @classmethod
    def _compiles(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                re.compile(value)
            except re.error as error:
                raise ValueError(f"{value!r} is no regular expression ({error})") from None
        return value

    @field_validator("verbs")
    @classmethod
    def _known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        unknown = sorted(set(value) - VERBS)
        if unknown:
            raise ValueError(f"there is no verb {unknown[0]!r} (there are: {', '.join(sorted(VERBS))})")
        return value

    def fits(self, deed: Deed) -> bool:
        return (
            (not self.effects or deed.effect in self.effects)
            and (not self.verbs or deed.verb in self.verbs)
            and (not self.tools or any(fnmatch.fnmatchcase(deed.tool, name) for name in self.tools))
            and (not self.hosts or any(_same_host(name, deed) for name in self.hosts))
            and (self.target is None or re.search(self.target, deed.target, re.IGNORECASE) is not None)
        )


@dataclass(frozen=True, slots=True)
class Deed:
    """An action as rules see it.

    Attributes:
        host: where it is done; empty where the surface has no address.
        start: the host that the run was started on.
        target: the words of what is acted on, or the arguments of a tool.
    """

    verb: str
    effect: Effect
    host: str = ""
    start: str = ""
    target: str = ""
    tool: str = ""


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the policy says of a deed, and by which rule."""

    decision: Decision
    rule: str


class Permission(BaseModel):
    """A policy: rules in order, and what holds where none fits."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rules: tuple[Rule, ...] = ()
    otherwise: Decision = "deny"

    @classmethod
    def read(cls, path: Path = DEFAULT) -> Permission:
        """From a strict YAML file.

        Raises:
            ConfigError: unreadable, an unknown key or verb, or no regular expression.
        """
        policy: Permission = read_yaml(path, cls)
        return policy

    @classmethod
    def everything(cls) -> Permission:
        """Allows all, for worlds that are made to be played with, such as an exam's pages."""
        return cls(otherwise="allow")

    def rule_on(self, deed: Deed) -> Ruling:
        """The first rule that fits."""
        rule = next((one for one in self.rules if one.fits(deed)), None)
        return Ruling(rule.decision, rule.name) if rule else Ruling(self.otherwise, "no rule fits")


def host_of(address: str) -> str:
    """The host of a URL in lower case; empty where the address is none."""
    try:
        return (urlsplit(address).hostname or "").lower()
    except ValueError:
        return ""


def _same_host(name: str, deed: Deed) -> bool:
    if name == START:
        return deed.host in ("", deed.start)
    return bool(deed.host) and fnmatch.fnmatchcase(deed.host, name.lower())
