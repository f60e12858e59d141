"""A spec: one YAML file that says which page or picture to look at and what must be true of it.

The smallest one::

    name: orders
    page: http://localhost:8000/orders
    expect:
      - shows: Save changes
      - text: "Total: 42 EUR"
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from llava_agent.checks.expectation import Expectation, Named, Words
from llava_agent.errors import ConfigError
from llava_agent.strict_yaml import checked, parse_mapping, read_yaml

Theme = Literal["light", "dark"]
Viewport = tuple[Annotated[int, Field(ge=100, le=5000)], Annotated[int, Field(ge=100, le=5000)]]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TypeInto(_Strict):
    """Text for a field, or the environment variable that holds a secret one: its value is in no report."""

    into: Named
    text: str | None = None
    secret: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = None

    @model_validator(mode="after")
    def _one_source(self) -> TypeInto:
        if (self.text is None) == (self.secret is None):
            raise ValueError("give text, or secret with the name of an environment variable")
        return self


class Choose(_Strict):
    """An option of a list."""

    of: Named
    option: Words


class Do(_Strict):
    """An errand in plain words, which the agent does on the page with the model.

    Attributes:
        until: text that the page shows once it is done; without one the agent's own word counts.
        steps: most actions.
        seconds: most time.
    """

    task: Words
    until: Words | None = None
    steps: int = Field(default=8, ge=1, le=50)
    seconds: float = Field(default=60.0, gt=0, le=600)


class Step(_Strict):
    """One action before the expectations; exactly one key. Controls are named as the page names them.

    Attributes:
        go: another address, or a path on the same host.
        wait: seconds.
        do: an errand in plain words, for the agent; bounded.
    """

    click: Named | None = None
    type: TypeInto | None = None
    select: Choose | None = None
    press: Words | None = None
    go: Words | None = None
    wait: float | None = Field(default=None, gt=0, le=30)
    do: Do | Words | None = None

    @model_validator(mode="after")
    def _one_thing(self) -> Step:
        if len(self.model_fields_set) != 1 or getattr(self, next(iter(self.model_fields_set))) is None:
            raise ValueError("each step has exactly one key: click, type, select, press, go, wait or do")
        return self

    @property
    def errand(self) -> Do | None:
        return Do(task=self.do) if isinstance(self.do, str) else self.do

    def words(self) -> str:
        return str(self.model_dump(exclude_unset=True))


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to look at the page: window, language, theme.

    Attributes:
        name: what tells it from the spec's other variants; empty where there is only one.
    """

    name: str
    viewport: tuple[int, int]
    locale: str
    theme: Theme
    reduced_motion: bool

    def beside(self, baseline: Path) -> Path:
        """The variant's own baseline: `orders.png` becomes `orders-390x844-dark.png`."""
        end = "-" + self.name.replace(", ", "-") if self.name else ""
        return baseline.with_name(f"{baseline.stem}{end}{baseline.suffix}")


class Spec(_Strict):
    """A file of expectations.

    Attributes:
        page: an address, or a file beside the spec: an HTML page or a picture.
        picture: what a picture is; by its file's name where not given.
        viewport: width and height of the window in CSS pixels; with `viewports`, `locales` or `themes` of
            several
            entries the spec is checked once for each combination.
        dialogs: how alerts and questions of the page are answered.
        timeout: seconds in which an expectation may still become true.
        steps: what to do first.
    """

    name: Words
    page: Words
    picture: Literal["photo", "screenshot"] | None = None
    viewport: Viewport = (1000, 750)
    viewports: Annotated[tuple[Viewport, ...], Field(min_length=1)] | None = None
    locales: Annotated[tuple[Words, ...], Field(min_length=1)] = ("en-GB",)
    themes: Annotated[tuple[Theme, ...], Field(min_length=1)] = ("light",)
    reduced_motion: bool = False
    dialogs: Literal["accept", "dismiss"] = "dismiss"
    timeout: float = Field(default=3.0, ge=0, le=120)
    steps: tuple[Step, ...] = ()
    expect: tuple[Expectation, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _one_viewport(self) -> Spec:
        if self.viewports is not None and "viewport" in self.model_fields_set:
            raise ValueError("give viewport or viewports, not both")
        return self

    def variants(self) -> list[Variant]:
        """Every combination of window, language and theme."""
        viewports = self.viewports or (self.viewport,)
        found = []
        for (width, height), locale, theme in product(viewports, self.locales, self.themes):
            told = [
                name
                for name, several in (
                    (f"{width}x{height}", len(viewports) > 1),
                    (locale, len(self.locales) > 1),
                    (theme, len(self.themes) > 1),
                )
                if several
            ]
            found.append(Variant(", ".join(told), (width, height), locale, theme, self.reduced_motion))
        return found

    @property
    def asks_model(self) -> bool:
        """Something in it needs a model."""
        return any(one.asks for one in self.expect) or any(step.do for step in self.steps)


def read_spec(path: Path) -> Spec:
    """Read and check a spec; ConfigError for an unknown, missing or wrong key."""
    spec: Spec = read_yaml(path, Spec)
    return spec


def parse_spec(text: str, name: str = "the spec") -> Spec:
    """As `read_spec`, from text, such as a service is sent."""
    file = Path(name)
    spec: Spec = checked(parse_mapping(text, file), Spec, file, text)
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
