"""A rule file: one YAML file that says what each image must and must not show.

For example::

    name: nameplates
    rules:
      - name: a serial number
        expect: {pattern: "SN-#####"}
      - name: the serial number of its record
        expect: {shows: "{serial}"}
      - name: no price on photos of pumps
        when: {category: pump}
        expect: {not_shows: EUR}
      - name: large enough to be zoomed
        size: [800, 800]

`{serial}` stands for that column of the image's description.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from llava_agent.checks.expectation import ColourName, Expectation, Words
from llava_agent.strict_yaml import read_yaml


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Rule(_Strict):
    """One rule; exactly one of `expect`, `size`, `ground` and `described`.

    Attributes:
        when: columns of the description and what they must be (in any case) for the rule to apply.
        expect: an expectation as in a spec; `{column}` in its texts stands for the image's description.
        size: least width and height in pixels.
        ground: colour of the image's edge all around, as listings ask of product images.
        described: columns of the description that must not be empty.
    """

    name: Words
    when: dict[str, str] = Field(default_factory=dict)
    expect: dict[str, Any] | None = None
    size: tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]] | None = None
    ground: ColourName | None = None
    described: Annotated[tuple[Words, ...], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _one_demand(self) -> Rule:
        demands = [self.expect, self.size, self.ground, self.described]
        if sum(demand is not None for demand in demands) != 1:
            raise ValueError("each rule has exactly one of expect, size, ground and described")
        if self.expect is not None:
            Expectation.model_validate(self.expect)
        return self


class RuleBook(_Strict):
    """A file of rules.

    Attributes:
        picture: what the images are; by their files' names where not given.
    """

    name: Words
    picture: Literal["photo", "screenshot"] | None = None
    rules: Annotated[tuple[Rule, ...], Field(min_length=1)]


def read_rules(path: Path) -> RuleBook:
    """Read and check a rule file; ConfigError for an unknown, missing or wrong key."""
    book: RuleBook = read_yaml(path, RuleBook)
    return book
