"""A spec: one YAML file that says which page or picture to look at and what must be true of it.

The smallest one::

    name: orders
    page: http://localhost:8000/orders
    expect:
      - shows: Save changes
      - text: "Total: 42 EUR"
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from llava_agent.errors import ConfigError
from llava_agent.strict_yaml import read_yaml

Region = tuple[float, float, float, float]
ControlState = Literal[
    "enabled", "disabled", "checked", "unchecked", "selected", "required", "invalid", "focused", "expanded"
]
Words = Annotated[str, Field(min_length=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Count(_Strict):
    """So many controls or texts. `name` is a part of it, in any case; `role` as in ARIA, `text` for text."""

    role: str = ""
    name: str = ""
    equals: int = Field(ge=0)


class State(_Strict):
    """The state of one control."""

    name: Words
    role: str = ""
    is_: ControlState = Field(alias="is")


class Matches(_Strict):
    """The screenshot equals a stored one.

    Attributes:
        baseline: a PNG beside the spec; `llava-agent check --update-baselines` writes it.
        tolerance: share of pixels that may differ.
        level: difference of a colour channel (0 to 255) from which a pixel differs.
        masks: regions that are not compared, in pixels.
    """

    baseline: Path
    tolerance: float = Field(default=0.002, ge=0, le=1)
    level: int = Field(default=24, ge=0, le=255)
    masks: tuple[Region, ...] = ()


class Expectation(_Strict):
    """One thing that must be true; exactly one key.

    Attributes:
        shows: this text is visible somewhere, as a part of a text, in any case.
        not_shows: it is visible nowhere.
        text: one text, or one field's value, is exactly this.
        count, state, matches: see their classes.
        asks: a claim that only eyes can check; the model's yes counts only where it denies the opposite.
    """

    shows: Words | None = None
    not_shows: Words | None = None
    text: Words | None = None
    count: Count | None = None
    state: State | None = None
    matches: Matches | None = None
    asks: Words | None = None

    @model_validator(mode="after")
    def _one_thing(self) -> Expectation:
        if len(self.model_fields_set) != 1:
            raise ValueError("each expectation has exactly one key, such as shows or text")
        return self

    @property
    def kind(self) -> str:
        return next(iter(self.model_fields_set))


class TypeInto(_Strict):
    """Text for a field."""

    into: Words
    text: str


class Choose(_Strict):
    """An option of a list."""

    of: Words
    option: Words


class Step(_Strict):
    """One action before the expectations; exactly one key. Controls are named as the page names them."""

    click: Words | None = None
    type: TypeInto | None = None
    select: Choose | None = None
    press: Words | None = None

    @model_validator(mode="after")
    def _one_thing(self) -> Step:
        if len(self.model_fields_set) != 1:
            raise ValueError("each step has exactly one key: click, type, select or press")
        return self


class Spec(_Strict):
    """A file of expectations.

    Attributes:
        page: an address, or a file beside the spec: an HTML page or a picture.
        viewport: width and height of the window in CSS pixels.
        timeout: seconds in which an expectation may still become true.
        steps: what to do first.
    """

    name: Words
    page: Words
    viewport: tuple[int, int] = (1000, 750)
    timeout: float = Field(default=3.0, ge=0, le=120)
    steps: tuple[Step, ...] = ()
    expect: tuple[Expectation, ...] = Field(min_length=1)


def read_spec(path: Path) -> Spec:
    """Read and check a spec; ConfigError for an unknown, missing or wrong key."""
    spec: Spec = read_yaml(path, Spec)
    return spec


def read_specs(paths: list[Path]) -> list[tuple[Path, Spec]]:
    """All specs, those in folders included (`*.yaml`, `*.yml`); ConfigError where there are none."""
    files = []
    for path in paths:
        found = [*path.glob("*.yaml"), *path.glob("*.yml")] if path.is_dir() else [path]
        files += sorted(found)
    if not files:
        raise ConfigError(f"{paths[0]} holds no spec", "give YAML files, or a folder that holds some")
    return [(file, read_spec(file)) for file in files]
