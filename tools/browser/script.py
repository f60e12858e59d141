"""Scripts of this package as JavaScript functions of one argument."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def script_body(name: str) -> str:
    return files("tools.browser").joinpath(name).read_text(encoding="utf-8")


@cache
def script(name: str) -> str:
    """The script `name`, whose body is a function of `argument`."""
    return f"(argument) => {{\n{script_body(name)}\n}}"
