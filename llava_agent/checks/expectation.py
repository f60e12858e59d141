"""What can be expected of a page or picture. Each expectation has exactly one key.

A control or text is named by what stands on it (`Save changes`), or by name and role where a name alone is
not
enough (`{name: Save, role: button}`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

Region = tuple[float, float, float, float]
ControlState = Literal[
    "enabled", "disabled", "checked", "unchecked", "selected", "required", "invalid", "focused", "expanded"
]
Words = Annotated[str, Field(min_length=1, pattern=r"\S")]
Edge = Literal["left", "right", "top", "bottom", "centre", "middle"]
#: In place of a name: all texts, or all images.
EVERYTHING = "everything"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Thing(_Strict):
    """A control, text or image by its name; `role` as in ARIA, `text` for text, `image` for an image."""

    name: Words
    role: str = ""

    def words(self) -> str:
        return f'{self.role} "{self.name}"' if self.role else f'"{self.name}"'


Named = Words | Thing
Pair = tuple[Named, Named]
Several = Annotated[tuple[Named, ...], Field(min_length=2)]


def thing(named: str | Thing) -> Thing:
    return named if isinstance(named, Thing) else Thing(name=named)


def _colour(name: str) -> str:
    from llava_agent.checks.colours import FAMILIES, parse

    if name.casefold().replace("gray", "grey") not in FAMILIES:
        try:
            parse(name)
        except ValueError:
            raise ValueError(f"{name!r} is no colour; write a name such as red, or #rrggbb") from None
    return name


ColourName = Annotated[str, AfterValidator(_colour)]


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


class HasColour(_Strict):
    """The colour of something, measured on the pixels.

    Attributes:
        is_: one of the everyday names (red, orange, brown, yellow, green, cyan, blue, purple, pink, grey,
            black,
            white), which stand for all their shades, or #rrggbb or another name of CSS, which stand for one.
        part: the letters, or what they stand on; where not given, the ground of a control and the letters
            of a text.
        tolerance: distance in Lab (CIE76) from one colour; 2 is just seen.
    """

    of: Named
    is_: ColourName = Field(alias="is")
    part: Literal["text", "ground"] | None = None
    tolerance: float = Field(default=8.0, ge=0, le=100)


class HasContrast(_Strict):
    """The text stands out from its ground: WCAG's ratio, measured on the pixels."""

    of: Named = EVERYTHING
    at_least: float = Field(default=4.5, ge=1, le=21)


class Aligned(_Strict):
    """Edges or middles in one line. `centre` is the middle from left to right, `middle` from top to
    bottom.
    """

    things: Several
    by: Edge
    tolerance: float = Field(default=2.0, ge=0)


class NoErrors(_Strict):
    """No error on the console, no failed request, no answer of 400 or more.

    Attributes:
        ignore: an error that holds one of these texts does not count.
    """

    ignore: tuple[Words, ...] = ()


class Matches(_Strict):
    """The screenshot equals a stored one.

    Attributes:
        baseline: a PNG beside the spec; `llava-agent check --update-baselines` writes it.
        tolerance: share of pixels that may differ.
        level: difference of a colour channel (0 to 255) from which a pixel differs.
        masks: what is not compared: regions in pixels, or names of things.
    """

    baseline: Path
    tolerance: float = Field(default=0.002, ge=0, le=1)
    level: int = Field(default=24, ge=0, le=255)
    masks: tuple[Region | Named, ...] = ()


class Expectation(_Strict):
    """One thing that must be true; exactly one key.

    Attributes:
        shows: this text can be read somewhere, as a part of a text, in any case.
        not_shows: it can be read nowhere.
        text: one text, or one field's value, is exactly this.
        pattern: some text holds this; `#` stands for a digit, `@` for a letter, `*` for anything without a
            blank.
        count, state, colour, contrast, aligned, matches: see their classes.
        overlaps, no_overlap: the things lie over each other; no two of them do.
        cut_off, not_cut_off: a part of the text cannot be seen; all of it can. `everything` for all texts.
        order: the things come in this order, from the top and from the left.
        above, below, left_of, right_of: the first lies there of the second.
        image: the image is loaded and seen. `everything` for all images.
        no_errors: see its class; `true` for no error at all.
        asks: a claim that only eyes can check; the model's yes counts only where it denies the opposite.
    """

    shows: Named | None = None
    not_shows: Named | None = None
    text: Named | None = None
    pattern: Words | None = None
    count: Count | None = None
    state: State | None = None
    colour: HasColour | None = None
    contrast: HasContrast | Named | None = None
    aligned: Aligned | None = None
    overlaps: Pair | None = None
    no_overlap: Several | Literal["everything"] | None = None
    cut_off: Named | None = None
    not_cut_off: Named | None = None
    order: Several | None = None
    above: Pair | None = None
    below: Pair | None = None
    left_of: Pair | None = None
    right_of: Pair | None = None
    image: Named | None = None
    no_errors: NoErrors | Literal[True] | None = None
    matches: Matches | None = None
    asks: Words | None = None

    @model_validator(mode="after")
    def _one_thing(self) -> Expectation:
        if len(self.model_fields_set) != 1 or self.value is None:
            raise ValueError("each expectation has exactly one key, such as shows or text")
        return self

    @property
    def kind(self) -> str:
        return next(iter(self.model_fields_set))

    @property
    def value(self) -> object:
        return getattr(self, self.kind)
