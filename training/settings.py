"""The base of settings that are read from YAML."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Settings(BaseModel):
    """Frozen; a key that is unknown or of another type is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
