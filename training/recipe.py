"""How the embedded model's trained parts are made: all settings, in one strict YAML file."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

import llava_agent
from llava_agent.strict_yaml import read_yaml
from training.settings import Settings
from training.stages.contrast import ContrastConfig
from training.stages.dial import DialConfig
from training.stages.point import PointConfig
from training.stages.read import ReadConfig

#: The recipe of the weights that ship.
SHIPPED = Path(llava_agent.__file__).parent / "configs" / "training" / "embedded.yaml"


class Split(Settings):
    """Numbers of renderings to train on and to test with; `held_out` uses kits that no training page uses."""

    train: int = Field(ge=1)
    test: int = Field(ge=1)
    held_out: int = Field(default=0, ge=0)


class Rendering(Settings):
    """Pages, photos of equipment, and crops of dials."""

    screens: Split
    equipment: Split
    dials: Split


class Recipe(Settings):
    """Settings of every stage.

    Attributes:
        align_steps: steps of the alignment before pointing.
        evaluate_steps: held-out decisions to measure on.
    """

    render: Rendering
    contrast: ContrastConfig
    dial: DialConfig
    align_steps: int = Field(ge=1)
    point: PointConfig
    read: ReadConfig
    evaluate_steps: int = Field(ge=2)

    def lasting(self, seconds: float) -> Recipe:
        """The recipe with another wall clock for each of the two long stages."""
        return self.model_copy(
            update={
                "contrast": self.contrast.model_copy(update={"seconds": seconds}),
                "point": self.point.model_copy(update={"seconds": seconds}),
            }
        )


def read_recipe(path: Path = SHIPPED) -> Recipe:
    """Read a recipe; ConfigError for an unknown, missing or wrong key."""
    recipe: Recipe = read_yaml(path, Recipe)
    return recipe
