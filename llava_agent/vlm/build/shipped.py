"""Trained files that come with the package and go into a build; a change of any makes the build stale."""

from __future__ import annotations

from pathlib import Path

ADAPTER = "adapter.safetensors"
TOWER = "tower.safetensors"
DIAL_HEAD = "dial_head.safetensors"

SHIPPED = (ADAPTER, TOWER, DIAL_HEAD)


def shipped_file(folder: Path | None, name: str) -> Path | None:
    """Its path, or None where it is not shipped."""
    path = folder / name if folder else None
    return path if path and path.is_file() else None
