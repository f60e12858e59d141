"""Exactly what is filed: the content that is approved, sent, and told apart from any other by its hash."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from llava_agent.filing.api import ApiDestination
from llava_agent.filing.config import ApiTarget, FilingConfig
from llava_agent.filing.destination import Destination
from llava_agent.filing.fill import Problem, fill
from llava_agent.filing.form import FormDestination
from llava_agent.filing.material import Material
from llava_agent.gateway.approvals import action_hash

#: A longer value is told by its length: a photo in a table helps nobody.
_SHOWN = 500


@dataclass(frozen=True, slots=True)
class Parcel:
    """One record as one destination takes it.

    Attributes:
        values: by field, as they are sent.
        photos: sha256 (hex) of each photo that the record rests on, sent or not.
        problems: why it cannot be sent; empty where it can.
    """

    destination: str
    record: str
    values: Mapping[str, JsonValue]
    photos: tuple[str, ...]
    problems: tuple[Problem, ...] = ()

    def action(self, home: str) -> dict[str, Any]:
        """What an approval is bound to: this content, to this address."""
        return {
            "tool": f"file.{self.destination}",
            "address": home,
            "record": self.record,
            "photos": list(self.photos),
            "values": dict(self.values),
        }

    def digest(self, home: str) -> str:
        """sha256 (hex) of the action."""
        return action_hash(self.action(home))

    def shown(self) -> dict[str, JsonValue]:
        """The values for people and for the history."""
        return {name: _shown(value) for name, value in self.values.items()}


def parcel(
    config: FilingConfig, material: Material, beside: Path | None = None, *, live: bool = True
) -> Parcel:
    """Fill in the fields and ask the other system's own description whether they fit.

    Args:
        beside: folder that a relative document of the configuration starts from.
        live: open a form to see that its fields are there; an API's document is always read.

    Raises:
        ConfigError: the configuration does not fit the other system.
        PermissionDenied: the other system is not on the list of permitted hosts.
        ToolError: it cannot be reached.
    """
    found = fill(config, material)
    photos = tuple(one.sha256 for one in material.photos)

    async def check() -> tuple[Mapping[str, JsonValue], list[Problem]]:
        async with open_destination(config, beside) as destination:
            return await destination.check(found.values, live=live)

    values, refused = asyncio.run(check())
    named = {one.field for one in found.problems}
    problems = (*found.problems, *(one for one in refused if one.field not in named))
    return Parcel(config.name, material.id, values, photos, problems)


@asynccontextmanager
async def open_destination(
    config: FilingConfig, beside: Path | None = None, folder: Path | None = None, once: str = ""
) -> AsyncIterator[Destination]:
    """The other system, until the block ends.

    Args:
        folder: of the agent's run that fills in a form.
        once: the record's id, for calls that carry it in a header.
    """
    if isinstance(config.to, ApiTarget):
        document = config.to.document
        if "://" not in document and beside is not None:
            document = str(beside / document)
        opened: Destination = await ApiDestination.open(config.to, document, once)
    else:
        opened = FormDestination(config.to, folder)
    try:
        yield opened
    finally:
        await opened.close()


def _shown(value: JsonValue) -> JsonValue:
    if isinstance(value, str) and len(value) > _SHOWN:
        return f"{len(value)} characters"
    if isinstance(value, list):
        return [_shown(one) for one in value]
    return value
