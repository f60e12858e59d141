"""A destination under its policy, and what would be sent there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from llava_agent.agent.permission import DEFAULT, Deed, Permission, Ruling, host_of
from llava_agent.errors import LlavaAgentError
from llava_agent.filing.config import FilingConfig, read_filing
from llava_agent.filing.parcel import Parcel


class Incomplete(LlavaAgentError):
    """A record lacks what the other system needs; one sentence for each field."""

    http_status = 422


@dataclass(frozen=True, slots=True)
class Target:
    """A destination with its policy and the folder that its file lies in."""

    config: FilingConfig
    permission: Permission
    beside: Path

    @classmethod
    def read(cls, path: Path) -> Target:
        """Raises ConfigError."""
        config, beside = read_filing(path), path.absolute().parent
        rules = beside / config.permissions if config.permissions else DEFAULT
        return cls(config, Permission.read(rules), beside)

    def ruling(self, values: Mapping[str, object]) -> Ruling:
        """What the policy says of sending this, as of any tool that changes something."""
        host = host_of(self.config.to.home)
        words = json.dumps(values, ensure_ascii=False, default=str)
        return self.permission.rule_on(
            Deed("tool", "irreversible", host, host, words, f"file.{self.config.name}")
        )


@dataclass(frozen=True, slots=True)
class Preview:
    """What would be sent, and whether it may be.

    Attributes:
        content: hash of exactly this.
    """

    target: Target
    parcel: Parcel
    content: str
    ruling: Ruling
