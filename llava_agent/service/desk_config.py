"""What the desks of a server are to keep of photos, and where records are filed: one strict YAML file."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from llava_agent.config_folder import config_folder
from llava_agent.inspection.intake import IntakePolicy
from llava_agent.strict_yaml import read_yaml

#: The shipped one, for who has none.
DEFAULT = Path(__file__).parent.parent / "configs" / "desk" / "default.yaml"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PhotoSettings(_Strict):
    """See `inspection.intake.IntakePolicy`."""

    keep_time: bool = True
    keep_place: bool = False

    def policy(self) -> IntakePolicy:
        return IntakePolicy(self.keep_time, self.keep_place)


class DeskConfig(_Strict):
    """Attributes:
    filing: files of destinations (`configs/filing/`), beside this one.
    """

    photos: PhotoSettings = PhotoSettings()
    filing: tuple[str, ...] = ()


def desk_path(chosen: Path | None = None) -> Path:
    """The file that is chosen, else `desk.yaml` in the user's configuration, else the shipped one."""
    own = config_folder() / "desk.yaml"
    return chosen or (own if own.is_file() else DEFAULT)


def read_desk(path: Path) -> DeskConfig:
    """Raises ConfigError: unreadable, an unknown key, or a bad value."""
    config: DeskConfig = read_yaml(path, DeskConfig)
    return config
