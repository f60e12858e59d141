"""What is known of each image beside its pixels: a table in CSV, JSON or YAML with a column `image`."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from llava_agent.errors import ConfigError

Description = Mapping[str, str]
#: Looked for beside the images where no file is named.
NAMES = ("descriptions.csv", "descriptions.json", "descriptions.yaml")
_KEY = "image"


def read_descriptions(path: Path) -> dict[str, Description]:
    """Descriptions by the image's file name.

    Raises:
        ConfigError: unreadable, a row without an image, an image twice.
    """
    found: dict[str, Description] = {}
    for number, row in enumerate(_rows(path), start=1):
        name = row.get(_KEY, "")
        if not name:
            raise ConfigError(
                f"{path}: entry {number} has no {_KEY!r}", "name the image's file in each entry"
            )
        if name in found:
            raise ConfigError(f"{path}: {name} is described twice", "keep one of the entries")
        found[name] = row
    return found


def _rows(path: Path) -> list[dict[str, str]]:
    """Of a table, a list of mappings, or a mapping from images to mappings; all values as text."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        if path.suffix.lower() == ".csv":
            return [{k: v or "" for k, v in row.items() if k} for row in csv.DictReader(text.splitlines())]
        data = json.loads(text) if path.suffix.lower() == ".json" else _yaml(text)
    except OSError as error:
        raise ConfigError(f"cannot read {path} ({error.strerror})", "check the path") from error
    except (ValueError, csv.Error) as error:
        raise ConfigError(f"{path} cannot be read ({error})", "correct the file") from error
    if isinstance(data, dict):
        data = [{_KEY: name, **row} if isinstance(row, dict) else None for name, row in data.items()]
    if not isinstance(data, list) or not all(isinstance(row, dict) for row in data):
        raise ConfigError(
            f"{path} is no table", f"write a list of entries, each with {_KEY!r} and its columns"
        )
    return [{str(k): "" if v is None else str(v) for k, v in row.items()} for row in data]


def _yaml(text: str) -> Any:
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from error
